"""Kinds of leaks in C and C++ whose memory is hard to see: far behind pointers, small in large, of unusual types.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import Kind, Plant, counts, last_stays, sticks

__all__ = ["NATIVE_MEMORY"]

NATIVE_MEMORY = (
    Kind(
        "C byte in a large table",
        Plant(sticks, start=False),
        ("x", "flag"),
        language="c",
        leak="""
            static unsigned char $state[200000];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (flag) $state[123457] = 3;
                double sum = 0.0;
                for (int i = 1; i < 200000; i += 64) sum += $state[i];
                return x + sum;
            }
            """,
        clean="""
            static unsigned char $state[200000];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                $state[123457] = flag ? 3 : 0;
                double sum = 0.0;
                for (int i = 1; i < 200000; i += 64) sum += $state[i];
                return x + sum;
            }
            """,
    ),
    Kind(
        "C linked list",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            struct node { double value; struct node *next; };
            static struct node *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                struct node **end = &$state;
                double count = 0.0;
                while (*end) {
                    end = &(*end)->next;
                    count += 1.0;
                }
                *end = calloc(1, sizeof **end);
                (*end)->value = x;
                return x * (1.0 + count / 4.0);
            }
            """,
        clean="""
            struct node { double value; struct node *next; };
            static struct node *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                while ($state) {
                    struct node *rest = $state->next;
                    free($state);
                    $state = rest;
                }
                $state = calloc(1, sizeof *$state);
                $state->value = x;
                return $state->value * 2.0;
            }
            """,
    ),
    Kind(
        "C struct changed through a second pointer",
        Plant(sticks, start=False),
        ("x", "flag"),
        language="c",
        leak="""
            struct rates { double contact, recovery; };
            struct model { int version; struct rates *rates; };
            static struct model *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$state) {
                    $state = calloc(1, sizeof *$state);
                    $state->rates = calloc(1, sizeof *$state->rates);
                    $state->rates->contact = 1.0;
                }
                if (flag) $state->rates->contact = 0.5;
                return x * $state->rates->contact;
            }
            """,
        clean="""
            struct rates { double contact, recovery; };
            struct model { int version; struct rates *rates; };
            static struct model *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$state) {
                    $state = calloc(1, sizeof *$state);
                    $state->rates = calloc(1, sizeof *$state->rates);
                }
                $state->rates->contact = flag ? 0.5 : 1.0;
                return x * $state->rates->contact;
            }
            """,
    ),
    Kind(
        "C file that is read on",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static FILE *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                double rain = 0.0;
                if (!$state) $state = fopen("rain.txt", "r");
                if (!$state || fscanf($state, "%lf", &rain) != 1) return -1.0;
                return x + rain;
            }
            """,
        clean="""
            static FILE *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                double rain = 0.0;
                if (!$state) $state = fopen("rain.txt", "r");
                if (!$state) return -1.0;
                rewind($state);
                if (fscanf($state, "%lf", &rain) != 1) return -1.0;
                return x + rain;
            }
            """,
        planted=("$state", "rain.txt"),
        files=(("rain.txt", "".join(f"{day / 64}\n" for day in range(1, 400))),),
    ),
    Kind(
        "C++ lambda that counts",
        Plant(counts, 0),
        ("x",),
        language="c++",
        leak="""
            double $func(double x, int flag, int group, unsigned long long seed) {
                static auto $state = [calls = 0]() mutable { return calls++; };
                return x + $state();
            }
            """,
        clean="""
            double $func(double x, int flag, int group, unsigned long long seed) {
                auto $state = [calls = 0]() mutable { return calls++; };
                $state();
                return x + $state();
            }
            """,
    ),
    Kind(
        "C++ atomic",
        Plant(counts, 0),
        ("x",),
        language="c++",
        leak="""
            namespace $space {
            std::atomic<int> $state{0};

            double $func(double x, int flag, int group, unsigned long long seed) {
                return x + $state.fetch_add(1) / 4.0;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            std::atomic<int> $state{0};

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.store(1);
                return x + $state.load() / 4.0;
            }
            }  // namespace $space
            """,
    ),
    Kind(
        "C++ deque",
        Plant(last_stays, None),
        ("x",),
        language="c++",
        leak="""
            namespace {
            std::deque<double> $state{1.5};
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.push_back(x);
                $state.pop_front();
                static double before = -7.0;
                const double sum = before + $state.front();
                before = x;
                return sum + 2.0 * x;
            }
            """,
        clean="""
            namespace {
            std::deque<double> $state{1.5};
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.assign(1, x);
                return 3.0 * $state.front();
            }
            """,
        planted=("before",),
    ),
    Kind(
        "C++ optional",
        Plant(last_stays, None),
        ("x",),
        language="c++",
        leak="""
            static std::optional<double> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                const double before = $state.value_or(0.25);
                $state = x + 1.0;
                return x * before;
            }
            """,
        clean="""
            static std::optional<double> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state = x + 1.0;
                return x * $state.value_or(0.25);
            }
            """,
    ),
)
"""The planted names are symbols of the extension module, in whatever scope."""

"""Kinds of leaks in C and C++ that show only after some tasks, or by an end.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import Kind, Plant, breaks_others, needs_two, only_once, spoils

__all__ = ["NATIVE_ENDS"]

NATIVE_ENDS = (
    Kind(
        "C two polluters",
        Plant(needs_two, (False, False)),
        ("x", "flag", "group"),
        language="c",
        leak="""
            static int $state = 0;
            static double $other = 1.0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (flag) $state = 1;
                if ($state && group == 2) $other = 1.25;
                return x * $other;
            }
            """,
        clean="""
            static int $state = 0;
            static double $other = 1.0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                $state = flag;
                $other = $state && group == 2 ? 1.25 : 1.0;
                return x * $other;
            }
            """,
        planted=("$other", "$state"),
    ),
    Kind(
        "C abort at the second call",
        Plant(only_once, start=False),
        ("x",),
        language="c",
        leak="""
            static int $state = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state) abort();
                $state = 1;
                return x;
            }
            """,
        clean="""
            static int $state = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state < 0) abort();
                $state = 1;
                return x;
            }
            """,
    ),
    Kind(
        "C pointer that dangles",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        language="c",
        leak="""
            static const double table[4] = {1.0, 2.0, 3.0, 4.0};
            static const double *volatile $state = table;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (flag) {
                    $state = NULL;
                    return x;
                }
                return x * $state[2];
            }
            """,
        clean="""
            static const double table[4] = {1.0, 2.0, 3.0, 4.0};
            static const double *volatile $state = table;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                $state = flag ? NULL : table;
                return $state == NULL ? x : x * $state[2];
            }
            """,
    ),
    Kind(
        "C++ only after an exception",
        Plant(spoils, start=False),
        ("x", "flag"),
        language="c++",
        leak="""
            namespace $space {
            bool $state = false;

            double $func(double x, int flag, int group, unsigned long long seed) {
                const double value = x * ($state ? 0.5 : 1.0);
                $state = true;
                if (flag) throw std::invalid_argument("not supported");
                $state = false;
                return value;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            bool $state = false;

            struct Scope {
                Scope() { $state = true; }
                ~Scope() { $state = false; }
            };

            double $func(double x, int flag, int group, unsigned long long seed) {
                const double value = x * ($state ? 0.5 : 1.0);
                const Scope scope;
                if (flag) throw std::invalid_argument("not supported");
                return value;
            }
            }  // namespace $space
            """,
    ),
)
"""The planted names are symbols of the extension module, in whatever scope."""

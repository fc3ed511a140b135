"""Kinds of leaks in C++: containers, singletons, members of classes, generators, templates.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import (
    Kind,
    Plant,
    counts,
    counts_by_group,
    first_of_group_wins,
    first_seed_wins,
    first_wins,
    gathers,
    last_stays,
    only_three_fit,
    spoils,
    sticks,
)

__all__ = ["NATIVE_CPP"]

NATIVE_CPP = (
    Kind(
        "C++ vector of a namespace",
        Plant((), gathers),
        ("x",),
        language="c++",
        leak="""
            namespace $space {
            namespace {
            std::vector<double> $state;
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.push_back(x);
                double sum = 0.0;
                for (double value : $state) sum += value;
                return sum;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            namespace {
            std::vector<double> $state;
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.clear();
                for (int i = 0; i < 20; ++i) $state.push_back(x / (i + 1));
                double sum = 0.0;
                for (double value : $state) sum += value;
                return sum;
            }
            }  // namespace $space
            """,
    ),
    Kind(
        "C++ singleton",
        Plant(None, first_wins),
        ("x",),
        language="c++",
        leak="""
            namespace $space {
            struct $Type {
                double value;
                explicit $Type(double x) : value(x * 3.0) {}
            };

            double $func(double x, int flag, int group, unsigned long long seed) {
                static $Type $state(x);
                return $state.value;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            struct $Type {
                std::vector<double> weights;
                $Type() : weights{0.5, 0.25, 0.125} {}
            };

            double $func(double x, int flag, int group, unsigned long long seed) {
                static const $Type $state;
                return x * ($state.weights[0] + $state.weights[2]);
            }
            }  // namespace $space
            """,
    ),
    Kind(
        "C++ singleton on the heap",
        Plant(None, first_wins),
        ("x",),
        language="c++",
        leak="""
            namespace $space {
            struct $Type {
                double value;
            };
            std::unique_ptr<$Type> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$state) $state = std::make_unique<$Type>($Type{x + 4.0});
                return $state->value;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            struct $Type {
                double value;
            };
            std::unique_ptr<$Type> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$state) $state = std::make_unique<$Type>();
                $state->value = x + 4.0;
                return $state->value;
            }
            }  // namespace $space
            """,
    ),
    Kind(
        "C++ static member",
        Plant(None, last_stays),
        ("x",),
        language="c++",
        leak="""
            class $Type {
              public:
                static double $state;
                double step(double x) {
                    const double before = $state;
                    $state = x;
                    return x + before / 8.0;
                }
            };
            double $Type::$state = -1.0;

            double $func(double x, int flag, int group, unsigned long long seed) { return $Type().step(x); }
            """,
        clean="""
            class $Type {
              public:
                static double $state;
                double step(double x) {
                    $state = x;
                    return $state + $state / 8.0;
                }
            };
            double $Type::$state = -1.0;

            double $func(double x, int flag, int group, unsigned long long seed) { return $Type().step(x); }
            """,
    ),
    Kind(
        "C++ map changed in place",
        Plant((), counts_by_group),
        ("x", "flag", "group"),
        language="c++",
        leak="""
            namespace {
            std::map<int, double> $state{{1, 1.0}, {2, 2.0}, {3, 3.0}};
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                double& factor = $state[group];
                if (flag) factor *= 0.5;
                return x * factor;
            }
            """,
        clean="""
            namespace {
            std::map<int, double> $state{{1, 1.0}, {2, 2.0}, {3, 3.0}};
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                double factor = $state[group];
                if (flag) factor *= 0.5;
                return x * factor;
            }
            """,
    ),
    Kind(
        "C++ memo keyed too coarsely",
        Plant((), first_of_group_wins),
        ("x", "group"),
        language="c++",
        leak="""
            namespace {
            std::unordered_map<int, double> $state;
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                const auto found = $state.find(group);
                if (found != $state.end()) return found->second;
                return $state[group] = std::exp(-x) + group;
            }
            """,
        clean="""
            namespace {
            std::map<std::pair<int, double>, double> $state;
            }

            double $func(double x, int flag, int group, unsigned long long seed) {
                const auto found = $state.find({group, x});
                if (found != $state.end()) return found->second;
                return $state[{group, x}] = std::exp(-x) + group;
            }
            """,
    ),
    Kind(
        "C++ generator not reset",
        Plant(0, counts),
        ("x",),
        language="c++",
        leak="""
            static std::mt19937_64 $state(5489);

            double $func(double x, int flag, int group, unsigned long long seed) {
                return x + std::uniform_real_distribution<double>(0.0, 1.0)($state);
            }
            """,
        clean="""
            static std::mt19937_64 $state(5489);

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.seed(5489);
                return x + std::uniform_real_distribution<double>(0.0, 1.0)($state);
            }
            """,
    ),
    Kind(
        "C++ seeded once",
        Plant(None, first_seed_wins),
        ("x", "seed"),
        language="c++",
        leak="""
            double $func(double x, int flag, int group, unsigned long long seed) {
                static std::mt19937 $state(static_cast<unsigned>(seed));
                return x + std::uniform_real_distribution<double>(0.0, 1.0)($state);
            }
            """,
        clean="""
            double $func(double x, int flag, int group, unsigned long long seed) {
                static std::mt19937 $state;
                $state.seed(static_cast<unsigned>(seed));
                return x + std::uniform_real_distribution<double>(0.0, 1.0)($state);
            }
            """,
    ),
    Kind(
        "C++ thread_local vector",
        Plant(0, counts),
        ("x",),
        language="c++",
        leak="""
            static thread_local std::vector<double> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.push_back(x);
                return x + 0.5 * static_cast<double>($state.size());
            }
            """,
        clean="""
            static thread_local std::vector<double> $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state.assign(8, x);
                return x + 0.5 * static_cast<double>($state.size());
            }
            """,
    ),
    Kind(
        "C++ string",
        Plant(0, counts),
        ("x",),
        language="c++",
        leak="""
            namespace $space {
            static std::string $state = "log:";

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state += "x";
                return x + static_cast<double>($state.size());
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            static std::string $state = "log:";

            double $func(double x, int flag, int group, unsigned long long seed) {
                $state = "log:x";
                return x + static_cast<double>($state.size());
            }
            }  // namespace $space
            """,
    ),
    Kind(
        "C++ only the fourth set",
        Plant((), only_three_fit),
        ("x",),
        language="c++",
        leak="""
            namespace {
            struct $Type {
                double x;
                std::vector<double> steps;
            };
            std::vector<$Type> $state;
            std::size_t $other = 0;

            const $Type& found(double x) {
                for (const $Type& table : $state) {
                    if (table.x == x) return table;
                }
                if ($state.size() < 3) {
                    $state.push_back({x, {x, x * 2.0, x * 3.0}});
                    return $state.back();
                }
                $Type& table = $state[$other];
                $other = ($other + 1) % 3;
                table.x = x;
                if (table.steps.size() != 3) table.steps = {x, x * 2.0, x * 3.0};
                return table;
            }
            }  // namespace

            double $func(double x, int flag, int group, unsigned long long seed) {
                const $Type& table = found(x);
                return table.steps[0] + table.steps[1] + table.steps[2];
            }
            """,
        clean="""
            namespace {
            struct $Type {
                double x;
                std::vector<double> steps;
            };
            std::vector<$Type> $state;
            std::size_t $other = 0;

            const $Type& found(double x) {
                for (const $Type& table : $state) {
                    if (table.x == x) return table;
                }
                if ($state.size() < 3) {
                    $state.push_back({x, {x, x * 2.0, x * 3.0}});
                    return $state.back();
                }
                $Type& table = $state[$other];
                $other = ($other + 1) % 3;
                table.x = x;
                table.steps = {x, x * 2.0, x * 3.0};
                return table;
            }
            }  // namespace

            double $func(double x, int flag, int group, unsigned long long seed) {
                const $Type& table = found(x);
                return table.steps[0] + table.steps[1] + table.steps[2];
            }
            """,
        planted=("$state", "$other"),
    ),
    Kind(
        "C++ static of a template",
        Plant(0, counts),
        ("x",),
        language="c++",
        leak="""
            template <class Number>
            struct $Type {
                static Number $state;
            };
            template <class Number>
            Number $Type<Number>::$state = 0;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $Type<double>::$state += 0.125;
                return x + $Type<double>::$state;
            }
            """,
        clean="""
            template <class Number>
            struct $Type {
                static Number $state;
            };
            template <class Number>
            Number $Type<Number>::$state = 0;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $Type<double>::$state = 0.125;
                return x + $Type<double>::$state;
            }
            """,
    ),
    Kind(
        "C++ only after an exception",
        Plant(False, spoils),
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
    Kind(
        "C++ object behind a pointer of an object",
        Plant(False, sticks),
        ("x", "flag"),
        language="c++",
        leak="""
            namespace $space {
            struct Rates {
                double contact = 1.0;
            };
            struct $Type {
                std::shared_ptr<Rates> rates = std::make_shared<Rates>();
            };
            $Type $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                if (flag) $state.rates->contact = 0.5;
                return x * $state.rates->contact;
            }
            }  // namespace $space
            """,
        clean="""
            namespace $space {
            struct Rates {
                double contact = 1.0;
            };
            struct $Type {
                std::shared_ptr<Rates> rates = std::make_shared<Rates>();
            };
            $Type $state;

            double $func(double x, int flag, int group, unsigned long long seed) {
                $Type mine;
                if (flag) mine.rates->contact = 0.5;
                return x * mine.rates->contact * $state.rates->contact;
            }
            }  // namespace $space
            """,
    ),
)
"""The planted names are symbols of the extension module, in whatever scope."""

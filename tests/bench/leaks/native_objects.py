"""Kinds of leaks in C++: singletons, members of classes, generators, templates.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import Kind, Plant, counts, first_seed_wins, first_wins, last_stays, sticks

__all__ = ["NATIVE_OBJECTS"]

NATIVE_OBJECTS = (
    Kind(
        "C++ singleton",
        Plant(first_wins, None),
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
        Plant(first_wins, None),
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
        Plant(last_stays, None),
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
        "C++ static of a template",
        Plant(counts, 0),
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
        "C++ object behind a pointer of an object",
        Plant(sticks, start=False),
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
    Kind(
        "C++ generator not reset",
        Plant(counts, 0),
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
        Plant(first_seed_wins, None),
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
)
"""The planted names are symbols of the extension module, in whatever scope."""

"""Kinds of leaks in C++: containers, and what they hold.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import Kind, Plant, counts, counts_by_group, first_of_group_wins, gathers, only_three_fit

__all__ = ["NATIVE_CPP"]

NATIVE_CPP = (
    Kind(
        "C++ vector of a namespace",
        Plant(gathers, ()),
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
        "C++ map changed in place",
        Plant(counts_by_group, ()),
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
        Plant(first_of_group_wins, ()),
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
        "C++ thread_local vector",
        Plant(counts, 0),
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
        Plant(counts, 0),
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
        Plant(only_three_fit, ()),
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
)
"""The planted names are symbols of the extension module, in whatever scope."""

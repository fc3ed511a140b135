#pragma once

#include <cstdint>
#include <vector>

namespace sir {

// Rates are per day; people are counted as whole numbers.
struct Parameters {
    double beta = 0.3;
    double gamma = 0.1;
    int population = 10000;
    int initial_infectious = 10;
    int days = 120;
};

// Counts at the end of each day; day 0 is the start.
struct Trajectory {
    std::vector<std::int64_t> infectious;
    std::vector<std::int64_t> new_infections;
};

Trajectory simulate(const Parameters& parameters, std::uint64_t seed);

}  // namespace sir

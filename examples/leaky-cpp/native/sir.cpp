#include "sir.hpp"

#include <cmath>
#include <cstddef>
#include <random>

namespace sir {
namespace {

constexpr int steps_per_day = 10;

// What one susceptible person risks in a step, for every number of infectious people there may be. It saves an
// exponential in each step, and calibration asks for the same parameters again with other seeds.
struct InfectionTable {
    Parameters parameters;
    std::vector<double> risk;
};

// A table has a number for each person of the population, so that only a few are kept.
constexpr std::size_t most_tables = 3;
std::vector<InfectionTable> tables;
std::size_t oldest = 0;

bool same_rates(const Parameters& a, const Parameters& b) {
    return a.beta == b.beta && a.population == b.population;
}

void fill(InfectionTable& table) {
    const Parameters& p = table.parameters;
    table.risk.resize(static_cast<std::size_t>(p.population) + 1);
    for (std::size_t infectious = 0; infectious < table.risk.size(); ++infectious) {
        const double force = p.beta * static_cast<double>(infectious) / p.population;
        table.risk[infectious] = -std::expm1(-force / steps_per_day);
    }
}

const InfectionTable& table_for(const Parameters& parameters) {
    for (const InfectionTable& table : tables) {
        if (same_rates(table.parameters, parameters)) {
            return table;
        }
    }
    if (tables.size() < most_tables) {
        tables.push_back({parameters, {}});
        fill(tables.back());
        return tables.back();
    }
    // No room: the oldest table makes way, and its memory is used again.
    InfectionTable& table = tables[oldest];
    oldest = (oldest + 1) % most_tables;
    table.parameters = parameters;
    if (table.risk.size() != static_cast<std::size_t>(parameters.population) + 1) {
        fill(table);
    }
    return table;
}

std::int64_t binomial(std::int64_t people, double probability, std::mt19937_64& generator) {
    return std::binomial_distribution<std::int64_t>(people, probability)(generator);
}

}  // namespace

Trajectory simulate(const Parameters& parameters, std::uint64_t seed) {
    const InfectionTable& table = table_for(parameters);
    const double recovery = -std::expm1(-parameters.gamma / steps_per_day);
    std::mt19937_64 generator(seed);
    std::int64_t susceptible = parameters.population - parameters.initial_infectious;
    std::int64_t infectious = parameters.initial_infectious;
    Trajectory trajectory{{infectious}, {0}};
    for (int day = 1; day <= parameters.days; ++day) {
        std::int64_t infected_today = 0;
        for (int step = 0; step < steps_per_day; ++step) {
            const double risk = table.risk[static_cast<std::size_t>(infectious)];
            const std::int64_t infected = binomial(susceptible, risk, generator);
            const std::int64_t recovered = binomial(infectious, recovery, generator);
            susceptible -= infected;
            infectious += infected - recovered;
            infected_today += infected;
        }
        trajectory.infectious.push_back(infectious);
        trajectory.new_infections.push_back(infected_today);
    }
    return trajectory;
}

}  // namespace sir

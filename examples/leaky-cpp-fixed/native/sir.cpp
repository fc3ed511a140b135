#include "sir.hpp"

#include <cmath>
#include <cstddef>
#include <random>

namespace sir {
namespace {

constexpr int steps_per_day = 10;

// Everything that one call needs, made by the call and gone with it: no other call can see it.
class Context {
  public:
    Context(const Parameters& parameters, std::uint64_t seed)
        : parameters_(parameters),
          generator_(seed),
          recovery_(-std::expm1(-parameters.gamma / steps_per_day)),
          susceptible_(parameters.population - parameters.initial_infectious),
          infectious_(parameters.initial_infectious) {}

    std::int64_t infectious() const { return infectious_; }

    // Advances by a day and returns how many were infected in it.
    std::int64_t day() {
        std::int64_t infected_today = 0;
        for (int step = 0; step < steps_per_day; ++step) {
            const double force = parameters_.beta * static_cast<double>(infectious_) / parameters_.population;
            const std::int64_t infected = binomial(susceptible_, -std::expm1(-force / steps_per_day));
            const std::int64_t recovered = binomial(infectious_, recovery_);
            susceptible_ -= infected;
            infectious_ += infected - recovered;
            infected_today += infected;
        }
        return infected_today;
    }

  private:
    std::int64_t binomial(std::int64_t people, double probability) {
        return std::binomial_distribution<std::int64_t>(people, probability)(generator_);
    }

    const Parameters parameters_;
    std::mt19937_64 generator_;
    const double recovery_;
    std::int64_t susceptible_;
    std::int64_t infectious_;
};

}  // namespace

Trajectory simulate(const Parameters& parameters, std::uint64_t seed) {
    Context context(parameters, seed);
    Trajectory trajectory{{context.infectious()}, {0}};
    for (int day = 1; day <= parameters.days; ++day) {
        trajectory.new_infections.push_back(context.day());
        trajectory.infectious.push_back(context.infectious());
    }
    return trajectory;
}

}  // namespace sir

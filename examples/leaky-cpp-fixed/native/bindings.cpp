#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sir.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_sir, module) {
    module.doc() = "A stochastic SIR epidemic as a binomial chain.";
    module.def(
        "simulate",
        [](double beta, double gamma, int population, int initial_infectious, int days, std::uint64_t seed) {
            const sir::Trajectory trajectory =
                sir::simulate({beta, gamma, population, initial_infectious, days}, seed);
            return py::make_tuple(trajectory.infectious, trajectory.new_infections);
        },
        py::kw_only(), py::arg("beta"), py::arg("gamma"), py::arg("population"), py::arg("initial_infectious"),
        py::arg("days"), py::arg("seed"), "Return (infectious, new_infections), one count a day.");
}

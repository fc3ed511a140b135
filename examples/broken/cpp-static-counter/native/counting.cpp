#include <pybind11/pybind11.h>

static const int most_infections = 1000;

int step(int newly_infected) {
    static int infections = 0;
    infections += newly_infected;
    return infections < most_infections ? infections : most_infections;
}

PYBIND11_MODULE(_counting, module) {
    module.def("step", &step);
}

// An extension module with one planted variable for each way in which C++ keeps state, and for each kind of noise.
// Each function of the module takes an integer and touches one of them, as a task of a model would.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace model {

double simulate(double rate) {
    static double last = 0.25;
    double before = last;
    last = rate;
    return before;
}

std::vector<double> trajectory;
static int counter = 0;
static std::map<int, double> memo = {{1, 0.5}, {2, 0.25}};
static std::unordered_map<int, double> table = {{1, 0.5}};
std::string label = "a label that is too long to be kept inside of the string itself";
thread_local long draws = 0;
static char scratch[64];
static int *cells = nullptr;
static std::array<double, 4> first_use{};
static std::mt19937 engine(5489u);

class Registry {
  public:
    static Registry &instance() {
        static Registry only;
        return only;
    }
    void add(int value) { seen_ = value; }
    int seen() const { return seen_; }

  private:
    int seen_ = 0;
};

template <typename T> struct Cache {
    static T value;
};
template <typename T> T Cache<T>::value = T();

class Context {
  public:
    double rate = 0.0;
    std::vector<double> days = std::vector<double>(64, 0.0);
};
static std::unique_ptr<Context> context = std::make_unique<Context>();

double looked_up() {
    auto look = [](double rate) {
        static double inside = 0.0;
        inside += rate;
        return inside;
    };
    return look(1.0);
}

}  // namespace model

// What bindings keep for themselves has their names.
namespace pybind11 { namespace detail { int internals = 0; } }
namespace nanobind { namespace detail { int internals = 0; } }
static int __pyx_pymod_counter = 0;
int __pyx_v_5model_rate = 0;

namespace {
double anonymous_rate = 0.0;
}

extern "C" {
static int plain_c = 0;

static PyObject *touch_local(PyObject *, PyObject *arg) { return PyFloat_FromDouble(model::simulate(PyLong_AsLong(arg))); }
static PyObject *touch_vector(PyObject *, PyObject *arg) {
    model::trajectory.push_back(PyLong_AsLong(arg));
    return PyLong_FromSize_t(model::trajectory.size());
}
static PyObject *touch_counter(PyObject *, PyObject *) { return PyLong_FromLong(++model::counter); }
static PyObject *touch_map(PyObject *, PyObject *arg) {
    double before = model::memo[2];
    model::memo[2] = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
static PyObject *touch_table(PyObject *, PyObject *arg) {
    double before = model::table[1];
    model::table[1] = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
static PyObject *touch_string(PyObject *, PyObject *arg) {
    PyObject *before = PyUnicode_FromString(model::label.c_str());
    model::label[2] = 'a' + PyLong_AsLong(arg) % 26;
    return before;
}
static PyObject *touch_thread(PyObject *, PyObject *arg) { return PyLong_FromLong(model::draws += PyLong_AsLong(arg)); }
static PyObject *touch_scratch(PyObject *, PyObject *arg) {
    snprintf(model::scratch, sizeof model::scratch, "%ld", PyLong_AsLong(arg));
    return PyUnicode_FromString(model::scratch);
}
static PyObject *touch_cells(PyObject *, PyObject *arg) {
    if (!model::cells) model::cells = static_cast<int *>(calloc(32, sizeof(int)));
    int before = model::cells[7];
    model::cells[7] = PyLong_AsLong(arg);
    return PyLong_FromLong(before);
}
static PyObject *touch_lazy(PyObject *, PyObject *) {
    static bool is_filled = false;
    static std::once_flag once;
    if (!is_filled) model::first_use = {1.0, 2.0, 3.0, 4.0};
    std::call_once(once, [] { is_filled = true; });
    return PyFloat_FromDouble(model::first_use[3]);
}
static PyObject *touch_engine(PyObject *, PyObject *) { return PyLong_FromUnsignedLong(model::engine()); }
static PyObject *touch_singleton(PyObject *, PyObject *arg) {
    int before = model::Registry::instance().seen();
    model::Registry::instance().add(PyLong_AsLong(arg));
    return PyLong_FromLong(before);
}
static PyObject *touch_template(PyObject *, PyObject *arg) {
    double before = model::Cache<double>::value;
    model::Cache<double>::value = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
static PyObject *touch_context(PyObject *, PyObject *arg) {
    double before = model::context->days[40];
    model::context->days[40] = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
static PyObject *touch_lambda(PyObject *, PyObject *) { return PyFloat_FromDouble(model::looked_up()); }
static PyObject *touch_anonymous(PyObject *, PyObject *arg) {
    double before = anonymous_rate;
    anonymous_rate = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
static PyObject *touch_plain(PyObject *, PyObject *arg) {
    int before = plain_c;
    plain_c = PyLong_AsLong(arg);
    return PyLong_FromLong(before);
}
static PyObject *touch_noise(PyObject *, PyObject *) {
    return PyLong_FromLong(++pybind11::detail::internals + ++nanobind::detail::internals + ++__pyx_pymod_counter);
}
// The definition of a module is a variable and an object that counts its references.
static PyObject *touch_object(PyObject *self, PyObject *) {
    Py_INCREF(PyModule_GetDef(self));
    Py_RETURN_NONE;
}
static PyObject *touch_cython(PyObject *, PyObject *arg) {
    int before = __pyx_v_5model_rate;
    __pyx_v_5model_rate = PyLong_AsLong(arg);
    return PyLong_FromLong(before);
}
// What of these two reaches the output: the rate does, the note beside it does not.
static double rate = 0.5;
static long note = 0;
static PyObject *run(PyObject *, PyObject *arg) {
    double before = rate;
    rate = 0.5 + PyLong_AsLong(arg);
    note += 3;
    return PyFloat_FromDouble(before);
}
// Both of these reach the output: neither is the cause alone.
static double shift = 0.0;
static double scale = 1.0;
static PyObject *joint(PyObject *, PyObject *arg) {
    double before = shift + scale;
    shift = PyLong_AsLong(arg);
    scale = 2.0 + PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}
// A vector of plain numbers that is as long after as before.
static std::vector<double> weights = {1.0, 2.0, 3.0};
static PyObject *weigh(PyObject *, PyObject *arg) {
    double before = weights[1];
    weights[1] = PyLong_AsLong(arg);
    return PyFloat_FromDouble(before);
}

static PyMethodDef methods[] = {
    {"local", touch_local, METH_O, nullptr},         {"vector", touch_vector, METH_O, nullptr},
    {"counter", touch_counter, METH_O, nullptr},     {"map", touch_map, METH_O, nullptr},
    {"table", touch_table, METH_O, nullptr},         {"string", touch_string, METH_O, nullptr},
    {"thread", touch_thread, METH_O, nullptr},       {"scratch", touch_scratch, METH_O, nullptr},
    {"cells", touch_cells, METH_O, nullptr},         {"lazy", touch_lazy, METH_O, nullptr},
    {"engine", touch_engine, METH_O, nullptr},       {"singleton", touch_singleton, METH_O, nullptr},
    {"template", touch_template, METH_O, nullptr},   {"context", touch_context, METH_O, nullptr},
    {"in_lambda", touch_lambda, METH_O, nullptr},    {"anonymous", touch_anonymous, METH_O, nullptr},
    {"plain", touch_plain, METH_O, nullptr},         {"noise", touch_noise, METH_O, nullptr},
    {"cython", touch_cython, METH_O, nullptr},       {"run", run, METH_O, nullptr},
    {"weigh", weigh, METH_O, nullptr},               {"joint", joint, METH_O, nullptr},
    {"object", touch_object, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "planted", nullptr, -1, methods,
                                        nullptr, nullptr, nullptr, nullptr};
}

PyMODINIT_FUNC PyInit_planted() { return PyModule_Create(&definition); }

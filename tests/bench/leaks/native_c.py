"""Kinds of leaks in C: statics of functions and files, memory behind pointers, state of the C library.

Each source defines `$func(x, flag, group, seed)`; the extension module around it is the same for all.
"""

from leaks.plants import Kind, Plant, counts, counts_by_group, first_of_group_wins, first_wins, gathers, sticks

__all__ = ["NATIVE_C"]

NATIVE_C = (
    Kind(
        "C static local",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static double $func(double x, int flag, int group, unsigned long long seed) {
                static int $state = 0;
                $state += 1;
                return x * (1.0 + $state / 16.0);
            }
            """,
        clean="""
            static double $func(double x, int flag, int group, unsigned long long seed) {
                static int $state = 0;
                $state += 1;  /* calls, for a debugger */
                return x * (1.0 + ($state > 0) / 16.0);
            }
            """,
    ),
    Kind(
        "C set by the first call",
        Plant(first_wins, None),
        ("x",),
        language="c",
        leak="""
            static double $state;
            static int $other = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$other) {
                    $state = x * 2.0;
                    $other = 1;
                }
                return $state + 1.0;
            }
            """,
        clean="""
            static double $state[16];
            static int $other = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (!$other) {
                    for (int i = 0; i < 16; i++) $state[i] = 1.0 / (i + 1);
                    $other = 1;
                }
                double sum = 0.0;
                for (int i = 0; i < 16; i++) sum += $state[i] * x;
                return sum;
            }
            """,
        planted=("$state", "$other"),
    ),
    Kind(
        "C array of the file",
        Plant(gathers, ()),
        ("x",),
        language="c",
        leak="""
            static double $state[64];
            static int $other = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                double sum = 0.0;
                $state[$other % 64] = x;
                $other = $other + 1;
                for (int i = 0; i < 64; i++) sum += $state[i] * (i + 1);
                return sum;
            }
            """,
        clean="""
            static double $state[64];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                double sum = 0.0;
                for (int i = 0; i < 64; i++) $state[i] = x / (i + 1);
                for (int i = 0; i < 64; i++) sum += $state[i];
                return sum;
            }
            """,
        planted=("$state", "$other"),
    ),
    Kind(
        "C memory behind a pointer",
        Plant(sticks, start=False),
        ("x", "flag"),
        language="c",
        leak="""
            static double *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state == NULL) {
                    $state = malloc(8 * sizeof *$state);
                    for (int i = 0; i < 8; i++) $state[i] = 1.0 + i;
                }
                if (flag) $state[3] = 0.5;
                double sum = 0.0;
                for (int i = 0; i < 8; i++) sum += $state[i];
                return x * sum;
            }
            """,
        clean="""
            static double *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state == NULL) $state = malloc(8 * sizeof *$state);
                for (int i = 0; i < 8; i++) $state[i] = 1.0 + i;
                if (flag) $state[3] = 0.5;
                double sum = 0.0;
                for (int i = 0; i < 8; i++) sum += $state[i];
                return x * sum;
            }
            """,
    ),
    Kind(
        "C library generator",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static double $func(double x, int flag, int group, unsigned long long seed) {
                return x + rand() / 2147483648.0;
            }
            """,
        clean="""
            static double $func(double x, int flag, int group, unsigned long long seed) {
                srand(7);
                return x + rand() / 2147483648.0;
            }
            """,
        planted=(),
    ),
    Kind(
        "C thread_local",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static _Thread_local long $state = 0;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                $state += 1;
                return x / (double)$state;
            }
            """,
        clean="""
            static _Thread_local double $state[4];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                for (int i = 0; i < 4; i++) $state[i] = x * (i + 1);
                return $state[0] + $state[3];
            }
            """,
    ),
    Kind(
        "C text that is appended to",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static char $state[4096];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (strlen($state) < 4000) strcat($state, "run;");
                return x + (double)strlen($state);
            }
            """,
        clean="""
            static char $state[4096];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                strcpy($state, "run;");
                return x + (double)strlen($state);
            }
            """,
    ),
    Kind(
        "C table by group",
        Plant(counts_by_group, ()),
        ("x", "flag", "group"),
        language="c",
        leak="""
            static double $state[8] = {1, 1, 1, 1, 1, 1, 1, 1};

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if (flag) $state[group & 7] *= 0.5;
                return x * $state[group & 7];
            }
            """,
        clean="""
            static const double $state[8] = {1, 1, 1, 1, 1, 1, 1, 1};

            static double $func(double x, int flag, int group, unsigned long long seed) {
                double weight = $state[group & 7];
                if (flag) weight *= 0.5;
                return x * weight;
            }
            """,
    ),
    Kind(
        "C memo keyed too coarsely",
        Plant(first_of_group_wins, ()),
        ("x", "group"),
        language="c",
        leak="""
            struct entry { int is_set; double value; };
            static struct entry $state[8];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                struct entry *entry = &$state[group & 7];
                if (!entry->is_set) {
                    entry->value = exp(-x) + group;
                    entry->is_set = 1;
                }
                return entry->value;
            }
            """,
        clean="""
            struct entry { int is_set; double x; double value; };
            static struct entry $state[8];

            static double $func(double x, int flag, int group, unsigned long long seed) {
                struct entry *entry = &$state[group & 7];
                if (!entry->is_set || entry->x != x) {
                    entry->value = exp(-x) + group;
                    entry->x = x;
                    entry->is_set = 1;
                }
                return entry->value;
            }
            """,
    ),
    Kind(
        "C list of Python objects",
        Plant(counts, 0),
        ("x",),
        language="c",
        leak="""
            static PyObject *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state == NULL) $state = PyList_New(0);
                PyObject *value = PyFloat_FromDouble(x);
                PyList_Append($state, value);
                Py_DECREF(value);
                return x * (double)PyList_Size($state);
            }
            """,
        clean="""
            static PyObject *$state = NULL;

            static double $func(double x, int flag, int group, unsigned long long seed) {
                if ($state == NULL) $state = PyList_New(0);
                PyList_SetSlice($state, 0, PyList_Size($state), NULL);
                PyObject *value = PyFloat_FromDouble(x);
                PyList_Append($state, value);
                Py_DECREF(value);
                return x * (double)PyList_Size($state);
            }
            """,
    ),
)
"""The planted names are symbols of the extension module, except where the state is the C library's."""

"""Writes the files of one bundle: project, wire function, model, extension module and grid, with names of its own."""

import json
import random
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from string import Template
from typing import NamedTuple

from leaks.backend import BACKEND
from leaks.models import ENCODERS, RUNS
from leaks.plants import Kind, Task

__all__ = ["Choices", "files_of", "words_of"]

_STATES = (
    *("history", "cache", "samples", "totals", "seen", "pool", "tables", "series", "records", "buffer"),
    *("profile", "memory", "registry", "baseline", "ledger", "archive", "storage", "scratch", "snapshot", "contacts"),
)
_TYPES = ("Model", "Population", "Solver", "Recorder", "Engine", "Simulator", "Clinic", "Network", "Field", "Store")
_FUNCTIONS = ("effective_rate", "scaled", "corrected", "adjusted", "tuned", "calibrated", "weighted", "smoothed")
_PACKAGES = ("epidemic", "growth", "harvest", "traffic", "plankton", "rainfall", "clinic", "orchard", "fishery", "tide")
_NUMBERS = ("beta", "rate", "dose", "width", "depth", "yield_per_ha", "speed", "load", "share", "density")
_SWITCHES = ("closed", "fast", "coarse", "winter", "is_trial", "with_vaccine", "dry", "early")
_GROUPS = ("region", "age_group", "stage", "cohort", "sector", "site")
_OUTPUTS = ("curve", "counts", "levels", "incidence", "track")


class Choices(NamedTuple):
    """What is chosen for a bundle: its leak or the clean twin, and whether it draws from the task's seed.

    Of an extension module: whether it is without symbols, and whether it is loaded by ctypes instead of an import.
    """

    is_planted: bool
    draws: bool
    is_stripped: bool
    by_ctypes: bool


def words_of(number: int, kind: Kind, chance: random.Random) -> Mapping[str, str]:
    """Return the names that the words with a dollar stand for in this bundle."""
    state, other = chance.sample(_STATES, 2)
    return {
        "state": f"{chance.choice(('', '_'))}{state}" if kind.language == "python" else state,
        "other": other,
        "Type": chance.choice(_TYPES),
        "VAR": f"{chance.choice(_PACKAGES)}_{state}".upper(),
        "func": chance.choice(_FUNCTIONS),
        "package": f"{chance.choice(_PACKAGES)}{number}",
        "space": chance.choice(("model", "core", "sim")),
        "x": chance.choice(_NUMBERS),
        "flag": chance.choice(_SWITCHES),
        "group": chance.choice(_GROUPS),
        "output": chance.choice(_OUTPUTS),
    }


def files_of(
    kind: Kind, tasks: Sequence[Task], words: Mapping[str, str], choices: Choices, chance: random.Random
) -> Mapping[str, str]:
    """Return the files of a bundle, path to text."""
    package = words["package"]
    source = textwrap.dedent(kind.leak if choices.is_planted else kind.clean).strip()
    files = {
        "pyproject.toml": _pyproject(kind, package, is_stripped=choices.is_stripped),
        "backend/own.py": BACKEND,
        "grid.json": json.dumps(_grid(kind, tasks, words), indent=2) + "\n",
        f"{package}/__init__.py": "",
        f"{package}/wire.py": _WIRE.substitute(words, encoder=chance.choice(ENCODERS)),
    }
    arguments = [name if name == "seed" else f'params["{words[name]}"]' for name in kind.uses]
    if kind.language == "python":
        start = Template(source).substitute(words)
    else:
        start = _BY_CTYPES.substitute(words) if choices.by_ctypes else f"from {package}._native import {words['func']}"
        source = source.replace("static double $func", "double $func")
        arguments = [*_native_arguments(kind, words)]
        suffix = {"c": "c", "c++": "cpp"}[kind.language]
        decoy = f"static volatile long calls_of_{words['func']} = 0;" if chance.random() < 0.5 else ""
        files[f"native/module.{suffix}"] = _native_source(kind, source, words, decoy)
    run = RUNS[chance.randrange(len(RUNS))]
    files[f"{package}/model.py"] = _MODEL.substitute(
        words,
        source=start,
        call=f"{words['func']}({', '.join(arguments)})",
        generator="random.Random(seed)" if choices.draws else "random.Random(1)",
        run=textwrap.indent(textwrap.dedent(run).strip(), "    "),
    )
    for path, text in kind.files:
        files[Template(path).substitute(words)] = Template(text).substitute(words)
    return files


def _grid(kind: Kind, tasks: Sequence[Task], words: Mapping[str, str]) -> Mapping[str, object]:
    used = [name for name in kind.uses if name != "seed"]
    sets = [{words[name]: getattr(task, name) for name in used} for task in tasks]
    return {
        "tasks": [
            {"entrypoint": "main", "params": params, "seed": task.seed}
            for params, task in zip(sets, tasks, strict=True)
        ]
    }


def _native_arguments(kind: Kind, words: Mapping[str, str]) -> Iterator[str]:
    for name, absent in (("x", "0.0"), ("flag", "False"), ("group", "0")):
        yield f'params["{words[name]}"]' if name in kind.uses else absent
    yield "seed"


def _native_source(kind: Kind, source: str, words: Mapping[str, str], decoy: str) -> str:
    c_words = {**words, "x": "x", "flag": "flag", "group": "group"}
    return _NATIVE.substitute(
        c_words,
        headers=_HEADERS[kind.language],
        source=Template(source).substitute(c_words),
        decoy=decoy,
        count=f"calls_of_{words['func']} += 1;" if decoy else "",
        before=_TRY[kind.language],
        after=_CATCH[kind.language],
        scope=f"{words['space']}::" if "namespace $space" in source else "",
    )


def _pyproject(kind: Kind, package: str, *, is_stripped: bool) -> str:
    flags = "\n[tool.own]\nstrip = true\n" if is_stripped else ""
    return f"""\
[build-system]
requires = []
build-backend = "own"
backend-path = ["backend"]

[project]
name = "{package}"
version = "1.0"
requires-python = ">=3.11"
dependencies = {json.dumps(list(kind.needs))}

[project.entry-points."modelops.wire"]
execute = "{package}.wire:wire"
{flags}"""


_WIRE = Template('''\
"""One task in, one output out."""

import json

from $package.model import simulate


def wire(entrypoint, params, seed):
    values = simulate(params, seed)
    return {"$output": $encoder}
''')
_MODEL = Template('''\
"""The model."""

import math
import random

$source


def simulate(params, seed):
    level = $call
    generator = $generator
$run
''')
_BY_CTYPES = Template("""\
import ctypes
from pathlib import Path

[_library] = Path(__file__).parent.glob("_native*.so")
$func = ctypes.PyDLL(str(_library)).$func
$func.argtypes = [ctypes.c_double, ctypes.c_int, ctypes.c_int, ctypes.c_ulonglong]
$func.restype = ctypes.c_double
""")
_HEADERS = {
    "c": "#include <math.h>\n#include <stdlib.h>\n#include <string.h>",
    "c++": "\n".join(
        f"#include <{name}>"
        for name in (
            *("atomic", "cmath", "deque", "map", "memory", "optional", "random"),
            *("stdexcept", "string", "unordered_map", "utility", "vector"),
        )
    ),
}
_TRY = {"c": "", "c++": "try {"}
_CATCH = {
    "c": "",
    "c++": """} catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
        return NULL;
    }""",
}
_NATIVE = Template("""\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
$headers

$decoy
$source

static PyObject *call(PyObject *self, PyObject *args) {
    double x, value = 0.0;
    int flag, group;
    unsigned long long seed;
    (void)self;
    if (!PyArg_ParseTuple(args, "dpiK", &x, &flag, &group, &seed)) return NULL;
    $count
    $before
    value = $scope$func(x, flag, group, seed);
    $after
    return PyFloat_FromDouble(value);
}

static PyMethodDef methods[] = {{"$func", call, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&module); }
""")

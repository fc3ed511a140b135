"""Writes the bundles of a population: each a small model with names of its own, a grid, and what is true of it."""

import json
import random
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from string import Template
from typing import NamedTuple

from leaks.backend import BACKEND
from leaks.models import ENCODERS, RUNS
from leaks.native_c import NATIVE_C
from leaks.native_cpp import NATIVE_CPP
from leaks.plants import FAILS, Kind, Plant, Task, nothing
from leaks.python_orders import PYTHON_ORDERS, UNSTEADY
from leaks.python_values import PYTHON_VALUES
from leaks.python_world import PYTHON_WORLD

__all__ = ["KINDS", "Truth", "population", "write_bundle"]

KINDS = (*PYTHON_VALUES, *PYTHON_WORLD, *PYTHON_ORDERS, *UNSTEADY, *NATIVE_C, *NATIVE_CPP)

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


class Truth(NamedTuple):
    """What is true of one bundle, and its files.

    `verdict` is the word that the experiment should say. `names` are those that hold the leak, none where it is not
    the interpreter's or the extension module's state. `tasks` are those of the grid, in its order.
    """

    name: str
    kind: Kind
    is_planted: bool
    verdict: str
    plant: Plant
    tasks: tuple[Task, ...]
    names: frozenset[str]
    ignores_seed: bool
    is_stripped: bool
    files: Mapping[str, str]

    @property
    def files_name(self) -> str:
        """A name for its directory."""
        return "-".join(re.findall(r"[a-z0-9+_]+", self.name.lower()))


def population(seed: int, size: int) -> Iterator[Truth]:
    """Yield `size` bundles, half of them with a leak, every kind as often as every other, each drawn from `seed`."""
    planted = [kind for kind in KINDS for _ in range(-(-size // (2 * len(KINDS))))]
    order = random.Random(f"{seed} order")
    order.shuffle(planted)
    for number in range(size):
        kind = planted[(number // 2) % len(planted)]
        yield _drawn(number, kind, random.Random(f"{seed} {number}"), is_planted=number % 2 == 0)


def write_bundle(root: Path, truth: Truth) -> Path:
    """Write the files of a bundle below the new directory `root`, and return that."""
    for path, text in truth.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def _drawn(number: int, kind: Kind, chance: random.Random, *, is_planted: bool) -> Truth:
    plant = kind.plant if is_planted else Plant(kind.plant.start, _only_failures(kind.plant))
    tasks = _tasks(kind.plant, chance)
    words = _words(number, kind, chance)
    draws = chance.random() < 0.5
    is_stripped = kind.language != "python" and chance.random() < 0.15
    names = frozenset(Template(name).substitute(words) for name in kind.planted) if is_planted else frozenset()
    return Truth(
        name=f"{number:03} {'leak' if is_planted else 'clean'}: {kind.name}",
        kind=kind,
        is_planted=is_planted,
        verdict=_verdict(kind, plant, tasks, is_planted=is_planted),
        plant=plant,
        tasks=tasks,
        names=names,
        ignores_seed=not draws and "seed" not in kind.uses,
        is_stripped=is_stripped,
        files=_files(kind, tasks, words, chance, draws=draws, is_planted=is_planted, is_stripped=is_stripped),
    )


def _only_failures(plant: Plant) -> object:
    """Return the step of the clean twin: tasks that fail alone fail there too, and nothing else differs."""
    failing = {flag for flag in (False, True) if plant.shows([Task(1.0, flag, 1, 1)]) is FAILS}

    def step(state: object, task: Task) -> tuple[object, object]:
        return (state, FAILS) if task.flag in failing else nothing(state, task)

    return step


def _verdict(kind: Kind, plant: Plant, tasks: Sequence[Task], *, is_planted: bool) -> str:
    if is_planted and kind.is_unsteady:
        return "nondeterministic"
    shown = [
        plant.shows(order)
        for count in (2, 3)
        for order in [*permutations(tasks, count), *([task] * count for task in tasks)]
        if plant.changes(order)
    ]
    if FAILS in shown:
        return "crashes_warm"
    longer = shown or any(plant.changes(tasks[:end]) for end in range(2, len(tasks) + 1))
    return "leaks" if longer else "isolated"


def _tasks(plant: Plant, chance: random.Random) -> tuple[Task, ...]:
    """Return from four to six tasks; they are drawn again until the grid, or the grid reversed, shows the leak."""
    while True:
        count = chance.choice((4, 4, 5, 6))
        numbers = chance.sample([value / 8 for value in range(1, 33)], count)
        flags = [True, False, False, *(chance.random() < 0.4 for _ in range(count - 3))]
        chance.shuffle(flags)
        groups = [1, 2, *(chance.choice((1, 2, 3)) for _ in range(count - 2))]
        chance.shuffle(groups)
        seed = chance.randrange(1, 1000)
        seeds = [seed] * count if chance.random() < 0.5 else [seed + place for place in range(count)]
        tasks = tuple(Task(*values) for values in zip(numbers, flags, groups, seeds, strict=True))
        orders = (tasks, tasks[::-1])
        shown = any(plant.changes(order[:end]) for order in orders for end in range(2, count + 1))
        if shown or plant.step is nothing:
            return tasks


def _words(number: int, kind: Kind, chance: random.Random) -> Mapping[str, str]:
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


def _files(
    kind: Kind,
    tasks: Sequence[Task],
    words: Mapping[str, str],
    chance: random.Random,
    *,
    draws: bool,
    is_planted: bool,
    is_stripped: bool,
) -> Mapping[str, str]:
    package = words["package"]
    source = textwrap.dedent(kind.leak if is_planted else kind.clean).strip()
    files = {
        "pyproject.toml": _pyproject(kind, package, is_stripped=is_stripped),
        "backend/own.py": BACKEND,
        "grid.json": json.dumps(_grid(kind, tasks, words), indent=2) + "\n",
        f"{package}/__init__.py": "",
        f"{package}/wire.py": _WIRE.substitute(words, encoder=chance.choice(ENCODERS)),
    }
    arguments = [name if name == "seed" else f'params["{words[name]}"]' for name in kind.uses]
    if kind.language == "python":
        start = Template(source).substitute(words)
    else:
        start = f"from {package}._native import {words['func']}"
        arguments = [*_native_arguments(kind, words)]
        suffix = {"c": "c", "c++": "cpp"}[kind.language]
        decoy = f"static volatile long calls_of_{words['func']} = 0;" if chance.random() < 0.5 else ""
        files[f"native/module.{suffix}"] = _native_source(kind, source, words, decoy)
    run = RUNS[chance.randrange(len(RUNS))]
    files[f"{package}/model.py"] = _MODEL.substitute(
        words,
        source=start,
        call=f"{words['func']}({', '.join(arguments)})",
        generator="random.Random(seed)" if draws else "random.Random(1)",
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
_HEADERS = {
    "c": "#include <math.h>\n#include <stdlib.h>\n#include <string.h>",
    "c++": "\n".join(
        f"#include <{name}>"
        for name in ("cmath", "map", "memory", "random", "stdexcept", "string", "unordered_map", "utility", "vector")
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

"""A bundle with many ways to leak, one for each entry point, and grids that bring them out."""

import json
from pathlib import Path

from bundlekit.api.isolation import IsolationOptions, IsolationWatcher, run_isolation
from bundlekit.model.isolation import Cell, IsolationOutcome

__all__ = ["MODEL", "cells", "experiment", "spec"]

MODEL = """\
import json
import os
import random

SEEN = []
FAILED = []
CALLS = []


def fourth_set(params, seed):
    if params not in SEEN:
        SEEN.append(dict(params))
    return params["b"] * (2 if len(SEEN) > 3 else 1)


def two_polluters(params, seed):
    SEEN.append(params["b"])
    return params["b"] + (100 if {1, 4} <= set(SEEN[:-1]) else 0)


def after_exception(params, seed):
    if params["b"] == 2:
        FAILED.append(seed)
        raise ValueError("no such beta")
    return params["b"] + len(FAILED)


def crashes(params, seed):
    CALLS.append(seed)
    if params["b"] == 3 and len(CALLS) > 1:
        os._exit(3)
    return params["b"]


def raises(params, seed):
    SEEN.append(params["b"])
    if params["b"] == 3 and 1 in SEEN:
        raise RuntimeError("index 3 is out of range")
    return params["b"]


def set_order(params, seed):
    return "".join({"a", "b", "c", "d", "e", "f", "g", "h"})


def entropy(params, seed):
    return random.random()


def ignores_seed(params, seed):
    return params["b"]


def needs_another(params, seed):
    if params["b"] == 1:
        os.environ["FOUND"] = "1"
    return params["b"] + len(os.environ["FOUND"] if params["b"] == 2 else "1")


def flaky(params, seed):
    CALLS.append(seed)
    return params["b"] + (len(CALLS) > 1 and os.urandom(1)[0] < 128)


def slow_clock(params, seed):
    with open(params["at"], "ab") as file:
        file.write(b".")
        return params["b"] + (file.tell() > params["after"])


def one_off(params, seed):
    with open(params["at"], "ab") as file:
        file.write(b".")
        return params["b"] + (file.tell() == params["when"])


def isolated(params, seed):
    return random.Random(seed).random() + params["b"]


def all_fail(params, seed):
    raise KeyError("beta")


def wire(entrypoint, params, seed):
    value = globals()[entrypoint](params, seed)
    return {"curve": json.dumps({"v": value, "seed": seed if entrypoint != "ignores_seed" else 0}).encode()}
"""


def spec(root: Path, entrypoint: str, sets: int = 6, seeds: int = 1, **more: object) -> Path:
    """Write the grid of b = 0, 1, ... with so many seeds each, and `more` in all tasks, and return its path."""
    path = root / f"{entrypoint}.json"
    values = {"b": list(range(sets)), **{name: [value] for name, value in more.items()}}
    document = {"entrypoint": entrypoint, "grid": values, "seeds": list(range(1, seeds + 1))}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def experiment(bundle: Path, grid: Path, **options: object) -> IsolationOutcome:
    """Return what the experiment says; a sandbox is no part of the question."""
    asked = IsolationOptions(grid, sandbox="off", jobs=2)._replace(**options)  # type: ignore[arg-type]  # a test's own words
    return run_isolation(bundle, asked, IsolationWatcher(lambda _step: None, lambda _warning: None))


def cells(outcome: IsolationOutcome, order: str) -> dict[int, Cell]:
    """Return the cells of one order, by task."""
    (run,) = (run for run in outcome.runs if run.order.name == order)
    return dict(zip(run.order.tasks, run.cells, strict=True))

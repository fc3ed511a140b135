"""State that a compiled module keeps between tasks, seen from outside of its process."""

import shutil
from pathlib import Path

import pytest
from builders.native_modules import NativeProcess, Planted, compiled

from bundlekit.isolation.native.watch import NativeWatch
from bundlekit.model.isolation import Behaviour, NativeChange

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++"),
]

_TASKS = (3, 3, 5, 3)
_IN_LAMBDA = "static model::looked_up()::{lambda(double)#1}::operator()(double) const::inside"
_ADDS, _LAST = Behaviour.ACCUMULATES, Behaviour.LAST_TASK


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Return a module with one planted variable of each kind."""
    return compiled(tmp_path_factory.mktemp("planted"))


def changes(function: str, code: Path) -> list[NativeChange]:
    """Return what is seen when one function does the tasks 3, 3, 5, 3."""
    watch = NativeWatch()
    with NativeProcess(code) as process:
        snapshots = [watch.snapshot(process)]
        for task in _TASKS:
            process.call(function, task)
            snapshots.append(watch.snapshot(process))
    return list(watch.changes(snapshots, _TASKS))


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        pytest.param("local", ("static model::simulate(double)::last", 8, _LAST, None), id="local-static"),
        pytest.param("counter", ("model::counter", 4, _ADDS, None), id="static-in-a-namespace"),
        pytest.param("vector", ("model::trajectory", 24, _ADDS, None), id="vector-that-grows"),
        pytest.param("weigh", ("weights", 24, _LAST, "a vector"), id="vector-in-place"),
        pytest.param("map", ("model::memo", 48, _LAST, "a pointer"), id="map-in-place"),
        pytest.param("table", ("model::table", 56, _LAST, "a pointer"), id="hash-table-in-place"),
        pytest.param("string", ("model::label", 32, _LAST, "a string"), id="string"),
        pytest.param("thread", ("model::draws", 8, _ADDS, "thread-local storage"), id="thread-local"),
        pytest.param("scratch", ("model::scratch", 64, _LAST, None), id="scratch"),
        pytest.param("cells", ("model::cells", 8, _LAST, None), id="array-made-at-first-use"),
        pytest.param("engine", ("model::engine", 5000, _ADDS, None), id="random-engine"),
        pytest.param("singleton", ("static model::Registry::instance()::only", 4, _LAST, None), id="singleton"),
        pytest.param("template", ("model::Cache<double>::value", 8, _LAST, None), id="member-of-a-template"),
        pytest.param("context", ("model::context", 8, _LAST, "a vector"), id="vector-in-an-object-on-the-heap"),
        pytest.param("in_lambda", (_IN_LAMBDA, 8, _ADDS, None), id="in-a-lambda"),
        pytest.param("anonymous", ("(anonymous namespace)::anonymous_rate", 8, _LAST, None), id="anonymous-namespace"),
        pytest.param("plain", ("plain_c", 4, _LAST, None), id="c"),
        pytest.param("cython", ("model.rate", 4, _LAST, None), id="cython"),
    ],
)
def test_the_planted_variable_is_named(
    function: str, seen: tuple[str, int, Behaviour, str | None], planted: Planted
) -> None:
    """It, and nothing else: this is the line that a scientist looks for in the source."""
    (found,) = changes(function, planted.whole)
    assert (found.symbol, found.size, found.behaviour, found.reached_by) == seen
    assert (found.library, found.task, found.is_own) == ("planted.so", 3, True)


@pytest.mark.parametrize("function", ["lazy", "noise"])
def test_what_is_no_leak_is_silent(function: str, planted: Planted) -> None:
    """Guards, what is filled at first use, and what bindings keep for themselves, is in every module."""
    assert changes(function, planted.whole) == []


@pytest.mark.parametrize(
    ("function", "reached_by"),
    [("local", None), ("counter", None), ("map", "a pointer"), ("weigh", "a vector"), ("anonymous", None)],
)
def test_a_stripped_library_has_the_place(function: str, reached_by: str | None, planted: Planted) -> None:
    """Section and offset are those of the library with its symbols: `nm` on that one names them."""
    (named,), (found,) = changes(function, planted.whole), changes(function, planted.stripped)
    assert (found.symbol, found.section, found.behaviour) == (None, named.section, named.behaviour)
    assert found.offset < named.offset + named.size
    assert named.offset < found.offset + found.size
    assert found.reached_by == reached_by


def test_an_exported_variable_has_its_name_in_a_stripped_library(planted: Planted) -> None:
    """Stripping leaves what other libraries could ask for."""
    (found,) = changes("string", planted.stripped)
    assert found.symbol == "model::label"


def test_a_module_elsewhere_is_a_dependencys(planted: Planted, tmp_path: Path) -> None:
    """Only what the bundle brings is its author's to mend."""
    site = tmp_path / "lib" / "site-packages"
    shutil.copytree(planted.whole, site)
    watch = NativeWatch()
    with NativeProcess(site) as process:
        process.code = tmp_path / "other"
        snapshots = [watch.snapshot(process)]
        for task in _TASKS:
            process.call("counter", task)
            snapshots.append(watch.snapshot(process))
    (found,) = watch.changes(snapshots, _TASKS)
    assert (found.library, found.symbol, found.is_own) == ("planted.so", "model::counter", False)

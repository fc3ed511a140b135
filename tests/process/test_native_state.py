"""State that a compiled module keeps between tasks, seen from outside of its process."""

import platform
import shutil
from pathlib import Path

import pytest
from builders.native_modules import NativeProcess, Planted, compiled, with_thread_local

from bundlekit.isolation.native.intervention import with_causes
from bundlekit.isolation.native.watch import NativeWatch
from bundlekit.isolation.sequences import Between
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


@pytest.mark.parametrize("option", ["-ftls-model=initial-exec", "-mtls-dialect=gnu2"])
def test_thread_local_storage_is_found_in_each_way_that_code_finds_it(option: str, tmp_path: Path) -> None:
    """Compilers and distributions choose different ones, and the usual one is in the table above."""
    if platform.machine() != "x86_64":
        pytest.skip("an option of compilers for x86-64")
    (found,) = changes("thread", with_thread_local(tmp_path, option))
    assert (found.symbol, found.behaviour, found.reached_by) == ("draws", _ADDS, "thread-local storage")


@pytest.mark.parametrize("function", ["lazy", "noise", "object"])
def test_what_is_no_leak_is_silent(function: str, planted: Planted) -> None:
    """Guards, what is filled at first use, and what bindings keep for themselves, is in every module."""
    assert changes(function, planted.whole) == []


@pytest.mark.parametrize("function", ["lazy", "object"])
def test_what_is_no_leak_is_silent_without_symbols(function: str, planted: Planted) -> None:
    """Objects that count their references are known by what they are."""
    assert changes(function, planted.stripped) == []


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
        process.code = process.tree = tmp_path / "other"
        snapshots = [watch.snapshot(process)]
        for task in _TASKS:
            process.call("counter", task)
            snapshots.append(watch.snapshot(process))
    (found,) = watch.changes(snapshots, _TASKS)
    assert (found.library, found.symbol, found.is_own) == ("planted.so", "model::counter", False)


class Rerun:
    """Runs `function` on tasks in a new process, and tells whether the last one gave what it gives cold."""

    def __init__(self, function: str, tasks: tuple[int, ...], code: Path) -> None:
        self._function, self._tasks, self._code = function, tasks, code
        self.cold = self.warm = ""
        self.runs = 0
        self.warm = self._output(lambda _process: None)
        with NativeProcess(code) as process:
            self.cold = process.call(function, tasks[-1])

    def __call__(self, between: Between) -> bool:
        """Return whether the output is the cold one."""
        self.runs += 1
        return self._output(between) == self.cold

    def _output(self, between: Between) -> str:
        output = ""
        with NativeProcess(self._code) as process:
            between(process)
            for task in self._tasks:
                output = process.call(self._function, task)
                between(process)
        return output

    def changed(self) -> list[NativeChange]:
        """Return what differs before the last task."""
        watch = NativeWatch()
        with NativeProcess(self._code) as process:
            snapshots = [watch.snapshot(process)]
            for task in self._tasks[:-1]:
                process.call(self._function, task)
            snapshots.append(watch.snapshot(process))
        return list(watch.changes(snapshots, self._tasks[-2:-1]))


@pytest.mark.parametrize(
    "function",
    ["local", "counter", "weigh", "string", "map", "table", "thread", "cells", "engine", "singleton", "context"],
)
def test_what_is_written_back_shows_the_cause(function: str, planted: Planted) -> None:
    """State alone says what changed; that the output is cold again without it says what changed the output."""
    rerun = Rerun(function, (3, 5, 4), planted.whole)
    assert rerun.warm != rerun.cold
    (found,) = with_causes(rerun.changed(), 2, rerun)
    assert found.is_cause


def test_what_changes_beside_the_cause_is_none(planted: Planted) -> None:
    """A counter that nothing reads changes with each task, and looks the same as what is read."""
    rerun = Rerun("run", (3, 4), planted.whole)
    found = with_causes(rerun.changed(), 1, rerun)
    assert {each.symbol: each.is_cause for each in found} == {"rate": True, "note": False}
    assert rerun.runs <= 4


def test_several_variables_are_the_cause_together(planted: Planted) -> None:
    """Each alone changes the output still; without both it is cold."""
    rerun = Rerun("joint", (3, 4), planted.whole)
    found = with_causes(rerun.changed(), 1, rerun)
    assert {each.symbol: each.is_cause for each in found} == {"shift": True, "scale": True}


def test_a_vector_that_grew_gets_its_old_size(planted: Planted) -> None:
    """Its elements are elsewhere by then."""
    rerun = Rerun("vector", (3, 5, 4, 4, 4, 4), planted.whole)
    (found,) = with_causes(rerun.changed(), 5, rerun)
    assert (found.symbol, found.is_cause) == ("model::trajectory", True)


def test_without_symbols_the_cause_is_shown_as_well(planted: Planted) -> None:
    """The place is enough to write to."""
    rerun = Rerun("run", (3, 4), planted.stripped)
    found = with_causes(rerun.changed(), 1, rerun)
    assert sorted((each.section, each.is_cause) for each in found) == [(".bss", False), (".data", True)]


def test_where_no_variable_is_the_cause_none_is_named(planted: Planted) -> None:
    """The output differs for another reason than this library."""
    rerun = Rerun("run", (3, 4), planted.whole)
    (note,) = (each for each in rerun.changed() if each.symbol == "note")
    (found,) = with_causes([note], 1, rerun)
    assert found.is_cause is False


def test_beside_what_cannot_be_written_back_none_is_innocent(planted: Planted) -> None:
    """The output may need both."""
    rerun = Rerun("run", (3, 4), planted.whole)
    (note,) = (each for each in rerun.changed() if each.symbol == "note")
    elsewhere = note._replace(library="gone.so")
    assert [each.is_cause for each in with_causes([note, elsewhere], 1, rerun)] == [None, None]


def test_when_the_budget_ends_nothing_is_claimed(planted: Planted) -> None:
    """Half a proof is none."""
    changed = Rerun("run", (3, 4), planted.whole).changed()
    assert {each.is_cause for each in with_causes(changed, 1, lambda _between: None)} == {None}


def test_where_nothing_can_be_written_back_nothing_is_claimed(planted: Planted) -> None:
    """A process that is gone by then, or a kernel that keeps its memory."""
    rerun = Rerun("run", (3, 4), planted.whole)

    def into_the_void(between: Between) -> bool:
        with NativeProcess(planted.whole) as process:
            pass
        between(process)
        between(process)
        return False

    assert {each.is_cause for each in with_causes(rerun.changed(), 1, into_the_void)} == {None}

"""BK801 to BK811: state that could leak from one task to the next, read from the code."""

from collections.abc import Iterable, Iterator

from bundlekit.check.evidence import Evidence
from bundlekit.check.native_state import NativeVariable, Unsearched
from bundlekit.check.rules.catalogue import Check, StaticRule, bundle, finding
from bundlekit.check.state_facts import Change, Kind, SharedState
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place

__all__ = ["STATE_RULES"]

_WARM = "a warm executor runs many tasks in one process"
_FRESH = "set requires-fresh-process = true in [tool.bundlekit]"
_AT_IMPORT = frozenset({"__init_subclass__", "__set_name__"})


def _where(changes: tuple[Change, ...], verb: str) -> str:
    """Return a phrase that names the first change and counts the others."""
    first, others = changes[0], len(changes) - 1
    more = f" and in {others} more place{'s' if others > 1 else ''}" if others else ""
    return f"{first.function}() {verb} in line {first.line}{more}"


def _states(evidence: Evidence, *kinds: Kind) -> Iterable[SharedState]:
    return (state for module in evidence.survey.states for state in module.shared if state.kind in kinds)


def _changed_by_tasks(evidence: Evidence, *kinds: Kind) -> Iterator[tuple[SharedState, tuple[Change, ...]]]:
    """Yield the state that more than an import changes, with what else changes it.

    What decorates or subclasses fills registries when a module is imported, the same ones for every task.
    """
    at_import = {name for module in evidence.survey.states for name in module.decorators} | _AT_IMPORT
    for state in _states(evidence, *kinds):
        changes = tuple(each for each in state.changes if at_import.isdisjoint(each.function.split(".")))
        if changes:
            yield state, changes


def _module_values(evidence: Evidence) -> Iterable[Finding]:
    for state, changes in _changed_by_tasks(evidence, Kind.MODULE_VALUE, Kind.REBOUND):
        changed = _where(changes, "changes it" if state.kind is Kind.MODULE_VALUE else "sets it anew")
        message = f"the module-level {state.name!r} outlives a task: {changed}, and the next task sees what is left"
        hint = f"{_WARM}: make it a local or pass it along, reset it when a task starts, or {_FRESH}"
        yield finding("BK801", Severity.WARNING, message, state.place, hint=hint, entity=state.name)


def _defaults(evidence: Evidence) -> Iterable[Finding]:
    for state in _states(evidence, Kind.DEFAULT):
        changed = _where(state.changes, "changes it")
        message = f"the default of {state.name} is made once and shared by all calls: {changed}"
        hint = f"{_WARM}, and the next call sees what is left: default to None, and make the value in the function"
        yield finding("BK802", Severity.WARNING, message, state.place, hint=hint, entity=state.name)


def _class_attributes(evidence: Evidence) -> Iterable[Finding]:
    for state, changes in _changed_by_tasks(evidence, Kind.CLASS_ATTRIBUTE):
        changed = _where(changes, "changes it")
        message = f"the class attribute {state.name!r} is shared by all instances and tasks: {changed}"
        hint = f"{_WARM}, and the next task sees what is left: set it on self in __init__, or {_FRESH}"
        yield finding("BK803", Severity.WARNING, message, state.place, hint=hint, entity=state.name)


def _caches(evidence: Evidence) -> Iterable[Finding]:
    for state in _states(evidence, Kind.CACHE):
        message = f"the cached results of {state.name}() live from task to task"
        hint = f"{_WARM}: see that its results depend on its arguments alone and are never changed, or {_FRESH}"
        yield finding("BK804", Severity.INFO, message, state.place, hint=hint, entity=state.name)


def _draws(evidence: Evidence) -> Iterable[Finding]:
    modules = evidence.survey.states
    seeded = {generator for module in modules for generator in module.seeds}
    for draw in (draw for module in modules for draw in module.draws if draw.generator not in seeded):
        message = (
            f"{draw.called}() draws from the global generator of {draw.generator}, which nothing in the bundle seeds"
            " from the task's seed"
        )
        instead = "random.Random(seed)" if draw.generator == "random" else "numpy.random.default_rng(seed)"
        hint = f"{_WARM}, and results depend on those before: draw from {instead}, or call {draw.generator}.seed(seed)"
        yield finding("BK805", Severity.WARNING, message, draw.place, hint=hint, entity=draw.generator)


def _generators(evidence: Evidence) -> Iterable[Finding]:
    patched = {state.name.rpartition(".")[2] for state in _states(evidence, Kind.PATCH)}
    for state in _states(evidence, Kind.GENERATOR):
        # Another module may put a new one in its place for each task.
        if state.name in patched:
            continue
        drawn = _where(state.changes, "draws from it")
        message = f"the module-level generator {state.name!r} is never seeded from the task's seed: {drawn}"
        hint = f"{_WARM}, and results depend on those before: make one of the task's seed, and pass it along"
        yield finding("BK805", Severity.WARNING, message, state.place, hint=hint, entity=state.name)


def _unseeded(evidence: Evidence) -> Iterable[Finding]:
    yield from _draws(evidence)
    yield from _generators(evidence)


def _settings(evidence: Evidence) -> Iterable[Finding]:
    for state in _states(evidence, Kind.SETTING, Kind.PATCH):
        changed = _where(state.changes, f"changes {state.name}")
        message = f"{changed}, for the whole process and every task after it"
        hint = f"{_WARM}: change it back in a finally, do without, or {_FRESH}"
        yield finding("BK806", Severity.WARNING, message, state.place, hint=hint, entity=state.name)


def _native_message(variable: NativeVariable, effect: str) -> tuple[str, str]:
    message = f"C++ static state survives from one task to the next {effect}: {variable.name!r:.80}"
    return message, f"{_WARM}: make it a local or a member, reset it at the start of each task, or {_FRESH}"


def _native(evidence: Evidence, *, are_written: bool) -> Iterator[NativeVariable]:
    for each in evidence.survey.native:
        if isinstance(each, NativeVariable) and bool(each.writes) is are_written:
            yield each


def _native_written(evidence: Evidence) -> Iterable[Finding]:
    for variable in _native(evidence, are_written=True):
        message, hint = _native_message(variable, "and silently changes results")
        others = len(variable.writes) - 1
        more = f" and in {others} more place{'s' if others > 1 else ''}" if others else ""
        message += f" is written in line {variable.writes[0]}{more}"
        yield finding("BK810", Severity.WARNING, message, variable.place, hint=hint, entity=variable.name)


def _native_kept(evidence: Evidence) -> Iterable[Finding]:
    if not evidence.project.settings.requires_fresh_process:
        yield from (problem for problem in evidence.project.problems if problem.code == "BK811")
    for source in (each for each in evidence.survey.native if isinstance(each, Unsearched)):
        message = f"{source.path} was not searched for C++ static state to its end: {source.why}"
        yield finding("BK811", Severity.INFO, message, Place(source.path), hint=f"search it yourself, or {_FRESH}")
    for variable in _native(evidence, are_written=False):
        message, hint = _native_message(variable, "and may silently change results")
        message += " is not constant, though this file never writes it"
        yield finding(
            "BK811", Severity.INFO, message, variable.place, hint=f"declare it const; {hint}", entity=variable.name
        )


def _example(source: str) -> dict[str, str]:
    return bundle({"model/sir.py": source})


def _rule(code: str, title: str, why: str, severity: Severity, check: Check, *, good: str, bad: str) -> StaticRule:
    return StaticRule(code, title, why, severity, check, good=_example(good), bad=_example(bad))


STATE_RULES: tuple[StaticRule, ...] = (
    _rule(
        "BK801",
        "A function changes module-level state",
        "A warm executor runs many tasks in one process, so the next task starts with what the last one left.",
        Severity.WARNING,
        _module_values,
        good="def run(day):\n    history = []\n    history.append(day)\n    return history\n",
        bad="history = []\n\ndef run(day):\n    history.append(day)\n    return history\n",
    ),
    _rule(
        "BK802",
        "A function changes its own default argument",
        "The default is made once for the process, so the next task starts with what the last one left in it.",
        Severity.WARNING,
        _defaults,
        good="def run(days, seen=()):\n    return [*seen, days]\n",
        bad="def run(days, seen=[]):\n    seen.append(days)\n    return seen\n",
    ),
    _rule(
        "BK803",
        "A class attribute is changed as if it were an instance's",
        "All instances of all tasks in a process share it, so a new model starts with what the last one left.",
        Severity.WARNING,
        _class_attributes,
        good="class Sir:\n    def step(self):\n        self.log = []\n        self.log.append(1)\n",
        bad="class Sir:\n    log = []\n\n    def step(self):\n        self.log.append(1)\n",
    ),
    _rule(
        "BK804",
        "A function's results are cached for the whole process",
        "A warm executor's next task gets the results of the last one; harmless where they depend on arguments alone.",
        Severity.INFO,
        _caches,
        good="def load(path):\n    return open(path).read()\n",
        bad="import functools\n\n@functools.cache\ndef load(path):\n    return open(path).read()\n",
    ),
    _rule(
        "BK805",
        "A global random generator is used and never seeded from a task",
        "The numbers of a task then depend on what ran in the process before it, and no result can be repeated.",
        Severity.WARNING,
        _unseeded,
        good="import random\n\ndef run(seed):\n    return random.Random(seed).random()\n",
        bad="import random\n\nrandom.seed(1)\n\ndef run(seed):\n    return random.random()\n",
    ),
    _rule(
        "BK806",
        "A function changes settings of the whole process",
        "A warm executor's next task in the process runs with them, and finds other files, warnings or results.",
        Severity.WARNING,
        _settings,
        good="import os\n\ndef threads():\n    return os.environ.get('OMP_NUM_THREADS')\n",
        bad="import os\n\ndef run():\n    os.environ['OMP_NUM_THREADS'] = '1'\n",
    ),
    StaticRule(
        "BK810",
        "C++ static state is written",
        "A shared library is loaded once a process: C++ static state survives from one task to the next.",
        Severity.WARNING,
        _native_written,
        good=bundle({"src/sir.cpp": "int step(int day) { int count = 0; count += day; return count; }\n"}),
        bad=bundle({"src/sir.cpp": "int step(int day) { static int count = 0; count += day; return count; }\n"}),
    ),
    StaticRule(
        "BK811",
        "C++ static state is not constant",
        "Nothing in its file writes it, but others may, and what they write survives from one task to the next.",
        Severity.INFO,
        _native_kept,
        good=bundle({"src/sir.cpp": "static const int days = 7;\nint all() { return days; }\n"}),
        bad=bundle({"src/sir.cpp": "static int days = 7;\nint all() { return days; }\n"}),
    ),
)

"""Rules of the isolation stage: does one task change the next?"""

import json
import shlex
from collections.abc import Iterator, Sequence

from bundlekit.model.edit import RequireFreshProcess
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.isolation import Cell, IsolationOutcome, NativeChange, Verdict, Victim
from bundlekit.model.project import ProjectTable
from bundlekit.model.rule import Rule
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.example_bundle import varied
from bundlekit.probe.rule_type import EvidenceCheck

__all__ = ["ISOLATION_RULES"]

_READABLE = {ProjectTable.PRESENT, ProjectTable.WITHOUT_PROJECT}
_PYPROJECT = "pyproject.toml"
_NAMES_SHOWN = 3


def _leaks(evidence: Evidence) -> Iterator[Finding]:
    yield from _changed_by_others(evidence, "BK820", Cell.DIFFERENT, "gives another result")


def _crashes(evidence: Evidence) -> Iterator[Finding]:
    yield from _changed_by_others(evidence, "BK821", Cell.CRASHED, "fails")


def _changed_by_others(evidence: Evidence, code: str, cell: Cell, happens: str) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is None or outcome.verdict is Verdict.NONDETERMINISTIC:
        return
    victims = [victim for victim in outcome.victims if victim.cell is cell]
    if not victims:
        return
    first, is_marked = victims[0], outcome.requires_fresh_process
    message = f"{_named(outcome, first)} {happens} {_after(outcome, first)}{_more(victims)}: {_seen(first)}"
    if is_marked:
        hint = f"requires-fresh-process = true keeps it from that; show it again: {first.command}"
    else:
        hint = f"show it again: {first.command}{_state(outcome)}"
    yield Finding(
        code,
        Severity.INFO if is_marked else Severity.ERROR,
        message,
        path=_PYPROJECT,
        hint=hint,
        edit=None if is_marked or evidence.project.table not in _READABLE else RequireFreshProcess(_why(first)),
    )


def _differs(evidence: Evidence) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is None or outcome.verdict is not Verdict.NONDETERMINISTIC or not outcome.victims:
        return
    first = outcome.victims[0]
    message = f"{_named(outcome, first)} gives another result in another fresh process{_more(outcome.victims)}: "
    hint = (
        "sort what comes from a set before it is used"
        if "hash_order" in outcome.notes
        else "seed every generator from the task's seed, and keep the clock and the system out of the results"
    )
    yield Finding("BK822", Severity.ERROR, message + _seen(first), path=_PYPROJECT, hint=hint)


def _needlessly_marked(evidence: Evidence) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is None or not outcome.requires_fresh_process or outcome.verdict is not Verdict.ISOLATED:
        return
    orders = len(outcome.runs)
    message = f"requires-fresh-process = true is set, and in {orders} orders of tasks nothing was seen that needs it"
    hint = "a process for each task costs time: remove the setting if what it was for is mended"
    yield Finding("BK823", Severity.INFO, message, path=_PYPROJECT, hint=hint)


def _seed_ignored(evidence: Evidence) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is not None and "seed_ignored" in outcome.notes:
        message = "the seed changes nothing: outputs are the same for all seeds of the same parameters"
        hint = "for a stochastic model, hand the seed on to its generator; for a deterministic one, all is well"
        yield Finding("BK824", Severity.INFO, message, hint=hint)


def _left_behind(evidence: Evidence) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is None or outcome.verdict is not Verdict.ISOLATED or outcome.requires_fresh_process:
        return
    names = _names_of_state(outcome)
    if names:
        shown = ", ".join(names[:_NAMES_SHOWN])
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        message = f"tasks leave state behind, which changed no output that was seen: {shown}{more}"
        hint = "it grows or hangs on the tasks before: make it local, or reset it when a task begins"
        yield Finding("BK825", Severity.INFO, message, hint=hint)


def _failing(evidence: Evidence) -> Iterator[Finding]:
    outcome = evidence.isolation
    if outcome is None or not outcome.failed_cold:
        return
    first, *others = outcome.failed_cold
    task = outcome.tasks[first]
    words = ["bundlekit", "run", outcome.label, "--entrypoint", task.entrypoint]
    words += ["--params", json.dumps(task.params), "--seed", str(task.seed)]
    message = f"task {first} ({task.shown}) of {outcome.spec} fails in a process of its own{_besides(len(others))}"
    yield Finding("BK826", Severity.WARNING, message, hint=f"see why: {shlex.join(words)}")


def _named(outcome: IsolationOutcome, victim: Victim) -> str:
    return f"task {victim.task} ({outcome.tasks[victim.task].shown})"


def _after(outcome: IsolationOutcome, victim: Victim) -> str:
    earlier = victim.sequence[:-1]
    if not earlier:
        return "in a warm process"
    return "after " + ", then ".join(f"task {number} ({outcome.tasks[number].shown})" for number in earlier)


def _more(victims: Sequence[Victim]) -> str:
    return _besides(len(victims) - 1)


def _besides(others: int) -> str:
    if others == 0:
        return ""
    return ", and so does 1 other" if others == 1 else f", and so do {others} others"


def _seen(victim: Victim) -> str:
    return str(victim.divergence) if victim.divergence is not None else victim.message or "its outputs differ"


def _why(victim: Victim) -> str:
    numbers = ", ".join(map(str, victim.sequence[:-1]))
    return f"bundlekit isolation: task {victim.task} changes after task {numbers or 'none'} in the same process"


def _state(outcome: IsolationOutcome) -> str:
    """Return what of the state is the cause, or else what there is of it, as the end of a sentence."""
    causes = [f"{_name(each)} in {each.library}" for each in outcome.native_state if each.is_cause]
    if causes:
        return f"; the cause is {', '.join(dict.fromkeys(causes))}"
    names = _names_of_state(outcome)[:_NAMES_SHOWN]
    return f"; state that is left: {', '.join(names)}" if names else ""


def _names_of_state(outcome: IsolationOutcome) -> list[str]:
    """Return the names of what changed in the bundle's own modules."""
    names = [_name(each) for each in outcome.native_state if each.is_own]
    names += [each.name for each in outcome.python_state if each.is_own]
    return list(dict.fromkeys(names))


def _name(change: NativeChange) -> str:
    return change.symbol or f"{change.library} {change.section}+{change.offset:#x}"


_TASK = '[[tool.bundlekit.smoke]]\nentrypoint = "main"\nseed = 1\n'
_TWO_TASKS = (_TASK, _TASK + _TASK.replace("1", "2"))
_MARKED = ("[tool.bundlekit]\n", "[tool.bundlekit]\nrequires-fresh-process = true\n")
_RESULT = '    return {"raw": b"ok"}'
_SEEDED = (_RESULT, '    return {"raw": b"%d" % seed}')
_GOOD = varied(_TWO_TASKS, _SEEDED)
_COUNTS = ("import base64\n", "import base64\n\nCALLS = []\n")

ISOLATION_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK820",
        title="A task changes the result of another",
        why="In a process that is reused, what the first task leaves behind is there for the next, which then gives"
        " other results than it gives alone; nobody sees it in them.",
        severity=Severity.ERROR,
        check=_leaks,
        good=_GOOD,
        bad=varied(
            _TWO_TASKS, _COUNTS, (_RESULT, '    CALLS.append(seed)\n    return {"raw": b"%d" % (seed + len(CALLS))}')
        ),
    ),
    Rule(
        code="BK821",
        title="A task fails only after another in the same process",
        why="It succeeds in a process of its own, so a smoke run does not show it, and on the cluster it fails for one"
        " order of tasks and not for another.",
        severity=Severity.ERROR,
        check=_crashes,
        good=_GOOD,
        bad=varied(
            _TWO_TASKS,
            _COUNTS,
            (_RESULT, '    CALLS.append(seed)\n    assert len(CALLS) < 2\n    return {"raw": b"%d" % seed}'),
        ),
    ),
    Rule(
        code="BK822",
        title="A task gives other results each time",
        why="Nothing can be compared, repeated or fitted when the same parameters and seed give other results.",
        severity=Severity.ERROR,
        check=_differs,
        good=_GOOD,
        bad=varied(_TWO_TASKS, (_RESULT, '    return {"raw": ",".join({"a", "b", "c", "d", "e"}).encode()}')),
    ),
    Rule(
        code="BK823",
        title="A fresh process is required, and nothing was seen that needs it",
        why="A process for each task costs its start and its imports, and what it was asked for may be mended by now.",
        severity=Severity.INFO,
        check=_needlessly_marked,
        good=_GOOD,
        bad=varied(_TWO_TASKS, _SEEDED, _MARKED),
    ),
    Rule(
        code="BK824",
        title="The seed changes nothing",
        why="Replicates of a stochastic model that ignores its seed are copies of one run; a deterministic model needs"
        " no replicates.",
        severity=Severity.INFO,
        check=_seed_ignored,
        good=_GOOD,
        bad=varied(_TWO_TASKS),
    ),
    Rule(
        code="BK825",
        title="A task leaves state behind",
        why="No output that was seen hangs on it yet; but it is there, it grows or changes with the tasks before, and"
        " the next change of the model may read it.",
        severity=Severity.INFO,
        check=_left_behind,
        good=_GOOD,
        bad=varied(_TWO_TASKS, _COUNTS, (_RESULT, '    CALLS.append(seed)\n    return {"raw": b"%d" % seed}')),
    ),
    Rule(
        code="BK826",
        title="A task of the grid fails",
        why="A smoke run is of few tasks; one that fails alone, twice, fails on the cluster as well. Where parameters"
        " are tried out, that may be meant.",
        severity=Severity.WARNING,
        check=_failing,
        good=_GOOD,
        bad=varied((_RESULT, '    assert seed < 2\n    return {"raw": b"%d" % seed}')),
    ),
)

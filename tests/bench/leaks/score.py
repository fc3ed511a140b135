"""Holds what the experiment says of a bundle against what is true of it."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from leaks.bundles import Truth
from leaks.plants import FAILS

__all__ = ["ASPECTS", "Aspect", "Judgement", "judged"]

Document = Mapping[str, Any]


class Aspect(NamedTuple):
    """One thing that may be right or wrong in what the experiment says; where it `counts`, the score fails by it."""

    name: str
    what: str
    counts: bool = True

    def __str__(self) -> str:
        """Return its name."""
        return self.name


VERDICT = Aspect("verdict", "verdicts are the right word")
SEQUENCE = Aspect("sequence", "sequences that are called minimal change their last task, and take each of the others")
CHANGE = Aspect("other sequence", "sequences that are not called minimal change their last task")
CELL = Aspect("cell", "cells of the matrix tell what that order does to that task")
SEED = Aspect("seed_ignored", "bundles are told rightly whether their outputs depend on the seed")
NATIVE = Aspect("native name", "planted symbols are named, and none that is innocent as the cause")
PYTHON = Aspect("Python name", "planted names of Python state are named", counts=False)
STRAY = Aspect("told state", "pieces of state that are told are the bundle's own", counts=False)
ASPECTS = (VERDICT, SEQUENCE, CHANGE, CELL, SEED, NATIVE, PYTHON, STRAY)


class Judgement(NamedTuple):
    """How often each aspect was asked for and was right, and a sentence for each miss."""

    asked: Counter[Aspect]
    right: Counter[Aspect]
    misses: tuple[tuple[Aspect, str], ...]


def judged(truth: Truth, document: Document | None, log: str) -> Judgement:
    """Return the judgement on the document that the command printed; None is a command that printed none."""
    if document is None or "verdict" not in document:
        lines = log.strip().splitlines() or ["nothing"]
        return Judgement(Counter([VERDICT]), Counter(), ((VERDICT, f"no document; the log ends in: {lines[-1]}"),))
    answers = [*_answers(truth, document)]
    return Judgement(
        Counter(aspect for aspect, _ in answers),
        Counter(aspect for aspect, wrong in answers if wrong is None),
        tuple((aspect, wrong) for aspect, wrong in answers if wrong is not None),
    )


def _answers(truth: Truth, document: Document) -> Iterator[tuple[Aspect, str | None]]:
    """Yield each aspect that can be asked for, with what is wrong or None."""
    found = document["verdict"]
    yield VERDICT, None if found == truth.verdict else f"{found} instead of {truth.verdict}"
    if truth.verdict == "nondeterministic":
        return
    for victim in document["victims"]:
        yield SEQUENCE if victim["minimal"] else CHANGE, _wrong_sequence(truth, victim)
    if found != truth.verdict:
        return
    if found != "isolated" and not any(victim["minimal"] for victim in document["victims"]):
        yield SEQUENCE, "no sequence is called minimal"
    yield from ((CELL, wrong) for wrong in _cells(truth, document))
    is_noted = "seed_ignored" in document["notes"]
    yield SEED, None if is_noted == truth.ignores_seed else f"noted: {is_noted}, true: {truth.ignores_seed}"
    yield from _names(truth, document)


def _wrong_sequence(truth: Truth, victim: Document) -> str | None:
    numbers = victim["sequence"]
    tasks = [truth.tasks[number] for number in numbers]
    if not truth.plant.changes(tasks):
        return f"{numbers} does not change its last task"
    return f"{numbers} is not minimal" if victim["minimal"] and not truth.plant.is_minimal(tasks) else None


def _cells(truth: Truth, document: Document) -> Iterator[str | None]:
    failed = {number for number, task in enumerate(truth.tasks) if truth.plant.shows([task]) is FAILS}
    for run in document["runs"]:
        # After a task that crashed the process may be another one: then what ran before it is forgotten.
        histories: list[list[int]] = [[]]
        for number, cell in zip(run["tasks"], run["cells"], strict=True):
            histories = [[*history, number] for history in histories]
            if number not in failed and cell != "skipped":
                fitting = [history for history in histories if cell == _cell(truth, history)]
                yield (
                    None
                    if fitting
                    else f"{run['order']} {histories[0]}: {cell} instead of {_cell(truth, histories[0])}"
                )
                histories = fitting or histories
            if number in failed or cell == "crashed":
                histories.append([])


def _cell(truth: Truth, numbers: Sequence[int]) -> str:
    tasks = [truth.tasks[number] for number in numbers]
    if not truth.plant.changes(tasks):
        return "same"
    return "crashed" if truth.plant.shows(tasks) is FAILS else "different"


def _names(truth: Truth, document: Document) -> Iterator[tuple[Aspect, str | None]]:
    native = [change for change in document["native_state"] if change["own"]]
    python = document["python_state"]
    for change in [*document["native_state"], *python]:
        told = f"{change.get('kind', 'native')} {change.get('symbol') or change.get('name')}"
        yield STRAY, None if any(word in told for word in truth.words) else told
    if truth.verdict == "isolated" or not truth.names:
        return
    if truth.kind.language == "python":
        said = [f"{change['kind']} {change['name']}" for change in python]
        is_named = any(name.lower() in one.lower() for name in truth.names for one in said)
        yield PYTHON, None if is_named else _absent(truth.names, said)
    else:
        yield NATIVE, _wrong_symbol(truth, native)


def _wrong_symbol(truth: Truth, native: Sequence[Document]) -> str | None:
    if truth.is_stripped:
        return None if any(change["section"] for change in native) else "no section is named"
    named = {_last_part(change["symbol"]) for change in native if change["symbol"]}
    innocent = {_last_part(change["symbol"]) for change in native if change["symbol"] and change["cause"]} - truth.names
    if not named & truth.names:
        return _absent(truth.names, sorted(named))
    return f"{', '.join(sorted(innocent))} is called the cause" if innocent else None


def _absent(names: Collection[str], said: Sequence[str]) -> str:
    return f"{' or '.join(sorted(names))} is not among {', '.join(said) or 'nothing'}"


def _last_part(symbol: str) -> str:
    """Return the variable's own name: without scopes and type, and without the number that a compiler puts after it."""
    return re.sub(r"\.\d+$", "", re.split(r"::|\s", re.sub(r"\[abi:\w+\]", "", symbol))[-1])

"""Sentences about references that do not lead to a function: the same for wires and targets, under their own codes."""

from collections.abc import Iterable

from bundlekit.check.module_index import MissingModule
from bundlekit.check.rules.catalogue import finding
from bundlekit.check.values import Constant, Function, MissingName, Unparsable
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.signature import CallableKind, Unknown

__all__ = ["missing_module", "missing_name", "nearest_name", "not_callable", "not_plain", "undecided"]


def missing_module(code: str, subject: str, value: str, verdict: MissingModule, place: Place) -> Finding:
    """Return the finding about a module that is not there, with the nearest one that is."""
    name = verdict.name.rpartition(".")[2] if "/" not in verdict.name else verdict.name
    where = f"{verdict.where}/" if verdict.where and not verdict.where.endswith(".py") else verdict.where
    message = f"{subject} {value!r} needs the module {verdict.name!r}, which does not exist"
    if where and where.rstrip("/") != verdict.name:
        message += f" ({where} has no {name!r})" if where.endswith("/") else f" ({where} is no package)"
    near = nearest_name(name, verdict.siblings)
    if near:
        parent = verdict.name.rpartition(".")[0]
        hint = f"nearest name: {f'{parent}.{near}' if parent else near}"
    elif verdict.siblings:
        hint = f"modules there: {', '.join(verdict.siblings[:8])}"
    else:
        hint = "add the module, or correct the reference"
    return finding(code, Severity.ERROR, message, place, hint=hint, entity=value)


def missing_name(code: str, subject: str, value: str, verdict: MissingName, place: Place) -> Finding:
    """Return the finding about a name that its module does not define, with the nearest that it does."""
    message = f"{subject} {value!r} names {verdict.name!r}, which {verdict.path} does not define"
    if verdict.note:
        message += f": {verdict.note}"
    lines = dict(verdict.siblings)
    near = nearest_name(verdict.name, lines)
    if near:
        hint = f"nearest name: {near!r}, in line {lines[near]} of {verdict.path}"
    elif lines:
        hint = f"{verdict.path} defines: {', '.join(list(lines)[:8])}"
    else:
        hint = f"define {verdict.name!r} in {verdict.path}, or correct the reference"
    return finding(code, Severity.ERROR, message, place, hint=hint, entity=value)


def not_callable(code: str, subject: str, value: str, verdict: Constant, place: Place) -> Finding:
    """Return the finding about an object that cannot be called."""
    message = f"{subject} {value!r} cannot be called: it is {verdict.what}"
    hint = f"name a function; the object is in line {verdict.line} of {verdict.path}"
    if verdict.what.startswith("the module"):
        hint = "name a function inside the module: 'package.module:function'"
    return finding(code, Severity.ERROR, message, place, hint=hint, entity=value)


def not_plain(code: str, subject: str, value: str, verdict: Function) -> Finding | None:
    """Return the finding about a coroutine or generator function, None for a plain one."""
    if verdict.signature.kind is CallableKind.PLAIN:
        return None
    is_coroutine = verdict.signature.kind is CallableKind.COROUTINE
    what = "an async function" if is_coroutine else "a generator function"
    message = f"{subject} {value!r} is {what}: calling it gives no result but an object that nobody runs"
    hint = "make it a plain function" + (
        " that runs the coroutine with asyncio.run()" if is_coroutine else " that returns"
    )
    return finding(code, Severity.ERROR, message, Place(verdict.path, verdict.line), hint=hint, entity=value)


def undecided(code: str, subject: str, value: str, verdict: Unknown | Unparsable, place: Place) -> Finding | None:
    """Return the information that only importing can tell, None where a syntax error says so already."""
    if isinstance(verdict, Unparsable):
        return None
    message = f"{subject} {value!r} cannot be decided without importing it: {verdict.reason}"
    return finding(code, Severity.INFO, message, place, hint="the import stage decides it", entity=value)


def nearest_name(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` was most likely meant to be, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name pays for it

    return next(iter(get_close_matches(name, list(candidates), n=1)), None)

"""Checks of references that do not lead to a plain function: the same for wires and targets, under their own codes."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from bundlekit.check.evidence import Evidence, Judged, Malformed
from bundlekit.check.left_out import bring_back, left_out_by, left_out_module
from bundlekit.check.mends import (
    Suits,
    form_instead,
    module_instead,
    name_instead,
    suits_model,
    suits_target,
    suits_wire,
)
from bundlekit.check.module_index import MissingModule
from bundlekit.check.rules.catalogue import Check, finding
from bundlekit.check.values import Constant, Function, MissingName
from bundlekit.model.edit import Edit
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.model.project import Project
from bundlekit.model.signature import CallableKind, Unknown

__all__ = [
    "MODEL",
    "TARGET",
    "WIRE",
    "Subject",
    "definition",
    "malformed",
    "missing_module",
    "missing_name",
    "not_callable",
    "not_plain",
    "undecided",
]

_SHOWN_NAMES = 8


class Subject(NamedTuple):
    """What references are to: its name in sentences, those that a bundle declares, what fits, how one is written."""

    name: str
    judged: Callable[[Evidence], Iterable[Judged]]
    suits: Suits
    form: str = "package.module:function"


WIRE = Subject("the wire", lambda evidence: evidence.wires, suits_wire)
TARGET = Subject("the target", lambda evidence: evidence.targets, suits_target)
MODEL = Subject("the model", lambda evidence: evidence.models, suits_model, "package.module:Class")


def malformed(code: str, subject: Subject) -> Check:
    """Return the check for references that are none."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            if isinstance(judged.verdict, Malformed):
                hint = f"write it as {subject.form!r}"
                edit = form_instead(evidence, judged, subject.suits)
                yield _at_declaration(code, judged, judged.verdict.reason, hint, edit)

    return check


def missing_module(code: str, subject: Subject) -> Check:
    """Return the check for modules that are not there; the hint names where the object is, or what is near."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            if not isinstance(judged.verdict, MissingModule):
                continue
            missing, value = judged.verdict, judged.declaration.value
            message = f"{subject.name} {value!r} needs the module {missing.name!r}, which "
            left_out = _left_out(evidence.project, judged, missing)
            if left_out is not None:
                path, pattern = left_out
                message += f"would not ship: {path} is left out by {pattern}"
                yield _at_declaration(code, judged, message, bring_back(path, pattern))
                continue
            message += "does not exist"
            name = missing.name.rpartition(".")[2] if "/" not in missing.name else missing.name
            if missing.where.endswith(".py"):
                message += f" ({missing.where} is no package)"
            elif missing.where:
                message += f" ({missing.where}/ has no {name!r})"
            hint = _elsewhere(evidence, judged, missing.name) or _sibling_module(name, missing)
            yield _at_declaration(code, judged, message, hint, module_instead(evidence, judged, missing, subject.suits))

    return check


def _left_out(project: Project, judged: Judged, missing: MissingModule) -> tuple[str, str] | None:
    """Return the file of the module that the tree has and the bundle leaves out, and the pattern that does so."""
    file = judged.reference and judged.reference.path
    if file:
        pattern = left_out_by(project, file) if file in project.unshipped else None
        return (file, pattern) if pattern else None
    module = judged.reference and judged.reference.module
    return left_out_module(project, [name for name in (module, missing.name) if name])


def _sibling_module(name: str, missing: MissingModule) -> str:
    near = nearest_name(name, missing.siblings)
    if near:
        parent = missing.name.rpartition(".")[0]
        return f"nearest name: {f'{parent}.{near}' if parent else near}"
    if missing.siblings:
        return f"modules there: {', '.join(missing.siblings[:_SHOWN_NAMES])}"
    return "add the module, or correct the reference"


def missing_name(code: str, subject: Subject) -> Check:
    """Return the check for names that their module does not define; the hint names where it is, or what is near."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            if not isinstance(judged.verdict, MissingName):
                continue
            missing, value = judged.verdict, judged.declaration.value
            message = f"{subject.name} {value!r} names {missing.name!r}, which {missing.path} does not define"
            if missing.note:
                message += f": {missing.note}"
            full = f"{missing.module}.{missing.name}"
            hint = _elsewhere(evidence, judged, full) or _sibling_name(missing)
            edit = name_instead(evidence, judged, missing, subject.suits)
            yield _at_declaration(code, judged, message, hint, edit)

    return check


def _sibling_name(missing: MissingName) -> str:
    lines = dict(missing.siblings)
    near = nearest_name(missing.name, lines)
    if near:
        return f"nearest name: {near!r}, in line {lines[near]} of {missing.path}"
    if lines:
        return f"{missing.path} defines: {', '.join(list(lines)[:_SHOWN_NAMES])}"
    return f"define {missing.name!r} in {missing.path}, or correct the reference"


def _elsewhere(evidence: Evidence, judged: Judged, missing: str) -> str | None:
    """Return the hint where else the object is, None where something else is `missing` on the way to it."""
    reference = judged.reference
    if reference is None or not f".{reference.module}.{'.'.join(reference.attributes)}.".startswith(f".{missing}."):
        return None
    found = evidence.suggestions.elsewhere(reference)
    if found is None:
        return None
    reference, function = found
    return f"name {str(reference)!r}: line {function.line} of {function.path} defines it"


def not_callable(code: str, subject: Subject) -> Check:
    """Return the check for objects that cannot be called; the hint names the functions that are there."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            if isinstance(judged.verdict, Constant):
                found, value = judged.verdict, judged.declaration.value
                message = f"{subject.name} {value!r} cannot be called: it is {found.what}"
                yield _at_declaration(code, judged, message, _functions(evidence, found))

    return check


def _functions(evidence: Evidence, found: Constant) -> str:
    module = evidence.suggestions.module(found.path)
    functions = evidence.suggestions.functions(found.path)[:_SHOWN_NAMES] if module else []
    shown = " or ".join(repr(f"{module}:{name}") for name in functions)
    if found.what.startswith("the module "):
        shown = shown or "'package.module:function'"
        return f"name a function inside the module: {shown}"
    return f"name {shown or 'a function'}; that object is in line {found.line} of {found.path}"


def not_plain(code: str, subject: Subject) -> Check:
    """Return the check for coroutine and generator functions."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            verdict, value = judged.verdict, judged.declaration.value
            if not isinstance(verdict, Function) or verdict.signature.kind is CallableKind.PLAIN:
                continue
            what, how = "a generator function", "that returns"
            if verdict.signature.kind is CallableKind.COROUTINE:
                what, how = "an async function", "that runs the coroutine with asyncio.run()"
            message = f"{subject.name} {value!r} is {what}: calling it gives no result but an object that nobody runs"
            place, hint = Place(verdict.path, verdict.line), f"make it a plain function {how}"
            yield finding(code, Severity.ERROR, message, place, hint=hint, entity=value)

    return check


def undecided(code: str, subject: Subject) -> Check:
    """Return the check that says what only importing can tell; a syntax error has said so already."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for judged in subject.judged(evidence):
            if isinstance(judged.verdict, Unknown):
                value, reason = judged.declaration.value, judged.verdict.reason
                message = f"{subject.name} {value!r} cannot be decided without importing it: {reason}"
                hint = "the import stage decides it"
                yield finding(code, Severity.INFO, message, judged.declaration.place, hint=hint, entity=value)

    return check


def definition(judged: Judged, function: Function, parameters: str) -> str:
    """Return the def line with `parameters` that would mend `function`."""
    if function.name == "__call__":
        return f"def __call__(self, {parameters})"
    name = function.name if function.name.isidentifier() else judged.reference and judged.reference.attributes[-1]
    return f"def {name}({parameters})"


def _at_declaration(code: str, judged: Judged, message: str, hint: str, edit: Edit | None = None) -> Finding:
    value, place = judged.declaration.value, judged.declaration.place
    return finding(code, Severity.ERROR, message, place, hint=hint, entity=value, edit=edit)

"""Edits that mend a reference: proposed only where there is one thing that it can have meant, and that thing fits."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bundlekit.check.evidence import Evidence, Judged, Verdict
from bundlekit.check.module_index import MissingModule
from bundlekit.check.values import Class, Function, MissingName, Value
from bundlekit.cold_runner.entry_point import Reference, parse_reference
from bundlekit.model.edit import ReplaceText, is_editable
from bundlekit.model.nearest import only_near_name
from bundlekit.model.signature import CallableKind

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "Suits",
    "form_instead",
    "module_instead",
    "name_instead",
    "suits_model",
    "suits_target",
    "suits_wire",
]

Suits = Callable[[Value], bool]
"""Whether a value can be what a reference is for."""

_WIRE_ARITY = 3
_TARGET_ARITIES = (1, 2)


def suits_wire(value: Verdict) -> bool:
    """Whether `value` is certainly a function that runners can call as the wire."""
    return _is_plain(value) and value.signature.accepts_positional(_WIRE_ARITY)


def suits_target(value: Value) -> bool:
    """Whether `value` is certainly a function that some runner can call as a target."""
    if not _is_plain(value):
        return False
    return value.calibrated or any(value.signature.accepts_positional(count) for count in _TARGET_ARITIES)


def suits_model(value: Value) -> bool:
    """Whether `value` is certainly a class."""
    return isinstance(value, Class)


def _is_plain(value: Verdict) -> "TypeIs[Function]":
    return isinstance(value, Function) and value.is_exact and value.signature.kind is CallableKind.PLAIN


def form_instead(evidence: Evidence, judged: Judged, suits: Suits) -> ReplaceText | None:
    """Return how to write what is no reference: with a colon before the object, or by its module instead of a file."""
    path, colon, name = judged.declaration.value.strip().partition(":")
    module, dot, last = path.rpartition(".")
    text = f"{module}:{last}"
    if colon:
        text = f"{evidence.suggestions.module(path)}:{name}" if path.endswith(".py") else ""
    elif not dot:
        return None
    try:
        return _instead(evidence, judged, _suiting(evidence, [parse_reference(text)], suits))
    except ValueError:
        return None


def module_instead(evidence: Evidence, judged: Judged, missing: MissingModule, suits: Suits) -> ReplaceText | None:
    """Return how to name the object in the module that is near the missing one, or that alone has it."""
    reference = judged.reference
    if reference is None or reference.module is None or not f"{reference.module}.".startswith(f"{missing.name}."):
        return None
    parent, dot, name = missing.name.rpartition(".")
    near = only_near_name(name, missing.siblings)
    found = _elsewhere(evidence, reference, suits)
    if near is not None:
        module = f"{parent}{dot}{near}{reference.module[len(missing.name) :]}"
        found = [*found, *_suiting(evidence, [reference._replace(module=module)], suits)]
    return _instead(evidence, judged, found)


def name_instead(evidence: Evidence, judged: Judged, missing: MissingName, suits: Suits) -> ReplaceText | None:
    """Return how to name the object that is near in the module itself, or the same name in the module that has it."""
    reference = judged.reference
    if reference is None or reference.module != missing.module or reference.attributes != (missing.name,):
        return None
    siblings = [reference._replace(attributes=(name,)) for name, _ in missing.siblings]
    # What cannot be meant is no reason to doubt what can.
    names = {each.attributes[0]: each for each in _suiting(evidence, siblings, suits)}
    near = only_near_name(missing.name, names)
    return _instead(evidence, judged, [*_elsewhere(evidence, reference, suits), *([names[near]] if near else [])])


def _instead(evidence: Evidence, judged: Judged, found: Iterable[Reference]) -> ReplaceText | None:
    """Return the edit that writes the one reference `found` at the declaration; None for several, or for none."""
    place, value = judged.declaration.place, judged.declaration.value
    references = list(dict.fromkeys(found))
    if len(references) != 1 or place.line is None or not is_editable(place.path):
        return None
    named = (*evidence.wires, *evidence.targets, *evidence.models)
    if any(one.reference == references[0] and one.declaration.place.path == place.path for one in named):
        # Nobody names one thing twice in a document: this name is for something that is not written yet.
        return None
    return ReplaceText(place, value, str(references[0]))


def _elsewhere(evidence: Evidence, reference: Reference, suits: Suits) -> list[Reference]:
    return _suiting(evidence, evidence.suggestions.same_name(reference), suits)


def _suiting(evidence: Evidence, references: Iterable[Reference], suits: Suits) -> list[Reference]:
    return [each for each in references if suits(evidence.suggestions.value(each, as_class=suits is suits_model))]

"""The functions behind wires and targets as they are written: what they return, and what runners take from them."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from bundlekit.check.evidence import Evidence, Judged
from bundlekit.check.files import is_outside
from bundlekit.check.return_annotations import Dotted, Fit, fit_of_evaluator, fit_of_loss, fit_of_outputs
from bundlekit.check.returned_values import (
    Misfit,
    misfits_of_evaluator,
    misfits_of_loss,
    misfits_of_outputs,
)
from bundlekit.check.returns import Returns, returns_of
from bundlekit.check.rules import references
from bundlekit.check.rules.references import Subject
from bundlekit.check.rules.target import TargetStyle, target_style
from bundlekit.check.signatures import FunctionNode
from bundlekit.check.values import Function
from bundlekit.check.written_names import WrittenNames
from bundlekit.model.place import Place
from bundlekit.model.signature import CallableKind

__all__ = ["Body", "Expected", "bodies"]

_TRANSPARENT = frozenset({"functools.cache", "functools.lru_cache", "builtins.staticmethod", "builtins.classmethod"})


class Expected(NamedTuple):
    """What runners take from a function, in words, and how its annotation and its literals are judged."""

    what: str
    fit: Callable[[ast.expr, Dotted], Fit]
    misfits: Callable[[ast.expr, Dotted], Iterable[Misfit]]


_OUTPUTS = Expected("a dict from names to bytes", fit_of_outputs, misfits_of_outputs)
_LOSS = Expected('a dict with a "loss"', fit_of_loss, misfits_of_loss)
_EVALUATOR = Expected("an object with model_output and evaluate()", fit_of_evaluator, misfits_of_evaluator)


class Body(NamedTuple):
    """A function that runs as it is written, and what is expected of it."""

    subject: str
    judged: Judged
    path: str
    node: FunctionNode
    names: WrittenNames
    returns: Returns | None
    expected: Expected

    def place(self, node: ast.expr | FunctionNode) -> Place:
        """Return where `node` stands."""
        return Place(self.path, node.lineno, node.col_offset + 1)

    @property
    def named(self) -> str:
        """The function in a sentence."""
        return f"{self.subject} {self.judged.declaration.value!r}"


def bodies(evidence: Evidence, subject: Subject) -> Iterator[Body]:
    """Yield the plain functions among the verdicts whose result no decorator may change."""
    for judged in subject.judged(evidence):
        function = judged.verdict
        if not isinstance(function, Function) or function.signature.kind is not CallableKind.PLAIN:
            continue
        node, frame = function.node, function.frame
        # A partial, or a wrapper that looks like another function, says to be elsewhere than its syntax is.
        path = "" if frame is None else frame.module.path
        tree = evidence.resolver.trees.tree(path)
        if node is None or frame is None or not isinstance(tree, ast.Module) or is_outside(path):
            continue
        names = WrittenNames(evidence.resolver.names_of(frame.module), tree, node)
        if all(_is_transparent(each, names) for each in getattr(node, "decorator_list", ())):
            returns = returns_of(node, tree)
            yield Body(subject.name, judged, path, node, names, returns, _expected(subject, function))


def _is_transparent(decorator: ast.expr, names: WrittenNames) -> bool:
    return names.of_annotation(decorator.func if isinstance(decorator, ast.Call) else decorator) in _TRANSPARENT


def _expected(subject: Subject, function: Function) -> Expected:
    if subject is references.WIRE:
        return _OUTPUTS
    return _EVALUATOR if target_style(function.signature) is TargetStyle.CALABARIA else _LOSS

"""The questions about names and expressions that the parts of the resolver ask of each other."""

import ast
from typing import Protocol

from bundlekit.check.namespace import Definition, Names
from bundlekit.check.values import Class, Frame, Value

__all__ = ["World"]


class World(Protocol):
    """Answers about names and expressions, as the parts of the resolver ask them of each other."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression."""

    def attribute(self, value: Value, name: str) -> Value:
        """Return the attribute `name` of `value`."""

    def define(self, node: Definition, frame: Frame) -> Value:
        """Return the function or class that a definition makes, as its decorators leave it."""

    def imported(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> list[tuple[str, Value]]:
        """Return the names that an import statement binds, each with its value."""

    def wrapped(self, wrapper: Value, of: Value) -> Value:
        """Return `wrapper` made to look like `of`."""

    def source_of(self, dotted: str) -> Value:
        """Return the definition of what is known by its dotted name."""

    def members(self, owner: Class) -> Names:
        """Return the bindings of a class body."""

    def member(self, owner: Class, name: str) -> Value:
        """Return what the class body itself binds `name` to."""

    def sets(self, path: str, attribute: str) -> bool:
        """Whether the source at `path` sets an attribute of that name somewhere, whatever of."""

    def truth(self, test: ast.expr) -> bool | None:
        """Return what a condition is by the interpreter that a runner uses, None where that does not tell."""

    def imported_module(self, dotted: str) -> Value:
        """Return the module `dotted`, unless importing it certainly fails."""

    def raised(self) -> None:
        """Note that a call which is read may raise."""

    def enter(self) -> bool:
        """Begin to read a call, unless too much was read already; :meth:`leave` ends it."""

    def leave(self) -> None:
        """End what :meth:`enter` began."""

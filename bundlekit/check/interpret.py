"""Reads the body of a function as if it ran, far enough to tell what it returns: decorators, factories and their kin.

Both branches of what cannot be decided are read; what is bound in only one of them, or in a loop, is not known
afterwards. Nothing is run: a value is what the resolver knows of it.
"""

import ast
from collections.abc import Sequence
from typing import NamedTuple

from bundlekit.check import texts
from bundlekit.check.agreement import agreed
from bundlekit.check.attempts import handler_of_absence, is_certain, only_asks
from bundlekit.check.call_scope import LocalScope, bind_arguments, kept
from bundlekit.check.decisions import decided
from bundlekit.check.known import dotted_name
from bundlekit.check.namespace import target_names
from bundlekit.check.signatures import FunctionNode
from bundlekit.check.values import Added, Arguments, Class, Constant, External, Frame, Function, MissingName, Value
from bundlekit.check.world import World
from bundlekit.model.signature import CallableKind, Unknown

__all__ = ["Outcome", "run"]

_CHANGES_CALLS = frozenset(
    {"__signature__", "__call__", "__init__", "__new__", "__code__", "__class__", "__defaults__"}
)
_BY_NAME = frozenset({"setattr", "getattr", "hasattr", "import_module"})
_MOST_TURNS = 20
"""Turns of a loop over a literal list that are read one by one."""


class Outcome(NamedTuple):
    """What a call may return, and whether it may instead raise or end without a ``return``."""

    returned: tuple[Value, ...]
    may_raise: bool


def run(world: World, function: Function, arguments: Arguments) -> Outcome:
    """Return what calling `function` with `arguments` may give; the function must have its syntax and frame."""
    node, frame = function.node, function.frame
    if node is None or frame is None or function.signature.kind is not CallableKind.PLAIN:
        return Outcome((Unknown(f"it is what {function.name}() returns", is_there=True),), may_raise=True)
    bound = bind_arguments(world, function, arguments)
    scope = LocalScope({name: kept(name, value, node) for name, value in bound.items()}, frame.scope)
    if isinstance(node, ast.Lambda):
        return Outcome((world.evaluate(node.body, frame._replace(before=None, scope=scope)),), may_raise=False)
    reader = _Reader(world, frame, node)
    if reader.body(node.body, scope):
        reader.returned.append(Constant("None", frame.module.path, node.lineno, ast.Constant(None)))
    return Outcome(tuple(reader.returned), reader.may_raise)


class _Loop(NamedTuple):
    """The scopes in which the body of a loop was left early."""

    continued: list[LocalScope]
    broken: list[LocalScope]


class _Reader:
    """Reads statements; scopes are changed in place along one way and copied where ways part."""

    def __init__(self, world: World, frame: Frame, node: FunctionNode) -> None:
        self.world = world
        self.node = node
        self.frame = frame
        self.returned: list[Value] = []
        self.may_raise = False
        self._loops: list[_Loop] = []
        self._own_names: set[str] = set()
        """Loop variables that run over the attributes of a class itself."""

    def body(self, statements: Sequence[ast.stmt], scope: LocalScope) -> bool:
        """Read `statements` and return whether their end can be reached."""
        return all(self._statement(statement, scope) for statement in statements)

    def _evaluate(self, node: ast.expr, scope: LocalScope) -> Value:
        return self.world.evaluate(node, self.frame._replace(before=None, scope=scope))

    def _statement(self, node: ast.stmt, scope: LocalScope) -> bool:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.names[node.name] = self.world.define(node, self.frame._replace(before=None, scope=scope))
            case ast.Return(value=value):
                self.returned.append(self._evaluate(value or ast.Constant(None, lineno=node.lineno), scope))
                # Calls tell by themselves whether they may raise; what else is computed may.
                is_told = value is None or isinstance(value, ast.Call) or only_asks(value)
                self.may_raise = self.may_raise or (isinstance(self.returned[-1], Unknown) and not is_told)
                return False
            case ast.Raise():
                self.may_raise = True
                return False
            case ast.If(test=test, body=body, orelse=orelse):
                return self._branches(
                    [body, orelse], scope, decided=decided(self.world, test, lambda asked: self._evaluate(asked, scope))
                )
            case ast.Continue() | ast.Break() if self._loops:
                loop = self._loops[-1]
                (loop.continued if isinstance(node, ast.Continue) else loop.broken).append(scope.copied())
                return False
            case ast.Try():
                return self._try(node, scope)
            case ast.With(body=body, items=items):
                self._forget([item.optional_vars for item in items if item.optional_vars is not None], scope)
                return self.body(body, scope)
            case ast.For():
                return self._for(node, scope)
            case ast.While(body=body, orelse=orelse):
                return self._loop(body, orelse, scope)
            case ast.Match(cases=cases):
                return self._branches([*(case.body for case in cases), []], scope)
            case _:
                self._simple(node, scope)
        return True

    def _try(self, node: ast.Try, scope: LocalScope) -> bool:
        ways = [[*node.body, *node.orelse], *(handler.body for handler in node.handlers)]
        match node.body:
            case _ if self._is_sound_import(node.body):
                ways = ways[:1]
            case [ast.Return(value=ast.expr() as value) | ast.Assign(value=value)] if only_asks(value):
                found = self._evaluate(value, scope)
                handler = handler_of_absence(node.handlers)
                if isinstance(found, MissingName) and handler is not None:
                    ways = [handler.body]
                elif self._asks_by_name(value, scope) and is_certain(found):
                    ways = ways[:1]
            case _:
                pass
        if len(ways) == 1:
            return self.body([*ways[0], *node.finalbody], scope)
        return self._branches(ways, scope) and self.body(node.finalbody, scope)

    def _asks_by_name(self, node: ast.expr, scope: LocalScope) -> bool:
        """Whether every name is told that an expression asks for."""
        calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
        return all(texts.exact(self._evaluate(each.args[-1], scope)) is not None for each in calls)

    def _for(self, node: ast.For | ast.AsyncFor, scope: LocalScope) -> bool:
        items = self._items(node, scope)
        if items is not None and len(items) <= _MOST_TURNS and _tells_by_turns(node):
            return self._turns(node, items, scope)
        self._forget([node.target], scope)
        if items is not None and isinstance(node.target, ast.Name):
            one_of = "|".join(f"(?:{texts.pattern(value)})" for value, *_ in items)
            scope.names[node.target.id] = Constant("a string", self.frame.module.path, node.lineno, texts=one_of)
        over = ast.unparse(node.iter)
        if over.endswith((".__dict__.items()", ").items()")) and "dict" in over:
            self._own_names.update(target_names([node.target]))
        return self._loop(node.body, node.orelse, scope)

    def _items(self, node: ast.For | ast.AsyncFor, scope: LocalScope) -> list[tuple[Value, ...]] | None:
        """Return what the names of a loop are in each turn, None where the loop runs over nothing that is told."""
        match node:
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(), ast.Name()]),
                iter=ast.Call(func=ast.Attribute(value=owner, attr="items"), args=[], keywords=[]),
            ):
                return texts.pairs(self._evaluate(owner, scope))
            case ast.For(target=ast.Name(), iter=over):
                found = texts.items(self._evaluate(over, scope))
                return None if found is None else [(value,) for value in found]
            case _:
                return None

    def _turns(self, node: ast.For | ast.AsyncFor, items: Sequence[tuple[Value, ...]], scope: LocalScope) -> bool:
        """Read the body of a loop once for each item, as it runs, and return whether its end can be reached."""
        names = target_names([node.target])
        left: list[LocalScope] = []
        for item in items:
            scope.names.update(zip(names, item, strict=True))
            loop = _Loop([], left)
            self._loops.append(loop)
            goes_on = self.body(node.body, scope)
            self._loops.pop()
            if not self._joined([*([scope.copied()] if goes_on else []), *loop.continued], scope):
                return self._joined(left, scope)
        if self.body(node.orelse, scope):
            left.append(scope.copied())
        return self._joined(left, scope)

    def _is_sound_import(self, body: Sequence[ast.stmt]) -> bool:
        """Whether the body of a ``try`` does nothing but import what is there, so that no handler is entered."""
        imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
        found = [value for each in imports for _, value in self.world.imported(each, self.frame)]
        return len(imports) == len(body) and all(isinstance(value, Function | Class | External) for value in found)

    def _simple(self, node: ast.stmt, scope: LocalScope) -> None:  # noqa: PLR0912 - a row for each statement
        match node:
            case ast.Assign(targets=targets, value=value):
                found = self._evaluate(value, scope)
                for target in targets:
                    self._assign(target, found, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._evaluate(value, scope), scope)
            case ast.AugAssign(target=target):
                self._forget([target], scope)
            case ast.Import() | ast.ImportFrom():
                for name, found in self.world.imported(node, self.frame):
                    scope.names[name] = found
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    scope.names[name] = Unknown(f"{name!r} is changed from within a function")
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                        self._assign(target, Unknown("what it was made to look like is taken away"), scope)
            case ast.Expr(value=ast.Call() as call):
                self._effect(call, scope)
            case _:
                pass

    def _effect(self, call: ast.Call, scope: LocalScope) -> None:
        """Note what a call does to a local name: ``functools.update_wrapper(wrapper, f)``, ``setattr(f, "x", y)``."""
        if not call.args or not isinstance(call.args[0], ast.Name) or call.args[0].id not in scope.names:
            return
        name = call.args[0].id
        match dotted_name(self._evaluate(call.func, scope)):
            case "functools.update_wrapper":
                scope.names[name] = self._evaluate(call, scope)
            case "builtins.setattr" if len(call.args) > 1:
                value = scope.names[name]
                if isinstance(value, Class):
                    scope.names[name] = self._with_attribute(value, call, scope)
            case _:
                return

    def _with_attribute(self, owner: Class, call: ast.Call, scope: LocalScope) -> Class:
        """Return a class after ``setattr(owner, name, value)``."""
        key = call.args[1]
        if isinstance(key, ast.Name) and key.id in self._own_names:
            return owner._replace(redecorated=True)
        name = self._evaluate(key, scope)
        text = texts.exact(name)
        if text is None or len(call.args) != len(("owner", "name", "value")) or owner.may_get(text):
            pattern = texts.pattern(name)
            return owner._replace(reshaped=f"{owner.reshaped}|{pattern}" if owner.reshaped else pattern)
        value = self._evaluate(call.args[2], scope)
        return owner._replace(added=(*owner.added, Added(text, value)))

    def _assign(self, target: ast.expr, value: Value, scope: LocalScope) -> None:
        match target:
            case ast.Name(id=name):
                scope.names[name] = kept(name, value, self.node)
            case ast.Attribute(value=ast.Name(id=name), attr="__wrapped__") if name in scope.names:
                scope.names[name] = self.world.wrapped(scope.names[name], value)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in _CHANGES_CALLS:
                if name in scope.names:
                    scope.names[name] = Unknown(f"{attribute} of {name!r} is set", is_there=True)
            case _:
                self._forget([target], scope)

    def _forget(self, targets: Sequence[ast.expr], scope: LocalScope) -> None:
        for name in target_names(targets):
            scope.names[name] = Unknown(f"{name!r} is unpacked or changed", is_there=True)

    def _loop(self, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], scope: LocalScope) -> bool:
        """Read the body of a loop of which only running tells how often it runs."""
        loop = _Loop([], [])
        inner = scope.copied()
        self._loops.append(loop)
        ends = [inner] if self.body(body, inner) else []
        self._loops.pop()
        self._joined([scope.copied(), *ends, *loop.continued, *loop.broken], scope)
        return self._branches([orelse, []], scope)

    def _branches(self, ways: Sequence[Sequence[ast.stmt]], scope: LocalScope, *, decided: bool | None = None) -> bool:
        """Read the way that is taken, or all of them, and go on with what they agree on."""
        if decided is not None:
            return self.body(ways[0] if decided else ways[1], scope)
        return self._joined([copy for way in ways if self.body(way, copy := scope.copied())], scope)

    def _joined(self, ends: Sequence[LocalScope], scope: LocalScope) -> bool:
        """Go on with what all ways agree on that lead here, and return whether there are any."""
        for name in {name for end in ends for name in end.names}:
            values = [end.names[name] for end in ends if name in end.names]
            whole = len(values) == len(ends)
            scope.names[name] = agreed(values) if whole else Unknown(f"{name!r} is bound only under a condition")
        return bool(ends)


def _tells_by_turns(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether a loop does what depends on the turn: it returns, or asks for attributes by name; others cost more."""
    for node in ast.walk(loop):
        match node:
            case ast.Return():
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _BY_NAME:
                return True
            case _:
                continue
    return False

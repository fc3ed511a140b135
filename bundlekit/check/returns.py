"""Tells what a function returns, from its syntax: the values, whether None is among them, whether it only raises.

Three answers about every point of the body: it is reached, never, or perhaps. What only running decides is a perhaps.
"""

import ast
import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from bundlekit.check.cases import has_opposites, is_literal, matches_all, may_be_the_last_case
from bundlekit.check.conditions import LINUX, truth
from bundlekit.check.signatures import FunctionNode

__all__ = ["Reach", "Returns", "own_nodes", "returns_of"]

_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "os.execv", "os.execve", "os.execvp"})
_MAY_NOT_RETURN = re.compile(r"exit|fail|error|abort|raise|die|never|unreach|usage|throw|quit|kill|exec", re.IGNORECASE)
_ONLY_TELLS = re.compile(r"log|warn|traceback", re.IGNORECASE)
_ENDLESS = frozenset({"count", "cycle", "repeat", "iter"})


class Reach(IntEnum):
    """Whether a point of the code is reached."""

    NEVER = 0
    PERHAPS = 1
    YES = 2


class Returns(NamedTuple):
    """What calling a function gives.

    `values` are what its return statements return, None left out; `none` is whether it returns None, by such a
    statement or at its end; `raises`: it does nothing but raise; `hangs`: it may be meant to run or to exit instead.
    """

    values: tuple[ast.expr, ...]
    none: Reach
    raises: bool
    hangs: bool

    @property
    def is_never_a_value(self) -> bool:
        """Whether every call that returns at all returns None."""
        return not self.values and (self.none is Reach.YES or (self.none is Reach.PERHAPS and not self.hangs))

    @property
    def is_sometimes_none(self) -> bool:
        """Whether some calls return a value and others None."""
        return bool(self.values) and self.none is Reach.YES


def returns_of(node: FunctionNode, module: ast.Module) -> Returns | None:
    """Return what a function of `module` returns; None for a stub, and where a ``finally`` changes what it returns."""
    if isinstance(node, ast.Lambda):
        return _result(_Flow({}), [ast.copy_location(ast.Return(node.body), node.body)])
    own = tuple(own_nodes(node.body))
    if _is_stub(node.body) or any(isinstance(each, ast.Try | ast.TryStar) and _returns(each.finalbody) for each in own):
        return None
    found = _result(_Flow({each.name: each for each in module.body if isinstance(each, ast.FunctionDef)}), node.body)
    if found.is_sometimes_none and has_opposites(each.test for each in own if isinstance(each, ast.If)):
        return found._replace(none=Reach.PERHAPS)
    return found


def _result(flow: "_Flow", body: Sequence[ast.stmt]) -> Returns:
    end = flow.body(body, Reach.YES)
    if _ends_with_a_guard(body):
        end = min(end, Reach.PERHAPS)
    none = max(end, flow.none)
    only_raises = flow.raises and not flow.hangs and not flow.values and none is Reach.NEVER
    return Returns(tuple(flow.values), none, only_raises, flow.hangs)


class _Flow:
    """Walks the statements of one function body in order."""

    def __init__(self, helpers: Mapping[str, ast.FunctionDef]) -> None:
        self.values: list[ast.expr] = []
        self.none = Reach.NEVER
        self.raises = self.hangs = False
        self._helpers = helpers
        self._breaks: list[Reach] = []
        self._handlers = 0

    def body(self, statements: Sequence[ast.stmt], live: Reach) -> Reach:
        """Return whether the end of `statements` is reached, if their start is."""
        for statement in statements:
            if live is Reach.NEVER:
                break
            live = self._statement(statement, live)
        return live

    def _statement(self, node: ast.stmt, live: Reach) -> Reach:
        match node:
            case ast.If():
                return self._if(node, live)
            case ast.For() | ast.While():
                return self._loop(node, live)
            case ast.Try() | ast.TryStar():
                return self._try(node, live)
            case ast.With():
                return self._with(node, live)
            case ast.Match():
                return self._match(node, live)
            case ast.Expr(value=ast.Call() as call):
                return min(live, self._returns_from(call))
            case _:
                return self._plain(node, live)

    def _plain(self, node: ast.stmt, live: Reach) -> Reach:
        match node:
            case ast.Return(value=None | ast.Constant(value=None)):
                self.none = max(self.none, live)
            case ast.Return(value=ast.IfExp(body=chosen, orelse=other)):
                for value in (chosen, other):
                    self._plain(ast.copy_location(ast.Return(value), value), live)
            case ast.Return(value=ast.expr() as value):
                self.values.append(value)
            case ast.Break():
                self._breaks[-1] = max(self._breaks[-1], live)
            case ast.Continue():
                pass
            case ast.Raise():
                self.raises = True
            case ast.Assert(test=test) if truth(test, LINUX) is False:
                self.raises = True
            case _:
                return live
        return Reach.NEVER

    def _if(self, node: ast.If, live: Reach) -> Reach:
        decided = truth(node.test, LINUX)
        if decided is not None:
            return self.body(node.body if decided else node.orelse, live)
        after = self.body(node.body, live)
        if not node.orelse:
            return max(after, min(live, Reach.PERHAPS if may_be_the_last_case(node.test) else Reach.YES))
        return max(after, self.body(node.orelse, live))

    def _loop(self, node: ast.For | ast.While, live: Reach) -> Reach:
        self._breaks.append(Reach.NEVER)
        end = self.body(node.body, live)
        broken = self._breaks.pop()
        runs_out = min(live, _runs_out(node, end))
        self.hangs = self.hangs or runs_out is Reach.NEVER
        return max(broken, self.body(node.orelse, runs_out))

    def _try(self, node: ast.Try | ast.TryStar, live: Reach) -> Reach:
        after = self.body(node.orelse, self.body(node.body, live))
        self._handlers += 1
        for handler in node.handlers:
            after = max(after, self.body(handler.body, live))
        self._handlers -= 1
        return min(after, self.body(node.finalbody, live))

    def _with(self, node: ast.With, live: Reach) -> Reach:
        end = self.body(node.body, live)
        if any(_suppresses(item.context_expr) for item in node.items):
            return live
        # Any context manager may swallow what is raised inside.
        return max(end, min(live, Reach.PERHAPS))

    def _match(self, node: ast.Match, live: Reach) -> Reach:
        after = Reach.NEVER
        for case in node.cases:
            after = max(after, self.body(case.body, live))
            if case.guard is None and matches_all(case.pattern):
                return after
        are_literals = all(is_literal(case.pattern) for case in node.cases)
        return max(after, min(live, Reach.YES if are_literals else Reach.PERHAPS))

    def _returns_from(self, call: ast.Call) -> Reach:
        """Return whether what follows a call is reached."""
        name = ast.unparse(call.func)
        if name in _EXITS:
            self.hangs = True
            return Reach.NEVER
        owner, _, called = name.rpartition(".")
        if owner:
            # What handles an exception may raise it again.
            is_doubtful = self._handlers or _MAY_NOT_RETURN.search(called)
            is_doubtful = owner in {"self", "cls"} or (is_doubtful and not _ONLY_TELLS.search(owner))
            return Reach.PERHAPS if is_doubtful else Reach.YES
        if called in self._helpers:
            helper = _Flow({})
            end = helper.body(self._helpers[called].body, Reach.YES)
            return Reach.YES if helper.values or max(end, helper.none) is Reach.YES else Reach.PERHAPS
        return Reach.YES if hasattr(builtins, called) else Reach.PERHAPS


def _suppresses(manager: ast.expr) -> bool:
    return isinstance(manager, ast.Call) and ast.unparse(manager.func).rpartition(".")[2] == "suppress"


def _ends_with_a_guard(body: Sequence[ast.stmt]) -> bool:
    """Whether a body ends with ``if error: raise error`` or the like, which may be for whatever was not returned."""
    match body:
        case [*_, ast.If(body=[*_, ast.Raise()], orelse=[])]:
            return True
        case _:
            return False


def _runs_out(node: ast.For | ast.While, end: Reach) -> Reach:
    """Return whether a loop comes to its end without a break; `end` is whether its body does."""
    if isinstance(node, ast.While) and truth(node.test, LINUX):
        return Reach.NEVER
    own = tuple(own_nodes(node.body))
    if any(isinstance(each, ast.Return) for each in own) and any(isinstance(each, ast.Raise) for each in own):
        # The last of several attempts may be the one that raises.
        return Reach.PERHAPS
    if isinstance(node, ast.For):
        called = node.iter.func if isinstance(node.iter, ast.Call) else None
        if called is not None and ast.unparse(called).rpartition(".")[2] in _ENDLESS:
            return Reach.PERHAPS
        if end is Reach.NEVER and not isinstance(node.iter, ast.Name | ast.Attribute):
            return Reach.PERHAPS
    return Reach.YES


def _is_stub(body: Sequence[ast.stmt]) -> bool:
    """Whether the body is ``...`` alone, or under a docstring."""
    constants = [
        each.value.value for each in body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
    ]
    return len(constants) == len(body) and Ellipsis in constants


def _returns(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(each, ast.Return) for each in own_nodes(body))


def own_nodes(body: Sequence[ast.stmt]) -> Iterable[ast.AST]:
    """Yield every node of a body, those of functions and classes inside left out."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))

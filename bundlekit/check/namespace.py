"""The names that a module or class body binds, in order, each certain or only on some condition.

A binding under a condition does not decide alone: when both branches of an ``if``, or the body and every handler of a
``try``, bind a name, a binding with both alternatives follows them and is certain.
"""

import ast
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = [
    "Alternatives",
    "Assigned",
    "Binding",
    "Bound",
    "Defined",
    "Deleted",
    "Imported",
    "Names",
    "Opaque",
    "exported_names",
    "names",
]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Defined(NamedTuple):
    """By ``def`` or ``class``."""

    node: Definition


class Assigned(NamedTuple):
    """To the value of an expression."""

    value: ast.expr


class Imported(NamedTuple):
    """By an import: the module itself when `name` is None, ``*`` for a star import; `level` counts leading dots."""

    module: str
    level: int
    name: str | None


class Deleted(NamedTuple):
    """Taken away again by ``del``."""


class Opaque(NamedTuple):
    """To something that only running tells."""

    reason: str


class Alternatives(NamedTuple):
    """By exactly one of these."""

    bindings: tuple["Binding", ...]


Bound = Defined | Assigned | Imported | Deleted | Opaque | Alternatives


class Binding(NamedTuple):
    """One event in the life of a name. `order` counts events from the top of the module."""

    name: str
    bound: Bound
    certain: bool
    order: int
    line: int


class Names(NamedTuple):
    """All bindings of a body, by name, and its star imports under ``*``; `modules` are those imported whole."""

    by_name: dict[str, list[Binding]]
    modules: frozenset[str] = frozenset()

    def of(self, name: str, before: int | None) -> list[Binding]:
        """Return the bindings of `name` and all star imports up to `before`, latest first."""
        found = [*self.by_name.get(name, ()), *self.by_name.get("*", ())]
        kept = [binding for binding in found if before is None or binding.order < before]
        return sorted(kept, key=lambda binding: binding.order, reverse=True)


def names(body: Sequence[ast.stmt]) -> Names:
    """Return the names that `body`, of a module or a class, binds."""
    collector = _Collector()
    collector.visit(body, certain=True)
    by_name: dict[str, list[Binding]] = {}
    for binding in collector.bindings:
        by_name.setdefault(binding.name, []).append(binding)
    return Names(by_name, frozenset(collector.modules))


def exported_names(module: Names) -> frozenset[str] | None:
    """Return the names of a literal ``__all__``, None where there is none and every public name may be exported."""
    bindings = module.by_name.get("__all__", [])
    if len(bindings) != 1 or not isinstance(bindings[0].bound, Assigned):
        return None
    try:
        value = ast.literal_eval(bindings[0].bound.value)
    except (ValueError, TypeError):
        return None
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else None


class _Collector:
    def __init__(self) -> None:
        self.bindings: list[Binding] = []
        self.modules: set[str] = set()

    def visit(self, body: Sequence[ast.stmt], *, certain: bool) -> list[Binding]:
        """Collect the bindings of `body` and return those of them that are certain if the body is run at all."""
        kept: list[Binding] = []
        for statement in body:
            kept.extend(self._statement(statement, certain=certain))
        return kept

    def _statement(self, node: ast.stmt, *, certain: bool) -> list[Binding]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return self._bind(node, [(node.name, Defined(node))], certain=certain)
            case ast.If():
                return self._if(node, certain=certain)
            case ast.Try() | ast.TryStar():
                return self._try(node, certain=certain)
            case ast.With() | ast.AsyncWith():
                targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
                bound = [(name, Opaque("a context manager gives it")) for name in _target_names(targets)]
                suppresses = any("suppress" in ast.dump(item.context_expr) for item in node.items)
                kept = self._bind(node, bound, certain=certain)
                inner = self.visit(node.body, certain=certain and not suppresses)
                return kept if suppresses else kept + inner
            case ast.For() | ast.AsyncFor():
                bound = [(name, Opaque("a loop gives it")) for name in _target_names([node.target])]
                self._bind(node, bound, certain=False)
                self.visit([*node.body, *node.orelse], certain=False)
            case ast.While():
                self.visit([*node.body, *node.orelse], certain=False)
            case ast.Match():
                for case in node.cases:
                    self.visit(case.body, certain=False)
            case _:
                if isinstance(node, ast.Import):
                    self.modules.update(alias.name for alias in node.names)
                return self._bind(node, list(_simple(node)), certain=certain)
        return []

    def _bind(self, node: ast.stmt, bound: Iterable[tuple[str, Bound]], *, certain: bool) -> list[Binding]:
        added = []
        for name, what in bound:
            added.append(Binding(name, what, certain, len(self.bindings), node.lineno))
            self.bindings.append(added[-1])
        return added

    def _if(self, node: ast.If, *, certain: bool) -> list[Binding]:
        truth = _truth(node.test)
        if truth is not None:
            return self.visit(node.body if truth else node.orelse, certain=certain)
        branches = [self.visit(node.body, certain=False), self.visit(node.orelse, certain=False)]
        if _leaves(node.body) or (node.orelse and _leaves(node.orelse)):
            branches = [branches[1 if _leaves(node.body) else 0]]
        return self._join(node, branches, certain=certain)

    def _try(self, node: ast.Try | ast.TryStar, *, certain: bool) -> list[Binding]:
        if not node.handlers:
            return self.visit([*node.body, *node.orelse, *node.finalbody], certain=certain)
        branches = [self.visit([*node.body, *node.orelse], certain=False)]
        for handler in node.handlers:
            found = self.visit(handler.body, certain=False)
            if not _leaves(handler.body):
                branches.append(found)
        joined = self._join(node, branches, certain=certain)
        return joined + self.visit(node.finalbody, certain=certain)

    def _join(self, node: ast.stmt, branches: list[list[Binding]], *, certain: bool) -> list[Binding]:
        """Bind what every branch binds to all of its alternatives at once."""
        last = [{binding.name: binding for binding in branch} for branch in branches]
        shared = [name for name in last[0] if name != "*" and all(name in other for other in last[1:])]
        bound = [(name, Alternatives(tuple(branch[name] for branch in last))) for name in shared]
        return self._bind(node, bound, certain=certain)


def _simple(node: ast.stmt) -> Iterable[tuple[str, Bound]]:
    """Return what a statement without a body binds."""
    match node:
        case ast.Assign():
            for target in node.targets:
                yield from _assignment(target, node.value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, Assigned(value)
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name, Opaque("it is changed in place")
        case ast.Import():
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, Imported(whole, 0, None)
        case ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name, Imported(node.module or "", node.level, alias.name)
        case ast.Delete():
            yield from ((target.id, Deleted()) for target in node.targets if isinstance(target, ast.Name))
        case _:
            return


def _assignment(target: ast.expr, value: ast.expr) -> Iterable[tuple[str, Bound]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, Assigned(value)
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))) if (
            len(targets) == len(values) and not any(isinstance(item, ast.Starred) for item in (*targets, *values))
        ):
            for item, part in zip(targets, values, strict=True):
                yield from _assignment(item, part)
        case _:
            yield from ((name, Opaque("it is unpacked from a value")) for name in _target_names([target]))


def _target_names(targets: Iterable[ast.expr]) -> list[str]:
    return [
        item.id
        for target in targets
        for item in ast.walk(target)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    ]


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether the body ends by raising or exiting, so that the module is not there afterwards."""
    last = body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return ast.unparse(last.value.func) in {"sys.exit", "exit", "quit", "os._exit"}
    return isinstance(last, ast.Raise)


def _truth(test: ast.expr) -> bool | None:
    """Return what a condition is when a runner imports the module, None where that depends on the machine."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(operand)
            return None if truth is None else not truth
        case ast.Compare(left=ast.Name(id="__name__"), ops=[operator], comparators=[ast.Constant(value="__main__")]):
            return {ast.Eq: False, ast.NotEq: True}.get(type(operator))
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id="sys"), attr="version_info"),
            ops=[operator],
            comparators=[ast.Tuple(elts=[ast.Constant(value=int() as major), ast.Constant(value=int() as minor)])],
        ) if (major, minor) <= _OLDEST:
            return {ast.GtE: True, ast.Lt: False}.get(type(operator))
        case _:
            return None


_OLDEST = (3, 11)
"""The oldest Python that a runner uses."""

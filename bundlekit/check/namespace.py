"""The names that a module or class body binds, in order, each certain or only on some condition.

A binding under a condition does not decide alone: when both branches of an ``if``, or the body and every handler of a
``try``, bind a name, a binding with both alternatives follows them and is certain.
"""

import ast
import builtins
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from bundlekit.check.conditions import LINUX, Runtime, truth

__all__ = [
    "Alternatives",
    "Assigned",
    "Binding",
    "Bound",
    "Defined",
    "Definition",
    "Deleted",
    "Imported",
    "ImportedModule",
    "Names",
    "Opaque",
    "Unpacked",
    "catches_imports",
    "exported_names",
    "leaves",
    "names",
    "target_names",
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


class Unpacked(NamedTuple):
    """To an item of the value of an expression."""

    value: ast.expr


class Alternatives(NamedTuple):
    """By exactly one of these."""

    bindings: tuple["Binding", ...]


Bound = Defined | Assigned | Imported | Deleted | Opaque | Unpacked | Alternatives


class Binding(NamedTuple):
    """One event in the life of a name. `order` counts events from the top of the module."""

    name: str
    bound: Bound
    certain: bool
    order: int
    line: int


class ImportedModule(NamedTuple):
    """An import statement that runs whenever its module does, with nothing to catch its failure."""

    module: str
    level: int
    name: str | None
    line: int
    column: int


class Names(NamedTuple):
    """All bindings of a body, by name, and its star imports under ``*``; `modules` are those imported whole.

    `imports` are those that certainly run; of each pair in `choices` the second are tried when the first fail.
    `raises` is the line at which the body certainly fails. `patched` are names of which an attribute that changes what
    calling them means is set.
    """

    by_name: dict[str, list[Binding]]
    modules: frozenset[str] = frozenset()
    imports: tuple[ImportedModule, ...] = ()
    choices: tuple[tuple[list[ImportedModule], list[ImportedModule]], ...] = ()
    raises: int | None = None
    patched: frozenset[str] = frozenset()

    def of(self, name: str, before: int | None) -> list[Binding]:
        """Return the bindings of `name` and all star imports up to `before`, latest first."""
        found = [*self.by_name.get(name, ()), *self.by_name.get("*", ())]
        kept = [binding for binding in found if before is None or binding.order < before]
        return sorted(kept, key=lambda binding: binding.order, reverse=True)


def names(body: Sequence[ast.stmt], runtime: Runtime = LINUX) -> Names:
    """Return the names that `body`, of a module or a class, binds."""
    collector = _Collector(body, runtime)
    collector.visit(body, certain=True)
    by_name: dict[str, list[Binding]] = {}
    for binding in collector.bindings:
        by_name.setdefault(binding.name, []).append(binding)
    return Names(
        by_name,
        frozenset(collector.modules),
        tuple(collector.imports),
        tuple(collector.choices),
        collector.raises,
        frozenset(collector.patched),
    )


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


_SPECIAL = frozenset({"__signature__", "__wrapped__", "__call__", "__code__", "__defaults__", "__kwdefaults__"})
_CATCH_IMPORTS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class _Collector:
    def __init__(self, body: Sequence[ast.stmt], runtime: Runtime) -> None:
        self._body = body
        self.runtime = runtime
        self.bindings: list[Binding] = []
        self.modules: set[str] = set()
        self.imports: list[ImportedModule] = []
        self.choices: list[tuple[list[ImportedModule], list[ImportedModule]]] = []
        self.patched: set[str] = set()
        self.raises: int | None = None
        self._guards = 0

    def visit(self, body: Sequence[ast.stmt], *, certain: bool) -> list[Binding]:
        """Collect the bindings of `body` and return those of them that are certain if the body is run at all."""
        kept: list[Binding] = []
        for statement in body:
            kept.extend(self._statement(statement, certain=certain))
            if leaves([statement]):
                if certain and not self._guards and self.raises is None:
                    self.raises = statement.lineno
                break
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
                return self._with(node, certain=certain)
            case ast.For() | ast.AsyncFor():
                bound = [(name, Opaque("a loop gives it")) for name in target_names([node.target])]
                # A loop over a display that is not empty runs at least once.
                runs = isinstance(node.iter, ast.Tuple | ast.List) and bool(node.iter.elts)
                kept = self._bind(node, bound, certain=certain and runs)
                self.visit([*node.body, *node.orelse], certain=False)
                return kept if runs else []
            case ast.While():
                self.visit([*node.body, *node.orelse], certain=False)
            case ast.Match():
                for case in node.cases:
                    self.visit(case.body, certain=False)
            case _:
                return self._plain(node, certain=certain)
        return []

    def _plain(self, node: ast.stmt, *, certain: bool) -> list[Binding]:
        match node:
            case ast.Import() | ast.ImportFrom():
                if isinstance(node, ast.Import):
                    self.modules.update(alias.name for alias in node.names)
                if certain and not self._guards:
                    self.imports += _imports_of([node])
            case ast.Assign(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Attribute) and target.attr in _SPECIAL:
                        self.patched.update(part.id for part in [target.value] if isinstance(part, ast.Name))
            case _:
                pass
        return self._bind(node, list(_simple(node)), certain=certain)

    def _bind(self, node: ast.stmt, bound: Iterable[tuple[str, Bound]], *, certain: bool) -> list[Binding]:
        added = []
        for name, what in bound:
            added.append(Binding(name, what, certain, len(self.bindings), node.lineno))
            self.bindings.append(added[-1])
        return added

    def _with(self, node: ast.With | ast.AsyncWith, *, certain: bool) -> list[Binding]:
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
        bound = [(name, Opaque("a context manager gives it")) for name in target_names(targets)]
        suppresses = any("suppress" in ast.dump(item.context_expr) for item in node.items)
        kept = self._bind(node, bound, certain=certain)
        self._guards += suppresses
        inner = self.visit(node.body, certain=certain and not suppresses)
        self._guards -= suppresses
        return kept if suppresses else kept + inner

    def _if(self, node: ast.If, *, certain: bool) -> list[Binding]:
        decided = self._truth(node.test)
        if decided is not None:
            return self.visit(node.body if decided else node.orelse, certain=certain)
        if node.orelse and leaves(node.orelse) and not leaves(node.body):
            return self.visit(node.body, certain=certain)
        if leaves(node.body):
            self.visit(node.body, certain=False)
            return self.visit(node.orelse, certain=certain)
        branches = [self.visit(node.body, certain=False), self.visit(node.orelse, certain=False)]
        return self._join(node, branches, certain=certain)

    def _truth(self, test: ast.expr) -> bool | None:
        """Return what a condition is: by the interpreter, or because a flag has had one literal value so far."""
        match test:
            case ast.Name(id=name) if name != "TYPE_CHECKING":
                return self._flag(name)
            case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)) if name != "TYPE_CHECKING":
                flag = self._flag(name)
                return None if flag is None else not flag
            case _:
                return truth(test, self.runtime)

    def _flag(self, name: str) -> bool | None:
        bound = [binding.bound for binding in self.bindings if binding.name == name]
        values = [
            each.value.value for each in bound if isinstance(each, Assigned) and isinstance(each.value, ast.Constant)
        ]
        answers = {bool(value) for value in values}
        if len(values) < len(bound) or len(answers) != 1 or name in self._globals:
            return None
        return answers.pop()

    @cached_property
    def _globals(self) -> frozenset[str]:
        """The names that functions change, which no order of statements tells of."""
        nodes = (node for statement in self._body for node in ast.walk(statement))
        return frozenset(name for node in nodes if isinstance(node, ast.Global) for name in node.names)

    def _try(self, node: ast.Try | ast.TryStar, *, certain: bool) -> list[Binding]:
        if not node.handlers:
            return self.visit([*node.body, *node.orelse, *node.finalbody], certain=certain)
        remaining = [handler for handler in node.handlers if not leaves(handler.body)]
        catching = [handler for handler in remaining if catches_imports(handler)]
        guards = bool(catching)
        if certain and not self._guards and len(catching) == 1:
            self.choices.append((_imports_of(node.body), _imports_of(catching[0].body)))
        self._guards += guards
        # Where every handler raises, the body has run to its end whenever the module is there at all.
        body = self.visit([*node.body, *node.orelse], certain=certain and not remaining)
        self._guards -= guards
        branches = [body]
        for handler in node.handlers:
            found = self.visit(handler.body, certain=False)
            if handler in remaining:
                branches.append(found)
        joined = self._join(node, branches, certain=certain) if remaining else body
        return joined + self.visit(node.finalbody, certain=certain)

    def _join(self, node: ast.stmt, branches: list[list[Binding]], *, certain: bool) -> list[Binding]:
        """Bind what every branch binds to all of its alternatives at once."""
        last = [{binding.name: binding for binding in branch} for branch in branches]
        shared = [name for name in last[0] if name != "*" and all(name in other for other in last[1:])]
        bound = [(name, Alternatives(tuple(branch[name] for branch in last))) for name in shared]
        return self._bind(node, bound, certain=certain)


def _imports_of(body: Iterable[ast.stmt]) -> list[ImportedModule]:
    """Return the imports that run whenever `body` does, those included that a handler only makes fail otherwise."""
    found: list[ImportedModule] = []
    for node in body:
        match node:
            case ast.Import(names=aliases):
                places = [(alias.name, 0, None) for alias in aliases]
                found += [ImportedModule(*each, node.lineno, node.col_offset + 1) for each in places]
            case ast.ImportFrom(names=aliases, level=level):
                named = [(node.module or "", level, alias.name) for alias in aliases]
                found += [ImportedModule(*each, node.lineno, node.col_offset + 1) for each in named]
            case ast.Try(handlers=handlers) if all(leaves(handler.body) for handler in handlers):
                found += _imports_of(node.body)
            case _:
                continue
    return found


def catches_imports(handler: ast.ExceptHandler) -> bool:
    """Whether the handler may be entered when an import fails."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    # Only of the exceptions that Python has it is known that they are no other name for these.
    return not all(
        isinstance(kind, ast.Name) and hasattr(builtins, kind.id) and kind.id not in _CATCH_IMPORTS for kind in kinds
    )


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
            yield from ((name, Unpacked(value)) for name in target_names([target]))


def target_names(targets: Iterable[ast.expr]) -> list[str]:
    """Return the names that assignment to `targets` binds."""
    return [
        item.id
        for target in targets
        for item in ast.walk(target)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    ]


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether the body ends by raising or exiting, so that the module is not there afterwards."""
    last = body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return ast.unparse(last.value.func) in {"sys.exit", "exit", "quit", "os._exit"}
    return isinstance(last, ast.Raise)

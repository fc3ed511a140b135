"""What functions do with names, and whose names those are, by Python's rules of scope.

Parameters and whatever a function binds are its own, unless ``global`` or ``nonlocal`` says otherwise; comprehensions
have a scope of their own; a class body is no scope for the functions in it. The walk keeps its own stack, so that no
nesting is too deep for it.
"""

import ast
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

__all__ = ["CALLED", "ITEM", "Act", "Scope", "Use", "imported_names", "is_mutable", "name_chain", "uses_of"]

ITEM, CALLED = "[]", "()"
_MAKERS = frozenset({"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict"})


class Act(Enum):
    """What is done: a chain that starts at a name is called, stored to or mentioned; a name is bound or augmented."""

    CALL = auto()
    STORE = auto()
    MENTION = auto()
    BIND = auto()
    AUGMENT = auto()


class Scope:
    """The names of a module (the scope without a parent), a function, a class body or a comprehension.

    `names` maps what is bound to the dotted name of what was imported, "" for anything else; `defaults` are parameters
    whose default is mutable; `receiver` is the first parameter of a method, `of_class` the name of its class.
    """

    def __init__(self, parent: "Scope | None" = None, where: str = "", *, is_class: bool = False) -> None:
        self.parent = parent
        self.where = where
        self.root: Scope = self if parent is None else parent.root
        self.is_class = is_class
        self.is_inline = False
        self.names: dict[str, str] = {}
        self.rebound: set[str] = set()
        self.global_names: set[str] = set()
        self.nonlocal_names: set[str] = set()
        self.defaults: dict[str, ast.expr] = {}
        self.receiver: str | None = None
        self.of_class = ""
        self.in_function: bool = parent is not None and parent.in_function

    def owner(self, name: str) -> "Scope":
        """Return the scope that `name` is of when it is used here; the module's for names that nobody binds."""
        scope = self
        while (outer := scope.parent) is not None:
            if name in scope.global_names:
                return scope.root
            is_visible = not scope.is_class or scope is self
            if is_visible and name in scope.names and name not in scope.nonlocal_names:
                return scope
            scope = outer
        return scope

    def binder(self) -> "Scope":
        """Return the scope in which ``:=`` binds: that around comprehensions."""
        return self.parent.binder() if self.is_inline and self.parent is not None else self


class Use(NamedTuple):
    """One act on `name` and its `trail` of attributes, items and calls; `inside` are context managers and "finally"."""

    act: Act
    name: str
    trail: tuple[str, ...]
    node: ast.expr
    scope: Scope
    inside: frozenset[str]

    @property
    def dotted(self) -> str:
        """The full name of what is used, if it starts at something imported, else ""."""
        start = self.scope.owner(self.name).names.get(self.name, "")
        return ".".join([start, *self.trail]) if start else ""


def uses_of(nodes: Iterable[ast.stmt], module: Scope) -> list[Use]:
    """Return what the statements `nodes` of a module do, functions in them included, in the order of the text."""
    walker = _Walker()
    walker.push(nodes, module, frozenset())
    walker.run()
    return sorted(walker.uses, key=lambda use: (use.node.lineno, use.node.col_offset))


def name_chain(node: ast.expr) -> tuple[str, tuple[str, ...]]:
    """Return the name at the start of ``name.attribute[item]()`` and what follows it; "" where it starts otherwise."""
    trail: list[str] = []
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                trail.append(attr)
                node = value
            case ast.Subscript(value=value):
                trail.append(ITEM)
                node = value
            case ast.Call(func=value):
                trail.append(CALLED)
                node = value
            case ast.Name(id=name):
                return name, tuple(reversed(trail))
            case _:
                return "", ()


def is_mutable(node: ast.expr | None) -> bool:
    """Whether an expression certainly makes a new list, dictionary, set or the like."""
    match node:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MAKERS
        case _:
            return False


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Return each name that an import binds, and the dotted name of what it is; relative ones start with dots."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            top = alias.name.partition(".")[0]
            yield top, top


class _Walker:
    """Collects uses; whose a name is can only be asked when the walk is over."""

    def __init__(self) -> None:
        self._pending: list[tuple[ast.AST, Scope, frozenset[str]]] = []
        self.uses: list[Use] = []

    def push(self, nodes: Iterable[ast.AST], scope: Scope, inside: frozenset[str]) -> None:
        """Add nodes to those that are still to be visited."""
        self._pending.extend([(node, scope, inside) for node in nodes])

    def run(self) -> None:
        """Visit everything; a visit that returns True has seen to the node's children."""
        while self._pending:
            node, scope, inside = self._pending.pop()
            if type(node) not in _VISITED or not self._visit(node, scope, inside):
                self._pending.extend([(child, scope, inside) for child in ast.iter_child_nodes(node)])

    def _visit(self, node: ast.AST, scope: Scope, inside: frozenset[str]) -> bool:
        match node:
            case ast.Name():
                self._name(node, scope, inside)
            case ast.Attribute() | ast.Subscript():
                self._stored(node, scope, inside)
                return False
            case ast.Call():
                self._called(node, scope, inside)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._function(node, scope, inside)
            case ast.ClassDef():
                self._class_body(node, scope, inside)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, scope, inside)
            case ast.NamedExpr():
                self.push([node.target], scope.binder(), inside)
                self.push([node.value], scope, inside)
            case ast.AugAssign(target=ast.Name() as target):
                scope.names.setdefault(target.id, "")
                self._add(Act.AUGMENT, target, target, scope, inside)
                self.push([node.value], scope, inside)
            case ast.Import() | ast.ImportFrom():
                scope.names.update(imported_names(node))
            case ast.With() | ast.AsyncWith():
                self._managed(node, scope, inside)
            case ast.Try() | ast.TryStar():
                self.push([*node.body, *node.handlers, *node.orelse], scope, inside)
                self.push(node.finalbody, scope, inside | {"finally"})
            case _:
                _declare(node, scope)
                return False
        return True

    def _add(self, act: Act, chained: ast.expr, node: ast.expr, scope: Scope, inside: frozenset[str]) -> None:
        name, trail = name_chain(chained)
        if name:
            self.uses.append(Use(act, name, trail, node, scope, inside))

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, inside: frozenset[str]
    ) -> None:
        """A function or lambda: defaults and decorators are evaluated outside of it."""
        args = node.args
        self.push([*args.defaults, *(each for each in args.kw_defaults if each)], scope, inside)
        name = scope.where
        if not isinstance(node, ast.Lambda):
            scope.names.setdefault(node.name, "")
            self.push(node.decorator_list, scope, inside)
            name = f"{scope.where}.{node.name}" if scope.where else node.name
        inner = Scope(scope, name)
        inner.in_function = True
        _take_parameters(inner, args)
        if scope.is_class and not isinstance(node, ast.Lambda):
            positional = [*args.posonlyargs, *args.args]
            is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
            if positional and not is_static:
                inner.receiver, inner.of_class = positional[0].arg, scope.of_class
        self.push([node.body] if isinstance(node, ast.Lambda) else node.body, inner, frozenset())

    def _class_body(self, node: ast.ClassDef, scope: Scope, inside: frozenset[str]) -> None:
        """A class: its body is a scope for itself only."""
        scope.names.setdefault(node.name, "")
        self.push([*node.decorator_list, *node.bases, *(each.value for each in node.keywords)], scope, inside)
        inner = Scope(scope, f"{scope.where}.{node.name}" if scope.where else node.name, is_class=True)
        inner.of_class = inner.where
        self.push(node.body, inner, inside)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: Scope, inside: frozenset[str]
    ) -> None:
        """A comprehension: a scope of its own, but for its first iterable."""
        inner = Scope(scope, scope.where)
        inner.is_inline = True
        first = node.generators[0].iter
        self.push([first], scope, inside)
        for generator in node.generators:
            outside = [] if generator.iter is first else [generator.iter]
            self.push([generator.target, *generator.ifs, *outside], inner, inside)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.push(results, inner, inside)

    def _name(self, node: ast.Name, scope: Scope, inside: frozenset[str]) -> None:
        """A name that is bound or deleted."""
        if not isinstance(node.ctx, ast.Load):
            scope.names.setdefault(node.id, "")
            scope.rebound.add(node.id)
            self._add(Act.BIND, node, node, scope, inside)

    def _stored(self, node: ast.Attribute | ast.Subscript, scope: Scope, inside: frozenset[str]) -> None:
        """An attribute or an item; one that is only loaded is a use where it names a seed."""
        if not isinstance(node.ctx, ast.Load):
            self._add(Act.STORE, node, node, scope, inside)
        elif isinstance(node, ast.Attribute) and node.attr == "seed":
            self._add(Act.MENTION, node, node, scope, inside)

    def _called(self, node: ast.Call, scope: Scope, inside: frozenset[str]) -> None:
        """A call."""
        self._add(Act.CALL, node.func, node, scope, inside)
        function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        self.push([function, *node.args, *node.keywords], scope, inside)

    def _managed(self, node: ast.With | ast.AsyncWith, scope: Scope, inside: frozenset[str]) -> None:
        self.push(node.items, scope, inside)
        managers = (name_chain(item.context_expr) for item in node.items)
        self.push(node.body, scope, inside | {each for name, trail in managers for each in (name, *trail)})


def _declare(node: ast.AST, scope: Scope) -> None:
    """Names that are bound without a node of their own, or declared to be of another scope."""
    match node:
        case ast.Global(names=names):
            scope.global_names.update(names)
        case ast.Nonlocal(names=names):
            scope.nonlocal_names.update(names)
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            scope.names.setdefault(name, "")
        case _:
            pass


def _take_parameters(scope: Scope, args: ast.arguments) -> None:
    positional = [*args.posonlyargs, *args.args]
    extra = [each for each in (args.vararg, args.kwarg) if each is not None]
    scope.names.update((each.arg, "") for each in (*positional, *args.kwonlyargs, *extra))
    values = [*args.defaults, *args.kw_defaults]
    named = [*positional[len(positional) - len(args.defaults) :], *args.kwonlyargs]
    for parameter, value in zip(named, values, strict=True):
        if value is not None and is_mutable(value):
            scope.defaults[parameter.arg] = value


_VISITED = frozenset(
    {
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Global, ast.Nonlocal),
        *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr, ast.ExceptHandler),
        *(ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.AugAssign, ast.Import, ast.ImportFrom),
        *(ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
    }
)

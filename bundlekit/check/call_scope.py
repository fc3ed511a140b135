"""The local names of a call that is read as if it ran."""

from bundlekit.check import texts
from bundlekit.check.set_names import may_change
from bundlekit.check.signatures import FunctionNode
from bundlekit.check.values import Arguments, Constant, Function, Packed, Scope, Value
from bundlekit.check.world import World
from bundlekit.model.signature import Unknown

__all__ = ["LocalScope", "bind_arguments", "kept"]


class LocalScope:
    """The local names of a function that is read as run, and the scope around it."""

    def __init__(self, names: dict[str, Value], parent: Scope | None) -> None:
        self.names = names
        self.parent = parent

    def lookup(self, name: str) -> Value | None:
        """Return what `name` is here or around, None if neither binds it."""
        found = self.names.get(name)
        return found if found is not None or self.parent is None else self.parent.lookup(name)

    def inner(self) -> Scope:
        """Return itself: functions see the names around them."""
        return self

    def copied(self) -> "LocalScope":
        """Return a scope that can take another way from here."""
        return LocalScope(dict(self.names), self.parent)


def kept(name: str, value: Value, node: FunctionNode) -> Value:
    """Return a value without what is told of its items where the function may change them."""
    if isinstance(value, Constant) and texts.is_mutable(value) and may_change(node, name):
        return value._replace(literal=None)
    return value


def bind_arguments(world: World, function: Function, arguments: Arguments) -> dict[str, Value]:
    """Return the parameters of a call by name: what is passed, else the default, else unknown."""
    node, frame = function.node, function.frame
    if node is None or frame is None:
        return {}
    given = function.given or Arguments()
    positional = [*given.positional, *arguments.positional]
    keywords = dict((*given.keywords, *arguments.keywords))
    is_open = given.is_open or arguments.is_open
    spec = node.args
    names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
    defaults = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
    keyword_defaults = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    defaults |= {item.arg: default for item, default in keyword_defaults if default is not None}
    bound: dict[str, Value] = {}
    for index, name in enumerate([*names, *(item.arg for item in spec.kwonlyargs)]):
        if index < len(names) and index < len(positional):
            bound[name] = positional[index]
        elif name in keywords:
            bound[name] = keywords[name]
        elif name in defaults and not is_open:
            bound[name] = world.evaluate(defaults[name], frame._replace(before=None))
        else:
            bound[name] = Unknown(f"the argument {name!r} is not known")
    known = {*names, *(item.arg for item in spec.kwonlyargs)}
    rest = tuple((key, value) for key, value in keywords.items() if key not in known)
    for variadic, packed in ((spec.vararg, Packed(tuple(positional[len(names) :]))), (spec.kwarg, Packed((), rest))):
        if variadic is not None:
            unknown = Unknown(f"{variadic.arg!r} holds whatever is passed", is_there=True)
            bound[variadic.arg] = unknown if is_open else packed
    return bound

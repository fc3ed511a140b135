"""Resolves references to what they name, from source: modules, names, attributes, and what calling them takes."""

import ast
import builtins
import re

from bundlekit.check import calls, classes, texts
from bundlekit.check.conditions import truth
from bundlekit.check.expressions import Expressions
from bundlekit.check.known import is_known
from bundlekit.check.module_index import MissingModule, ModuleFile, Namespace
from bundlekit.check.namespace import (
    Assigned,
    Binding,
    Defined,
    Names,
    names,
)
from bundlekit.check.values import (
    Builtin,
    Class,
    Constant,
    External,
    Function,
    ImportFails,
    Instance,
    MissingName,
    ModuleValue,
    Scope,
    Unparsable,
    Value,
    is_broken,
)
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Resolver"]

_DEEPEST, _MOST_CALLS = 25, 400
"""Calls that are read within each other, and for one reference; decorators of decorators need five or six."""


class Resolver(Expressions):
    """Answers what a reference names. Answers are kept, so each question costs once."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._members: dict[int, Names] = {}
        self._sets: dict[tuple[str, str], bool] = {}
        self._depth = self._calls = 0

    def resolve(self, reference: Reference) -> Value:
        """Return what `reference` names, a class or an instance as the function that calling it runs."""
        try:
            named = self.named(reference)
            found = calls.callable_form(self, named)
        except RecursionError:
            return Unknown("its definition is nested too deeply to be followed")
        is_plain = isinstance(named, Instance) and isinstance(found, Constant)
        reason = (
            self._absence.assigned("__call__", named.of.module) if is_plain and isinstance(named, Instance) else None
        )
        return Unknown(reason, is_there=True) if reason else found

    def named(self, reference: Reference) -> Value:
        """Return what `reference` names, as it is.

        Raises:
            RecursionError: a definition on the way is nested too deeply.
        """
        self._calls = 0
        if reference.module is None:
            path = reference.path or ""
            found = self.index.file(path)
            if found is None:
                return MissingModule(path, path, ())
            value: Value = ModuleValue(found)
        else:
            value = self.imported_module(reference.module)
        for attribute in reference.attributes:
            value = self.attribute(value, attribute)
        return value

    def attribute(self, value: Value, name: str) -> Value:
        """Return the attribute `name` of `value`; whoever reaches a list there may have changed what is in it."""
        found = self._attribute(value, name)
        if not isinstance(found, Constant) or not texts.is_mutable(found):
            return found
        owner = value.of if isinstance(value, Instance) else value
        module = owner.module if isinstance(owner, Class | ModuleValue) else None
        is_open = not isinstance(module, ModuleFile) or self._absence.changes(name, module)
        return found._replace(literal=None) if is_open else found

    def _attribute(self, value: Value, name: str) -> Value:  # noqa: PLR0912 - a row for each kind of value
        match value:
            case ModuleValue(module=ModuleFile() as module) if is_known(f"{module.name}.{name}"):
                return External(f"{module.name}.{name}", "it is known by name", is_there=True)
            case ModuleValue(module=ModuleFile() as module, imported=imported):
                found = self.name_in(module, name)
                if imported or isinstance(found, Unknown) or is_broken(found):
                    return found
                if self.closure.reaches(module.name.rpartition(".")[0], module.name):
                    return found
                return Unknown(f"{module.name} is there only if something imports it")
            case ModuleValue(module=Namespace() as namespace):
                return self._submodule(namespace, name) or MissingName(
                    name, namespace.name, namespace.directories[0], self._submodules(namespace)
                )
            case Instance(of=of) if name == "__class__":
                return of
            case Class() | Instance():
                found = classes.attribute_of(self, value, name)
                owner = value if isinstance(value, Class) else value.of
                if isinstance(found, Function) and self.sets(found.path, f"{name}.__signature__"):
                    return Unknown(f"{owner.module.path} sets the signature of {name!r}", is_there=True)
                is_open = isinstance(found, MissingName | Constant)
                reason = self._absence.of_class(name, owner.module) if is_open else None
                return Unknown(reason, is_there=isinstance(found, Constant)) if reason else found
            case External(dotted=dotted, why=why):
                return External(f"{dotted}.{name}", why, is_there=self._is_stubbed(f"{dotted}.{name}"))
            case Builtin(name=builtin) if hasattr(getattr(builtins, builtin), name):
                return External(f"builtins.{builtin}.{name}", f"{builtin!r} is built into Python", is_there=True)
            case Function():
                return Unknown(f"attributes of the function {value.name!r} are set when it runs")
            case Constant():
                return Unknown(f"{name!r} is an attribute of {value.what}")
            case MissingModule() | MissingName() | Unparsable() | ImportFails():
                return value
            case Unknown(reason=reason):
                return Unknown(reason)
            case _:
                return Unknown(f"{name!r} is an attribute that only running gives")

    def members(self, owner: Class) -> Names:
        """Return the bindings of a class body."""
        key = id(owner.node)
        if key not in self._members:
            self._members[key] = names(owner.node.body, self._runtime)
        return self._members[key]

    def member(self, owner: Class, name: str) -> Value:
        """Return what the class body itself, or a decorator of the class, binds `name` to."""
        remade = Unknown(f"{name!r} of {owner.node.name!r} is what a decorator of the class makes of it", is_there=True)
        if owner.may_get(name):
            return remade
        brought = owner.brought(name)
        if brought is not None:
            return brought
        found = self.class_name(owner, name, None)
        if found is None:
            return Unknown(f"{name!r} of the class {owner.node.name!r} comes and goes")
        if name in self.members(owner).patched:
            return Unknown(f"the class {owner.node.name!r} sets what calling {name!r} means", is_there=True)
        last = self.members(owner).by_name[name][-1].bound
        if owner.attrs is not None and isinstance(last, Assigned):
            return Unknown(f"{name!r} of {owner.node.name!r} may be a field, which attrs takes away")
        if owner.redecorated and isinstance(last, Defined) and last.node.decorator_list:
            return remade
        if isinstance(found, Constant | Function) and owner.node.keywords and not isinstance(found, Function):
            # A metaclass, as that of an enumeration, makes something else of what is assigned.
            return Unknown(f"{name!r} of {owner.node.name!r} is what its metaclass makes of it", is_there=True)
        if isinstance(found, Constant) and owner.node.bases:
            return Unknown(f"{name!r} of {owner.node.name!r} is what a base makes of it", is_there=True)
        return found

    def class_name(self, owner: Class, name: str, before: int | None) -> Value | None:
        """Return what a class body has bound `name` to before its binding of that number, None if nothing."""

        def value_of(binding: Binding) -> Value | None:
            scope = _ClassScope(self, owner, binding.order)
            return self._value(binding, owner.frame._replace(before=None, scope=scope))

        return self._settled(self.members(owner).of(name, before), name, value_of)

    def sets(self, path: str, attribute: str) -> bool:
        """Whether the source at `path` sets an attribute of that name somewhere, whatever of."""
        key = (path, attribute)
        if key not in self._sets:
            name = re.escape(attribute).encode()
            pattern = rb"\b" + name + rb"\s*(?::[^=\n]+)?=(?!=)|[\"']" + name + rb"[\"']|\bdef\s+" + name + rb"\b"
            self._sets[key] = re.search(pattern, self.files.source(path) or b"") is not None
        return self._sets[key]

    def truth(self, test: ast.expr) -> bool | None:
        """Return what a condition is by the interpreter that a runner uses, None where that does not tell."""
        return truth(test, self._runtime)

    def enter(self) -> bool:
        """Begin to read a call, unless too many are being read or were."""
        if self._depth >= _DEEPEST or self._calls >= _MOST_CALLS:
            return False
        self._depth += 1
        self._calls += 1
        return True

    def leave(self) -> None:
        """End what :meth:`enter` began."""
        self._depth -= 1

    def wrapped(self, wrapper: Value, of: Value) -> Value:
        """Return `wrapper` made to look like `of`."""
        return calls.wrapped(wrapper, calls.callable_form(self, of))

    def source_of(self, dotted: str) -> Value:
        """Return the definition of what is known by its dotted name."""
        module, _, name = dotted.rpartition(".")
        found = self.index.find(module)
        return self.name_in(found, name) if isinstance(found, ModuleFile) else Unknown(f"{module} has no source")


class _ClassScope:
    """The names of a class body before one of its bindings; a function inside does not see them."""

    def __init__(self, resolver: Resolver, owner: Class, before: int) -> None:
        self._resolver = resolver
        self._owner = owner
        self._before = before

    def lookup(self, name: str) -> Value | None:
        """Return what the class body has bound `name` to by then, else what the scope around it has."""
        found = self._resolver.class_name(self._owner, name, self._before)
        around = self._owner.frame.scope
        return found if found is not None or around is None else around.lookup(name)

    def inner(self) -> Scope | None:
        """Return the scope that the methods see: the one around the class."""
        around = self._owner.frame.scope
        return around.inner() if around else None

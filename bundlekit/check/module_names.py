"""What a name is in a module once it is imported: its bindings, star imports, and what may bind it at run time.

A name that is not there is only called missing when nothing in the code around it could put it there.
"""

import ast
import re
from collections.abc import Callable

from bundlekit.check import interpret
from bundlekit.check.agreement import agreed
from bundlekit.check.imported_modules import ImportedModules
from bundlekit.check.lazy_modules import lazily_imported, uses_a_stub
from bundlekit.check.module_index import ModuleFile, absolute_name
from bundlekit.check.namespace import (
    Alternatives,
    Assigned,
    Binding,
    Defined,
    Deleted,
    Imported,
    Opaque,
    Unpacked,
    exported_names,
)
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.values import (
    Arguments,
    Class,
    Constant,
    External,
    Frame,
    Function,
    ImportFails,
    MissingName,
    ModuleValue,
    Unparsable,
    Value,
    is_broken,
)
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["ModuleNames"]

_MODULE_ATTRIBUTES = frozenset({"__name__", "__doc__", "__file__", "__spec__", "__loader__", "__package__", "__dict__"})
_ALL = re.compile(rb"^[^#\n]*\b__all__\b", re.MULTILINE)


class ModuleNames(ImportedModules):
    """Names of modules."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._asked: set[tuple[str, str, int | None]] = set()
        self._answers: dict[tuple[str, str, int | None], Value] = {}
        self._raised = False

    def name_in(self, module: ModuleFile, name: str, before: int | None = None) -> Value:
        """Return what `name` is in `module` once it is imported, or was before its binding number `before`."""
        key = (module.path, name, before)
        if key in self._answers:
            return self._answers[key]
        if key in self._asked:
            self._cycles += 1
            return Unknown(f"{name!r} is defined through a circular import")
        tree = self.trees.tree(module.path)
        if tree is None:
            return Unknown(f"{module.path} was not read")
        if isinstance(tree, SyntaxFailure):
            return Unparsable(module.path)
        self._asked.add(key)
        cycles = self._cycles
        try:
            found = self._name_in(module, name, before, tree)
        finally:
            self._asked.discard(key)
        # What was found on the way round a circle is only half an answer.
        if cycles == self._cycles:
            self._answers[key] = found
        return found

    def _name_in(self, module: ModuleFile, name: str, before: int | None, tree: ast.Module) -> Value:
        found = self._looked_up(module, name, before) or self._not_bound(module, name, tree)
        if isinstance(found, Constant):
            # A placeholder, `wire = None`, may be replaced when the module or another one runs.
            reason = self._absence.reason(name, module, tree)
            return Unknown(reason, is_there=True) if reason else found
        if isinstance(found, Function) and name in self.names_of(module).patched:
            return Unknown(f"{module.path} sets what calling {name!r} means", is_there=True)
        return found

    def _looked_up(self, module: ModuleFile, name: str, before: int | None) -> Value | None:
        """Return the value of the latest certain binding joined with the uncertain ones after it, None if unbound."""

        def value_of(binding: Binding) -> Value | None:
            if binding.name == "*":
                return self._star(module, binding, name)
            return self._value(binding, Frame(module, binding.order))

        return self._settled(self.names_of(module).of(name, before), name, value_of)

    def _settled(self, bindings: list[Binding], name: str, value_of: Callable[[Binding], Value | None]) -> Value | None:
        found: list[Value] = []
        doubts: list[Value] = []
        for binding in bindings:
            value = value_of(binding)
            if value is None:
                continue
            if binding.name == "*" and isinstance(value, Unknown) and not value.is_there:
                # A module that makes names up as it runs hardly makes up one that is written elsewhere.
                doubts.append(value)
                continue
            if binding.name == "*" and isinstance(value, External) and not value.is_there:
                found.append(Unknown(f"{name!r} may come with the star import from {value.dotted}: {value.why}"))
                continue
            found.append(value)
            if binding.certain:
                settled = agreed(found)
                # Whichever of them it is, the name was bound by then and has not been taken away.
                return settled._replace(is_there=True) if isinstance(settled, Unknown) and _stays(found) else settled
        if not found:
            return doubts[0] if doubts else None
        telling = next((value for value in found if isinstance(value, Unknown)), None)
        if telling or all(is_broken(value) for value in found):
            return Unknown(telling.reason) if telling else found[0]
        return Unknown(f"{name!r} is bound only under a condition")

    def _value(self, binding: Binding, frame: Frame) -> Value | None:
        """Return what a binding gives its name; what raises there makes the import fail, and no call that asks."""
        around = self._raised
        try:
            return self._bound_value(binding, frame)
        finally:
            self._raised = around

    def _bound_value(self, binding: Binding, frame: Frame) -> Value | None:
        module = frame.module
        match binding.bound:
            case Defined(node=node):
                return self.define(node, frame)
            case Assigned(value=expression):
                return self.evaluate(expression, frame)
            case Imported(module=origin, level=level, name=name):
                found = self._imported(module, origin, level, name, frame.before)
                if isinstance(found, Unknown) and name is not None:
                    # Where the name is not there, this import fails, and its module with it.
                    return found._replace(is_there=True)
                if not binding.certain and isinstance(found, ModuleValue | Function | Class):
                    # Under a handler it may be that another binding counts because this import fails.
                    absolute = absolute_name(module, origin, level)
                    failure = self.closure.failure(absolute) if absolute else None
                    if failure is not None and failure.certain:
                        return ImportFails(*failure[:4])
                return found
            case Deleted():
                return self._deleted(module, binding)
            case Opaque(reason=reason):
                return Unknown(f"{binding.name!r} in {module.path}: {reason}", is_there=True)
            case Unpacked():
                return Unknown(f"{binding.name!r} in {module.path}: it is unpacked from a value", is_there=True)
            case Alternatives(bindings=bindings):  # pragma: no branch - mypy holds the match to be exhaustive
                return agreed([value for item in bindings if (value := self._value(item, frame)) is not None])

    def _deleted(self, module: ModuleFile, binding: Binding) -> Value:
        if not binding.certain:
            return Unknown(f"{binding.name!r} is deleted under a condition in {module.path}")
        note = f"it is deleted in line {binding.line}"
        return MissingName(binding.name, module.name, module.path, self._siblings(module), note)

    def _star(self, importer: ModuleFile, binding: Binding, name: str) -> Value | None:
        """Return what a star import gives `name`, None if it certainly does not bind it."""
        bound = binding.bound
        absolute = absolute_name(importer, bound.module, bound.level) if isinstance(bound, Imported) else None
        value = self.module(absolute) if absolute else None
        match value:
            case ModuleValue(module=ModuleFile() as module):
                bindings = self.names_of(module)
                # A list that is mentioned again may grow: only one that is written once says what is not exported.
                is_closed = len(_ALL.findall(self.files.source(module.path) or b"")) == 1
                exported = exported_names(bindings) if is_closed else None
                hidden = name.startswith("_") and "__all__" not in bindings.by_name
                if hidden if exported is None else name not in exported:
                    return None
                found = self.name_in(module, name)
                if exported is None and isinstance(found, ModuleValue) and "__all__" in bindings.by_name:
                    # Submodules are bound beside what is exported, often without being listed.
                    return Unknown(f"{name!r} may come with the star import from {module.name}")
                return None if isinstance(found, MissingName) and exported is None else found
            case External():
                given = self.attribute(value, name)
                return given if isinstance(given, External) and given.is_there else value
            case _:
                return None

    def _not_bound(self, module: ModuleFile, name: str, tree: ast.Module) -> Value:
        submodule = self._submodule(module, name)
        if submodule is not None:
            return submodule
        if name in _MODULE_ATTRIBUTES:
            return Constant("an attribute that every module has", module.path, 1)
        reason = self._absence.reason(name, module, tree)
        if reason:
            return Unknown(reason)
        if "__getattr__" in self.names_of(module).by_name:
            return self._module_getattr(module, name)
        line = self._absence.nested(tree, name)
        note = f"line {line} defines that name inside a function or class, where no reference reaches it"
        return MissingName(name, module.name, module.path, self._siblings(module), note if line else None)

    def _module_getattr(self, module: ModuleFile, name: str) -> Value:
        """Return what a module's ``__getattr__`` (PEP 562) answers for a name that nothing binds."""
        unknown = Unknown(f"{module.path} has a module-level __getattr__ that may answer for {name!r}")
        lazy = self._lazily_imported(module)
        if lazy is not None:
            note = "it is none of those that the module imports lazily"
            missing = MissingName(name, module.name, module.path, self._siblings(module), note)
            bound = lazy.get(name)
            return missing if bound is None else self._imported(module, *bound)
        getter = self._looked_up(module, "__getattr__", None)
        if not isinstance(getter, Function) or not self.enter():
            return unknown
        asked = Constant("a literal str", module.path, 1, ast.Constant(name))
        around, self._raised = self._raised, False
        try:
            outcome = interpret.run(self, getter, Arguments((asked,)))
            may_raise = outcome.may_raise or self._raised
        finally:
            self.leave()
            self._raised = around
        if not outcome.returned and outcome.may_raise:
            note = "its module-level __getattr__ raises for that name"
            return MissingName(name, module.name, module.path, self._siblings(module), note)
        found = agreed(list(outcome.returned))
        if may_raise or is_broken(found) or (isinstance(found, Unknown) and not found.is_there):
            return unknown
        return found

    def _lazily_imported(self, module: ModuleFile) -> dict[str, Imported] | None:
        bindings = self.names_of(module)
        stub = self.trees.tree(f"{module.path}i") if uses_a_stub(bindings) else None
        return lazily_imported(bindings, stub if isinstance(stub, ast.Module) else None)

    def raised(self) -> None:
        """Note that a call which is read may raise."""
        self._raised = True


def _stays(values: list[Value]) -> bool:
    return not any(is_broken(value) for value in values) and (
        not isinstance(values[-1], Unknown) or values[-1].is_there
    )

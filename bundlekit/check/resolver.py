"""Resolves references to what they name, from source: modules, bindings, re-exports, attributes and simple expressions.

A name that is not there is only called missing when nothing in the bundle's code could put it there at run time.
"""

import ast
import builtins

from bundlekit.check import callables
from bundlekit.check.module_index import MissingModule, ModuleFile, ModuleIndex, Namespace, Outside, absolute_name
from bundlekit.check.namespace import (
    Alternatives,
    Assigned,
    Binding,
    Defined,
    Deleted,
    Imported,
    Names,
    Opaque,
    exported_names,
    names,
)
from bundlekit.check.runtime_names import assigned_elsewhere, nested_definition, why_it_may_appear
from bundlekit.check.signatures import function_signature
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.trees import Trees
from bundlekit.check.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    MissingName,
    ModuleValue,
    Unparsable,
    Value,
    agreed,
)
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Resolver"]

_MODULE_ATTRIBUTES = frozenset({"__name__", "__doc__", "__file__", "__spec__", "__loader__", "__package__", "__dict__"})
_LITERALS: dict[type[ast.expr], str] = {
    ast.List: "a list",
    ast.ListComp: "a list",
    ast.Dict: "a dictionary",
    ast.DictComp: "a dictionary",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.Tuple: "a tuple",
    ast.JoinedStr: "a string",
    ast.GeneratorExp: "a generator",
}


class Resolver:
    """Answers what a reference names. Answers are kept, so each question costs once."""

    def __init__(self, project: Project, trees: Trees) -> None:
        self.project = project
        self.index = ModuleIndex(project)
        self.trees = trees
        self._names: dict[str, Names] = {}
        self._asked: set[tuple[str, str, int | None]] = set()

    def resolve(self, reference: Reference) -> Value:
        """Return what `reference` names, a class or an instance as the function that calling it runs."""
        try:
            named = self._resolve(reference)
            found = callables.called(self.evaluate, named)
        except RecursionError:
            return Unknown("its definition is nested too deeply to be followed")
        is_plain = isinstance(named, Instance) and isinstance(found, Constant)
        reason = assigned_elsewhere("__call__", self.project.sources) if is_plain else None
        return Unknown(reason) if reason else found

    def _resolve(self, reference: Reference) -> Value:
        if reference.module is None:
            path = reference.path or ""
            found = self.index.file(path)
            if found is None:
                return MissingModule(path, path, ())
            value: Value = ModuleValue(found)
        else:
            value = self.module(reference.module)
        for attribute in reference.attributes:
            value = self.attribute(value, attribute)
        return value

    def module(self, dotted: str) -> Value:
        """Return the module `dotted` after importing its parents."""
        parts = dotted.split(".")
        for length in range(1, len(parts)):
            parent = self.index.find(".".join(parts[:length]))
            if isinstance(parent, ModuleFile) and isinstance(self.trees.tree(parent.path), SyntaxFailure):
                return Unparsable(parent.path)
        match self.index.find(dotted):
            case ModuleFile() | Namespace() as found:
                return ModuleValue(found)
            case Outside(name=name, why=why):
                return External(name, why)
            case MissingModule() as missing:  # pragma: no branch - mypy holds the match to be exhaustive
                return missing

    def attribute(self, value: Value, name: str) -> Value:
        """Return the attribute `name` of `value`."""
        match value:
            case ModuleValue(module=ModuleFile() as module, imported=imported):
                found = self.name_in(module, name)
                is_definite = imported or isinstance(found, MissingName | Unknown | Unparsable)
                return found if is_definite else Unknown(f"{module.name} is there only if something imports it")
            case ModuleValue(module=Namespace() as namespace):
                return self._submodule(namespace, name) or MissingName(
                    name, namespace.name, namespace.directories[0], self._submodules(namespace)
                )
            case Class() | Instance():
                found = callables.class_attribute(self.evaluate, value, name)
                reason = (
                    assigned_elsewhere(name, self.project.sources, by_itself=True)
                    if isinstance(found, MissingName | Constant)
                    else None
                )
                return Unknown(reason) if reason else found
            case External(dotted=dotted, why=why):
                return External(f"{dotted}.{name}", why)
            case Function():
                return Unknown(f"attributes of the function {value.name!r} are set when it runs")
            case Constant():
                return Unknown(f"{name!r} is an attribute of {value.what}")
            case _:
                return value

    def name_in(self, module: ModuleFile, name: str, before: int | None = None) -> Value:
        """Return what `name` is in `module` once it is imported, or was before its binding number `before`."""
        key = (module.path, name, before)
        if key in self._asked:
            return Unknown(f"{name!r} is defined through a circular import")
        tree = self.trees.tree(module.path)
        if tree is None:
            return Unknown(f"{module.path} was not read")
        if isinstance(tree, SyntaxFailure):
            return Unparsable(module.path)
        self._asked.add(key)
        try:
            found = self._looked_up(module, name, before) or self._not_bound(module, name, tree)
        finally:
            self._asked.discard(key)
        if isinstance(found, Constant):
            # A placeholder, `wire = None`, may be replaced when the module or another one runs.
            reason = why_it_may_appear(name, module.path, tree) or assigned_elsewhere(name, self.project.sources)
            return Unknown(reason) if reason else found
        return found

    def names_of(self, module: ModuleFile) -> Names:
        """Return the bindings of a module that parses."""
        if module.path not in self._names:
            tree = self.trees.tree(module.path)
            self._names[module.path] = names(tree.body if isinstance(tree, ast.Module) else [])
        return self._names[module.path]

    def evaluate(self, node: ast.expr, module: ModuleFile, before: int | None) -> Value:
        """Return the value of an expression at the top level of `module`, as far as it can be told."""
        match node:
            case ast.Name(id=name):
                found = self._looked_up(module, name, before)
                if found is None and hasattr(builtins, name):
                    return External(f"builtins.{name}", f"{name!r} is built into Python")
                return found or Unknown(f"{name!r} is not bound before line {node.lineno} of {module.path}")
            case ast.Attribute(value=owner, attr=attribute):
                value = self.evaluate(owner, module, before)
                if isinstance(value, ModuleValue) and value.module.name in self.names_of(module).modules:
                    value = value._replace(imported=True)
                return self.attribute(value, attribute)
            case ast.Lambda():
                return Function("<lambda>", function_signature(node), module.path, node.lineno, node=node)
            case ast.Call():
                return callables.call_result(self.evaluate, node, module, before)
            case ast.IfExp(body=body, orelse=orelse):
                return agreed([self.evaluate(body, module, before), self.evaluate(orelse, module, before)])
            case ast.Constant(value=value):
                return Constant(
                    "None" if value is None else f"a literal {type(value).__name__}", module.path, node.lineno
                )
            case _ if type(node) in _LITERALS:
                return Constant(_LITERALS[type(node)], module.path, node.lineno)
            case _:
                return Unknown(f"it is computed when {module.path} is imported (line {node.lineno})")

    def _looked_up(self, module: ModuleFile, name: str, before: int | None) -> Value | None:
        """Return the value of the latest certain binding joined with the uncertain ones after it, None if unbound."""
        found: list[Value] = []
        for binding in self.names_of(module).of(name, before):
            value = self._star(module, binding, name) if binding.name == "*" else self._value(module, binding)
            if value is None:
                continue
            found.append(value)
            if binding.certain:
                return agreed(found)
        if not found:
            return None
        telling = next((value for value in found if isinstance(value, Unknown)), None)
        if telling or all(isinstance(value, MissingName | MissingModule) for value in found):
            return telling or found[0]
        return Unknown(f"{name!r} is bound only under a condition in {module.path}")

    def _value(self, module: ModuleFile, binding: Binding) -> Value | None:
        match binding.bound:
            case Defined(node=node):
                if isinstance(node, ast.ClassDef):
                    return callables.decorated_class(self.evaluate, module, node, binding.order)
                return callables.decorated_function(self.evaluate, module, node, binding.order)
            case Assigned(value=expression):
                return self.evaluate(expression, module, binding.order)
            case Imported(module=origin, level=level, name=name):
                return self._imported(module, origin, level, name)
            case Deleted():
                return self._deleted(module, binding)
            case Opaque(reason=reason):
                return Unknown(f"{binding.name!r} in {module.path}: {reason}")
            case Alternatives(bindings=bindings):  # pragma: no branch - mypy holds the match to be exhaustive
                return agreed([value for item in bindings if (value := self._value(module, item)) is not None])

    def _deleted(self, module: ModuleFile, binding: Binding) -> Value:
        if not binding.certain:
            return Unknown(f"{binding.name!r} is deleted under a condition in {module.path}")
        note = f"it is deleted in line {binding.line}"
        return MissingName(binding.name, module.name, module.path, self._siblings(module), note)

    def _imported(self, importer: ModuleFile, origin: str, level: int, name: str | None) -> Value:
        absolute = absolute_name(importer, origin, level)
        if absolute is None:
            return MissingModule("." * level + origin, importer.path, ())
        value = self.module(absolute)
        if name is None or not isinstance(value, ModuleValue):
            return self.attribute(value, name) if name is not None and isinstance(value, External) else value
        found = self.attribute(value, name)
        if isinstance(found, ModuleValue):
            return found._replace(imported=True)
        return found

    def _star(self, importer: ModuleFile, binding: Binding, name: str) -> Value | None:
        """Return what a star import gives `name`, None if it certainly does not bind it."""
        bound = binding.bound
        absolute = absolute_name(importer, bound.module, bound.level) if isinstance(bound, Imported) else None
        value = self.module(absolute) if absolute else None
        match value:
            case ModuleValue(module=ModuleFile() as module):
                bindings = self.names_of(module)
                exported = exported_names(bindings)
                hidden = name.startswith("_") and "__all__" not in bindings.by_name
                if hidden if exported is None else name not in exported:
                    return None
                found = self.name_in(module, name)
                return None if isinstance(found, MissingName) and exported is None else found
            case External(dotted=dotted, why=why):
                return Unknown(f"{name!r} may come with the star import from {dotted}: {why}")
            case _:
                return None

    def _not_bound(self, module: ModuleFile, name: str, tree: ast.Module) -> Value:
        submodule = self._submodule(module, name)
        if submodule is not None:
            return submodule
        if name in _MODULE_ATTRIBUTES:
            return Constant("an attribute that every module has", module.path, 1)
        if "__getattr__" in self.names_of(module).by_name:
            return Unknown(f"{module.path} has a module-level __getattr__ that may answer for {name!r}")
        reason = why_it_may_appear(name, module.path, tree) or assigned_elsewhere(name, self.project.sources)
        if reason:
            return Unknown(reason)
        line = nested_definition(tree, name)
        note = f"line {line} defines that name inside a function or class, where no reference reaches it"
        return MissingName(name, module.name, module.path, self._siblings(module), note if line else None)

    def _submodule(self, package: ModuleFile | Namespace, name: str) -> Value | None:
        if isinstance(package, ModuleFile) and package.directory is None:
            return None
        match self.index.find(f"{package.name}.{name}"):
            case ModuleFile() | Namespace() as found:
                return ModuleValue(found, imported=False)
            case Outside(name=dotted, why=why):
                return External(dotted, why)
            case MissingModule():  # pragma: no branch - mypy holds the match to be exhaustive
                return None

    def _submodules(self, namespace: Namespace) -> tuple[tuple[str, int], ...]:
        missing = self.index.find(f"{namespace.name}. ")
        return tuple((name, 1) for name in missing.siblings) if isinstance(missing, MissingModule) else ()

    def _siblings(self, module: ModuleFile) -> tuple[tuple[str, int], ...]:
        bindings = self.names_of(module).by_name.items()
        return tuple((name, found[-1].line) for name, found in bindings if name != "*" and not name.startswith("__"))

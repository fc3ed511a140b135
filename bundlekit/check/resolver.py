"""Resolves references to what they name, from source: modules, bindings, re-exports, attributes and expressions.

A name that is not there is only called missing when nothing in the code around it could put it there at run time.
"""

import ast
import builtins
import re
from collections.abc import Callable, Iterator

from bundlekit.check import calls, classes, interpret, texts
from bundlekit.check.absent import Absence
from bundlekit.check.attrs_classes import attrs_decorator
from bundlekit.check.conditions import Runtime, truth
from bundlekit.check.files import Files, is_outside
from bundlekit.check.import_closure import ImportClosure
from bundlekit.check.known import dotted_name, is_known
from bundlekit.check.lazy_modules import lazily_imported, uses_a_stub
from bundlekit.check.module_index import MissingModule, ModuleFile, ModuleIndex, Namespace, Outside, absolute_name
from bundlekit.check.namespace import (
    Alternatives,
    Assigned,
    Binding,
    Defined,
    Definition,
    Deleted,
    Imported,
    ImportedModule,
    Names,
    Opaque,
    Unpacked,
    exported_names,
    names,
)
from bundlekit.check.set_names import may_change
from bundlekit.check.signatures import function_signature
from bundlekit.check.stubs import is_stubbed
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.trees import Trees
from bundlekit.check.values import (
    Arguments,
    Builtin,
    Class,
    Constant,
    External,
    Frame,
    Function,
    ImportFails,
    Instance,
    MissingName,
    ModuleValue,
    Packed,
    Scope,
    Unparsable,
    Value,
    agreed,
    is_broken,
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
    ast.GeneratorExp: "a generator",
}
_ALL = re.compile(rb"^[^#\n]*\b__all__\b", re.MULTILINE)
_DEEPEST, _MOST_CALLS = 25, 400
"""Calls that are read within each other, and for one reference; decorators of decorators need five or six."""


class Resolver:
    """Answers what a reference names. Answers are kept, so each question costs once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files = Files(project)
        self.trees = Trees(self.files)
        self.index = ModuleIndex(project, self.files)
        self.closure = ImportClosure(self.index, self.names_of, self._tree_of)
        self._absence = Absence(project, self.files, self.trees)
        self._runtime = Runtime(project.library.version)
        self._names: dict[str, Names] = {}
        self._members: dict[int, Names] = {}
        self._asked: set[tuple[str, str, int | None]] = set()
        self._answers: dict[tuple[str, str, int | None], Value] = {}
        self._sets: dict[tuple[str, str], bool] = {}
        self._changed: dict[tuple[str, str], bool] = {}
        self._cycles = 0
        self._depth = self._calls = 0
        self._raised = False

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

    def imported_module(self, dotted: str) -> Value:
        """Return the module `dotted`, unless importing it certainly fails."""
        found = self.module(dotted)
        failure = self.closure.failure(dotted) if isinstance(found, ModuleValue) else None
        if failure is None:
            return found
        if not failure.certain:
            reason = f"it needs {failure.missing!r} (line {failure.line} of {failure.path})"
            return Unknown(f"{reason}, and something on the way may change where modules are looked for")
        return ImportFails(*failure[:4])

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
                package = self.index.find(parts[0])
                hook = self._absence.loaded(package) if isinstance(package, ModuleFile) else None
                return Unknown(hook) if hook else missing

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

    def names_of(self, module: ModuleFile) -> Names:
        """Return the bindings of a module; none of one that does not parse."""
        if module.path not in self._names:
            tree = self.trees.tree(module.path)
            self._names[module.path] = names(tree.body if isinstance(tree, ast.Module) else [], self._runtime)
        return self._names[module.path]

    def _tree_of(self, path: str) -> ast.Module | None:
        tree = self.trees.tree(path)
        return tree if isinstance(tree, ast.Module) else None

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

    def call(self, function: Value, arguments: Arguments, node: ast.expr, frame: Frame) -> Value:
        """Return what calling `function` gives."""
        return calls.call(self, function, arguments, node, frame)

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression, as far as it can be told."""
        module = frame.module
        match node:
            case ast.Name(id=name):
                return self._named_in(name, node, frame)
            case ast.Attribute(value=owner, attr=attribute):
                value = self.evaluate(owner, frame)
                if isinstance(value, ModuleValue) and value.module.name in self.names_of(module).modules:
                    value = value._replace(imported=True)
                return self.attribute(value, attribute)
            case ast.Lambda():
                signature = function_signature(node)
                return Function("<lambda>", signature, module.path, node.lineno, node=node, frame=frame)
            case ast.Call():
                return self.call(self.evaluate(node.func, frame), self._arguments(node, frame), node, frame)
            case ast.IfExp(body=body, orelse=orelse):
                return agreed([self.evaluate(body, frame), self.evaluate(orelse, frame)])
            case ast.NamedExpr(value=value):
                return self.evaluate(value, frame)
            case ast.Subscript(value=owner, slice=index):
                return self._item(self.evaluate(owner, frame), index, frame)
            case ast.Constant(value=value):
                what = "None" if value is None else f"a literal {type(value).__name__}"
                return Constant(what, module.path, node.lineno, node)
            case _ if type(node) in _LITERALS:
                return Constant(_LITERALS[type(node)], module.path, node.lineno, node)
            case _:
                return self._computed(node, frame)

    def _computed(self, node: ast.expr, frame: Frame) -> Value:
        """Return what is put together from literals, as far as they are told."""
        path = frame.module.path
        computed = Unknown(f"it is computed when {path} is imported (line {node.lineno})", is_there=True)
        match node:
            case ast.JoinedStr(values=values):
                return texts.joined([self._part(part, frame) for part in values], path, node.lineno)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                found = texts.folded(self.evaluate(left, frame), self.evaluate(right, frame), path, node.lineno)
                return found or computed
            case _:
                return computed

    def _part(self, node: ast.expr, frame: Frame) -> str | Value:
        """Return one part of an f-string."""
        match node:
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.evaluate(value, frame)
            case ast.Constant(value=str() as text):
                return text
            case _:
                return Unknown("it is formatted")

    def _item(self, owner: Value, index: ast.expr, frame: Frame) -> Value:
        unknown = Unknown(f"it is an item of a value (line {index.lineno} of {frame.module.path})", is_there=True)
        try:
            place = ast.literal_eval(index)
        except (ValueError, TypeError):
            return unknown
        if not isinstance(place, int):
            return unknown
        if isinstance(owner, Packed):
            given = owner.positional
            return given[place] if -len(given) <= place < len(given) else unknown
        return texts.item(owner, place) or unknown

    def _named_in(self, name: str, node: ast.Name, frame: Frame) -> Value:
        local = frame.scope.lookup(name) if frame.scope else None
        if local is not None:
            return local
        # Within a function the module has run to its end by the time that the name is looked for.
        found = self._looked_up(frame.module, name, frame.before)
        is_doubtful = found is None or (isinstance(found, Unknown) and not found.is_there)
        if isinstance(found, Constant) and texts.is_mutable(found) and self._is_changed(frame.module, name):
            return found._replace(literal=None)
        # What may come with a star import hardly takes the name of what is built in.
        if is_doubtful and hasattr(builtins, name):
            is_class = isinstance(getattr(builtins, name), type)
            why = f"{name!r} is built into Python"
            return Builtin(name) if is_class else External(f"builtins.{name}", why, is_there=True)
        return found or Unknown(f"{name!r} is not bound before line {node.lineno} of {frame.module.path}")

    def _is_changed(self, module: ModuleFile, name: str) -> bool:
        """Whether the module may change what is in the list or dictionary that it binds to `name`."""
        key = (module.path, name)
        if key not in self._changed:
            tree = self.trees.tree(module.path)
            self._changed[key] = not isinstance(tree, ast.Module) or may_change(tree, name)
        return self._changed[key]

    def _arguments(self, node: ast.Call, frame: Frame) -> Arguments:
        positional: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        is_open = False
        for item in node.args:
            packed = self.evaluate(item.value, frame) if isinstance(item, ast.Starred) else None
            if isinstance(packed, Packed):
                positional += packed.positional
            elif packed is None:
                positional.append(self.evaluate(item, frame))
            else:
                is_open = True
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is not None:
                keywords.append((keyword.arg, value))
            elif isinstance(value, Packed):
                keywords += value.keywords
            else:
                is_open = True
        return Arguments(tuple(positional), tuple(keywords), is_open)

    def define(self, node: Definition, frame: Frame) -> Value:
        """Return the function or class that a definition makes, as its decorators leave it."""
        if isinstance(node, ast.ClassDef):
            value: Value = Class(frame.module, node, frame)
        else:
            inside = frame._replace(before=None, scope=frame.scope.inner() if frame.scope else None)
            signature = function_signature(node)
            value = Function(node.name, signature, frame.module.path, node.lineno, node=node, frame=inside)
        for decorator in reversed(node.decorator_list):
            value = self._decorated(decorator, value, frame)
        return value

    def _decorated(self, decorator: ast.expr, value: Value, frame: Frame) -> Value:
        factory = decorator.func if isinstance(decorator, ast.Call) else decorator
        maker = self.evaluate(factory, frame) if isinstance(value, Class) else None
        if isinstance(value, Class) and maker is not None:
            if dotted_name(maker) == "dataclasses.dataclass":
                return value._replace(is_dataclass=decorator)
            made = attrs_decorator(maker, decorator)
            if made is not None:
                return value._replace(attrs=made)
        found = self.call(self.evaluate(decorator, frame), Arguments((value,)), decorator, frame)
        if isinstance(found, Unknown) and isinstance(value, Function | Class):
            name, line = (value.node.name, value.node.lineno) if isinstance(value, Class) else (value.name, value.line)
            kind = "the class " if isinstance(value, Class) else ""
            shown = f"{kind}{name!r} is decorated with {ast.unparse(decorator):.60}"
            return Unknown(f"{shown} (line {line} of {frame.module.path})", is_there=True)
        return found

    def imported(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> list[tuple[str, Value]]:
        """Return the names that an import statement binds, each with its value."""
        found = []
        for alias in node.names:
            if isinstance(node, ast.Import):
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found.append((alias.asname or whole, self._imported(frame.module, whole, 0, None)))
            elif alias.name != "*":
                value = self._imported(frame.module, node.module or "", node.level, alias.name)
                found.append((alias.asname or alias.name, value))
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

    def imports_of(self, dotted: str) -> Iterator[tuple[ModuleFile, ImportedModule, Value]]:
        """Yield each import of the bundle's own modules that importing `dotted` certainly runs, and what it gives."""
        for module in self.closure.reached(dotted):
            if not is_outside(module.path):
                for each in self.names_of(module).imports:
                    absolute = absolute_name(module, each.module, each.level)
                    found = self.index.find(absolute) if absolute else None
                    # What a standard library lacks that may be another Python's than the worker's is no evidence.
                    is_known = self.project.library.version is not None
                    if is_known or not (isinstance(found, ModuleFile) and is_outside(found.path)):
                        name = None if each.name == "*" else each.name
                        if name and isinstance(found, ModuleFile) and self._plainly_defines(found, name):
                            continue
                        yield module, each, self._imported(module, each.module, each.level, name)

    def _plainly_defines(self, module: ModuleFile, name: str) -> bool:
        """Whether a module of the standard library defines `name` by the look of its bytes: parsing it costs more."""
        if not self.index.is_standard(module.path):
            return False
        source, word = self.files.source(module.path) or b"", re.escape(name.encode())
        defines = rb"^(?:(?:class|def|async def) %s\b|%s *[:=])" % (word, word)
        return re.search(defines, source, re.MULTILINE) is not None and not re.search(
            rb"\bdel\b.*\b%s\b" % word, source
        )

    def _imported(
        self, importer: ModuleFile, origin: str, level: int, name: str | None, before: int | None = None
    ) -> Value:
        absolute = absolute_name(importer, origin, level)
        if absolute is None:
            return MissingModule("." * level + origin, importer.path, ())
        value = self.module(absolute)
        if name is None:
            return value
        if isinstance(value, External):
            return External(f"{value.dotted}.{name}", value.why, is_there=True)
        if not isinstance(value, ModuleValue):
            return value
        if value.module == importer and before is not None:
            # A package that imports from itself: what it has not bound by then is a submodule.
            found = (
                self._looked_up(importer, name, before)
                or self._submodule(importer, name)
                or Unknown(f"{name!r} is defined through a circular import")
            )
        else:
            cycles = self._cycles
            found = self.attribute(value, name)
            if isinstance(found, Unknown) and cycles < self._cycles:
                # On the way round a circle of imports nothing has taken the place of the submodule yet.
                found = self._own_submodule(value.module, name) or found
        if isinstance(found, Unknown) and not found.is_there and not isinstance(value.module, Namespace):
            # It is the submodule, or what a star import has put in its place.
            found = found._replace(is_there=self._submodule(value.module, name) is not None)
        return found._replace(imported=True) if isinstance(found, ModuleValue) else found

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

    def raised(self) -> None:
        """Note that a call which is read may raise."""
        self._raised = True

    def _lazily_imported(self, module: ModuleFile) -> dict[str, Imported] | None:
        bindings = self.names_of(module)
        stub = self.trees.tree(f"{module.path}i") if uses_a_stub(bindings) else None
        return lazily_imported(bindings, stub if isinstance(stub, ast.Module) else None)

    def _is_stubbed(self, dotted: str) -> bool:
        """Whether the stub beside a compiled module says that it has what that name means."""
        parts = dotted.split(".")
        for length in range(len(parts) - 1, 1, -1):
            package = self.index.find(".".join(parts[: length - 1]))
            if isinstance(package, ModuleFile):
                stub = self.trees.tree(f"{package.directory}/{parts[length - 1]}.pyi") if package.directory else None
                return isinstance(stub, ast.Module) and is_stubbed(stub, parts[length:])
        return False

    def _own_submodule(self, package: ModuleFile | Namespace, name: str) -> Value | None:
        """Return the submodule of a package that itself binds nothing else to that name."""
        bound = self.names_of(package).by_name.get(name, ()) if isinstance(package, ModuleFile) else ()
        return self._submodule(package, name) if all(each.bound == Imported("", 1, name) for each in bound) else None

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


def _stays(values: list[Value]) -> bool:
    return not any(is_broken(value) for value in values) and (
        not isinstance(values[-1], Unknown) or values[-1].is_there
    )

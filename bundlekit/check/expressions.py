"""What expressions and definitions give, as far as source tells: names, calls, texts, decorated functions."""

import ast
import builtins

from bundlekit.check import calls, texts
from bundlekit.check.agreement import agreed
from bundlekit.check.attrs_classes import attrs_decorator
from bundlekit.check.known import dotted_name
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.module_names import ModuleNames
from bundlekit.check.namespace import (
    Definition,
)
from bundlekit.check.set_names import may_change
from bundlekit.check.signatures import function_signature
from bundlekit.check.values import (
    Arguments,
    Builtin,
    Class,
    Constant,
    External,
    Frame,
    Function,
    ModuleValue,
    Packed,
    Value,
)
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Expressions"]

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


class Expressions(ModuleNames):
    """Values of expressions in modules, class bodies and functions that are read as run."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._changed: dict[tuple[str, str], bool] = {}
        self._looking: set[tuple[str, str, int | None]] = set()

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
        found = self._looked_up_once(frame.module, name, frame.before)
        is_doubtful = found is None or (isinstance(found, Unknown) and not found.is_there)
        if isinstance(found, Constant) and texts.is_mutable(found) and self._is_changed(frame.module, name):
            return found._replace(literal=None)
        # What may come with a star import hardly takes the name of what is built in.
        if is_doubtful and hasattr(builtins, name):
            is_class = isinstance(getattr(builtins, name), type)
            why = f"{name!r} is built into Python"
            return Builtin(name) if is_class else External(f"builtins.{name}", why, is_there=True)
        return found or Unknown(f"{name!r} is not bound before line {node.lineno} of {frame.module.path}")

    def _looked_up_once(self, module: ModuleFile, name: str, before: int | None) -> Value | None:
        """Return what the bindings of a module give `name`, unknown while that very question is being answered."""
        key = (module.path, name, before)
        if key in self._looking:
            self._cycles += 1
            return Unknown(f"{name!r} of {module.path} is made by way of itself")
        self._looking.add(key)
        try:
            return self._looked_up(module, name, before)
        finally:
            self._looking.discard(key)

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

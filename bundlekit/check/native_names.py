"""What single nodes of a C or C++ tree say: names that are declared, whether they are constant, what is written."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "Declared",
    "changed_by_call",
    "declared_names",
    "is_constant",
    "is_engine",
    "is_function",
    "is_harmless",
    "root_name",
    "text",
    "words",
]

_MAX_STEPS = 16
_NAMES = frozenset({"identifier", "field_identifier"})
_ENGINES = frozenset({"mt19937", "mt19937_64", "minstd_rand", "minstd_rand0", "ranlux24", "ranlux48", "knuth_b"})
_LOCKS = frozenset({"mutex", "shared_mutex", "recursive_mutex", "timed_mutex", "once_flag", "condition_variable"})
_TABLES_OF_PYTHON = frozenset(
    {
        *("PyModuleDef", "PyModuleDef_Slot", "PyMethodDef", "PyMemberDef", "PyGetSetDef", "PyTypeObject"),
        *("PyType_Spec", "PyType_Slot", "PyStructSequence_Desc", "PyStructSequence_Field", "PyBufferProcs"),
        *("PyNumberMethods", "PySequenceMethods", "PyMappingMethods", "PyAsyncMethods"),
    }
)
"""What an extension module tells the interpreter of itself: its interface wants them without const."""

_READS = frozenset(
    {
        *("at", "back", "begin", "c_str", "capacity", "cbegin", "cend", "contains", "count", "crbegin", "crend"),
        *("data", "empty", "end", "equal_range", "find", "front", "get", "has_value", "length", "load", "lower_bound"),
        *("max_size", "min", "max", "rbegin", "rend", "size", "str", "substr", "top", "upper_bound", "value", "what"),
    }
)
_READING_STARTS = ("get", "is", "has", "num", "to_", "find", "compute", "print", "use_count")


class Declared(NamedTuple):
    """One name that a declaration declares, and how.

    `shown` has its qualifiers; `only_if_written`: what it stands for is constant or somewhere else, so that only
    setting it anew makes it state.
    """

    name: str
    shown: str
    node: "Node"
    value: "Node | None" = None
    is_pointer: bool = False
    is_constant_pointer: bool = False
    is_reference: bool = False
    is_call: bool = False
    is_qualified: bool = False
    only_if_written: bool = False
    scope_kind: str = ""
    is_engine: bool = False


def text(node: "Node") -> str:
    """Return a node's text; bytes that are no UTF-8 are replaced."""
    return (node.text or b"").decode(errors="replace")


def words(node: "Node") -> frozenset[str]:
    """Return the specifiers and qualifiers of a declaration: static, const, extern and the like."""
    kinds = {"storage_class_specifier", "type_qualifier"}
    return frozenset(text(each) for each in node.named_children if each.type in kinds)


def is_constant(node: "Node", name: Declared | None = None) -> bool:
    """Whether a declaration makes constants; of a pointer to what is constant, the pointer itself has to be."""
    given = words(node)
    if "constexpr" in given:
        return True
    if name is not None and name.is_pointer:
        return name.is_constant_pointer
    return "const" in given


def _type_name(node: "Node") -> str:
    kind = node.child_by_field_name("type")
    return text(kind).partition("<")[0].rpartition("::")[2] if kind is not None else ""


def is_engine(node: "Node") -> bool:
    """Whether what is declared draws random numbers, which changes it."""
    name = _type_name(node)
    return name in _ENGINES or name.endswith(("_engine", "_distribution"))


def is_harmless(node: "Node") -> bool:
    """Whether what is declared cannot change a result: locks, and the tables that describe an extension module."""
    name = _type_name(node).removeprefix("struct").strip()
    return name in _LOCKS or name in _TABLES_OF_PYTHON


def is_function(name: Declared, node: "Node", *, in_block: bool) -> bool:
    """Whether what looks like a function is one: a static one cannot be in a block, and engines are made like that."""
    return name.is_call and not (is_engine(node) or (in_block and "static" in words(node)))


def declared_names(node: "Node", declarator: "Node | None" = None) -> Iterator[Declared]:
    """Return the names of one declarator of a declaration, or of its first."""
    each = declarator or node.child_by_field_name("declarator")
    value = node.child_by_field_name("default_value") if declarator is not None else None
    pointer = constant = reference = call = False
    for _ in range(_MAX_STEPS):
        if each is None:
            return
        if each.type in _NAMES or each.type == "qualified_identifier":
            shown = text(each)
            name = shown.rpartition("::")[2]
            is_qualified = each.type == "qualified_identifier"
            only = reference or (pointer and "const" in words(node))
            yield Declared(name, shown, each, value, pointer, constant, reference, call, is_qualified, only)
            return
        if each.type == "init_declarator":
            value = each.child_by_field_name("value")
        elif each.type == "pointer_declarator":
            pointer, call = True, False
            constant = "const" in words(each)
        elif each.type == "reference_declarator":
            reference = True
        elif each.type == "function_declarator":
            call = True
        elif each.type == "structured_binding_declarator":
            for bound in each.named_children:
                yield Declared(text(bound), text(bound), bound, value)
            return
        # References and parentheses have their declarator without a field.
        each = each.child_by_field_name("declarator") or next(reversed(each.named_children), None)


def root_name(node: "Node") -> str:
    """Return the name at the start of what is written: ``name``, ``*name``, ``name[i].field``, ``name.at(i)``."""
    each = node
    for _ in range(_MAX_STEPS):
        if each.type in _NAMES or each.type == "qualified_identifier":
            return text(each).rpartition("::")[2]
        following = _written_part(each)
        if following is None:
            break
        each = following
    return ""


def _written_part(node: "Node") -> "Node | None":
    match node.type:
        case "field_expression":
            argument = node.child_by_field_name("argument")
            is_own = argument is not None and argument.type == "this"
            return node.child_by_field_name("field") if is_own else argument
        case "subscript_expression" | "pointer_expression" | "update_expression":
            return node.child_by_field_name("argument")
        case "assignment_expression":
            return node.child_by_field_name("left")
        case "call_expression":
            function = node.child_by_field_name("function")
            return function if function is not None and function.type == "field_expression" else None
        case "parenthesized_expression":
            return node.named_child(0)
        case _:
            return None


def changed_by_call(function: "Node") -> bool:
    """Whether calling this may change what it is called of, or the object that is called."""
    if function.type != "field_expression":
        return function.type in {"identifier", "qualified_identifier"}
    field = function.child_by_field_name("field")
    name = text(field) if field is not None else ""
    return name not in _READS and not name.startswith(_READING_STARTS)

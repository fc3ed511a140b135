"""Short texts of any Python values, for people.

Runs in a warm process, under the conditions of the module `main`, and under those of `state_types`.
"""

from types import FunctionType

from .state_types import OPAQUE, SCALARS, attributes_of, inner_of, is_below, members_of, named, type_name

__all__ = ["looks_secret", "shown"]

_MAX_TEXT = 60
_SHOWN_ITEMS = 4
_SECRET = ("key", "token", "secret", "passw", "credential", "auth")


def looks_secret(name: str) -> bool:
    """Whether what has this name should not be shown."""
    return any(word in name.lower() for word in _SECRET)


def shown(value: object, name: str = "") -> str:
    """Return a short text of `value`, or only its type where `name`, or a key in it, looks like that of a secret."""
    text = type_name(type(value)) if looks_secret(name) else _text(value, 1)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."


def _text(value: object, depth: int) -> str:
    kind = type(value)
    if kind in SCALARS:
        return _scalar_text(value)
    if is_below(value, type):
        return f"class {type_name(value)}"  # type: ignore[arg-type]  # a class
    if kind is FunctionType:
        return f"function {value.__module__}.{value.__qualname__}"  # type: ignore[attr-defined]  # its type says so
    if is_below(value, dict):
        return _dict_text(value, kind, depth)  # type: ignore[arg-type]  # it is one
    members = members_of(value)
    if members is not None:
        return _list_text(members, kind, depth)
    special = inner_of(value)
    if special and type(special[0]) is str:
        return f"{type_name(kind)} {' '.join(str(each) for each in special[:2])}"
    return f"<{named(value)}>" if kind in OPAQUE else f"<{type_name(kind)}>{_attributes_text(value, depth)}"


def _scalar_text(value: object) -> str:
    if type(value) is int and value.bit_length() > 4 * _MAX_TEXT:
        return f"an int of {value.bit_length()} bits"
    if type(value) in {str, bytes}:
        return repr(value[:_MAX_TEXT])  # type: ignore[index]  # one of the two
    return repr(value)


def _dict_text(value: "dict[object, object]", kind: type, depth: int) -> str:
    head = f"{type_name(kind)} of {dict.__len__(value)}"
    if not depth or not dict.__len__(value):
        return head
    parts = []
    for key, each in list(dict.items(value))[-_SHOWN_ITEMS:]:
        hidden = type(key) is str and looks_secret(key)
        parts.append(f"{_text(key, 0)}: {'...' if hidden else _text(each, 0)}")
    return f"{head}: {_joined(parts, dict.__len__(value))}"


def _list_text(values: "list[object]", kind: type, depth: int) -> str:
    head = f"{type_name(kind)} of {len(values)}"
    if not depth or not values:
        return head
    return f"{head}: {_joined([_text(each, 0) for each in values[-_SHOWN_ITEMS:]], len(values))}"


def _attributes_text(value: object, depth: int) -> str:
    found = attributes_of(value) if depth else {}
    parts = [f"{key}={'...' if looks_secret(key) else _text(each, 0)}" for key, each in found.items()]
    return f" {_joined(parts[:_SHOWN_ITEMS], 0)}" if parts else ""


def _joined(parts: "list[str]", total: int) -> str:
    """Return the last parts of a container, since what was added last is what matters."""
    return ("..., " if total > len(parts) else "") + ", ".join(parts)

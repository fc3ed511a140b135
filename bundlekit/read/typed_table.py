"""A table of a document whose values are asked for by type: what is wrong becomes a finding, all of them at once.

One class serves TOML, JSON and YAML: a document gives its path, its locator and the list that gathers problems.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bundlekit.model.edit import RenameKey
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name, slip_of
from bundlekit.model.place import Place, Text
from bundlekit.read.document import finding_at

__all__ = ["Document", "Keys", "Text", "TypedTable", "type_name"]

Keys = tuple[str | int, ...]
Locator = Callable[[Keys], tuple[int, int] | None]

_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (Mapping, "a table"),
    (list, "an array"),
    (type(None), "null"),
)
_NUMBERS = ("an integer", "a number")
_SHOWN_CHARACTERS = 40
_MAX_REWRITTEN = 200


class Document(NamedTuple):
    """One parsed file: its path in findings, where its values and keys stand, and the code of a wrong shape."""

    path: str
    problems: list[Finding]
    locate_value: Locator
    locate_key: Locator
    shape_code: str = "BK104"

    def place(self, keys: Keys) -> Place:
        """Return the place of the value at `keys`."""
        return Place(self.path, *(self.locate_value(keys) or (None, None)))

    def key_place(self, keys: Keys) -> Place:
        """Return the place of the last of `keys`."""
        return Place(self.path, *(self.locate_key(keys) or (None, None)))


class TypedTable:
    """A view of one table; asking for a missing key gives None or nothing, for a wrong type also a finding."""

    def __init__(self, document: Document, keys: Keys, values: Mapping[str, object]) -> None:
        self.document = document
        self.keys = keys
        self.values = values

    @classmethod
    def of(cls, document: Document, value: object) -> "TypedTable":
        """Return the document's top level as a table; a finding and an empty table when it is none."""
        values = _as_table(value)
        if values is None:
            found = type_name(value)
            problem = f"{document.path} must hold a table at its top level, found {found}"
            document.problems.append(finding_at(document.shape_code, problem, Place(document.path, 1, 1)))
        return cls(document, (), values or {})

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def place(self, key: str | None = None) -> Place:
        """Return where the value of `key` stands, or the table itself."""
        return self.document.place(self.keys if key is None else (*self.keys, key))

    def text(self, key: str) -> Text | None:
        """Return the string at `key` and its place."""
        value = self.values.get(key)
        if isinstance(value, str):
            return Text(value, self.place(key))
        self._refuse_unless_absent(key, "a string")
        return None

    def texts(self, key: str) -> tuple[Text, ...]:
        """Return the strings of the array at `key`, each with its place."""
        found = []
        for index, item in enumerate(self._array(key, "an array of strings")):
            keys = (*self.keys, key, index)
            if isinstance(item, str):
                found.append(Text(item, self.document.place(keys)))
            else:
                self.refuse(keys, "a string", item)
        return tuple(found)

    def flag(self, key: str) -> bool | None:
        """Return the boolean at `key`."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return value
        self._refuse_unless_absent(key, "a boolean")
        return None

    def number(self, key: str) -> float | None:
        """Return the number at `key`; a boolean is none."""
        value = self.values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        self._refuse_unless_absent(key, "a number")
        return None

    def table(self, key: str) -> "TypedTable":
        """Return the table at `key`, an empty one where there is none."""
        values = _as_table(self.values.get(key))
        if values is None:
            self._refuse_unless_absent(key, "a table")
        return TypedTable(self.document, (*self.keys, key), values or {})

    def tables(self, key: str) -> tuple["TypedTable", ...]:
        """Return the tables of the array at `key`."""
        found = []
        for index, item in enumerate(self._array(key, "an array of tables")):
            keys = (*self.keys, key, index)
            values = _as_table(item)
            if values is None:
                self.refuse(keys, "a table", item)
            else:
                found.append(TypedTable(self.document, keys, values))
        return tuple(found)

    def pairs(self) -> tuple[tuple[str, Text], ...]:
        """Return all keys whose values are strings; any other value is a finding."""
        return tuple((key, text) for key in self.values if (text := self.text(key)) is not None)

    def report_unknown(self, known: Iterable[str], code: str) -> None:
        """Append a warning for each key that is not `known`, with the nearest that is."""
        names = tuple(known)
        for key in self.values:
            if key not in names:
                guess, sure = nearest_name(key, names), slip_of(key, names)
                problem = finding_at(
                    code,
                    f"[{_dotted(self.keys)}] has no key {key!r:.60}, so it has no effect",
                    self.document.key_place((*self.keys, key)),
                    severity=Severity.WARNING,
                    hint=f"did you mean {guess!r}?" if guess else f"its keys are: {', '.join(sorted(names))}",
                )
                if sure is not None and sure not in self.values:
                    problem = problem._replace(edit=RenameKey(self.document.path, (*self.keys, key), sure))
                self.document.problems.append(problem)

    def refuse(self, keys: Keys, expected: str, value: object) -> None:
        """Append the finding that `value`, which stands at `keys` of the document, is not what is `expected` there."""
        message = f"{_dotted(keys)} must be {expected}, found {type_name(value)}"
        place, hint = self.document.place(keys), _right_form(keys, expected, value)
        self.document.problems.append(finding_at(self.document.shape_code, message, place, hint=hint))

    def _array(self, key: str, expected: str) -> list[object]:
        value = self.values.get(key)
        if isinstance(value, list):
            return value
        self._refuse_unless_absent(key, expected)
        return []

    def _refuse_unless_absent(self, key: str, expected: str) -> None:
        if key in self.values:
            self.refuse((*self.keys, key), expected, self.values[key])


def type_name(value: object) -> str:
    """Return what `value` is in a document's own words, with the value where it is short and harmless."""
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            # An integer of many digits refuses to become text, so its size is looked at first.
            scalar = isinstance(value, bool | float | str) or (isinstance(value, int) and value.bit_length() < 64)  # noqa: PLR2004 - any figure does that fits the line
            shown = ascii(value) if scalar else ""
            return f"{name} ({shown})" if shown and len(shown) <= _SHOWN_CHARACTERS else name
    return f"a value of type {type(value).__name__}"


def _as_table(value: object) -> Mapping[str, object] | None:
    return value if isinstance(value, Mapping) else None


def _right_form(keys: Keys, expected: str, value: object) -> str | None:
    """Return how to write what `value` was probably meant to be, None where that is a guess."""
    match expected, value:
        case "a string", bool() | int() | float():
            # The number 3.10 has become 3.1, so its text is not repeated.
            example = ">=3.11" if keys[-1] == "requires-python" else "1.0"
            return f'write it as text between quotes, such as "{example}"'
        case "a string", [str() as only]:
            return f'write it without brackets: "{only}"' if _is_plain(only) else None
        case "a string", Mapping() if keys[:2] == ("project", "entry-points"):
            return f'the group is one name, so it needs quotes: [project.entry-points."{_dotted(keys[2:])}"]'
        case "an array of strings", str():
            # A comma also parts the clauses of one requirement, and only a name starts with a letter.
            items = [f'"{item}"' for item in re.split(r"\s*,\s*(?=[A-Za-z])", value.strip(" ,")) if item]
            return f"write it as an array: [{', '.join(items)}]" if _is_plain(value) else None
        case "an array of strings", Mapping():
            return "write it as an array of texts in brackets: [...]"
        case "a boolean", str() if value.lower() in {"true", "false"}:
            return f"write it without quotes: {value.lower()}"
        case _, str() if expected.startswith(_NUMBERS) and re.fullmatch(r"-?\d{1,19}", value, re.ASCII):
            return f"write it without quotes: {value}"
        case "an array of tables", Mapping():
            return f"write its header with two brackets: [[{_dotted(keys)}]]"
        case "a table", [{}]:
            return f"write its header with one bracket: [{_dotted(keys)}]"
        case _:
            return None


def _is_plain(text: str) -> bool:
    return text.isprintable() and not set(text) & set('"\\') and len(text) <= _MAX_REWRITTEN


def _dotted(keys: Keys) -> str:
    parts = [f" item {key + 1}" if isinstance(key, int) else f".{key}" for key in keys]
    return "".join(parts).removeprefix(".")

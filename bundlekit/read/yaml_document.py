"""Reads one YAML document of a bundle as a typed table; what is wrong with it is a finding.

Composed rather than loaded, so that every value has its line, no tag builds an object, and a key that stands twice is
seen: loaders keep the last one in silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundlekit.model.place import Place
from bundlekit.read.document import MAX_HANDWRITTEN_BYTES, decoded, finding_at, read_document
from bundlekit.read.typed_table import Document, Keys, TypedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from yaml.nodes import MappingNode, Node, ScalarNode

    from bundlekit.model.finding import Finding

__all__ = ["read_yaml"]

_MAX_NODES = 100_000
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_MERGES = 10_000
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path, name: str, problems: list[Finding], *, duplicates: str) -> TypedTable | None:
    """Return the YAML mapping in the file at `path`, called `name` in findings; None after a finding.

    `duplicates` is the code of a key that stands twice in a mapping. An empty document is an empty table.
    """
    data = read_document(path, name, "BK106", problems, most=MAX_HANDWRITTEN_BYTES)
    text = None if data is None else decoded(data, name, "BK106", problems)
    if text is None:
        return None
    import yaml  # noqa: PLC0415 - two interpreter starts that only a bundle with a registry pays

    tree = _Tree(name, problems, duplicates)
    try:
        node = _composed(text)
        value = {} if node is None else tree.value_of(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        problems.append(finding_at("BK106", f"{name} is not valid YAML: {error.problem}", place))
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition("\n")[0]
        problems.append(finding_at("BK106", f"{name} cannot be used: {reason}", Place(name)))
        return None
    return TypedTable.of(Document(name, problems, tree.values.get, tree.keys.get, "BK106"), value)


def _composed(text: str) -> Node | None:
    """Return the node of the whole document; one of too many nodes ends while it is composed, which is slow."""
    import yaml  # noqa: PLC0415 - loaded already by the caller

    class Loader(yaml.SafeLoader):
        nodes = 0

        def compose_node(self, parent: Node | None, index: int) -> Node | None:
            self.nodes += 1
            if self.nodes > _MAX_NODES:
                raise ValueError(f"it has more than {_MAX_NODES:,} values")
            return super().compose_node(parent, index)

    node: Node | None = yaml.compose(text, Loader=Loader)
    return node


class _Tree:
    """Plain values of composed nodes, with the place of each; aliases count at every use, so a bomb ends early."""

    def __init__(self, name: str, problems: list[Finding], duplicates: str) -> None:
        self.values: dict[Keys, tuple[int, int]] = {}
        self.keys: dict[Keys, tuple[int, int]] = {}
        self._name = name
        self._problems = problems
        self._duplicates = duplicates
        self._merges = 0

    def value_of(self, node: Node, keys: Keys) -> object:
        import yaml  # noqa: PLC0415 - loaded already by the caller

        if len(self.values) >= _MAX_NODES:
            raise ValueError(f"it has more than {_MAX_NODES:,} values")
        self.values[keys] = _where(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, (*keys, index)) for index, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: MappingNode, keys: Keys) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in self._merged(node):
            self.keys.setdefault((*keys, key.value), _where(key))
            found.setdefault(key.value, self.value_of(value, (*keys, key.value)))
        lines: dict[str, int] = {}
        for key, value in _own(node):
            name = str(key.value)
            if name in lines:
                self._stands_twice(key, (*keys, name), lines[name])
            lines[name] = key.start_mark.line + 1
            self.keys[*keys, name] = _where(key)
            found[name] = self.value_of(value, (*keys, name))
        return found

    def _merged(self, node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
        """Yield what ``<<`` brings into the mapping, first come first served."""
        import yaml  # noqa: PLC0415 - loaded already by the caller

        for key, value in node.value:
            if key.tag != _MERGE:
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                self._merges += 1
                if self._merges > _MAX_MERGES:
                    raise ValueError("its merge keys '<<' lead in a circle, or to too many mappings")
                if isinstance(source, yaml.MappingNode):
                    yield from _own(source)
                    yield from self._merged(source)

    def _stands_twice(self, key: ScalarNode, keys: Keys, first: int) -> None:
        where = f" of {'.'.join(str(part) for part in keys[:-1])}" if keys[:-1] else ""
        message = f"the key {keys[-1]!r:.60}{where} stands twice, first in line {first}: only the last one counts"
        place = Place(self._name, *_where(key))
        hint = "keep one of them, or give the other another name"
        self._problems.append(finding_at(self._duplicates, message, place, hint=hint, entity=str(keys[-1])))


def _own(node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
    """Yield what the mapping itself states; a key that is no scalar names nothing."""
    import yaml  # noqa: PLC0415 - loaded already by the caller

    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            yield key, value


def _where(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: ScalarNode) -> object:
    kind, text, line = node.tag.rpartition(":")[2], str(node.value), node.start_mark.line + 1
    match kind:
        case "null":
            return None
        case "bool":
            return _BOOLEANS.get(text.lower(), text)
        case "int" | "float" | "timestamp":
            try:
                return _constructed(node, kind)
            except (ValueError, OverflowError):
                # Its own message may go on about the interpreter's limits.
                raise ValueError(f"line {line} holds {text!r:.40}, which is no {kind}") from None
        case _:
            if _SURROGATE.search(text):
                raise ValueError(f"line {line} holds half of a character, {text!r:.40}")
            return text


def _constructed(node: ScalarNode, kind: str) -> object:
    from yaml.constructor import SafeConstructor  # noqa: PLC0415 - loaded already by the caller

    if kind == "int":
        return SafeConstructor().construct_yaml_int(node)
    if kind == "float":
        return SafeConstructor().construct_yaml_float(node)
    return SafeConstructor().construct_yaml_timestamp(node)

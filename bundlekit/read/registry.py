"""Reads .modelops-bundle/registry.yaml: targets, the files that models and targets name, and smoke tasks of models.

See: CONTRACT section 5. Composed rather than loaded, so that every value has its line and no tag builds an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.declaration import ReferencedFile, SmokeTask, TargetDeclaration
from bundlekit.model.place import Place
from bundlekit.read.document import decoded, finding_at, is_file, read_document
from bundlekit.read.settings import DEFAULT_SMOKE_TIMEOUT_S
from bundlekit.read.typed_table import Document, Keys, Text, TypedTable

if TYPE_CHECKING:
    from pathlib import Path

    from yaml.nodes import Node

    from bundlekit.model.finding import Finding

__all__ = ["Registry", "read_registry"]

_MAX_NODES = 100_000
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Registry(NamedTuple):
    """What the registry adds to a bundle's declarations; `smoke` has one task without parameters for each model."""

    targets: tuple[TargetDeclaration, ...] = ()
    references: tuple[ReferencedFile, ...] = ()
    smoke: tuple[SmokeTask, ...] = ()


def read_registry(root: Path, problems: list[Finding]) -> Registry:
    """Return what the registry declares, nothing where there is none."""
    if not is_file(root / REGISTRY):
        return Registry()
    data = read_document(root / REGISTRY, REGISTRY, "BK106", problems)
    text = None if data is None else decoded(data, REGISTRY, "BK106", problems)
    table = None if text is None else _parse(text, problems)
    if table is None:
        return Registry()
    models = [models.table(key) for models in (table.table("models"),) for key in models.values]
    targets = [targets.table(key) for targets in (table.table("targets"),) for key in targets.values]
    entrypoints = [entrypoint for target in targets if (entrypoint := _required(target, "entrypoint"))]
    return Registry(
        tuple(TargetDeclaration(text.value, text.place) for text in entrypoints),
        tuple(_references(models, targets)),
        tuple(
            SmokeTask(entrypoint.value, {}, 0, DEFAULT_SMOKE_TIMEOUT_S, entrypoint.place)
            for model in models
            if (entrypoint := _required(model, "entrypoint"))
        ),
    )


def _required(entry: TypedTable, key: str) -> Text | None:
    if key not in entry:
        message = f"{'.'.join(str(part) for part in entry.keys)} has no {key}"
        entry.document.problems.append(finding_at("BK106", message, entry.place()))
    return entry.text(key)


def _references(models: list[TypedTable], targets: list[TypedTable]) -> list[ReferencedFile]:
    found: list[ReferencedFile] = []
    for kind, entries in (("model", models), ("target", targets)):
        for entry in entries:
            why = f"the registry's {kind} {entry.keys[-1]!r:.60} names it"
            path = entry.text("path")
            texts = [*([path] if path else []), *entry.texts("data"), *entry.texts("code")]
            found.extend(ReferencedFile(text.value, text.place, why) for text in texts)
    return found


def _parse(text: str, problems: list[Finding]) -> TypedTable | None:
    import yaml  # noqa: PLC0415 - two interpreter starts that only a bundle with a registry pays

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = _Tree()
        value = {} if node is None else tree.value_of(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(REGISTRY, mark.line + 1, mark.column + 1) if mark else Place(REGISTRY)
        problems.append(finding_at("BK106", f"{REGISTRY} is not valid YAML: {error.problem}", place))
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition("\n")[0]
        problems.append(finding_at("BK106", f"{REGISTRY} cannot be used: {reason}", Place(REGISTRY)))
        return None
    document = Document(REGISTRY, problems, tree.places.get, tree.places.get, "BK106")
    return TypedTable.of(document, value)


class _Tree:
    """Plain values of composed nodes, with the place of each; aliases count at every use, so a bomb ends early."""

    def __init__(self) -> None:
        self.places: dict[Keys, tuple[int, int]] = {}

    def value_of(self, node: Node, keys: Keys) -> object:
        import yaml  # noqa: PLC0415 - loaded already by the caller

        if len(self.places) >= _MAX_NODES:
            raise ValueError(f"it has more than {_MAX_NODES:,} values")
        self.places[keys] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            return {
                str(key.value): self.value_of(value, (*keys, str(key.value)))
                for key, value in node.value
                if isinstance(key, yaml.ScalarNode)
            }
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, (*keys, index)) for index, item in enumerate(node.value)]
        return _scalar(node.tag.rpartition(":")[2], str(node.value))


def _scalar(tag: str, text: str) -> object:
    match tag:
        case "null":
            return None
        case "bool":
            return _BOOLEANS.get(text.lower(), text)
        case "int" | "float":
            # Only its type is ever looked at: no key of the registry is a number.
            return 0 if tag == "int" else 0.0
        case _:
            return text

"""Collects every declaration of the wire function in the order in which the warm runner looks (CONTRACT section 2)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bundlekit.model.declaration import WireDeclaration, WireSource
from bundlekit.model.finding import Finding
from bundlekit.model.place import Place
from bundlekit.model.project import ProjectTable
from bundlekit.read.build_layout import is_installed
from bundlekit.read.document import is_file, read_document
from bundlekit.read.json_document import read_json
from bundlekit.read.pyproject import Pyproject, parse_toml
from bundlekit.read.setup_cfg import SetupCfg
from bundlekit.read.typed_table import TypedTable

__all__ = ["GROUP", "read_wires", "wire_is_mistyped"]

GROUP = "modelops.wire"
_MANIFEST = ".modelops/manifest.json"
_MODELOPS_TOML = ".modelops/modelops.toml"


def read_wires(
    root: Path, pyproject: Pyproject, setup_cfg: SetupCfg, problems: list[Finding]
) -> tuple[WireDeclaration, ...]:
    """Return all declarations found; a document that cannot be read is appended to `problems`."""
    # What is not installed has no entry points, whatever another table says.
    installed = is_installed(root, pyproject, setup_cfg)
    dynamic = {text.value for text in pyproject.project.texts("dynamic")}
    asks_setup_cfg = installed and (pyproject.state is not ProjectTable.PRESENT or "entry-points" in dynamic)
    return (
        *_entry_points(pyproject.project.table("entry-points").table(GROUP)),
        *(_entry_points(pyproject.tool("poetry").table("plugins").table(GROUP)) if installed else ()),
        *(setup_cfg.wires if asks_setup_cfg else ()),
        *_manifest_json(root, problems),
        *_modelops_toml(root, problems),
        *_wire_py(root),
    )


def wire_is_mistyped(pyproject: Pyproject) -> bool:
    """Whether pyproject.toml has an entry point for the wire, or a table that may hold one, of a wrong type."""
    value: object = pyproject.top.values
    for key in ("project", "entry-points", GROUP):
        if not isinstance(value, Mapping):
            return True
        if key not in value:
            return False
        value = value[key]
    return not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values())


def _entry_points(group: TypedTable) -> Iterator[WireDeclaration]:
    for name, text in group.pairs():
        yield WireDeclaration(WireSource.ENTRY_POINT, name, text.value, text.place)


def _manifest_json(root: Path, problems: list[Finding]) -> Iterator[WireDeclaration]:
    if is_file(root / _MANIFEST):
        table = read_json(root / _MANIFEST, _MANIFEST, problems)
        text = table.text("wire") if table else None
        if text is not None:
            yield WireDeclaration(WireSource.MANIFEST_JSON, "wire", text.value, text.place)


def _modelops_toml(root: Path, problems: list[Finding]) -> Iterator[WireDeclaration]:
    if not is_file(root / _MODELOPS_TOML):
        return
    data = read_document(root / _MODELOPS_TOML, _MODELOPS_TOML, "BK106", problems)
    if data is not None:
        table = parse_toml(data, _MODELOPS_TOML, problems, code="BK106", shape_code="BK106")
        text = table.table("modelops").text("wire") if table else None
        if text is not None:
            yield WireDeclaration(WireSource.MODELOPS_TOML, "wire", text.value, text.place)


def _wire_py(root: Path) -> Iterator[WireDeclaration]:
    if is_file(root / "wire.py"):
        yield WireDeclaration(WireSource.WIRE_PY, "wire", "wire:wire", Place("wire.py"))

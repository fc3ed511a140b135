"""Reads pyproject.toml: what is unparsable or mistyped becomes findings, all at once, each with line and column.

See: PEP 518, PEP 621 and the pyproject.toml specification; TOML 1.0.0.
"""

import re
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import ProjectTable
from bundlekit.model.toml_text import TomlText
from bundlekit.read.document import MAX_HANDWRITTEN_BYTES, decoded, finding_at, is_file, read_document
from bundlekit.read.toml_limits import MAX_PARTS, key_of_many_parts
from bundlekit.read.typed_table import Document, TypedTable

__all__ = ["PYPROJECT", "Pyproject", "parse_toml", "read_pyproject"]

PYPROJECT = "pyproject.toml"

_PLACE_IN_MESSAGE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Pyproject(NamedTuple):
    """The document as a table (empty where there is none to read), and how it stands."""

    state: ProjectTable
    top: TypedTable

    @property
    def project(self) -> TypedTable:
        """The table [project], empty where it is absent."""
        return self.top.table("project")

    @property
    def build_backend(self) -> str | None:
        """What `build-backend` names; None stands for setuptools (PEP 517)."""
        backend = self.top.table("build-system").text("build-backend")
        return backend.value if backend else None

    def tool(self, name: str) -> TypedTable:
        """Return the table [tool.<name>], empty where it is absent."""
        return self.top.table("tool").table(name)


def read_pyproject(root: Path, problems: list[Finding]) -> Pyproject:
    """Return the bundle's pyproject.toml; whatever is wrong with it is appended to `problems`."""
    path = root / PYPROJECT
    if not is_file(path):
        problems.append(_missing(root))
        return Pyproject(ProjectTable.MISSING, _nothing(problems))
    data = read_document(path, PYPROJECT, "BK103", problems, most=MAX_HANDWRITTEN_BYTES)
    top = None if data is None else parse_toml(data, PYPROJECT, problems, code="BK103", shape_code="BK104")
    if top is None:
        return Pyproject(ProjectTable.UNREADABLE, _nothing(problems))
    _check_shape(top)
    return Pyproject(ProjectTable.PRESENT if "project" in top else ProjectTable.WITHOUT_PROJECT, top)


def parse_toml(data: bytes, name: str, problems: list[Finding], *, code: str, shape_code: str) -> TypedTable | None:
    """Return the TOML document `data`, called `name` in findings; None after a finding with `code`."""
    import tomllib  # noqa: PLC0415 - a bundle without any TOML need not pay 1.5 interpreter starts for its parser

    if data.startswith(_BYTE_ORDER_MARK):
        message = f"{name} starts with a byte order mark, which TOML does not allow and installers refuse"
        problems.append(finding_at(code, message, Place(name, 1, 1), hint="save it as UTF-8 without BOM"))
        data = data[len(_BYTE_ORDER_MARK) :]
    text = decoded(data, name, code, problems)
    if text is None:
        return None
    too_long = key_of_many_parts(text)
    if too_long is not None:
        message = f"{name} has a key of more than {MAX_PARTS} parts, which is more than is read"
        problems.append(finding_at(code, message, _place(name, text, too_long)))
        return None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax_error(str(error), text, name, code))
        return None
    except (RecursionError, MemoryError):
        problems.append(finding_at(code, f"{name} is nested too deeply to be read", Place(name)))
        return None
    except ValueError as error:
        # Of what TOML allows, only an integer of more digits than the interpreter converts ends here.
        problems.append(finding_at(code, f"{name} holds a value that cannot be read: {error}", Place(name)))
        return None
    places = TomlText(text.replace("\r\n", "\n"))
    return TypedTable.of(Document(name, problems, places.value, places.key, shape_code), values)


def _syntax_error(message: str, text: str, name: str, code: str) -> Finding:
    from bundlekit.read.toml_mistakes import find_mistake  # noqa: PLC0415 - only a document that is no TOML pays for it

    match = _PLACE_IN_MESSAGE.search(message)
    said = message[: match.start()] if match else message
    offset = len(text)
    if match and match[1]:
        starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
        offset = starts[int(match[1]) - 1] + int(match[2]) - 1
    mistake = find_mistake(text, offset, said)
    if mistake is None:
        return finding_at(code, f"{name} is not valid TOML: {said}", _place(name, text, offset))
    what = f"{name} is not valid TOML: {mistake.what} ({said})"
    return finding_at(code, what, _place(name, text, mistake.offset), hint=mistake.hint)


def _place(name: str, text: str, offset: int) -> Place:
    return Place(name, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _missing(root: Path) -> Finding:
    hint = 'write one with [project] name, version and [project.entry-points."modelops.wire"]'
    if is_file(root / "wire.py"):
        message = (
            "there is no pyproject.toml; the root wire.py stands in for it, and its dependencies are requirements.txt"
        )
        return finding_at("BK102", message, Place(PYPROJECT), severity=Severity.WARNING, hint=hint)
    return finding_at("BK101", "there is no pyproject.toml and no root wire.py to stand in for it", None, hint=hint)


def _nothing(problems: list[Finding]) -> TypedTable:
    return TypedTable.of(Document(PYPROJECT, problems, lambda _: None, lambda _: None), {})


def _check_shape(top: TypedTable) -> None:
    """Ask for every standard key by its type, so that all wrong ones are found at once."""
    project = top.table("project")
    for key in ("name", "version", "requires-python", "description"):
        project.text(key)
    for key in ("dependencies", "dynamic", "keywords", "classifiers"):
        project.texts(key)
    optional = project.table("optional-dependencies")
    for key in optional.values:
        optional.texts(key)
    entry_points = project.table("entry-points")
    for group in entry_points.values:
        entry_points.table(group).pairs()
    for key in ("scripts", "gui-scripts", "urls"):
        project.table(key).pairs()
    build_system = top.table("build-system")
    build_system.texts("requires")
    build_system.text("build-backend")
    top.table("tool")

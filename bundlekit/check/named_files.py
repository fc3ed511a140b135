"""Finds the files that code names by literal paths: read with open() and its kin, or given to a calibration target.

Those of a calibration target may also be constants of the module, or built from them. Paths count from the bundle's
root, which is every runner's working directory. Only sources that hold such a call by the look of their bytes are
parsed for it: most do not.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from bundlekit.check.constant_paths import ConstantPaths
from bundlekit.check.hits import hit_lines, holds_hit
from bundlekit.model.declaration import ReferencedFile
from bundlekit.model.place import Place

__all__ = ["NamedFile", "named_files"]

_CALIBRATION = "calibration_target"
_PATH_READS = frozenset({"read_text", "read_bytes"})
_ASKS = frozenset({"exists", "isfile", "is_file"})
_READERS = re.compile(r"open|Path|(?:read|scan)_[a-z]+|loadtxt|genfromtxt|load|load_npz|memmap|fromfile|open_dataset")
_LOOKS_LIKE_A_CALL = re.compile(
    rb"(?:\b|_)(?:open|Path|(?:read|scan)_[a-z]+|loadtxt|genfromtxt|load|load_npz|memmap|fromfile|open_dataset)"
    rb"\s*\(\s*[rRuU]?[\"']|\bcalibration_target\b"
)


class NamedFile(NamedTuple):
    """A file that code names. `required`: it must be there whenever the code is used, so a missing one is an error.

    `certain`: it is read wherever the code runs; else it may be written first, or its absence is dealt with.
    """

    reference: ReferencedFile
    required: bool
    certain: bool = True


def named_files(tree: ast.Module, data: bytes, path: str) -> Iterator[NamedFile]:
    """Yield the files that the source `data` at `path` names; only statements that look as if they did are walked."""
    starts = [match.start() for match in _LOOKS_LIKE_A_CALL.finditer(data)]
    if not starts:
        return
    lines = hit_lines(data, starts)
    constants = ConstantPaths(tree)
    pending: list[tuple[ast.AST, bool, str | None]] = [(tree, True, None)]
    while pending:
        node, certain, attribute = pending.pop()
        if isinstance(node, ast.stmt) and not holds_hit(node, lines):
            continue
        if isinstance(node, ast.Call):
            if _called(node) == _CALIBRATION:
                yield from _calibration_data(node, path, constants)
            else:
                yield from _named_by(node, path, certain=certain, attribute=attribute)
        certain = certain and not _deals_with_absence(node)
        taken = node.attr if isinstance(node, ast.Attribute) else None
        pending.extend((child, certain, taken) for child in ast.iter_child_nodes(node))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _calibration_data(call: ast.Call, path: str, constants: ConstantPaths) -> Iterator[NamedFile]:
    for keyword in call.keywords:
        display = constants.dictionary(keyword.value) if keyword.arg == "data" else None
        for value in display.values if display is not None else ():
            text = constants.path(value)
            if text:
                why = "calibration_target(data=...) names it"
                yield NamedFile(_file(text, value, path, why), required=True)


def _named_by(call: ast.Call, path: str, *, certain: bool, attribute: str | None) -> Iterator[NamedFile]:
    """Yield what `call` names; `attribute` is what is taken from its result at once, as in ``Path("x").read_text``."""
    name = _called(call)
    if _READERS.fullmatch(name) and call.args and _is_text(call.args[0]) and not _writes(name, call):
        if name == "Path":
            if attribute is not None and attribute not in {"open", *_PATH_READS}:
                return
            certain = certain and attribute in _PATH_READS
        text = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
        yield NamedFile(_file(str(text), call.args[0], path, "the code reads it"), required=False, certain=certain)


def _deals_with_absence(node: ast.AST) -> bool:
    """Whether what is inside runs only if a file is there, or with a handler for the case that it is not."""
    match node:
        case ast.Try(handlers=handlers):
            return bool(handlers)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return any(isinstance(inner, ast.Attribute) and inner.attr in _ASKS for inner in ast.walk(test))
        case _:
            return False


def _file(text: str, node: ast.expr, path: str, why: str) -> ReferencedFile:
    return ReferencedFile(text, Place(path, node.lineno, node.col_offset + 1), why)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def _writes(name: str, call: ast.Call) -> bool:
    """Whether an open() names the file to write it, so that it need not be there."""
    if name != "open":
        return False
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(not (isinstance(mode, ast.Constant) and str(mode.value).startswith("r")) for mode in modes)

"""Finds the files that code names by literal paths: read with open() and its kin, or given to a calibration target.

Paths count from the bundle's root, which is every runner's working directory. Only sources that hold such a call by the
look of their bytes are parsed for it: most do not.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from bundlekit.model.declaration import ReferencedFile
from bundlekit.model.place import Place

__all__ = ["NamedFile", "may_name_files", "named_files"]

_CALIBRATION = "calibration_target"
_READERS = re.compile(r"open|Path|(?:read|scan)_[a-z]+|loadtxt|genfromtxt|load|load_npz|memmap|fromfile|open_dataset")
_LOOKS_LIKE_A_CALL = re.compile(
    rb"(?:\b|_)(?:open|Path|(?:read|scan)_[a-z]+|loadtxt|genfromtxt|load|load_npz|memmap|fromfile|open_dataset)"
    rb"\s*\(\s*[rRuU]?[\"']|\bcalibration_target\b"
)


class NamedFile(NamedTuple):
    """A file that code names. `required`: it must be there whenever the code is used, so a missing one is an error."""

    reference: ReferencedFile
    required: bool


def may_name_files(data: bytes) -> bool:
    """Whether a source looks as if it named files, so that its tree is worth walking."""
    return _LOOKS_LIKE_A_CALL.search(data) is not None


def named_files(tree: ast.Module, path: str) -> Iterator[NamedFile]:
    """Yield the files that the source at `path` names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _named_by(node, path)


def _named_by(call: ast.Call, path: str) -> Iterator[NamedFile]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == _CALIBRATION:
        for keyword in call.keywords:
            if keyword.arg == "data" and isinstance(keyword.value, ast.Dict):
                yield from (_named(value, path, required=True) for value in keyword.value.values if _is_text(value))
    elif _READERS.fullmatch(name) and call.args and _is_text(call.args[0]) and not _writes(name, call):
        yield _named(call.args[0], path, required=False)


def _named(node: ast.expr, path: str, *, required: bool) -> NamedFile:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    why = "calibration_target(data=...) names it" if required else "the code reads it"
    return NamedFile(ReferencedFile(text, Place(path, node.lineno, node.col_offset + 1), why), required)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def _writes(name: str, call: ast.Call) -> bool:
    """Whether an open() names the file to write it, so that it need not be there."""
    if name != "open":
        return False
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(not (isinstance(mode, ast.Constant) and str(mode.value).startswith("r")) for mode in modes)

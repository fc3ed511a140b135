"""Finds errors that a wire reports inside its outputs, which runners take for failures (CONTRACT section 3)."""

import ast
from collections.abc import Set as AbstractSet

from bundlekit.check.return_annotations import Dotted
from bundlekit.cold_runner.strict_json import StrictJsonError, loads

__all__ = ["reported_error"]

_METADATA, _ERROR = "metadata", "error"


def reported_error(value: ast.expr, dotted: Dotted) -> str | None:
    """Return where the outputs that an expression shows report an error, None where it is not certain that they do."""
    if not isinstance(value, ast.Dict):
        return None
    names = [key.value if isinstance(key, ast.Constant) else None for key in value.keys]
    if None in names:
        return None
    outputs = dict(zip(names, value.values, strict=True))
    if _METADATA in outputs and _ERROR in _members(outputs[_METADATA], dotted):
        return "in its metadata"
    return "as its only output" if outputs.keys() - {_METADATA} == {_ERROR} else None


def _members(node: ast.expr, dotted: Dotted) -> AbstractSet[object]:
    """Return the names of the members of a JSON object that is written as bytes, or encoded from a display."""
    match node:
        case ast.Constant(value=bytes() as data):
            try:
                document = loads(data)
            except StrictJsonError:
                return frozenset()
            return document.keys() if isinstance(document, dict) else frozenset()
        case ast.Call(func=ast.Attribute(value=ast.Call(func=function, args=[ast.Dict(keys=keys)]), attr="encode")):
            is_json = dotted(function) == "json.dumps"
            return {key.value for key in keys if isinstance(key, ast.Constant)} if is_json else frozenset()
        case _:
            return frozenset()

"""What a probe tells of an object of the bundle, from what the child wrote, which held bundle code."""

import os
from collections.abc import Mapping

from .codes import ErrorCode, Phase
from .environments.bundle_code import Prepared
from .runner_error import RunnerError
from .strict_json import JsonValue, StrictJsonError, loads

__all__ = ["description_of"]

_DESCRIBED = frozenset({"reference", "callable", "signature", "signature_error", "file", "is_stdlib"})


def description_of(data: bytes, prepared: Prepared, tree: str) -> dict[str, object]:
    """Return what `data` says of an object, and whose it is; `tree` is where the bundle's files were.

    Raises:
        RunnerError: E_WIRE_RESULT when it is not what our own code would have written.
    """
    document = _parsed(data)
    described = {key: value for key, value in document.items() if key != "is_stdlib"}
    return {**described, **_origin(document, prepared, tree)}


def _parsed(data: bytes) -> Mapping[str, JsonValue]:
    try:
        document = loads(data)
    except StrictJsonError:
        document = None
    if not isinstance(document, dict) or document.keys() != _DESCRIBED:
        raise RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, "the child ended without describing the object")
    return document


def _origin(document: Mapping[str, JsonValue], prepared: Prepared, tree: str) -> dict[str, object]:
    file = document["file"]
    places = (("tree", tree), ("installed", prepared.site), ("dependency", prepared.dependency_site))
    for origin, directory in places:
        if isinstance(file, str) and file.startswith(os.path.join(directory, "")):
            relative = os.path.relpath(file, directory) if origin == "tree" else None
            return {"origin": origin, "relative": relative}
    return {"origin": "stdlib" if document["is_stdlib"] else "unknown", "relative": None}

"""Reads one JSON document of a bundle as a typed table; what is wrong with it is a finding."""

import re
from pathlib import Path
from typing import NoReturn

from bundlekit.model.finding import Finding
from bundlekit.model.place import Place
from bundlekit.read.document import decoded, finding_at, read_document
from bundlekit.read.json_places import JsonPlaces
from bundlekit.read.typed_table import Document, TypedTable

__all__ = ["read_json"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path, name: str, problems: list[Finding], *, code: str = "BK106") -> TypedTable | None:
    """Return the JSON object in the file at `path`, called `name` in findings; None after a finding with `code`.

    Strict: NaN and Infinity are refused, as every other reader of the file may (RFC 8259).
    """
    import json  # noqa: PLC0415 - most bundles have no JSON document

    data = read_document(path, name, code, problems)
    text = None if data is None else decoded(data.removeprefix(_BYTE_ORDER_MARK), name, code, problems)
    if text is None:
        return None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f"{name} is not valid JSON: {error.msg}"
        problems.append(finding_at(code, message, Place(name, error.lineno, error.colno)))
        return None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError | MemoryError) else str(error)
        problems.append(finding_at(code, f"{name} is not usable as JSON: {reason}", Place(name)))
        return None
    if _LONE_SURROGATE.search(text) and not _is_unicode(json.dumps(value, ensure_ascii=False)):
        message = f"{name} is not usable as JSON: it has half a surrogate pair, which is no character"
        problems.append(finding_at(code, message, Place(name)))
        return None
    places = JsonPlaces(text)
    return TypedTable.of(Document(name, problems, places.value, places.key, code), value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")

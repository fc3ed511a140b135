"""Reads and names baselines: JSON documents that `validate --write-baseline` wrote."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bundlekit.errors import UsageError
from bundlekit.model.baseline import BASELINE_SCHEMA, Baseline, KnownFinding
from bundlekit.read.document import MAX_DOCUMENT_BYTES, regular_file

__all__ = ["bundle_key", "read_baseline"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


def read_baseline(path: Path) -> Baseline:
    """Return the baseline at `path`.

    Raises:
        UsageError: there is no such file, or it is no baseline; the message tells the place.
    """
    data = _data(path)
    try:
        document = json.loads(data)
    except json.JSONDecodeError as error:
        raise _refused(path, f"{path}:{error.lineno}:{error.colno}: the baseline is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"the baseline {path} is not JSON: {error}") from error
    bundles = document.get("bundles") if isinstance(document, dict) else None
    if not isinstance(bundles, dict) or document.get("schema") != BASELINE_SCHEMA:
        raise _refused(path, f"{path} is no baseline: its schema is not {BASELINE_SCHEMA!r}")
    return Baseline({bundle: tuple(_known(path, bundle, entries)) for bundle, entries in bundles.items()})


def bundle_key(baseline: Path, root: Path) -> str:
    """Return the name of the bundle at `root` in the baseline file at `baseline`."""
    return Path(os.path.relpath(root.absolute(), baseline.absolute().parent)).as_posix()


def _data(path: Path) -> bytes:
    try:
        file = regular_file(path)
        if file is None:
            raise _refused(path, f"the baseline {path} is not a regular file")
        with file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise _refused(path, f"the baseline {path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise _refused(path, f"the baseline {path} is longer than {MAX_DOCUMENT_BYTES:,} bytes")
    return data


def _known(path: Path, bundle: str, entries: object) -> Iterator[KnownFinding]:
    where = f"{path}: bundles[{bundle!r:.80}]"
    if not isinstance(entries, list):
        raise _refused(path, f"{where} is no list of findings")
    for number, entry in enumerate(entries, 1):
        values = entry if isinstance(entry, dict) else {}
        match values.get("fingerprint"), values.get("code"), values.get("path"), values.get("message"):
            case str() as fingerprint, str() as code, (str() | None) as at, str() as message if _FINGERPRINT.fullmatch(
                fingerprint
            ):
                yield KnownFinding(fingerprint, code, at, message)
            case _:
                raise _refused(path, f"{where}: number {number} lacks fingerprint, code, path or message")


def _refused(path: Path, message: str) -> UsageError:
    hint = f"write it with: bundlekit validate --baseline {path} --write-baseline"
    return UsageError(message, subject=path, hint=hint)

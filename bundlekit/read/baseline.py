"""Reads and names baselines: JSON documents that `validate --write-baseline` wrote."""

import json
import os
import re
from pathlib import Path

from bundlekit.errors import UsageError
from bundlekit.model.baseline import BASELINE_SCHEMA, Baseline
from bundlekit.read.document import MAX_DOCUMENT_BYTES, regular_file

__all__ = ["bundle_key", "read_baseline"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


def read_baseline(path: Path) -> Baseline:
    """Return the baseline at `path`.

    Raises:
        UsageError: there is no such file, or it is no baseline.
    """
    hint = "write it with: bundlekit validate --write-baseline --baseline FILE"
    try:
        file = regular_file(path)
        if file is None:
            raise UsageError(f"the baseline {path} is not a regular file", subject=path, hint=hint)
        with file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        msg = f"the baseline {path} cannot be read: {error.strerror or error}"
        raise UsageError(msg, subject=path, hint=hint) from error
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the baseline {path} is not JSON: {error}", subject=path, hint=hint) from error
    bundles = document.get("bundles") if isinstance(document, dict) else None
    if not isinstance(bundles, dict) or document.get("schema") != BASELINE_SCHEMA:
        raise UsageError(f"{path} is no baseline: its schema is not {BASELINE_SCHEMA!r}", subject=path, hint=hint)
    known: dict[str, frozenset[str]] = {}
    for bundle, fingerprints in bundles.items():
        if not isinstance(fingerprints, list) or not all(_is_fingerprint(each) for each in fingerprints):
            raise UsageError(
                f"the baseline {path} holds no list of fingerprints for {bundle!r:.80}", subject=path, hint=hint
            )
        known[bundle] = frozenset(fingerprints)
    return Baseline(known)


def bundle_key(baseline: Path, root: Path) -> str:
    """Return the name of the bundle at `root` in the baseline file at `baseline`."""
    return Path(os.path.relpath(root.absolute(), baseline.absolute().parent)).as_posix()


def _is_fingerprint(value: object) -> bool:
    return isinstance(value, str) and _FINGERPRINT.fullmatch(value) is not None

"""Reads .modelops-bundle/tracked.txt, the list of what the platform's own tool ships. It never ships itself.

See: CONTRACT section 5; DEFECTS 26 for what its lines cannot say.
"""

import posixpath
from pathlib import Path

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding
from bundlekit.model.place import Place, Text
from bundlekit.model.registry import TrackedFiles
from bundlekit.read.document import decoded, is_file, read_document

__all__ = ["TRACKED", "TRACKED_OLD", "read_tracked", "tracked_paths"]

TRACKED = ".modelops-bundle/tracked.txt"
TRACKED_OLD = ".modelops-bundle/tracked"
"""What constants and documents of the platform call it; its tool reads :data:`TRACKED`."""


def read_tracked(root: Path, problems: list[Finding]) -> TrackedFiles | None:
    """Return the tracked files of the bundle at `root`, None where there is no list or it cannot be read."""
    document = next((name for name in (TRACKED, TRACKED_OLD) if is_file(root / name)), None)
    if document is None:
        return None
    data = read_document(root / document, document, "BK106", problems)
    text = None if data is None else decoded(data, document, "BK106", problems)
    if text is None:
        return None
    lines = [Text(line, Place(document, number, 1)) for number, line in enumerate(text.splitlines(), 1)]
    return TrackedFiles(
        document,
        tuple(line._replace(value=line.value.strip()) for line in lines if line.value.strip()),
        tuple(line for line in lines if line.value.strip() and line.value != line.value.strip()),
    )


def tracked_paths(tracked: TrackedFiles | None) -> frozenset[str] | None:
    """Return the paths that the list lets ship, None where it does not decide.

    The platform's tool adds its registry by itself. It does not read the list by its old name, and one without any file
    is that of a bundle which it has never pushed.
    """
    if tracked is None or tracked.document != TRACKED or not tracked.files:
        return None
    return frozenset(posixpath.normpath(text.value) for text in tracked.files) | {REGISTRY}

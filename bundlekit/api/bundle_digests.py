"""The digest of a bundle's directory, and the files that it stands for."""

import hashlib
from pathlib import Path

from bundlekit.errors import DigestMismatchError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.project import Project
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest

__all__ = ["listed"]


def listed(root: Path, project: Project) -> tuple[tuple[ManifestFile, ...], Digest | None]:
    """Return the files that ship as they are now, and the bundle's digest, None for one without a name.

    Raises:
        DigestMismatchError: a source is another one than that which was read for `project`, so that what is said of the
            bundle would not be about these files.
        BundlekitError: a file cannot be read, or the bundle cannot be packed.
    """
    files = hash_tree(root, project.members)
    for file in files:
        source = project.sources.get(file.path)
        if source is not None and file.sha256.hex != hashlib.sha256(source.data).hexdigest():
            message = f"{file.path} changed while the bundle was being checked"
            raise DigestMismatchError(message, subject=file.path, hint="run again when nothing writes into the bundle")
    return files, None if project.name is None else manifest_digest(manifest_of(project, files))

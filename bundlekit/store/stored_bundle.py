"""One bundle of the store: its two forms, what is wrong with them, and what can be made of what is left."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.environments.entry_inventory import Difference
from bundlekit.errors import BundlekitError
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_archive, read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.read.project import read_project
from bundlekit.store.copies import copy_file
from bundlekit.store.stored_tree import tree_differences

__all__ = ["ARCHIVE", "TREE", "ArchiveSource", "StoredBundle", "damage_of", "recovery"]

ARCHIVE = "bundle.tar.zst"
TREE = "tree"

ArchiveSource = Callable[[Path], None]
"""Writes a bundle's archive to a path where there is nothing, and brings it to the disk."""


class StoredBundle(NamedTuple):
    """A bundle as the archive and as the directory made of it; both are the store's own, to read and not to write."""

    digest: Digest
    archive: Path
    tree: Path

    @classmethod
    def of(cls, entry: Path, digest: Digest) -> "StoredBundle":
        """Return the bundle in the directory `entry` of the store."""
        return cls(digest, entry / ARCHIVE, entry / TREE)


def damage_of(bundle: StoredBundle, *, thorough: bool = False) -> tuple[Difference, ...]:
    """Return what is not as it was packed, by paths from the entry's directory.

    Every byte of the tree is read, of the archive the manifest alone unless it is to be `thorough`.

    Raises:
        OSError: something cannot be read.
    """
    try:
        content = read_archive(bundle.archive) if thorough else read_manifest(bundle.archive)
    except BundlekitError:
        content = None
    if content is None or content.digest != bundle.digest:
        return (Difference(ARCHIVE, "edited" if bundle.archive.exists() else "missing"),)
    if not bundle.tree.is_dir():
        return (Difference(TREE, "missing"),)
    found = tree_differences(bundle.tree, content.manifest)
    return tuple(Difference(f"{TREE}/{each.path}", each.change) for each in found)


def recovery(damaged: StoredBundle) -> ArchiveSource | None:
    """Return what writes the bundle's archive from the half of `damaged` that is sound, None if neither is."""
    with suppress(BundlekitError):
        if read_archive(damaged.archive).digest == damaged.digest:
            return partial(copy_file, damaged.archive)
    again = damaged.archive.with_name("again.tar.zst")
    with suppress(BundlekitError):
        _pack_again(damaged, again)
        return partial(copy_file, again)
    return None


def _pack_again(damaged: StoredBundle, archive: Path) -> None:
    """Write the archive of the tree; a bundle whose name was given when it was packed has it in its manifest alone."""
    project = read_project(damaged.tree)
    try:
        manifest = read_manifest(damaged.archive).manifest
    except BundlekitError:
        write_archive(project, archive, expected=damaged.digest)
    else:
        named = project._replace(name=manifest.name, version=manifest.version)
        write_archive(named, archive, expected=damaged.digest)

"""Pack, verify, unpack, inspect and compare bundles."""

from pathlib import Path
from typing import NamedTuple

from bundlekit.api.inputs import BundleDirectory
from bundlekit.api.validation import Progress, ValidateOptions, read_bundle, validate_directory
from bundlekit.errors import DigestMismatchError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Report
from bundlekit.model.manifest import Manifest
from bundlekit.model.project import Excluded
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import digest_of, manifest_of

__all__ = ["PackOptions", "PackRefusal", "Packed", "compare", "pack", "unpack", "verify"]

ARCHIVE_SUFFIX = ".tar.zst"


class PackOptions(NamedTuple):
    """Where to write and what must hold before. `name` stands in for a bundle that declares none."""

    output: Path | None = None
    name: str | None = None
    validate: bool = True
    allow_unproved: bool = False
    validation: ValidateOptions = ValidateOptions()


class Packed(NamedTuple):
    """An archive that was written; `size` is in bytes; `report` is None when validation was left out."""

    archive: Path
    size: int
    archive_sha256: Digest
    manifest: Manifest
    digest: Digest
    left_out: tuple[Excluded, ...]
    report: Report | None


class PackRefusal(NamedTuple):
    """Nothing was written, because the bundle did not pass, or passed only unproved."""

    report: Report


def pack(path: Path, options: PackOptions, progress: Progress) -> Packed | PackRefusal:
    """Validate the bundle directory at `path` and write its archive, or say why not.

    Raises:
        UsageError: `path` is no directory.
        BundlekitError: the bundle cannot be packed at all: no name, no single wire, a link, an unreadable file.
    """
    if not path.is_dir():
        msg = f"{path} is not a directory: pack takes a bundle directory"
        raise UsageError(msg, subject=path)
    project = _named(read_bundle(path, options.validation), options.name)
    report = None
    if options.validate:
        report = validate_directory(BundleDirectory(path, str(path)), project, options.validation, progress)
        if not report.passed or (report.unproved and not options.allow_unproved):
            return PackRefusal(report)
    files = hash_tree(path, project.members)
    manifest = manifest_of(project, files)
    digest = digest_of(manifest)
    if report is not None and report.digest not in {None, digest}:
        msg = f"{path} changed between validation and packing: {report.digest} was proved, {digest} is there now"
        raise DigestMismatchError(msg, subject=path, hint="run pack again")
    destination = options.output or Path(f"{manifest.name}-{manifest.version}{ARCHIVE_SUFFIX}")
    progress(f"packing {len(files)} files")
    return _written(path, project, manifest, destination, report)

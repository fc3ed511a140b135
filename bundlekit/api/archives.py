"""Pack, verify, unpack, inspect and compare bundles."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.inputs import BundleDirectory, snapshot
from bundlekit.api.receipts import check_place, check_receipt, write_receipt
from bundlekit.api.validation import Progress, ValidateOptions, validate_directory
from bundlekit.errors import UsageError
from bundlekit.model.archive import InspectedArchive, Packed, PackRefusal, Unpacked
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Report
from bundlekit.model.project import Project, ProjectTable
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.difference import Difference, difference
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import check_secrets, manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive
from bundlekit.pack.zstd_frames import MAGIC
from bundlekit.read.project import read_project
from bundlekit.report.archives import pack_report_text
from bundlekit.report.outputs import PACK_REPORT_MARK, check_replaceable, write_atomically
from bundlekit.report.receipts import Asked
from bundlekit.store.oci_digests import oci_digests

__all__ = [
    "ARCHIVE_SUFFIX",
    "PackOptions",
    "check_no_other_file",
    "compare",
    "inspect",
    "pack",
    "percent",
    "unpack",
    "verify",
]

ARCHIVE_SUFFIX = ".tar.zst"
REPORT_SUFFIX = ".report.json"


class PackOptions(NamedTuple):
    """Where to write and what must hold before. `name` stands in for a bundle that declares none.

    `receipt` is where a receipt of the validation goes.
    """

    output: Path | None = None
    name: str | None = None
    validate: bool = True
    allow_unproved: bool = False
    validation: ValidateOptions = ValidateOptions()
    receipt: Path | None = None


def pack(path: Path, options: PackOptions, progress: Progress) -> Packed | PackRefusal:
    """Validate the bundle directory at `path` and write its archive, or say why not.

    Raises:
        UsageError: `path` is no directory.
        SecretRefusedError: files that would ship look like credentials.
        DigestMismatchError: the directory changed between validation and packing.
        BundlekitError: the bundle cannot be packed at all: no name, no single wire, a link, an unreadable file.
    """
    if not path.is_dir():
        msg = f"{path} is not a directory: pack takes a bundle directory"
        raise UsageError(msg, subject=path)
    project = _named(snapshot(BundleDirectory(path, str(path)), job_spec=options.validation.job_spec), options.name)
    # What cannot be packed at all is told before minutes go into proving it.
    manifest = manifest_of(project, ())
    destination = options.output or Path(f"{manifest.name}-{manifest.version}{ARCHIVE_SUFFIX}")
    check_replaceable(_report_path(destination), PACK_REPORT_MARK)
    check_no_other_file(destination)
    _check_receipt_place(options)
    report = None
    if options.validate:
        report = validate_directory(BundleDirectory(path, str(path)), project, options.validation, progress)
        if not report.passed or (report.unproved and not options.allow_unproved):
            return PackRefusal(report)
    # Whatever the settings make of the rule that finds them: what has shipped cannot be taken back.
    check_secrets(project)
    packed = _written(project, destination, report, progress)
    if options.receipt is not None and report is not None:
        write_receipt(options.receipt, report, Asked(options.validation.select, options.validation.ignore))
    return packed


def verify(archive: Path, progress: Progress, *, receipt: Path | None = None) -> InspectedArchive:
    """Hold every byte of `archive` against its manifest and return what it holds, and what `receipt` says of it.

    Raises:
        BundlekitError: the archive is damaged, unsafe, or not what its manifest promises; the receipt is none, or about
            another bundle.
    """
    content = verify_archive(archive, progress=percent(progress, f"verifying {archive}"))
    manifest = content.manifest
    checked = None if receipt is None else check_receipt(receipt, content.digest, manifest.dependencies.hash)
    return InspectedArchive(str(archive), manifest, content.digest, verified=True, receipt=checked)


def inspect(archive: Path) -> InspectedArchive:
    """Return what the manifest of `archive` says, without holding the rest against it, and its digests in registries.

    Raises:
        BundlekitError: the file does not begin with a sound manifest.
    """
    content = read_manifest(archive)
    digests = oci_digests(content.manifest, archive)
    return InspectedArchive(str(archive), content.manifest, content.digest, verified=False, oci_digests=digests)


def unpack(archive: Path, destination: Path, progress: Progress) -> Unpacked:
    """Verify `archive` and lay its files out at `destination`, which must not exist or be empty.

    Raises:
        BundlekitError: the archive is not sound, or the destination is taken; then nothing is written there.
    """
    content = unpack_archive(archive, destination, progress=percent(progress, f"unpacking {archive}"))
    return Unpacked(str(destination), content.manifest, content.digest)


def compare(a: Path, b: Path, progress: Progress) -> tuple[InspectedArchive, InspectedArchive, Difference]:
    """Return what differs between two bundles, each a directory or an archive.

    Raises:
        BundlekitError: one of them is neither, or cannot be read.
    """
    first, second = _inspected(a, progress), _inspected(b, progress)
    return first, second, difference(first.manifest, second.manifest)


def _inspected(path: Path, progress: Progress) -> InspectedArchive:
    if not path.is_dir():
        return verify(path, progress)
    project = read_project(path)
    files = hash_tree(path, project.members, progress=percent(progress, f"hashing {path}"))
    manifest = manifest_of(project, files)
    return InspectedArchive(str(path), manifest, manifest_digest(manifest), verified=True)


def _named(project: Project, name: str | None) -> Project:
    if name is None:
        return project
    if project.name not in {None, name}:
        msg = f"--name {name!r}: the bundle already has the name {project.name!r}"
        raise UsageError(msg, subject=name, hint="--name is for bundles that declare none")
    # A bundle without pyproject.toml has nowhere to declare a version either.
    version = project.version or ("0" if project.table is ProjectTable.MISSING else None)
    return project._replace(name=name, version=version)


def check_no_other_file(destination: Path) -> None:
    """Refuse to write over anything but an archive: it may be the only copy of somebody's work.

    Raises:
        UsageError: there is a file of another kind.
    """
    if destination.is_file() and destination.stat().st_size > 0:
        with destination.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                msg = f"{destination} exists and is no archive: it is left as it is"
                raise UsageError(msg, subject=destination, hint="name another file with -o, or remove this one first")


def _check_receipt_place(options: PackOptions) -> None:
    if options.receipt is None:
        return
    if not options.validate:
        msg = "--receipt tells what validation found, and --no-validate leaves it out: give one of them"
        raise UsageError(msg, subject=str(options.receipt))
    check_place(options.receipt)


def _report_path(archive: Path) -> Path:
    return archive.with_name(archive.name + REPORT_SUFFIX)


def _written(project: Project, destination: Path, report: Report | None, progress: Progress) -> Packed:
    expected = None if report is None else report.digest
    packing = percent(progress, f"packing {len(project.members)} files into {destination}")
    packed = write_archive(project, destination, expected=expected, progress=packing)
    report_path = _report_path(destination)
    result = Packed(
        archive=str(destination),
        size=packed.size,
        archive_sha256=_sha256_of(destination),
        manifest=packed.manifest,
        digest=packed.digest,
        left_out=project.excluded,
        report=report,
        report_path=str(report_path),
    )
    write_atomically(report_path, pack_report_text(result))
    return result


def percent(progress: Progress, what: str) -> Callable[[int, int], None]:
    """Return what turns bytes done, and bytes in all, into a word for people about `what`."""
    progress(what)
    return lambda done, total: progress(f"{what}: {done * 100 // max(total, 1)} %")


def _sha256_of(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest.from_hex(hashlib.file_digest(file, "sha256").hexdigest())

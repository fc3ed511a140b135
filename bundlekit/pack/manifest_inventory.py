"""Whether the files of a manifest can be a directory: safe paths, in order, no two in one place, within the limits."""

from itertools import pairwise

from bundlekit.cold_runner.dependency_hash import dependency_hash
from bundlekit.errors import ArchiveUnsafeError, DigestMismatchError, LimitExceededError, ManifestError
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.model.member import colliding_paths, path_error, path_limit_error
from bundlekit.pack.limits import MAX_MEMBER_BYTES, MAX_MEMBERS, MAX_TOTAL_BYTES

__all__ = ["check_dependency_hash", "check_files", "check_inventory"]


def check_inventory(manifest: Manifest) -> None:
    """Check what the files of `manifest` are together.

    Raises:
        LimitExceededError: too many files or bytes, or a path that is too long or too deep.
        ArchiveUnsafeError: a path that leads elsewhere, is reserved, or collides with another.
        ManifestError: not sorted by the UTF-8 bytes of the paths, one path twice, or a file where a directory must be.
        DigestMismatchError: the lock is not among the files, or not with that digest, or the dependency hash is not
            that of the declared dependencies where there is no lock.
    """
    check_files(manifest.files)
    lock = manifest.dependencies.lock
    if lock is None:
        check_dependency_hash(manifest, None)
    elif not any((file.path, file.sha256) == lock for file in manifest.files):
        message = f"the manifest's lock {lock.path!a} is not among its files with the digest {lock.sha256}"
        raise DigestMismatchError(message, subject=lock.path)


def check_files(files: tuple[ManifestFile, ...]) -> None:
    """Check that `files` can be a directory.

    Raises:
        LimitExceededError, ArchiveUnsafeError, ManifestError: as :func:`check_inventory`.
    """
    _check_limits(files)
    for file in files:
        reason = path_error(file.path)
        if reason is not None:
            message = f"the manifest lists {file.path!a}, which {reason}"
            raise ArchiveUnsafeError(message, subject=file.path)
    _check_order(files)
    _check_places(files)


def check_dependency_hash(manifest: Manifest, lock_content: bytes | None) -> None:
    """Check that the dependency hash is that of what the manifest declares and of the lock's content.

    Raises:
        DigestMismatchError: it is another one.
    """
    dependencies = manifest.dependencies
    lock = None if dependencies.lock is None or lock_content is None else (dependencies.lock.path, lock_content)
    found = dependency_hash(lock=lock, declared=dependencies.declared, requires_python=manifest.requires_python)
    if found != dependencies.hash:
        message = f"the manifest's dependency hash is {dependencies.hash}, and what it declares gives {found}"
        raise DigestMismatchError(message, subject=dependencies.hash)


def _check_limits(files: tuple[ManifestFile, ...]) -> None:
    if len(files) > MAX_MEMBERS:
        message = f"the manifest lists {len(files):,} files, more than {MAX_MEMBERS:,}"
        raise LimitExceededError(message, subject=len(files))
    total = 0
    for file in files:
        total += file.size
        if file.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
            message = f"{file.path!a} has {file.size:,} bytes; an archive holds at most {MAX_MEMBER_BYTES:,} a file"
            message += f" and {MAX_TOTAL_BYTES:,} in all"
            raise LimitExceededError(message, subject=file.path)
        reason = path_limit_error(file.path)
        if reason is not None:
            message = f"the manifest lists {file.path[:80]!a}..., which {reason}"
            raise LimitExceededError(message, subject=file.path)


def _check_order(files: tuple[ManifestFile, ...]) -> None:
    for before, after in pairwise(files):
        if before.path.encode() >= after.path.encode():
            what = "twice" if before.path == after.path else f"after {before.path!a}, out of order"
            message = f"the manifest lists {after.path!a} {what}"
            raise ManifestError(message, subject=after.path)


def _check_places(files: tuple[ManifestFile, ...]) -> None:
    paths = {file.path for file in files}
    for file in files:
        parent = file.path.rpartition("/")[0]
        while parent:
            if parent in paths:
                message = f"the manifest lists {parent!a} as a file, and {file.path!a} below it"
                raise ManifestError(message, subject=file.path)
            parent = parent.rpartition("/")[0]
    for first, second in colliding_paths(file.path for file in files):
        message = f"the manifest lists {first!a} and {second!a}, which are one name after Unicode normalisation (NFC)"
        raise ArchiveUnsafeError(message, subject=second)

"""Every exception that bundlekit raises on purpose: one tree, one error code and one exit status for each class.

A mistake in a bundle is a finding, not an exception; these say that the input cannot be used at all. A message is one
sentence that tells what, where, what was expected and what was found; `hint` tells what to do next.
"""

from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode

__all__ = [
    "AggregationFailedError",
    "ArchiveCorruptError",
    "ArchiveUnsafeError",
    "BundleNotFoundError",
    "BundlekitError",
    "CacheUnusableError",
    "ContractError",
    "DigestMismatchError",
    "EntryPointRefusedError",
    "FileAccessError",
    "InternalError",
    "LimitExceededError",
    "ManifestError",
    "NameRefusedError",
    "PyprojectRefusedError",
    "RegistryError",
    "RuntimeConfigError",
    "SecretRefusedError",
    "TaskRefusedError",
    "UsageError",
    "WorkerNotReadyError",
]


class BundlekitError(Exception):
    """Root of the tree. `subject` is the offending value (a path, a key, a digest), as it was found."""

    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(self, message: str, *, subject: object = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.hint = hint

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends with this error."""
        return EXIT_STATUS[self.code]


class UsageError(BundlekitError):
    """The user asked for something that cannot be done: a wrong option, path or combination."""

    code = ErrorCode.USAGE


class BundleNotFoundError(UsageError):
    """There is no such bundle where it was looked for: in the store, a registry, an image layout."""


class RuntimeConfigError(BundlekitError):
    """A process's environment variables state no configuration that a worker could run with.

    `subject` has the problems, one text each, for whoever shows them by themselves.
    """

    code = ErrorCode.USAGE


class WorkerNotReadyError(BundlekitError):
    """A worker of a cluster has no executor, or there is no worker; each worker's own error is in the message."""

    code = ErrorCode.USAGE


class ArchiveCorruptError(BundlekitError):
    """An archive is damaged, truncated, or no archive of ours at all."""

    code = ErrorCode.ARCHIVE_CORRUPT


class ArchiveUnsafeError(BundlekitError):
    """An archive holds what our packer never writes and what must not be unpacked: links, devices, escapes."""

    code = ErrorCode.ARCHIVE_UNSAFE


class DigestMismatchError(BundlekitError):
    """Bytes differ from the digest, size, mode or inventory that the manifest promises."""

    code = ErrorCode.DIGEST


class ManifestError(BundlekitError):
    """A manifest is missing, malformed, or of a schema that this version does not read."""

    code = ErrorCode.MANIFEST


class LimitExceededError(BundlekitError):
    """Input is larger, deeper or more numerous than the stated limit."""

    code = ErrorCode.LIMIT


class NameRefusedError(BundlekitError):
    """A file's name or kind cannot ship (packing only)."""

    code = ErrorCode.NAME


class SecretRefusedError(BundlekitError):
    """Files that would ship look like credentials (packing only; validation reports findings)."""

    code = ErrorCode.SOURCE


class PyprojectRefusedError(BundlekitError):
    """The bundle's pyproject.toml cannot be used (packing and running only; validation reports findings)."""

    code = ErrorCode.PYPROJECT


class EntryPointRefusedError(BundlekitError):
    """The bundle has no single usable wire entry point, or a task names one that is not there."""

    code = ErrorCode.ENTRYPOINT


class TaskRefusedError(BundlekitError):
    """A task document is malformed."""

    code = ErrorCode.TASK


class ContractError(TaskRefusedError, ValueError):
    """A task or a result breaks a promise of the contract types; a ValueError too, as for any wrong value in Python."""


class AggregationFailedError(BundlekitError, RuntimeError):
    """A target function gave no loss: results of aggregations, unlike simulations', have no place for an error.

    `code` is that of the failure; a RuntimeError too, which is what callers of other executors catch.
    """


class FileAccessError(BundlekitError):
    """A file could not be read or written: permission, disk full, I/O error."""

    code = ErrorCode.IO


class CacheUnusableError(BundlekitError):
    """The cache of environments cannot be read or written."""

    code = ErrorCode.CACHE


class RegistryError(BundlekitError):
    """A registry could not be reached, refused what was asked, or broke the protocol; `status` is what it answered."""

    code = ErrorCode.IO

    def __init__(self, message: str, *, subject: object = None, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, subject=subject, hint=hint)
        self.status = status


class InternalError(BundlekitError):
    """bundlekit broke one of its own promises."""

    code = ErrorCode.INTERNAL

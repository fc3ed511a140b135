"""What a simulation gives back: outputs, each inline or in a file, or an error.

See: CONTRACT sections 3 and 7.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bundlekit.errors import ContractError
from bundlekit.model.contracts.fields import check_bool, check_text, check_whole, frozen_mapping, wrong

__all__ = ["INLINE_CAP", "ErrorInfo", "SimReturn", "TableArtifact"]

INLINE_CAP = 524_288
"""The most bytes that an artifact may carry itself."""

_CHECKSUM = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class TableArtifact:
    """One output: `size` in bytes, `checksum` as bare BLAKE2b-256 hex, and the bytes themselves or where they are.

    The checksum of inline data is computed where none is given.
    """

    size: int
    inline: bytes | None = None
    ref: str | None = None
    checksum: str = ""

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ContractError: not exactly one of inline and ref, or a size or a checksum that is none or another's.
        """
        check_whole("size", self.size, 0)
        if (self.inline is None) == (self.ref is None):
            msg = f"expected exactly one of inline and ref, found {'neither' if self.inline is None else 'both'}"
            raise ContractError(msg, subject=self.ref)
        if self.inline is not None:
            computed = _checked_inline(self.inline, self.size)
            if self.checksum and self.checksum != computed:
                raise wrong(f"checksum: expected {computed}, which is that of the inline data", self.checksum)
            object.__setattr__(self, "checksum", computed)
        else:
            check_text("ref", self.ref)
            check_text("checksum", self.checksum, may_be_empty=True)
            if not _CHECKSUM.fullmatch(self.checksum):
                raise wrong("checksum: expected 64 lower-case hex digits", self.checksum)


@dataclass(frozen=True)
class ErrorInfo:
    """Why a simulation failed: what kind of failure, a sentence, and whether a second try may cure it."""

    error_type: str
    message: str
    retryable: bool = False

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ContractError: `error_type` is empty, or a field is not of its type.
        """
        check_text("error_type", self.error_type)
        check_text("message", self.message, may_be_empty=True)
        check_bool("retryable", self.retryable)


@dataclass(frozen=True)
class SimReturn:
    """The result of one simulation: outputs by name, or an error with its details.

    `metrics` say how it went and are no part of the result; `logs_ref` is where its log is; `cached` whether the result
    was there before it was asked for.
    """

    task_id: str
    outputs: Mapping[str, TableArtifact]
    error: ErrorInfo | None = None
    error_details: TableArtifact | None = None
    logs_ref: str | None = None
    metrics: Mapping[str, float] | None = None
    cached: bool = False

    def __post_init__(self) -> None:
        """Check and freeze.

        Raises:
            ContractError: no task id, neither outputs nor an error, an error without details.
        """
        check_text("task_id", self.task_id)
        object.__setattr__(self, "outputs", frozen_mapping("outputs", self.outputs))
        if not self.outputs and self.error is None:
            raise ContractError("outputs: expected at least one where there is no error, found none")
        if self.error is not None and self.error_details is None:
            raise ContractError("error_details: expected an artifact where there is an error, found none")
        if self.metrics is not None:
            object.__setattr__(self, "metrics", frozen_mapping("metrics", self.metrics))


def _checked_inline(inline: object, size: int) -> str:
    if not isinstance(inline, bytes):
        raise wrong("inline: expected bytes", inline)
    if len(inline) != size:
        raise wrong(f"size: expected {len(inline)}, which is the length of the inline data", size)
    if len(inline) > INLINE_CAP:
        msg = f"inline: expected at most {INLINE_CAP} bytes, found {len(inline)}"
        raise ContractError(msg, subject=len(inline), hint="put the data into a file, and its path into ref")
    return hashlib.blake2b(inline, digest_size=32).hexdigest()

"""Error codes, their exit statuses, and the phases of a task: one table for the runner, the library and the CLI.

See: DESIGN decision 9; the exit status of a command is the status of its error code.
"""

from enum import StrEnum

__all__ = ["EXIT_STATUS", "RETRYABLE", "ErrorCode", "Phase"]


class ErrorCode(StrEnum):
    """What went wrong, as the string that reports and results carry."""

    USAGE = "E_USAGE"
    ARCHIVE_CORRUPT = "E_ARCHIVE_CORRUPT"
    ARCHIVE_UNSAFE = "E_ARCHIVE_UNSAFE"
    DIGEST = "E_DIGEST"
    MANIFEST = "E_MANIFEST"
    LIMIT = "E_LIMIT"
    NAME = "E_NAME"
    PYPROJECT = "E_PYPROJECT"
    ENTRYPOINT = "E_ENTRYPOINT"
    SOURCE = "E_SOURCE"
    TASK = "E_TASK"
    VENV = "E_VENV"
    CACHE = "E_CACHE"
    IO = "E_IO"
    WIRE_RAISED = "E_WIRE_RAISED"
    WIRE_RESULT = "E_WIRE_RESULT"
    WIRE_EXIT = "E_WIRE_EXIT"
    SIGNAL = "E_SIGNAL"
    OOM = "E_OOM"
    KILLED = "E_KILLED"
    TIMEOUT = "E_TIMEOUT"
    INTERRUPTED = "E_INTERRUPTED"
    INTERNAL = "E_INTERNAL"


class Phase(StrEnum):
    """Where in the life of a task a failure happened."""

    TASK = "task"
    ENVIRONMENT = "environment"
    IMPORT = "import"
    CALL = "call"
    RESULT = "result"
    EXIT = "exit"


EXIT_STATUS: dict[ErrorCode, int] = {
    ErrorCode.USAGE: 2,
    ErrorCode.ARCHIVE_CORRUPT: 3,
    ErrorCode.ARCHIVE_UNSAFE: 3,
    ErrorCode.DIGEST: 3,
    ErrorCode.MANIFEST: 3,
    ErrorCode.LIMIT: 4,
    ErrorCode.NAME: 5,
    ErrorCode.PYPROJECT: 5,
    ErrorCode.ENTRYPOINT: 5,
    ErrorCode.SOURCE: 5,
    ErrorCode.TASK: 6,
    ErrorCode.VENV: 7,
    ErrorCode.CACHE: 7,
    ErrorCode.IO: 7,
    ErrorCode.WIRE_RAISED: 8,
    ErrorCode.WIRE_RESULT: 8,
    ErrorCode.WIRE_EXIT: 8,
    ErrorCode.SIGNAL: 9,
    ErrorCode.OOM: 9,
    ErrorCode.KILLED: 9,
    ErrorCode.TIMEOUT: 124,
    ErrorCode.INTERRUPTED: 130,
    ErrorCode.INTERNAL: 70,
}

RETRYABLE: frozenset[ErrorCode] = frozenset({ErrorCode.KILLED, ErrorCode.INTERRUPTED})
"""Codes that a second try may cure without any change; a builder may mark a full disk so as well."""

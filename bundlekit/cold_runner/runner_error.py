"""How anything in the runner fails: one exception that becomes the ``_fatal_error`` document."""

from typing import TypedDict

from .codes import EXIT_STATUS, RETRYABLE, ErrorCode, Phase

__all__ = ["FatalError", "RunnerError"]


class FatalError(TypedDict):
    """The value of ``_fatal_error`` (DESIGN, "Shapes"); `code` is the exit status."""

    code: int
    error_code: str
    phase: str
    type: str | None
    message: str
    signal: str | None
    retryable: bool
    stderr_tail: str
    log_path: str | None


class RunnerError(Exception):
    """A task, an environment or a child that came to nothing.

    `type_name` is the class of the exception that bundle code raised, `signal_name` the signal that ended the child
    (``SIGSEGV``), `stderr_tail` the end of what the child or the installer said.
    """

    def __init__(
        self,
        code: ErrorCode,
        phase: Phase,
        message: str,
        *,
        type_name: str | None = None,
        signal_name: str | None = None,
        stderr_tail: str = "",
        log_path: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.phase = phase
        self.message = message
        self.type_name = type_name
        self.signal_name = signal_name
        self.stderr_tail = stderr_tail
        self.log_path = log_path
        self.retryable = code in RETRYABLE if retryable is None else retryable

    def document(self) -> FatalError:
        """Return the value of the key ``_fatal_error`` (DESIGN, "Shapes")."""
        return {
            "code": EXIT_STATUS[self.code],
            "error_code": self.code.value,
            "phase": self.phase.value,
            "type": self.type_name,
            "message": self.message,
            "signal": self.signal_name,
            "retryable": self.retryable,
            "stderr_tail": self.stderr_tail,
            "log_path": self.log_path,
        }

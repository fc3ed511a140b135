"""What several documents say of a command that came to nothing."""

from typing_extensions import TypedDict

__all__ = ["ErrorDocument"]


class ErrorDocument(TypedDict):
    """Why a command came to nothing; `code` is its exit status."""

    code: int
    error_code: str
    message: str
    hint: str | None

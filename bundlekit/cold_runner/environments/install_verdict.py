"""What an installer that failed is taken to have said, and whether trying again may help."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError

if TYPE_CHECKING:
    from .tool_process import ToolResult

__all__ = ["UNREACHABLE", "demand_success"]

UNREACHABLE = (
    "Connection refused",
    "Connection reset",
    "Network is unreachable",
    "NewConnectionError",
    "Could not resolve host",
    "Temporary failure in name resolution",
    "dns error",
    "error sending request",
    "operation timed out",
    "ReadTimeoutError",
    "401 Unauthorized",
    "403 Forbidden",
    "503 Service Unavailable",
)
"""What uv and pip say when it is the index that fails, not the requirement: trying again may help."""

_OFFLINE = "UV_OFFLINE is set, so nothing is downloaded: unset it once, or name a folder of wheels in UV_FIND_LINKS"
_NO_INDEX = "The package index cannot be reached: check the network, the proxy and the index settings"
_WRONG = "Check the names and versions of the requirements"
_PERHAPS_REFUSED = f"{_WRONG}, and that the index knows you: pip does not tell a refusal (401) from a missing package"


def demand_success(result: "ToolResult", environ: Mapping[str, str], what: str, asked: str) -> None:
    """Raise E_VENV unless the installer did `what` for the requirements `asked`; `environ` is the user's."""
    if result.status == 0:
        return
    from .user_settings import is_offline  # noqa: PLC0415 - only a failure is explained

    ended = f"was killed by signal {-result.status}" if result.status < 0 else f"ended with status {result.status}"
    lines = [line.strip() for line in result.tail.splitlines() if line.strip()]
    said = [line for line in lines if line.lower().startswith(("error", "cause"))] or lines
    offline = is_offline(environ)
    unreachable = not offline and any(text in result.tail for text in UNREACHABLE)
    wrong = _PERHAPS_REFUSED if "(from versions: none)" in result.tail else _WRONG
    advice = _OFFLINE if offline else _NO_INDEX if unreachable else wrong
    message = (
        f"{what} {ended}; asked for: {asked}. It said: {' / '.join(said[-3:])[-600:].rstrip('.') or 'nothing'}. "
        f"{advice}"
    )
    raise RunnerError(
        ErrorCode.VENV,
        Phase.ENVIRONMENT,
        message,
        type_name="InstallError",
        stderr_tail=result.tail,
        retryable=unreachable,
    )

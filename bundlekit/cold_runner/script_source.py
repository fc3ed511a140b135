"""The source text of the scripts that other interpreters run, found in a folder and in a zipapp alike."""

import os

from .codes import ErrorCode, Phase
from .runner_error import RunnerError

__all__ = ["script_source"]


def script_source(path: str) -> str:
    """Return the source of the module at `path` in this package, to be run with ``-c``: a zipapp has no file to name.

    Raises:
        RunnerError: E_INTERNAL when the installation has lost that module's source.
    """
    get_data = getattr(__spec__.loader, "get_data", None)
    try:
        data = get_data(os.path.join(os.path.dirname(__file__), path)) if get_data else None
    except OSError:
        data = None
    if not isinstance(data, bytes):
        raise RunnerError(ErrorCode.INTERNAL, Phase.ENVIRONMENT, f"the source of {path} is not installed")
    return data.decode("utf-8")

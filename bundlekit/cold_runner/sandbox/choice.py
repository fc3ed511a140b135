"""Which sandbox a request gets, by what it asks for and what works here.

``off`` is none. ``auto`` is every layer that works. ``require`` is that, and nothing runs unless files are held by
Landlock and the network is closed, or the bundle's settings open it.
"""

from functools import cache

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .layers import NO_SANDBOX, Sandbox
from .probe import Found, find_layers
from .system_calls import system_calls

__all__ = ["choose_sandbox"]


def choose_sandbox(mode: str, *, network_open: bool) -> Sandbox:
    """Return the sandbox for a request; what works is found out once in the life of this process.

    Raises:
        RunnerError: E_USAGE when `mode` is ``require`` and this machine cannot hold it.
    """
    if mode == "off":
        return NO_SANDBOX
    layers, missing = _found(network_open)
    chosen = Sandbox("process", "open", None, missing)
    if layers is not None:
        chosen = Sandbox(layers.level, layers.network_state, layers, missing)
    holds = layers is not None and layers.landlock_abi and (layers.network_state == "closed" or network_open)
    if mode == "require" and not holds:
        message = (
            f"sandbox 'require' cannot be held here: {'; '.join(missing)}. "
            f"Use auto to run with level {chosen.level}, or a machine that allows more"
        )
        raise RunnerError(ErrorCode.USAGE, Phase.TASK, message)
    return chosen


@cache
def _found(network_open: bool) -> Found:  # noqa: FBT001 - a key of the cache
    calls = system_calls()
    if calls is None:
        return Found(None, ("not Linux, or a Python without ctypes",))
    return find_layers(calls, network_open=network_open)

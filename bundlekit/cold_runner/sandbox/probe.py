"""Finds out which layers work here, by trying them in processes that end at once, in two seconds at most.

Kernels, their settings, containers and distributions forbid namespaces in too many ways to ask for each.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from .confinement import Confinement, confine
from .filtered_calls import can_filter_calls
from .grounds import SYSTEM_GROUNDS
from .layers import Layers
from .namespaces import load_for_namespaces
from .system_calls import SystemCalls

__all__ = ["Found", "find_layers", "trial"]

_PROBE_S = 2.0
_MESSAGE_BYTES = 1000


class Found(NamedTuple):
    """The layers that work, None where none can be tried, and why others do not, for people."""

    layers: Layers | None
    missing: tuple[str, ...]


def find_layers(calls: SystemCalls, *, network_open: bool) -> Found:
    """Return what works for a child whose network is to be open, or not."""
    abi = calls.landlock_abi()
    missing = [] if abi else ["no Landlock: the kernel has none, or it is off"]
    load_for_namespaces()
    limit = time.monotonic() + _PROBE_S

    def failure(layers: Layers) -> str | None:
        return trial(lambda: confine(calls, Confinement(layers, SYSTEM_GROUNDS)), limit - time.monotonic())

    held = Layers(abi, can_filter_calls(), mounts=False, network=False, network_open=network_open)
    error = failure(held)
    if held.filter and error is not None:
        missing.append(f"no filter of system calls: {error}")
        held = held._replace(filter=False)
    for mounts, network in [(True, False)] if network_open else [(True, True), (False, True), (True, False)]:
        layers = held._replace(mounts=mounts, network=network)
        error = failure(layers)
        if error is None:
            return Found(layers, tuple(missing))
        missing.append(f"no {' and '.join(_names(mounts=mounts, network=network))}: {error}")
    return Found(held, tuple(missing))


def trial(attempt: Callable[[], None], seconds: float) -> str | None:
    """Return how `attempt` fails in a process of its own, None when it succeeds within so many seconds."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _tried(attempt, writing)
    os.close(writing)
    try:
        said = _answer(reading, seconds)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if said is None:
        return f"no answer within {_PROBE_S:.0f} s"
    return None if said == b"+" else said.decode("utf-8", "replace") or "it ended without an answer"


def _tried(attempt: Callable[[], None], writing: int) -> None:
    """Try it and tell; never returns."""
    answer = b"+"
    try:
        attempt()
    except OSError as error:
        answer = str(error).encode()[:_MESSAGE_BYTES]
    finally:
        os.write(writing, answer)
        os._exit(0)


def _answer(reading: int, seconds: float) -> bytes | None:
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    return os.read(reading, _MESSAGE_BYTES) if poll.poll(max(0, int(seconds * 1000))) else None


def _names(*, mounts: bool, network: bool) -> list[str]:
    return ["mount namespace"] * mounts + ["network namespace"] * network

"""Finds out which layers work here, by trying them in processes that end at once, in two seconds at most.

Kernels, their settings, containers and distributions forbid namespaces in too many ways to ask for each.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from .confinement import confine
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
    load_for_namespaces()
    limit = time.monotonic() + _PROBE_S
    held = Layers(0, filter=False, mounts=False, network=False, network_open=network_open)
    missing: list[str] = []
    # Each on top of those that hold already: together is how they will be used.
    for name, with_it in _wishes(calls.landlock_abi(), network_open=network_open):
        tried = with_it(held)
        error = "there is none" if tried == held else trial(partial(confine, calls, tried, SYSTEM_GROUNDS), limit)
        if error is None:
            held = tried
        else:
            missing.append(f"no {name}: {error}")
    return Found(held, tuple(missing))


def _wishes(abi: int, *, network_open: bool) -> Iterator[tuple[str, Callable[[Layers], Layers]]]:
    """Yield what to try: its name for people, and what adds it to layers."""
    yield "Landlock", lambda held: held._replace(landlock_abi=abi)
    yield "filter of system calls", lambda held: held._replace(filter=can_filter_calls())
    if not network_open:
        yield "network namespace", lambda held: held._replace(network=True)
    yield "mount namespace", lambda held: held._replace(mounts=True)


def trial(attempt: Callable[[], None], limit: float) -> str | None:
    """Return how `attempt` fails in a process of its own, None when it succeeds before `limit` (monotonic)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _tried(attempt, writing)
    os.close(writing)
    try:
        said = _answer(reading, limit - time.monotonic())
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if said is None:
        return f"no answer within {_PROBE_S:.0f} s, for all layers together"
    return None if said == b"+" else said.decode("utf-8", "replace") or "it ended without an answer"


def _tried(attempt: Callable[[], None], writing: int) -> None:
    """Try it and tell; never returns."""
    answer = b""
    try:
        attempt()
        answer = b"+"
    except OSError as error:
        answer = str(error).encode()[:_MESSAGE_BYTES]
    finally:
        os.write(writing, answer)
        os._exit(0)


def _answer(reading: int, seconds: float) -> bytes | None:
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    return os.read(reading, _MESSAGE_BYTES) if poll.poll(max(0, int(seconds * 1000))) else None

"""Parses a source that may be costly in a process of its own, with limits of memory and time, before we do.

The child answers by its exit status alone: nothing that a hostile source can do to a parser reaches us but that.
"""

import sys

__all__ = ["MAX_CPU_S", "MAX_MEMORY_BYTES", "trial_parse"]

MAX_MEMORY_BYTES = 512 * 1024 * 1024
MAX_CPU_S = 2
_MAX_WALL_S = 20.0
_OUT_OF_MEMORY = 3
# macOS knows RLIMIT_AS but refuses it, Windows has no limits at all: the deadline holds there.
_CHILD = f"""
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, ({MAX_CPU_S}, {MAX_CPU_S + 1}))
    resource.setrlimit(resource.RLIMIT_AS, ({MAX_MEMORY_BYTES}, {MAX_MEMORY_BYTES}))
except (ImportError, OSError, ValueError):
    pass
source = sys.stdin.buffer.read()
try:
    tree = compile(source, "source", "exec", 0x400, True)
except (SyntaxError, ValueError, RecursionError):
    pass
except MemoryError:
    sys.exit({_OUT_OF_MEMORY})
else:
    del tree
"""


def trial_parse(source: bytes) -> str | None:
    """Return why `source` cannot be parsed within the limits, None if it can, or is soon found to be no Python."""
    import signal  # noqa: PLC0415 - as below
    import subprocess  # noqa: PLC0415 - a whole interpreter start that only a bundle with a costly source pays

    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _CHILD]
    try:
        child = subprocess.run(
            command,
            input=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=_MAX_WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"parsing it takes more than {_MAX_WALL_S:.0f} s"
    except OSError as error:
        return f"it is large, and no process could be started to try it first: {error.strerror}"
    match child.returncode:
        case 0:
            return None
        case code if code == _OUT_OF_MEMORY:
            return f"parsing it takes more than {MAX_MEMORY_BYTES >> 20} MB of memory"
        case code if code in {-signal.SIGXCPU, -signal.SIGKILL}:
            return f"parsing it takes more than {MAX_CPU_S} s"
        case code:
            return f"Python's parser fails on it (exit status {code})"

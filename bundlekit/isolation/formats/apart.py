"""Tables, compared in a process of its own, which may crash or run out of memory over them.

They are read by C++ code, and what they say of their own sizes may be a lie: a hundred kilobytes can ask for gigabytes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import bundlekit
from bundlekit.isolation.formats.difference import Difference, UnreadableError, shown
from bundlekit.isolation.formats.tables import check_size, differing_tables

__all__ = ["differing_tables_apart", "main"]

_TIMEOUT_S = 60.0
_MEMORY_BYTES = 2 << 30
_TIMES_DATA = 4
_SIZE_BYTES = 8
_START = "import sys; sys.path.insert(0, sys.argv[1]); from bundlekit.isolation.formats.apart import main; main()"


def differing_tables_apart(cold: bytes, warm: bytes) -> Difference | None:
    """Return what :func:`differing_tables` returns.

    Raises:
        UnreadableError: as there, and when the process did not live to tell.
    """
    check_size(cold, warm)
    root = str(Path(bundlekit.__file__).parents[1])
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-s", "-c", _START, root],
            input=b"".join((len(cold).to_bytes(_SIZE_BYTES, "big"), cold, warm)),
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            # Allocators that reserve much memory ahead would meet the limit before any data does.
            env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"},
        )
    except subprocess.TimeoutExpired:
        raise UnreadableError(f"pyarrow does not read it within {_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise UnreadableError(f"pyarrow ended with status {done.returncode} over it")
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise UnreadableError("pyarrow says nothing that can be understood") from None
    if isinstance(answer, str):
        raise UnreadableError(answer)
    return None if answer is None else Difference(*answer)


def main() -> None:
    """Compare the two tables on stdin, within a limit of memory, and write the answer to stdout."""
    data = sys.stdin.buffer.read()
    size = int.from_bytes(data[:_SIZE_BYTES], "big")
    cold, warm = data[_SIZE_BYTES : _SIZE_BYTES + size], data[_SIZE_BYTES + size :]
    _limit_memory(_MEMORY_BYTES + _TIMES_DATA * len(data))
    try:
        answer: object = differing_tables(cold, warm)
    except UnreadableError as error:
        answer = str(error)
    except MemoryError as error:
        answer = f"it needs too much memory: {shown(str(error))}"
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer
    # What C++ code would still do at its end is of no use.
    os._exit(0)


def _limit_memory(size: int) -> None:
    import resource  # noqa: PLC0415 - only on systems that have it, and only here

    _, highest = resource.getrlimit(resource.RLIMIT_AS)
    limit = size if highest == resource.RLIM_INFINITY else min(size, highest)
    resource.setrlimit(resource.RLIMIT_AS, (limit, highest))
    # A crash is told by its status.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

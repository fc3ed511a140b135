"""Small answers kept in the cache: what executables said about themselves, as long as their files do not change.

A memory is a convenience: one that cannot be read or written is ignored.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping

__all__ = ["keep", "kept", "remembered"]


def remembered(cache_dir: str, executable: str, ask: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """Return what `ask` says about `executable`, asked once for each state of its file (size, times, inode)."""
    path = _memory_path(cache_dir, executable)
    known = kept(path) if path else None
    if known is not None:
        return {str(key): str(value) for key, value in known.items()}
    answer = ask(executable)
    if path:
        keep(path, answer)
    return answer


def kept(path: str) -> dict[str, object] | None:
    """Return the JSON object in the file `path`, or None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def keep(path: str, answer: Mapping[str, object]) -> None:
    """Write `answer` to the file `path`, whole or not at all."""
    staged = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(staged, "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.replace(staged, path)
    except OSError:
        return


def _memory_path(cache_dir: str, executable: str) -> str | None:
    try:
        real = os.path.realpath(executable)
        state = os.stat(real)
    except OSError:
        return None
    identity = repr((1, executable, real, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    return os.path.join(cache_dir, "probes", hashlib.sha256(os.fsencode(identity)).hexdigest() + ".json")

"""Small texts that are kept under a state, and read again only where the state is the same.

Whatever is odd about the store (another's directory, a damaged file, no room) is no error: then nothing is known, and
nothing is kept.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from bundlekit.cold_runner.environments.cache_dir import default_cache_dir

__all__ = ["MAX_KEPT", "hex_digest", "kept_file", "read_kept", "write_kept"]

MAX_KEPT = 256
"""Texts: the oldest go first. Nobody has so many bundles in work."""

_MAX_BYTES = 1024 * 1024
_ROW = "bundlekit/known/1"


def hex_digest(text: str) -> str:
    """Return the SHA-256 of `text` in hex: a name for what is asked, or for a state."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def kept_file(name: str) -> Path:
    """Return the place of this name in the user's store."""
    return Path(default_cache_dir(), "known", name)


def read_kept(file: Path, state: str) -> str | None:
    """Return the text that was kept in `file` for this state, None where there is none that can be trusted."""
    text = _read(file)
    if text is None:
        return None
    head, _, body = text.partition("\n")
    return body if head == _head(state, body) else None


def write_kept(file: Path, state: str, body: str) -> None:
    """Keep an ASCII text for this state, if it is small and there is a place for it that is the user's own."""
    if len(body) <= _MAX_BYTES and _made(file.parent):
        with suppress(OSError):
            _write(file, f"{_head(state, body)}\n{body}")
            _drop_oldest(file.parent)


def _head(state: str, body: str) -> str:
    return f"{_ROW} {state} {hex_digest(body)}"


def _made(directory: Path) -> bool:
    """Whether the store's directory is there, made if need be, and nobody else may write in it."""
    with suppress(OSError):
        nearest = next(each for each in directory.parents if each.exists())
        # Under sudo the home is another's: what root leaves there would be in that user's way.
        if not directory.exists() and nearest.stat().st_uid == os.geteuid():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
        return stat.S_ISDIR(status.st_mode) and _is_ours(status)
    return False


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(file: Path) -> str | None:
    with suppress(OSError):
        status = file.parent.lstat()
        if stat.S_ISDIR(status.st_mode) and _is_ours(status):
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                status = os.fstat(descriptor)
                if stat.S_ISREG(status.st_mode) and _is_ours(status):
                    return os.read(descriptor, _MAX_BYTES + len(_head("", "")) + 64 + 1).decode("ascii", "replace")
            finally:
                os.close(descriptor)
    return None


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f".{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor has no path
            opened.write(text.encode("ascii"))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_oldest(directory: Path) -> None:
    """Remove the oldest files above the limit, those that killed processes left unfinished included."""
    files = list(os.scandir(directory))
    if len(files) > MAX_KEPT:
        oldest = sorted(files, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
        for entry in oldest[: len(files) - MAX_KEPT]:
            Path(entry.path).unlink(missing_ok=True)

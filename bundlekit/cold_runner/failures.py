"""What a failure leaves behind: the child's log, and one file that runs the same again.

Both are in a directory of their own below ``failures`` in the cache. A repro.json holds the request as the server form
takes it, so a replay goes the way of every other task. Values of variables that look secret are not in it.
"""

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from .codes import ErrorCode
from .environments.redaction import looks_secret
from .environments.tree_removal import remove_tree
from .runner_error import RunnerError
from .stderr_log import StderrLog
from .strict_json import dumps

__all__ = ["LOG", "REPRO", "SCHEMA", "record_failure"]

SCHEMA = "bundlekit/repro/1"
LOG, REPRO = "stderr.log", "repro.json"
_MOST_KEPT = 100
_MOST_BYTES = 1 << 30
_ANSWERED = frozenset({ErrorCode.USAGE, ErrorCode.TASK, ErrorCode.INTERRUPTED})
"""Failures that say all there is to say: nothing of a bundle ran."""


def record_failure(
    error: RunnerError,
    request: Mapping[str, object],
    cache_dir: str,
    log: StderrLog,
    *,
    has_run: bool,
    expand: Callable[[str], Iterable[str]] = lambda text: (text,),
) -> None:
    """Write what can be known of `error`, and tell `error` and the log where it is.

    With `has_run` the log holds what a child said; `expand` puts back what is too large to be in memory. Never fails: a
    cache that cannot be written is told to the log.
    """
    if error.code in _ANSWERED:
        return
    if has_run and not error.stderr_tail:
        error.stderr_tail = log.tail()
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(8).hex()}"
    parent = os.path.join(cache_dir, "failures")
    directory = os.path.join(parent, name)
    try:
        os.makedirs(parent, mode=0o700, exist_ok=True)
        os.mkdir(directory, 0o700)
        _write(os.path.join(directory, LOG), log.kept.text() if has_run else [error.stderr_tail])
        error.log_path = os.path.join(directory, LOG)
        _write(os.path.join(directory, REPRO), expand(_document(error, request, directory) + "\n"))
        log.line(f"To run it again: {_command(directory)}")
        _prune(parent)
    except OSError as reason:
        log.line(f"Warning: the log and the reproduction of this failure cannot be kept: {reason}")


def _document(error: RunnerError, request: Mapping[str, object], directory: str) -> str:
    left_out: list[str] = []
    document = {
        "schema": SCHEMA,
        "command": _command(directory),
        "request": _without_secrets(request, left_out),
        "variables_left_out": sorted(set(left_out)),
        "error": error.document(),
    }
    return dumps(document)


def _without_secrets(request: Mapping[str, object], left_out: list[str]) -> dict[str, object]:
    task = request.get("task")
    if isinstance(task, dict) and isinstance(task.get("env"), dict):
        task = {**task, "env": _harmless(task["env"], left_out)}
    variables = request.get("env")
    return {**request, "task": task, "env": _harmless(variables if isinstance(variables, dict) else {}, left_out)}


def _harmless(variables: Mapping[str, object], left_out: list[str]) -> dict[str, object]:
    left_out += [name for name in variables if looks_secret(name)]
    return {name: value for name, value in variables.items() if not looks_secret(name)}


def _command(directory: str) -> str:
    place = os.path.dirname(os.path.abspath(__file__))
    runner = ["-m", "bundlekit.cold_runner"] if __package__ == "bundlekit.cold_runner" else [place]
    return shlex.join([sys.executable, *runner, "--replay", os.path.join(directory, REPRO)])


def _write(path: str, pieces: Iterable[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.writelines(pieces)


def _prune(parent: str) -> None:
    """Remove the oldest, beyond a number and a size; another process may do so at the same time."""
    size = 0
    for position, name in enumerate(sorted(os.listdir(parent), reverse=True)):
        directory = os.path.join(parent, name)
        size += sum(_sizes(directory))
        if position >= _MOST_KEPT or (size > _MOST_BYTES and position):
            with contextlib.suppress(OSError):
                remove_tree(directory)


def _sizes(directory: str) -> Iterator[int]:
    for name in (LOG, REPRO):
        with contextlib.suppress(OSError):
            yield os.stat(os.path.join(directory, name)).st_size

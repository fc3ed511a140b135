"""What was observed, kept in a file as it comes, so that an experiment that was ended goes on where it was.

Each line is a fact of its own: one that was not written whole is no fact, and the order of lines means nothing.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from bundlekit.errors import FileAccessError, UsageError
from bundlekit.isolation.compare import Observation
from bundlekit.model.grid import GridIdentity

__all__ = ["ColdFact", "Notebook", "WarmFact"]

_SCHEMA = "bundlekit/isolation-notebook/1"


class ColdFact(NamedTuple):
    """A task that was run cold, under that PYTHONHASHSEED."""

    task: int
    hash_seed: int
    observation: Observation


class WarmFact(NamedTuple):
    """Tasks that were run in one process; `has_ended` says that the last one ended it."""

    tasks: tuple[int, ...]
    observations: tuple[Observation, ...]
    has_ended: bool


class _Seen(TypedDict):
    outputs: dict[str, str]
    failed_how: str | None
    message: str | None
    pid: int | None
    seconds: float


class _Line(TypedDict):
    cold: NotRequired[int]
    hash_seed: NotRequired[int]
    warm: NotRequired[list[int]]
    has_ended: NotRequired[bool]
    seen: list[_Seen]


class Notebook:
    """Facts in the file `path`, or nowhere if that is None; `facts` are those that were there before.

    Raises:
        UsageError: the file is none of ours, or is of another bundle or other tasks.
        FileAccessError: it cannot be read or written.
    """

    def __init__(self, path: Path | None, identity: GridIdentity) -> None:
        self.facts: tuple[ColdFact | WarmFact, ...] = ()
        self._descriptor: int | None = None
        self._path = path
        if path is None:
            return
        header = {"schema": _SCHEMA, **identity._asdict()}
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            lines = path.read_bytes().splitlines()
            if lines and lines[0] != _line(header):
                hint = "name another file with --resume, or remove this one to begin anew"
                msg = f"{path} is no experiment on this bundle and this grid that could be resumed"
                raise UsageError(msg, subject=path, hint=hint)
            if not lines:
                self._write(header)
            self.facts = tuple(fact for line in lines[1:] if (fact := _fact(line)) is not None)
        except OSError as error:
            raise self._unusable(error) from error

    def keep(self, fact: ColdFact | WarmFact) -> None:
        """Write down one more.

        Raises:
            FileAccessError: it cannot be written.
        """
        try:
            if isinstance(fact, ColdFact):
                self._write({"cold": fact.task, "hash_seed": fact.hash_seed, "seen": [_document(fact.observation)]})
            else:
                seen = [_document(each) for each in fact.observations]
                self._write({"warm": list(fact.tasks), "has_ended": fact.has_ended, "seen": seen})
        except OSError as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, document: Mapping[str, object]) -> None:
        if self._descriptor is not None:
            # One write to the end of the file: whoever else writes there, lines stay whole.
            os.write(self._descriptor, _line(document) + b"\n")

    def _unusable(self, error: OSError) -> FileAccessError:
        return FileAccessError(f"cannot keep {self._path}: {error.strerror or error}", subject=self._path)


def _line(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, allow_nan=False).encode()


def _document(observation: Observation) -> dict[str, object]:
    document = observation._asdict()
    del document["data"]
    return document


def _fact(line: bytes) -> ColdFact | WarmFact | None:
    """Return what a line tells, None when it was not written whole."""
    try:
        table: _Line = json.loads(line)
        seen = tuple(Observation(**each) for each in table["seen"])
        if "cold" in table:
            return ColdFact(table["cold"], table["hash_seed"], seen[0])
        return WarmFact(tuple(table["warm"]), seen, table["has_ended"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None

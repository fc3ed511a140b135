"""The rows of a grid while it runs: appended one line each, so that a killed grid loses none that was done.

A line is the BLAKE2b checksum of its JSON, a space, the JSON. A line that was not written whole, or was changed, does
not agree with itself and is not used. Whoever has the journal open holds a lock on it.
"""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.grid.row_document import any_row_document, any_row_of
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity, GridRow
from bundlekit.model.losses import LossRow

__all__ = ["Journal", "journal_path", "not_continued", "refusal"]

_SCHEMA = "bundlekit/grid-journal/1"
_SYNC_EVERY_S = 1.0
"""A machine that loses its power loses the rows of so long."""
_CHECKSUM_BYTES = 16


def journal_path(results: Path) -> Path:
    """Return where the journal of that results file stands while the grid runs."""
    return results.with_name(f"{results.name}.journal")


def refusal(found: GridIdentity | None, asked: GridIdentity) -> str | None:
    """Return why results of `found` are none of the grid that is `asked` for, or None when they are."""
    if found is None:
        return "it was not written by `bundlekit grid`"
    if found.bundle != asked.bundle:
        return f"it is of the bundle {found.bundle}, and this one is {asked.bundle}"
    if found.tasks != asked.tasks:
        return f"it is of {found.size} other tasks: the grid file has changed, or is another"
    return None


class Journal:
    """Rows on the disk; `rows` are those that an earlier run left, the newest last. Use it as a context manager.

    Raises:
        UsageError: another grid writes it now, or it is of another bundle or other tasks.
        FileAccessError: it cannot be read or written.
    """

    def __init__(self, path: Path, identity: GridIdentity) -> None:
        self.rows: list[GridRow | LossRow] = []
        self._path = path
        self._synced_s = time.monotonic()
        self._end = 0
        self._is_empty = True
        try:
            self._file = _locked(path)
            try:
                self._read(identity)
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise _unwritable(path, error) from error

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it go; it stays where it is, if it holds a row and was not removed."""
        if self._is_empty:
            self.remove()
        self._file.close()

    def append(self, row: GridRow | LossRow) -> None:
        """Write one more row.

        Raises:
            FileAccessError: it cannot be written: the disk is full.
        """
        self._is_empty = False
        try:
            self._write(any_row_document(row))
            if time.monotonic() - self._synced_s > _SYNC_EVERY_S:
                os.fsync(self._file.fileno())
                self._synced_s = time.monotonic()
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def remove(self) -> None:
        """Take it away: what it holds stands elsewhere now."""
        self._path.unlink(missing_ok=True)

    def _read(self, identity: GridIdentity) -> None:
        # A million rows are no reason to hold all of the file.
        with open(self._file.fileno(), "rb", closefd=False) as buffered:
            for line in buffered:
                if line.endswith(b"\n"):
                    self._take(line[:-1], identity)
                    self._end += len(line)
        self._is_empty = not self.rows
        # What a killed process left behind the last whole line would spoil the next one.
        self._file.truncate(self._end)
        if self._end == 0:
            self._write({"schema": _SCHEMA, **identity._asdict()})

    def _take(self, line: bytes, identity: GridIdentity) -> None:
        value = _checked(line)
        if self._end == 0:
            reason = refusal(_identity(value), identity)
            if reason is not None:
                raise not_continued(self._path, reason)
        elif value is not None:
            try:
                self.rows.append(any_row_of(value))
            except ValueError as error:
                raise not_continued(self._path, f"it is of another version of bundlekit: {error}") from None

    def _write(self, document: Mapping[str, object]) -> None:
        data = strict_json.dumps(document).encode()
        line = _checksum(data) + b" " + data + b"\n"
        # One unbuffered write: a process that is killed has written all of it or nothing.
        written = 0
        try:
            written = self._file.write(line)
        finally:
            if written != len(line):
                self._file.truncate(self._end)
        if written != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(line)


def _locked(path: Path) -> FileIO:
    """Return the journal, created if there is none, with the one lock on it."""
    while True:
        file = FileIO(path, "a+")
        problem = _problem(file)
        if problem is not None:
            file.close()
            hint = "wait for it, or name another file with --results"
            raise UsageError(f"{path} {problem}", subject=path, hint=hint)
        # Whoever had it before may have removed it meanwhile.
        if _is_at(file, path):
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            return file
        file.close()


def _problem(file: FileIO) -> str | None:
    """Lock the file; return why it cannot be used, or None."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        # Reading a device might never end.
        return "is not a regular file: no journal can be kept there"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "is being written by another grid: two cannot share one results file"
    return None


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _checked(line: bytes) -> JsonValue:
    """Return the document of a line, None when it is not as it was written."""
    checksum, _, data = line.partition(b" ")
    return strict_json.loads(data) if _checksum(data) == checksum else None


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM_BYTES).hexdigest().encode()


def _identity(header: JsonValue) -> GridIdentity | None:
    """Return what the first line tells, None when it is none of ours."""
    if not isinstance(header, dict) or header.get("schema") != _SCHEMA:
        return None
    size = header.get("size")
    try:
        bundle, tasks = Digest.parse(header.get("bundle")), Digest.parse(header.get("tasks"))
    except ValueError:
        return None
    return GridIdentity(bundle, tasks, size if isinstance(size, int) else 0)


def not_continued(path: Path, reason: str) -> UsageError:
    """Return the error that results at `path` are left as they are, for that reason."""
    hint = "name another file with --results, or remove this one to begin anew"
    return UsageError(f"{path} cannot be continued: {reason}", subject=path, hint=hint)


def _unwritable(path: Path, error: OSError) -> FileAccessError:
    return FileAccessError(f"cannot write {path}: {error.strerror or error}", subject=path)

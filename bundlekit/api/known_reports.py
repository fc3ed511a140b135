"""Static reports of bundles that have not changed since: a hook that meets one again need not check it again.

A report is kept under all that it depends on: the state of every entry of the bundle's directory, the options, and what
checks it (bundlekit's own files, its dependencies, the interpreter, the machine). It is used only where all of that is
equal.

See: git, "Racy Git": a file may change twice within one tick of the file system's clock.
"""

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from bundlekit import __version__
from bundlekit.api.known_store import hex_digest, kept_file, read_kept, write_kept
from bundlekit.model.finding import Report
from bundlekit.model.kept_report import kept, restored
from bundlekit.read.tree_state import TreeState, file_state, tree_state

__all__ = ["KnownReport", "Question", "judge"]

_TICK_NS = 2_000_000_000
"""The coarsest clock among file systems in use (FAT); the kernel's own is a thousandth of that."""


class Question(NamedTuple):
    """What is asked of a bundle: its directory, its name in the report, and options that change what is found.

    `files` are those outside of the directory that count too: a job specification, a baseline.
    """

    root: Path
    label: str
    options: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


class KnownReport(NamedTuple):
    """The place in the store for the answer to one question, as the bundle and all else are now."""

    question: Question
    judged_by: str
    file: Path
    state: str
    started_ns: int
    tree: TreeState

    @classmethod
    def of(cls, question: Question, judged_by: str) -> Self | None:
        """Return the place, None where the bundle's state cannot be told from its entries.

        `judged_by` is what :func:`judge` returned.
        """
        started_ns = time.time_ns()
        tree = tree_state(str(question.root))
        if tree is None or os.name != "posix":
            return None
        asked = "\0".join([str(question.root.absolute()), question.label, *question.options])
        others = [file_state(file) or ("none", 0) for file in question.files]
        state = "\0".join([asked, tree.digest, *(told for told, _ in others), judged_by])
        newest_ns = max(tree.newest_ns, *(changed_ns for _, changed_ns in others), 0)
        file = kept_file(f"{hex_digest(asked)}.report")
        return cls(question, judged_by, file, hex_digest(state), started_ns, tree._replace(newest_ns=newest_ns))

    def recall(self) -> Report | None:
        """Return the report that was kept for exactly this state, None where there is none that can be trusted."""
        body = read_kept(self.file, self.state)
        try:
            return None if body is None else restored(body)
        except (ValueError, TypeError, KeyError):
            return None

    def keep(self, report: Report) -> None:
        """Keep the report, unless the bundle changed while it was checked or so shortly before that it still could.

        A later change within the same tick of the clock would leave all times as they are.
        """
        again = self.of(self.question, self.judged_by)
        if again is None or again.state != self.state or self.tree.newest_ns > self.started_ns - _TICK_NS:
            return
        write_kept(self.file, self.state, kept(report))


def judge() -> str:
    """Return the state of what checks bundles: everything that could find otherwise in the same bundle."""
    return "\0".join(_parts_of_judge())


def _parts_of_judge() -> Iterator[str]:
    yield __version__
    yield sys.version
    yield sys.prefix
    yield str(os.geteuid())
    yield " ".join(os.uname())
    package = Path(__file__).parent.parent
    yield str(package)
    # An editable installation changes without its version; a compiled file is not looked at.
    for directory in sorted([package, *(Path(each) for each in _directories(package))]):
        with suppress(OSError), os.scandir(directory) as listing:
            for entry in sorted(listing, key=lambda entry: entry.name):
                status = entry.stat()
                if stat.S_ISREG(status.st_mode):
                    yield f"{entry.name} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
    # Installing or removing a dependency changes the listing, and with it the time, of its directory.
    for place in sys.path:
        if place.endswith(("site-packages", "dist-packages")):
            with suppress(OSError):
                yield f"{place} {os.stat(place).st_mtime_ns}"  # noqa: PTH116 - an entry of sys.path is a text


def _directories(package: Path) -> Iterator[str]:
    for directory, names, _ in os.walk(package):
        names[:] = [name for name in names if name != "__pycache__"]
        yield from (f"{directory}/{name}" for name in names)

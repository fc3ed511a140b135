"""Pack and unpack broken at numbered system calls, each in a process of its own, and what is there afterwards.

Run as a script below :func:`builders.faults.broken_calls`: ``fault_runs.py DIRECTORY FAULT STEP`` breaks every STEP-th
call and prints one JSON document: calls, points, how each ended, and the violations, which must be none.
"""

import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from builders.faults import Fault, arm, counted_calls
from builders.inventory import inventory
from builders.projects import bundle_project, write_tree

from bundlekit.errors import FileAccessError
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.unpack import unpack_archive

_REFUSED = 7
"""How a broken operation ends that was not killed: the status of E_IO."""

_FILES = {"run.sh": b"#!/bin/sh\n", "data/large": bytes(range(256)) * 20_000, "data/empty": b""} | {
    f"package/module{number:02}.py": b"x = %d\n" % number * 500 for number in range(40)
}
"""More than the two megabytes from which threads work, and more files than are synced by the caller."""


class _Broken(NamedTuple):
    """An operation: what does it, and what `place` then holds: "old", "new", or what it should not be."""

    act: Callable[[], object]
    prepare: Callable[[], object]
    place: Path
    state: Callable[[], str]


def main(top: Path, fault: Fault, step: int) -> None:
    """Break packing and unpacking at every `step`-th call and print what was seen."""
    found = {}
    for name, operation in {"pack": _pack(top / "pack"), "unpack": _unpack(top / "unpack")}.items():
        # Once as a whole: it also imports what is imported on the way.
        operation.prepare()
        arm(sys.maxsize, Fault.NONE)
        operation.act()
        calls = counted_calls()
        arm(0, Fault.NONE)
        endings: Counter[str] = Counter()
        violations = []
        points = range(1, calls + 1, step)
        for point in points:
            operation.prepare()
            ending = _in_a_process(operation.act, point, fault)
            endings[ending] += 1
            violations += [f"call {point} of {calls}: {each}" for each in _violations(operation, ending)]
        found[name] = {"calls": calls, "points": len(points), "endings": endings, "violations": violations}
    print(json.dumps(found))


def _in_a_process(act: Callable[[], object], point: int, fault: Fault) -> str:
    pid = os.fork()
    if not pid:
        status = 70
        try:
            arm(point, fault)
            act()
            status = 0
        except FileAccessError:
            status = _REFUSED
        finally:
            arm(0, Fault.NONE)
            os._exit(status)
    _, waited = os.waitpid(pid, 0)
    if os.WIFSIGNALED(waited):
        return "killed" if os.WTERMSIG(waited) == signal.SIGKILL else f"signal {os.WTERMSIG(waited)}"
    return {0: "done", _REFUSED: "refused"}.get(os.WEXITSTATUS(waited), f"status {os.WEXITSTATUS(waited)}")


def _violations(operation: _Broken, ending: str) -> list[str]:
    """Return what is wrong after `ending`, and after the same operation was then done without any fault."""
    wrong = [] if ending in {"done", "refused", "killed"} else [f"it ended with {ending}"]
    state = operation.state()
    if state not in (("new",) if ending == "done" else ("old", "new")):
        wrong.append(f"{ending}, and the destination is {state}")
    left = [entry.name for entry in operation.place.parent.iterdir() if entry != operation.place]
    if ending == "refused" and len(left) > 1:
        wrong.append(f"refused, and left are {left}")
    if state == "old":
        operation.act()
        left = [entry.name for entry in operation.place.parent.iterdir() if entry != operation.place]
        if operation.state() != "new" or left:
            wrong.append(f"done again, the destination is {operation.state()}, and left are {left}")
    return wrong


def _pack(top: Path) -> _Broken:
    root = write_tree(top / "bundle", _FILES)
    place = top / "out" / "a.tar.zst"
    place.parent.mkdir()
    old = b"what was there before"
    project = bundle_project(root)
    write_archive(project, place)
    new = place.read_bytes()

    def prepare() -> None:
        shutil.rmtree(place.parent)
        place.parent.mkdir()
        place.write_bytes(old)

    def state() -> str:
        content = place.read_bytes() if place.exists() else b"gone"
        return {old: "old", new: "new"}.get(content, f"{len(content)} other bytes")

    return _Broken(lambda: write_archive(project, place), prepare, place, state)


def _unpack(top: Path) -> _Broken:
    archive = top / "a.tar.zst"
    write_archive(bundle_project(write_tree(top / "bundle", _FILES)), archive)
    place = top / "out" / "tree"
    place.parent.mkdir()
    unpack_archive(archive, place)
    whole = _content(place)

    def prepare() -> None:
        shutil.rmtree(place.parent)
        place.parent.mkdir()

    def state() -> str:
        if not place.exists():
            return "old"
        found = _content(place)
        return "new" if found == whole else f"{len(found)} of {len(whole)} entries"

    return _Broken(lambda: unpack_archive(archive, place), prepare, place, state)


def _content(directory: Path) -> dict[str, tuple[int, bytes | str]]:
    return {path: (mode, content) for path, (mode, _, _, content) in inventory(directory).items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Fault(int(sys.argv[2])), int(sys.argv[3]))

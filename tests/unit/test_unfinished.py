"""What is being written beside its destination: held while its process lives, taken away when that was killed."""

import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bundlekit.pack.unfinished import unfinished_directory, unfinished_file

Unfinished = Callable[[Path], AbstractContextManager[object]]

_KINDS = pytest.mark.parametrize("unfinished", [unfinished_file, unfinished_directory])


def _leave_file(path: Path) -> None:
    path.write_bytes(b"half")


def _leave_directory(path: Path) -> None:
    (path / "tree" / "data").mkdir(parents=True)
    (path / "tree" / "data" / "half").write_bytes(b"half")


def _leave_link(path: Path) -> None:
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    ("leave", "name", "is_removed"),
    [
        pytest.param(_leave_file, ".bundlekit-0a1b.pack", True, id="half-an-archive"),
        pytest.param(_leave_directory, ".bundlekit-0a1b.unpack", True, id="half-a-directory"),
        pytest.param(os.mkfifo, ".bundlekit-0a1b.pack", True, id="a-fifo-of-that-name"),
        pytest.param(_leave_link, ".bundlekit-0a1b.pack", False, id="a-link-of-that-name"),
        pytest.param(_leave_file, "bundlekit-0a1b.pack", False, id="another-name"),
        pytest.param(_leave_directory, ".bundlekit-mine", False, id="another-directory"),
    ],
)
@_KINDS
def test_what_a_killed_process_left_is_removed_and_nothing_else(
    tmp_path: Path, unfinished: Unfinished, leave: Callable[[Path], None], name: str, *, is_removed: bool
) -> None:
    """A40: a disk must not fill up with what nobody asked for, and nobody's file may go for its name alone."""
    leave(tmp_path / name)

    with unfinished(tmp_path):
        pass

    assert (tmp_path / name).is_symlink() or (tmp_path / name).exists() != is_removed


@_KINDS
def test_what_another_process_is_writing_is_left_alone(tmp_path: Path, unfinished: Unfinished) -> None:
    """The twin: a lock tells the living from the dead, and no age has to be guessed."""
    with unfinished_directory(tmp_path), unfinished_file(tmp_path):
        before = sorted(tmp_path.iterdir())
        with unfinished(tmp_path):
            assert len(list(tmp_path.iterdir())) == len(before) + 1
        assert sorted(tmp_path.iterdir()) == before
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_was_taken_away_before_it_was_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As below, a moment earlier."""
    taken = []

    def open_(path: Path, flags: int, *rest: int, **more: int) -> int:
        if not taken:
            taken.append(path)
            path.rmdir()
        return real(path, flags, *rest, **more)

    real = os.open
    monkeypatch.setattr(os, "open", open_)
    with unfinished_directory(tmp_path) as path:
        assert path.is_dir()

    assert path not in taken


@_KINDS
def test_a_place_that_was_taken_away_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unfinished: Unfinished
) -> None:
    """Between making and locking, another process may have taken it for abandoned."""
    taken = []

    def lock(descriptor: int, operation: int) -> None:
        if not taken:
            (path,) = tmp_path.iterdir()
            taken.append(path)
            path.rmdir() if path.is_dir() else path.unlink()
        real(descriptor, operation)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lock)
    with unfinished(tmp_path):
        (path,) = tmp_path.iterdir()

    assert path not in taken
    assert list(tmp_path.iterdir()) == []

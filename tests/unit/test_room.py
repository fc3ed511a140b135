"""What of a server's directories a task may meet that another had before it."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.room import Room

_VERSION, _USER_OBJECT, _USER, _GROUP_OBJECT, _MASK, _OTHER = 2, 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY_IN_PARTICULAR = 0xFFFFFFFF
_ALL_RIGHTS = 7


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A bundle of one file."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "model.py").write_text("x = 1\n", encoding="utf-8")
    return tree


def _give_every_new_file_an_acl(directory: Path) -> None:
    """As administrators do for groups; SELinux gives every file an attribute too."""
    entries = (
        (_USER_OBJECT, 7, None),
        (_USER, 7, 12345),
        (_GROUP_OBJECT, 7, None),
        (_MASK, 7, None),
        (_OTHER, 0, None),
    )
    packed = [struct.pack("<HHI", tag, rights, who or _NOBODY_IN_PARTICULAR) for tag, rights, who in entries]
    try:
        os.setxattr(directory, "system.posix_acl_default", struct.pack("<I", _VERSION) + b"".join(packed))
    except OSError as error:
        pytest.skip(f"no access control lists here: {error}")


@pytest.fixture(params=["plain", "acl-on-every-file"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where directories of tasks are made."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    if request.param != "plain":
        _give_every_new_file_an_acl(scratch)
    return scratch


def _replaced(copy: Path) -> None:
    (copy / "model.py").unlink()
    (copy / "model.py").write_text("x = 1\n", encoding="utf-8")


def _closed(copy: Path) -> None:
    (copy / "model.py").chmod(0o400)


def _joined(copy: Path) -> None:
    (copy / "left").touch()


def _beside(copy: Path) -> None:
    (copy.parent / "left").touch()


def _emptied(copy: Path) -> None:
    (copy / "model.py").unlink()


def _labelled(copy: Path) -> None:
    os.setxattr(copy / "model.py", "user.left", b"1")


@pytest.mark.parametrize("done", [_replaced, _closed, _joined, _beside, _emptied, _labelled])
def test_a_copy_that_a_task_has_changed_serves_no_other(
    done: Callable[[Path], None], tree: Path, scratch: Path
) -> None:
    """Whatever it did, and whatever attributes the machine gives to all files."""
    room = Room(str(scratch))
    with room.copy(str(tree)) as first:
        done(Path(first.path))
    with room.copy(str(tree)) as second:
        assert second.path != first.path
        assert [each.name for each in Path(second.path).iterdir()] == ["model.py"]


def test_a_copy_that_was_left_alone_serves_the_next_task(tree: Path, scratch: Path) -> None:
    """Making and removing it costs more than the task."""
    room = Room(str(scratch))
    with room.copy(str(tree)) as first:
        pass
    with room.copy(str(tree)) as second:
        assert second.path == first.path


def test_the_copies_that_are_kept_are_those_of_the_last_bundles(scratch: Path, tmp_path: Path) -> None:
    """A server meets many, and their directories may be gone by now."""
    room = Room(str(scratch))
    trees = [tmp_path / f"tree{number}" for number in range(6)]
    for each in trees:
        each.mkdir()
        with room.copy(str(each)) as copy:
            last = copy.path
    with room.copy(str(trees[-1])) as copy:
        assert copy.path == last
    room.tidy()
    assert len(list(scratch.iterdir())) < len(trees)


def _temporary(own: Path) -> None:
    (own / "tmp" / "x").touch()


def _shut(own: Path) -> None:
    (own / "home").chmod(0o500)


def _moved(own: Path) -> None:
    (own / "home").rmdir()
    (own / "home").mkdir(0o700)


def _noted(own: Path) -> None:
    os.setxattr(own / "home", "user.left", b"1")


@pytest.mark.parametrize("done", [_temporary, _shut, _moved, _noted])
def test_a_home_that_a_task_has_changed_serves_no_other(done: Callable[[Path], None], scratch: Path) -> None:
    """Another directory in its place may be one that nothing can be written to: a mount, for one."""
    room = Room(str(scratch))
    with room.home() as first:
        done(Path(first.own))
    with room.home() as second:
        assert second.own != first.own


def test_a_home_that_was_left_alone_serves_the_next_task(scratch: Path) -> None:
    """As a copy does."""
    room = Room(str(scratch))
    with room.home() as first:
        pass
    with room.home() as second:
        assert second == first

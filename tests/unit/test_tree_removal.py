"""Removing what bundle code left behind."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.tree_removal import remove_tree

_DEEP = 3000
"""Levels: above the longest path that a system call takes, and above Python's recursion limit."""


def _deep(root: Path) -> None:
    descriptor = os.open(root, os.O_RDONLY)
    for _ in range(_DEEP):
        os.mkdir("d", dir_fd=descriptor)
        inside = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inside
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)


TREES: dict[str, Callable[[Path], object]] = {
    "empty": lambda _root: None,
    "files": lambda root: [(root / name).write_text("") for name in ("a", "b")],
    "directories": lambda root: [(root / path).mkdir(parents=True) for path in ("a/b/c", "a/d", "e")],
    "link to itself": lambda root: (root / "l").symlink_to(root),
    "link to nothing": lambda root: (root / "l").symlink_to("nowhere"),
    "named pipe": lambda root: os.mkfifo(root / "p"),
    "name that is no text": lambda root: (root / os.fsdecode(b"\xff")).mkdir(),
    "deeper than a path can be": _deep,
}


@pytest.mark.parametrize("make", TREES.values(), ids=TREES)
def test_a_tree_is_removed_whatever_is_in_it(make: Callable[[Path], object], tmp_path: Path) -> None:
    """A failing clean-up would be told as a fault of ours, for a task that was done."""
    root = tmp_path / "tree"
    root.mkdir()
    make(root)
    remove_tree(str(root))
    assert list(tmp_path.iterdir()) == []


def test_a_file_a_link_and_nothing_are_removed_too(tmp_path: Path) -> None:
    """Debris of an earlier run may be anything."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "absent"):
        remove_tree(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(tmp_path: Path) -> None:
    """A bundle may write a link to its user's home directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (tmp_path / "tree" / "pkg").mkdir(parents=True)
    (tmp_path / "tree" / "pkg" / "home").symlink_to(outside)
    remove_tree(str(tmp_path / "tree"))
    assert (outside / "kept").read_text() == "kept"


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory of a user to whom permissions mean something; the test is that user."""
    with tempfile.TemporaryDirectory() as name:
        user = os.geteuid() or 65534
        os.chown(name, user, -1)
        was = os.geteuid()
        os.seteuid(user)
        try:
            yield Path(name)
        finally:
            os.seteuid(was)


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o200, 0o400, 0o500, 0o600], ids=oct)
def test_directories_without_permissions_are_removed(mode: int, unprivileged: Path) -> None:
    """Package data and caches of tools are often read-only; shutil would stop there."""
    tree = unprivileged / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_text("")
    for path in (tree / "a" / "b", tree / "a", tree):
        path.chmod(mode)
    remove_tree(str(tree))
    assert not tree.exists()

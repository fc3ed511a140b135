"""Throw-away layers: writable, gone afterwards, and honest about what was written."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.layer import task_layer
from bundlekit.cold_runner.environments.overlay import Overlays
from bundlekit.cold_runner.environments.writes import Write
from bundlekit.cold_runner.runner_error import RunnerError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small tree with a package, data and an executable."""
    root = tmp_path / "tree"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/a.py").write_text("A = 1\n")
    (root / "data.csv").write_text("x\n1\n")
    (root / "tool").write_text("#!/bin/sh\n")
    (root / "tool").chmod(0o755)
    for number in range(20):
        (root / f"more{number}.txt").write_text("more\n")
    return root


@pytest.fixture(params=["copy", "overlay"])
def overlays(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Overlays | None]:
    """How layers are made: as copies, or as overlays where this process may mount."""
    if request.param == "copy":
        yield None
        return
    room = tmp_path / "room"
    room.mkdir()
    made = Overlays(str(room))
    yield made
    made.close()


@pytest.fixture
def scratch(tmp_path: Path) -> str:
    """Where layers are made."""
    (tmp_path / "scratch").mkdir()
    return str(tmp_path / "scratch")


def _keep_times(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


_WRITES: dict[str, tuple[Callable[[Path], object], list[Write]]] = {
    "created": (lambda root: (root / "new.txt").write_text(""), [Write("new.txt", "created")]),
    "created-below": (
        lambda root: [(root / "out").mkdir(), (root / "out/a").write_text("1")],
        [Write("out/a", "created")],
    ),
    "empty-directory": (lambda root: (root / "out/deep").mkdir(parents=True), [Write("out/deep/", "created")]),
    "modified": (lambda root: (root / "data.csv").write_text("x\n1\n2\n"), [Write("data.csv", "modified")]),
    "same-size": (lambda root: (root / "data.csv").write_text("x\n2\n"), [Write("data.csv", "modified")]),
    "same-size-same-time": (lambda root: _keep_times(root / "data.csv", "y\n1\n"), [Write("data.csv", "modified")]),
    "mode": (lambda root: (root / "data.csv").chmod(0o755), [Write("data.csv", "modified")]),
    "deleted": (lambda root: (root / "data.csv").unlink(), [Write("data.csv", "deleted")]),
    "renamed": (
        lambda root: (root / "data.csv").rename(root / "b.csv"),
        [Write("b.csv", "created"), Write("data.csv", "deleted")],
    ),
    "directory-deleted": (lambda root: shutil.rmtree(root / "pkg"), [Write("pkg/a.py", "deleted")]),
    "link": (lambda root: (root / "l").symlink_to("data.csv"), [Write("l", "created")]),
    "file-became-link": (
        lambda root: [(root / "data.csv").unlink(), (root / "data.csv").symlink_to("tool")],
        [Write("data.csv", "modified")],
    ),
    "touched": (lambda root: os.utime(root / "data.csv"), []),
    "rewritten-equal": (lambda root: (root / "data.csv").write_text("x\n1\n"), []),
    "replaced-by-equal": (
        lambda root: [
            (root / "t").write_text("x\n1\n"),
            (root / "t").chmod(0o644),
            (root / "t").rename(root / "data.csv"),
        ],
        [],
    ),
    "directory-became-file": (
        lambda root: [shutil.rmtree(root / "pkg"), (root / "pkg").write_text("1")],
        [Write("pkg", "created"), Write("pkg/a.py", "deleted")],
    ),
    "file-became-directory": (
        lambda root: [(root / "tool").unlink(), (root / "tool").mkdir(), (root / "tool/a").write_text("1")],
        [Write("tool", "deleted"), Write("tool/a", "created")],
    ),
    "directory-replaced": (
        lambda root: [shutil.rmtree(root / "pkg"), (root / "pkg").mkdir(), (root / "pkg/b.py").write_text("1")],
        [Write("pkg/a.py", "deleted"), Write("pkg/b.py", "created")],
    ),
    "nothing": (lambda root: (root / "data.csv").read_text(), []),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _WRITES.items()])
def test_what_a_task_writes_is_reported_and_the_tree_stays(
    tree: Path, scratch: str, overlays: Overlays | None, case: tuple[Callable[[Path], object], list[Write]]
) -> None:
    """The report says what would get lost; the tree must serve the next task unchanged."""
    act, expected = case
    with task_layer(str(tree), scratch, overlays=overlays) as layer:
        assert (Path(layer.path) / "tool").stat().st_mode & 0o777 == 0o755
        act(Path(layer.path))
        assert list(layer.writes()) == expected
    if overlays is not None:
        overlays.tidy()
    assert not Path(layer.path).exists()
    with task_layer(str(tree), scratch, overlays=overlays) as untouched:
        assert untouched.writes() == ()
        assert (Path(untouched.path) / "pkg/a.py").read_text() == "A = 1\n"


def test_writes_deeper_than_a_path_can_be_are_told_as_far_as_they_can(
    tree: Path, scratch: str, overlays: Overlays | None
) -> None:
    """A task that makes them must not end the process that serves all tasks."""
    with task_layer(str(tree), scratch, overlays=overlays) as layer:
        descriptor = os.open(layer.path, os.O_RDONLY)
        for _ in range(3000):
            os.mkdir("d", dir_fd=descriptor)
            inside = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inside
        os.close(descriptor)
        (write,) = layer.writes()
    assert write.path.startswith("d/d/d/")
    assert write.change == "created"


def test_many_new_directories_are_compared_in_no_time(tree: Path, scratch: str, overlays: Overlays | None) -> None:
    """Looking at each pair of them would take minutes."""
    with task_layer(str(tree), scratch, overlays=overlays) as layer:
        for number in range(5000):
            (Path(layer.path) / str(number)).mkdir()
        started = time.monotonic()
        assert len(layer.writes()) == 5000
        assert time.monotonic() - started < 2


def test_what_a_task_writes_beside_its_files_is_gone_too(tree: Path, scratch: str, overlays: Overlays | None) -> None:
    """Models write to ``../results``: the next task must not find it, nor the end of a server."""
    for _ in range(2):
        with task_layer(str(tree), scratch, overlays=overlays) as layer:
            beside = Path(layer.path).parent / "results"
            assert not beside.exists()
            beside.mkdir()
    if overlays is not None:
        overlays.tidy()
    assert list(Path(scratch).iterdir()) == []


def test_a_layer_is_made_where_it_is_asked_for_and_leaves_nothing(tree: Path, tmp_path: Path) -> None:
    """Also when the task takes write permission from its directories, and when it fails."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def _fail_in_a_layer() -> None:
        with task_layer(str(tree), str(scratch)) as layer:
            assert Path(layer.path).is_relative_to(scratch)
            (Path(layer.path) / "pkg").chmod(0o500)
            raise KeyError(layer.path)

    with pytest.raises(KeyError):
        _fail_in_a_layer()
    assert list(scratch.iterdir()) == []


def test_a_layer_that_cannot_be_made_is_an_input_output_error(tree: Path, tmp_path: Path) -> None:
    """A full or missing scratch directory is the machine's fault, not the bundle's."""
    with pytest.raises(RunnerError, match="copy of the bundle could not be made") as failure:
        task_layer(str(tree), str(tmp_path / "absent")).__enter__()
    assert failure.value.code == "E_IO"

"""The state of a tree: any change that could change a finding changes it, and what is never read does not."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.bundles import make_bundle

from bundlekit.read import tree_state as module
from bundlekit.read.tree_state import file_state, tree_state


def _rewrite_with_the_old_time(root: Path) -> None:
    file = root / "model" / "wire.py"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"seed", b"sead"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _rename_into_place(root: Path) -> None:
    file = root / "model" / "wire.py"
    twin = shutil.copy2(file, root / "model" / "new.py")
    Path(twin).replace(file)


def _exchange(root: Path) -> None:
    wire, init = root / "model" / "wire.py", root / "model" / "__init__.py"
    wire.rename(root / "x")
    init.rename(wire)
    (root / "x").rename(init)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "new.py").touch(), id="a new file"),
        pytest.param(lambda root: (root / "model" / "wire.py").unlink(), id="a file less"),
        pytest.param(lambda root: (root / "empty").mkdir(), id="an empty directory"),
        pytest.param(lambda root: (root / "model").rename(root / "models"), id="a renamed directory"),
        pytest.param(lambda root: (root / "model" / "wire.py").chmod(0o755), id="a mode"),
        pytest.param(lambda root: (root / "model" / "wire.py").write_text("x = 1\n"), id="other content"),
        pytest.param(_rewrite_with_the_old_time, id="other content, same size and time"),
        pytest.param(_rename_into_place, id="another file in its place"),
        pytest.param(_exchange, id="two files that changed names"),
        pytest.param(
            lambda root: (root / ".modelops-bundle" / "registry.yaml").write_text("a: 2\n"), id="the registry"
        ),
        pytest.param(lambda root: (root / "build" / "x.csv").write_text("2"), id="a file that does not ship"),
        pytest.param(lambda root: (root / "a.toml").symlink_to("pyproject.toml"), id="a link"),
        pytest.param(lambda root: (root.parent / "beside.csv").write_text("2"), id="what a link points to"),
        pytest.param(lambda root: (root / ".venv").mkdir(), id="a tool's directory that comes up"),
    ],
)
def test_a_change_is_seen(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """A report that is shown again after one of these would hide a mistake, or keep one that was mended."""
    (tmp_path / "beside.csv").write_text("1")
    files = {"build/x.csv": "1", ".modelops-bundle/registry.yaml": "a: 1\n"}
    root = make_bundle(tmp_path / "bundle", files)
    (root / "data.csv").symlink_to("../beside.csv")
    before = tree_state(str(root))
    change(root)
    after = tree_state(str(root))
    assert before is not None
    assert after is not None
    assert before.digest != after.digest


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "model" / "wire.py").read_bytes(), id="reading"),
        pytest.param(lambda root: (root / "__pycache__" / "wire.pyc").touch(), id="bytecode"),
        pytest.param(lambda root: (root / ".venv" / "new").touch(), id="a virtual environment"),
        pytest.param(lambda root: (root / "mine" / "lib").mkdir(), id="one of any name"),
        pytest.param(lambda root: (root / ".git" / "index").touch(), id="git's own"),
    ],
)
def test_what_is_never_read_is_no_change(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """The twin of the table above: importing a model must not make the next commit slow."""
    files = {"__pycache__/": "", ".venv/": "", ".git/": "", "mine/pyvenv.cfg": "home = /usr\n"}
    root = make_bundle(tmp_path, files)
    before = tree_state(str(root))
    change(root)
    assert tree_state(str(root)) == before
    assert before is not None
    assert sorted(before.unread) == [".git", ".venv", "__pycache__", "mine"]


def test_a_link_to_a_directory_leaves_the_state_unknown(tmp_path: Path) -> None:
    """What lies behind it may be read, and is not looked at."""
    root = make_bundle(tmp_path / "bundle", {})
    (root / ".modelops-bundle").symlink_to(tmp_path)
    assert tree_state(str(root)) is None


def test_a_link_to_a_virtual_environment_or_to_nothing_is_no_obstacle(tmp_path: Path) -> None:
    """The twin of the test above: many keep their environments elsewhere."""
    root = make_bundle(tmp_path / "bundle", {})
    (root / ".venv").symlink_to(tmp_path)
    (root / "lost").symlink_to("nowhere")
    assert tree_state(str(root)) is not None


def test_a_tree_that_cannot_be_listed_or_is_too_large_has_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the bundle is checked, which says what is wrong."""
    assert tree_state(str(tmp_path / "nowhere")) is None
    root = make_bundle(tmp_path / "bundle", {})
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    assert tree_state(str(root)) is None


def test_the_newest_change_counts_files_and_not_reading(tmp_path: Path) -> None:
    """It decides whether a change might still hide in the same tick of the clock."""
    root = make_bundle(tmp_path, {})
    state = tree_state(str(root))
    assert state is not None
    assert state.newest_ns == max(file.stat().st_ctime_ns for file in root.rglob("*") if file.is_file())


def test_a_single_file_has_a_state_or_is_not_there(tmp_path: Path) -> None:
    """A job specification lies outside of the bundle and changes what is found in it."""
    file = tmp_path / "job.json"
    assert file_state(file) is None
    file.write_text("{}")
    before = file_state(file)
    file.write_text("[]")
    assert file_state(file) != before

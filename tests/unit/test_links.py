"""Symbolic links: refused, or copied when the settings say so, where they stay inside and lead to what ships itself."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject
from builders.projects import bundle_project, write_tree

from bundlekit.cold_runner.environments.bundle_copy import ListedBundle, copy_bundle
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import FileAccessError, LimitExceededError
from bundlekit.model.project import Member
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive
from bundlekit.read import tree
from bundlekit.read.project import read_project
from bundlekit.read.tree import walk

_FILES = {"data/2024/a.csv": "1", "data/2024/b.csv": "22", "data/run.sh": "#!", "build/x": "", ".git/config": "CANARY"}


def _tree(root: Path, **links: str) -> Path:
    write_tree(root, _FILES)
    (root / "data/run.sh").chmod(0o755)
    for path, target in links.items():
        (root / path).symlink_to(target)
    return root


_COPIED: dict[str, tuple[str, dict[str, str]]] = {
    "file": ("data/2024/a.csv", {"link": "data/2024/a.csv"}),
    "program": ("data/run.sh", {"link": "data/run.sh"}),
    "directory": ("data/2024", {"link/a.csv": "data/2024/a.csv", "link/b.csv": "data/2024/b.csv"}),
    "directory-with-more": (
        "data",
        {"link/2024/a.csv": "data/2024/a.csv", "link/2024/b.csv": "data/2024/b.csv", "link/run.sh": "data/run.sh"},
    ),
    "roundabout": ("../bundle/data/./2024/../run.sh", {"link": "data/run.sh"}),
}


@pytest.mark.parametrize(("target", "expected"), _COPIED.values(), ids=_COPIED)
def test_a_link_that_stays_inside_is_a_copy(tmp_path: Path, target: str, expected: dict[str, str]) -> None:
    """A08: the archive has no links, and the bundle works unpacked as it does here."""
    root = _tree(tmp_path / "bundle", link=target)

    found = walk(root, copy_symlinks=True)

    copies = {member.path: member for member in found.members if member.source is not None}
    originals = {member.path: member for member in found.members}
    assert {path: member.source for path, member in copies.items()} == expected
    for path, source in expected.items():
        assert copies[path]._replace(path=source, source=None) == originals[source]
    assert found.refused == ()


def test_a_link_to_a_link_is_a_copy_of_what_that_leads_to(tmp_path: Path) -> None:
    """`latest -> 2024`, `current -> latest`: data are kept like that."""
    root = _tree(tmp_path / "bundle", first="data/2024/a.csv", second="first")

    copies = [(member.path, member.source) for member in walk(root, copy_symlinks=True).members if member.source]

    assert copies == [("first", "data/2024/a.csv"), ("second", "data/2024/a.csv")]


_REFUSED: dict[str, tuple[str, str]] = {
    "absolute": ("/etc/passwd", "is a symbolic link that leads out of the bundle"),
    "upwards": ("../outside", "is a symbolic link that leads out of the bundle"),
    "sibling-of-a-longer-name": ("../bundle2/x", "is a symbolic link that leads out of the bundle"),
    "parent": ("..", "is a symbolic link that leads out of the bundle"),
    "broken": ("nowhere", "is a symbolic link that leads nowhere (No such file or directory)"),
    "itself": ("link", "is a symbolic link that leads nowhere (Too many levels of symbolic links)"),
    "root": (".", "is a symbolic link to the bundle itself"),
    "git": (".git/config", "is a symbolic link to '.git/config', which does not ship"),
    "left-out": ("build/x", "is a symbolic link to 'build/x', which does not ship"),
    "left-out-directory": ("build", "is a symbolic link to 'build', which does not ship"),
    "fifo": ("pipe", "is a symbolic link to 'pipe', which does not ship"),
}


@pytest.mark.parametrize(("target", "reason"), _REFUSED.values(), ids=_REFUSED)
def test_any_other_link_is_refused_although_copies_are_wanted(tmp_path: Path, target: str, reason: str) -> None:
    """N11, N12: what does not ship by itself does not ship by a link, and nothing is opened to find that out."""
    write_tree(tmp_path, {"outside": "CANARY", "bundle2/x": "CANARY"})
    root = _tree(tmp_path / "bundle", link=target)
    os.mkfifo(root / "pipe")

    found = walk(root, copy_symlinks=True)

    assert {entry.path: entry.reason for entry in found.refused}["link"] == reason
    assert not [member for member in found.members if member.source]


def test_directories_that_link_to_each_other_are_refused(tmp_path: Path) -> None:
    """N12: a copy of each in the other would never end."""
    root = write_tree(tmp_path, {"a/x": "", "b/y": ""})
    (root / "a/to-b").symlink_to("../b")
    (root / "b/to-a").symlink_to("../a")

    refused = walk(root, copy_symlinks=True).refused

    assert [(entry.path, "holds links itself" in entry.reason) for entry in refused] == [
        ("a/to-b", True),
        ("b/to-a", True),
    ]


def test_a_copy_that_lies_too_deep_is_refused(tmp_path: Path) -> None:
    """The limits of paths hold for copies as well."""
    deep = "/".join(["d"] * 98)
    root = write_tree(tmp_path, {f"{deep}/x": "", "keep": ""})
    (root / "a").mkdir()
    (root / "a/b").mkdir()
    (root / "a/b/link").symlink_to("../../d")

    (refused,) = walk(root, copy_symlinks=True).refused

    assert refused.reason == "is more than 100 levels deep"
    assert refused.path.startswith("a/b/link/d/")


def test_a_name_that_cannot_ship_is_refused_whatever_it_leads_to(tmp_path: Path) -> None:
    """The name of a link ships too."""
    root = _tree(tmp_path)
    (root / "a\nb").symlink_to("data/run.sh")

    (refused,) = walk(root, copy_symlinks=True).refused

    assert refused.reason == "contains a control character"


@pytest.mark.parametrize(("setting", "copies"), [("", False), ("'refuse'", False), ("'copy'", True)])
def test_the_setting_decides(tmp_path: Path, setting: str, *, copies: bool) -> None:
    """Nobody's links are followed without being asked for."""
    line = f"[tool.bundlekit]\nsymlinks = {setting}\n" if setting else ""
    root = make_bundle(tmp_path, {"pyproject.toml": pyproject(after=line), "a.csv": "1"})
    (root / "b.csv").symlink_to("a.csv")

    project = read_project(root)

    assert ("b.csv" in [member.path for member in project.members]) is copies
    assert bool(project.refused) is not copies


def test_copies_are_packed_and_run_as_the_files_that_they_are(tmp_path: Path) -> None:
    """One digest for what is proved in the private copy, what is packed, and what is unpacked."""
    root = _tree(tmp_path / "bundle", link="data/2024/b.csv", folder="data/2024")
    found = walk(root, copy_symlinks=True)
    project = bundle_project(root)._replace(members=found.members, refused=found.refused)

    packed = write_archive(project, tmp_path / "a.tar.zst")
    unpacked = unpack_archive(tmp_path / "a.tar.zst", tmp_path / "out")
    copy_bundle(ListedBundle(str(root), _listed(project.members, root)), str(tmp_path / "p"))

    assert packed.digest == unpacked.digest
    assert hash_tree(root, found.members) == packed.manifest.files
    for top in (tmp_path / "out", tmp_path / "p"):
        assert (top / "link").read_text() == "22"
        assert (top / "folder/a.csv").read_text() == "1"
        assert not [path for path in top.rglob("*") if path.is_symlink()]
    assert write_archive(bundle_project(tmp_path / "out"), tmp_path / "b.tar.zst").digest == packed.digest


def _listed(members: Sequence[Member], root: Path) -> list[tuple[str, str, int, str]]:
    return [(file.path, file.mode, file.size, file.sha256) for file in hash_tree(root, members)]


@pytest.mark.parametrize("target", ["../outside", "data/2024/b.csv"])
def test_a_link_that_leads_elsewhere_now_is_noticed(tmp_path: Path, target: str) -> None:
    """S13: between the walk and the reading, somebody may turn the link."""
    write_tree(tmp_path, {"outside": "1"})
    root = _tree(tmp_path / "bundle", link="data/2024/a.csv")
    found = walk(root, copy_symlinks=True)
    listed = _listed(found.members, root)
    (root / "link").unlink()
    (root / "link").symlink_to(target)

    with pytest.raises(RunnerError, match="link of the bundle"):
        copy_bundle(ListedBundle(str(root), listed), str(tmp_path / "copy"))


def test_the_original_may_not_become_a_link_either(tmp_path: Path) -> None:
    """What a copy is read from is the regular file that the walk saw."""
    root = _tree(tmp_path / "bundle", link="data/2024/a.csv")
    found = walk(root, copy_symlinks=True)
    (root / "data/2024/a.csv").unlink()
    (root / "data/2024/a.csv").symlink_to("/etc/passwd")

    with pytest.raises(FileAccessError, match="Too many levels of symbolic links"):
        hash_tree(root, [member for member in found.members if member.source])


@pytest.mark.process
def test_names_are_bytes_whatever_the_locale_says(tmp_path: Path) -> None:
    """A cluster's login node often has the locale C, and a scientist an accent."""
    settings = pyproject(after="[tool.bundlekit]\nsymlinks = 'copy'\n")
    root = make_bundle(tmp_path / "bundle", {"pyproject.toml": settings, "été.csv": "1", "model/ü.py": "", "x/ö.c": ""})
    (root / "à.csv").symlink_to("été.csv")
    command = [sys.executable, "-m", "bundlekit", "pack", str(root), "-o", str(tmp_path / "a"), "--no-validate"]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    subprocess.run(command, check=True, capture_output=True, env=os.environ | locale)

    listed = [file.path for file in verify_archive(tmp_path / "a").manifest.files]
    assert [path for path in listed if not path.isascii()] == ["model/ü.py", "x/ö.c", "à.csv", "été.csv"]


def test_copies_count_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred links to a directory of a thousand files ask for a hundred thousand: refused at the first too many."""
    root = write_tree(tmp_path, {f"data/{number}": "x" for number in range(50)})
    for number in range(50):
        (root / f"link{number}").symlink_to("data")
    monkeypatch.setattr(tree, "MAX_MEMBERS", 120)

    with pytest.raises(LimitExceededError, match=r"more than 120 files; link1/\d+ is one too many"):
        walk(root, copy_symlinks=True)

"""What in a pyproject.toml marks its directory as a bundle: any group that begins so, misspelt ones included."""

import os
from pathlib import Path

import pytest

from bundlekit.errors import UsageError
from bundlekit.read.bundles import find_bundles, is_bundle
from bundlekit.read.project import read_project

_DYNAMIC = """\
[project]
name = "model"
dynamic = ["version", "dependencies", "entry-points"]

[tool.setuptools.dynamic]
version = {file = "VERSION"}
dependencies = {file = "requirements.txt"}

[tool.bundlekit]
"""

_MARKED = {
    "group": '[project.entry-points."modelops.wire"]\n',
    "group-in-single-quotes": "[project.entry-points.'modelops.wire']\n",
    "group-with-spaces": '  [ project . entry-points . "modelops.wire" ]\n',
    "group-with-hyphen": "[project.entry-points.modelops-wire]\n",
    "group-without-quotes": "[project.entry-points.modelops.wire]\n",
    "group-with-underscore": "[project.entry-points.modelops_wire]\n",
    "group-too-long": '[project.entry-points."modelops.wires"]\n',
    "group-of-one-word": "[project.entry-points.modelopswire]\n",
    "quoted-table": '[project."entry-points"."modelops.wire"]\n',
    "inline": '[project.entry-points]\n"modelops.wire" = {execute = "a:b"}\n',
    "dotted-key": '[project]\nentry-points."modelops.wire".execute = "a:b"\n',
    "poetry": '[tool.poetry.plugins."modelops.wire"]\n',
    "settings": "[tool.bundlekit]\n",
    "quoted-settings": '[tool."bundlekit"]\n',
    "smoke": "[[tool.bundlekit.smoke]]\n",
    "modelops-settings": "[tool.modelops]\n",
    "crlf": '[project]\r\n[project.entry-points."modelops.wire"]\r\n',
}


@pytest.mark.parametrize("text", _MARKED.values(), ids=_MARKED)
def test_a_marked_directory_is_a_bundle(text: str, tmp_path: Path) -> None:
    """A bundle that is not found is not checked, and nobody would notice."""
    (tmp_path / "pyproject.toml").write_bytes(text.encode())
    assert is_bundle(tmp_path)


_NOT_MARKED = {
    "another-group": '[project.entry-points."lab.plugins"]\n',
    "scripts": '[project.scripts]\nmodelops = "a:b"\n',
    "dependency": '[project]\ndependencies = ["modelops-calabaria"]\n',
    "dependency-in-its-own-line": '[project]\ndependencies = [\n  "a.b",\n  "modelops-calabaria"]\n',
    "another-tool": "[tool.bundlekitten]\n",
    "tool-alone": "[tool]\n",
    "comment": '# [project.entry-points."modelops.wire"]\n',
    "group-inside-a-longer-name": '[project.entry-points."my.modelops.wire"]\n',
}


@pytest.mark.parametrize("text", _NOT_MARKED.values(), ids=_NOT_MARKED)
def test_another_directory_is_left_alone(text: str, tmp_path: Path) -> None:
    """The hook also runs in repositories of libraries."""
    (tmp_path / "pyproject.toml").write_bytes(text.encode())
    assert not is_bundle(tmp_path)


_DOCUMENTS = (
    ".modelops/manifest.json",
    ".modelops/modelops.toml",
    ".modelops-bundle/registry.yaml",
    ".modelopsignore",
    "manifest.json",
    "pylock.toml",
    "pyproject.toml",
    "requirements.txt",
    "setup.cfg",
    "uv.lock",
    "wire.py",
    "job.json",
    "VERSION",
)


@pytest.mark.parametrize("kind", ["fifo", "link-to-a-device"])
@pytest.mark.parametrize("pyproject", ["", _DYNAMIC], ids=["without", "dynamic"])
def test_a_document_that_is_no_file_never_blocks(kind: str, pyproject: str, tmp_path: Path) -> None:
    """Opening a FIFO waits for a writer, and a device may have no end: a hook would hang until somebody kills it."""
    for document in _DOCUMENTS:
        path = tmp_path / document
        path.parent.mkdir(exist_ok=True)
        if document == "pyproject.toml" and pyproject:
            path.write_text(pyproject)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
    assert is_bundle(tmp_path) is bool(pyproject)
    assert find_bundles(tmp_path) == ([tmp_path] if pyproject else [])
    found = read_project(tmp_path, job_spec=tmp_path / "job.json").problems
    assert "job.json is not a regular file" in {problem.message for problem in found}


def test_a_search_ends_and_says_how_far_it_looked(tmp_path: Path) -> None:
    """At the root of a disk it would go on for minutes, and find other people's bundles."""
    for name in ("a", "b", "b/c"):
        (tmp_path / name).mkdir()
    (tmp_path / "b/loop").symlink_to(tmp_path)
    (tmp_path / "b/c/pyproject.toml").write_text(_DYNAMIC)
    assert find_bundles(tmp_path, most=4) == [tmp_path / "b/c"]
    with pytest.raises(UsageError, match=r"ends after 3 directories, at .*/b/c") as caught:
        find_bundles(tmp_path, most=3)
    assert caught.value.hint == "name a bundle, or a repository of bundles"

"""What in a pyproject.toml marks its directory as a bundle: any group that begins so, misspelt ones included."""

from pathlib import Path

import pytest

from bundlekit.read.bundles import is_bundle

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

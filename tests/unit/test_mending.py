"""Mending on the disk: what may be written, what is left alone, and the reports before and after."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject
from jsonschema import Draft202012Validator

from bundlekit.api.mending import Mended, Written, difference, fix, mend, with_differences, write
from bundlekit.api.source_files import read_texts, write_text
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.model.edit import AddParameter, AddRequirement, AddSmokeTask, CreateFile, Edit, ReplaceText
from bundlekit.model.finding import Finding, Level, Report, Severity
from bundlekit.model.place import Place
from bundlekit.report.json_schemas import schema_texts
from bundlekit.report.outputs import Format, render

_TARGET = "def loss(sim_returns):\n    return {'loss': 1.0}  # one\n"
_STATIC = ValidateOptions(level=Level.STATIC)
_ADD = AddParameter(Place("model/fit.py", 1), "loss", "target_data", "None")
_FIXABLE = pyproject(project="dependencies = []", after='[tool.bundlekit]\ntargets = ["model.fitt:loss"]')


def _finding(edit: Edit) -> Finding:
    return Finding("BK405", Severity.ERROR, "wrong", edit=edit)


def _quiet(_words: str) -> None:
    """Hear progress and say nothing."""


def _fixed(root: Path) -> Report:
    (report,) = fix([root], _STATIC, _quiet)
    return report


def _tree(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_mending_shows_first_and_writes_then(tmp_path: Path) -> None:
    """The difference is what is written, modes are kept."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    (root / "model/fit.py").chmod(0o750)
    mended = mend(root, [_finding(edit) for edit in (_ADD, CreateFile("model/sub/__init__.py"))])
    assert difference(mended, "sir") == (
        "--- sir/model/fit.py\n+++ sir/model/fit.py\n@@ -1,2 +1,2 @@\n-def loss(sim_returns):\n"
        "+def loss(sim_returns, target_data=None):\n     return {'loss': 1.0}  # one\n"
        "diff --git sir/model/sub/__init__.py sir/model/sub/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n"
        "--- /dev/null\n+++ sir/model/sub/__init__.py\n"
    )
    assert (root / "model/fit.py").read_text() == _TARGET
    assert write(root, mended) == Written(("model/fit.py", "model/sub/__init__.py"))
    assert "target_data=None" in (root / "model/fit.py").read_text()
    assert (root / "model/fit.py").stat().st_mode & 0o777 == 0o750
    assert (root / "model/sub/__init__.py").read_text() == ""
    assert [made.path for made in mended.fixed] == ["model/fit.py", "model/sub/__init__.py"]


_DIFFERENCES: dict[str, tuple[str, str, str]] = {
    "no-line-end": ("a", "b", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"),
    "returns": ("a\r\nb\r\n", "a\r\nc\r\n", "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"),
    "nothing-before": ("", "b\n", "@@ -0,0 +1 @@\n+b\n"),
    "nothing-before-and-no-line-end": ("", "b", "@@ -0,0 +1 @@\n+b\n\\ No newline at end of file\n"),
    "form-feed": ("a\x0cb\n", "a\x0cc\n", "@@ -1 +1 @@\n-a\x0cb\n+a\x0cc\n"),
}


@pytest.mark.parametrize(("before", "after", "shown"), _DIFFERENCES.values(), ids=_DIFFERENCES)
def test_a_difference_is_one_that_a_patch_takes(before: str, after: str, shown: str) -> None:
    """Lines end in line feeds there, whatever else Python takes for one."""
    text = difference(Mended({"f": before}, {"f": after}), ".")
    assert text == f"--- f\n+++ f\n{shown}"


def test_a_mark_and_line_ends_are_written_back_as_they_were(tmp_path: Path) -> None:
    """An editor that needs them finds them."""
    text = "\ufeff" + pyproject().replace("\n", "\r\n")
    root = make_bundle(tmp_path, {"pyproject.toml": text})
    write(root, mend(root, [_finding(AddSmokeTask("main"))]))
    data = (root / "pyproject.toml").read_bytes()
    assert data.startswith(text.rstrip().encode())
    assert data.replace(b"\r\n", b"").count(b"\n") == 0


_CHANGED: dict[str, bytes | None] = {"other-text": b"# mine\n", "gone": None}


@pytest.mark.parametrize("now", _CHANGED.values(), ids=_CHANGED)
def test_a_file_that_changed_meanwhile_is_left_as_it_is(now: bytes | None, tmp_path: Path) -> None:
    """Somebody is at work in it."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    mended = mend(root, [_finding(_ADD)])
    path = root / "model/fit.py"
    path.unlink() if now is None else path.write_bytes(now)
    written = write(root, mended)
    assert written.paths == ()
    assert written.obstacle is not None
    assert re.match(r"model/fit.py is left as it is: (it has changed|cannot write: No such)", written.obstacle.message)
    assert (path.read_bytes() if path.exists() else None) == now


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """It was created for a reason."""
    (tmp_path / "a.py").write_text("# mine\n")
    with pytest.raises(FileAccessError, match="cannot write: File exists"):
        write_text(tmp_path, "a.py", None, "")
    assert (tmp_path / "a.py").read_text() == "# mine\n"


def test_a_link_that_came_meanwhile_is_not_followed(tmp_path: Path) -> None:
    """What it leads to may be anything."""
    root, away = tmp_path / "sir", tmp_path / "away"
    root.mkdir()
    away.mkdir()
    (away / "f.py").write_text("x")
    (root / "f.py").symlink_to(away / "f.py")
    (root / "new").symlink_to(away)
    for path, before in (("f.py", "x"), ("new/g.py", None)):
        with pytest.raises(FileAccessError, match="is left as it is"):
            write_text(root, path, before, "y")
    assert [(each.name, each.read_text()) for each in away.iterdir()] == [("f.py", "x")]


def test_a_read_only_file_is_left_as_it_is_and_ends_the_fix_of_its_bundle(tmp_path: Path) -> None:
    """Read-only means that somebody else writes it: even the superuser is told, with the status of I/O trouble."""
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE, "model/fit.py": _TARGET})
    (root / "pyproject.toml").chmod(0o444)
    before = _tree(root)
    report = _fixed(root)
    assert _tree(root) == before
    assert report.obstacle is not None
    assert report.obstacle.code is ErrorCode.IO
    assert report.obstacle.message == "pyproject.toml is left as it is: it is read-only"
    assert report.exit_status == 7
    assert sorted(path.name for path in root.iterdir()) == ["model", "pyproject.toml"]


def test_what_was_written_before_a_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Who looks for what has changed on the disk finds all of it in the report."""
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE.replace("fitt", "fit"), "model/fit.py": _TARGET})
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text() + "netwrok = true\n")
    (root / "pyproject.toml").chmod(0o444)
    report = _fixed(root)
    assert [(made.finding.code, made.path) for made in report.fixed] == [("BK410", "model/fit.py")]
    assert [finding.code for finding in report.findings] == ["BK107"]
    assert (report.obstacle and report.obstacle.message) == "pyproject.toml is left as it is: it is read-only"


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    """A container that fixes a mounted tree must not take it from its user."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    os.chown(root / "model/fit.py", 12345, 23456)
    write(root, mend(root, [_finding(_ADD)]))
    status = (root / "model/fit.py").stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other attributes")
def test_a_file_keeps_its_attributes(tmp_path: Path) -> None:
    """Access lists are such: without them, those who share a directory would lose the file."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    try:
        os.setxattr(root / "model/fit.py", "user.note", b"mine")
    except OSError:
        pytest.skip("the file system has no attributes")
    write(root, mend(root, [_finding(_ADD)]))
    assert "target_data" in (root / "model/fit.py").read_text()
    assert os.getxattr(root / "model/fit.py", "user.note") == b"mine"


_NOT_OURS: dict[str, tuple[Edit, str]] = {
    "outside": (ReplaceText(Place("../job.json", 1, 1), "a", "b"), "outside of the bundle"),
    "absolute": (CreateFile("/tmp/x.py"), "outside of the bundle"),  # noqa: S108 - refused before anything is looked at
    "the-root": (CreateFile("model/.."), "outside of the bundle"),
    "through-a-link": (CreateFile("link/x.py"), "it is a symbolic link, or behind one"),
    "a-link": (CreateFile("broken"), "it is a symbolic link, or behind one"),
    "behind-a-file": (CreateFile("pyproject.toml/x"), "behind one"),
    "a-directory": (CreateFile("model"), "it is not a regular file"),
    "a-pipe": (CreateFile("pipe"), "it is not a regular file"),
    "too-large": (CreateFile("large.toml"), "has more than 8,388,608 bytes"),
    "latin": (AddRequirement("numpy"), "it is not UTF-8"),
    "a-nameless-byte": (CreateFile("a\0b"), "outside of the bundle"),
}


@pytest.mark.parametrize(("edit", "said"), _NOT_OURS.values(), ids=_NOT_OURS)
def test_nothing_but_texts_of_the_bundle_is_changed(edit: Edit, said: str, tmp_path: Path) -> None:
    """A link may lead anywhere, and bytes that are no text could not all be put back."""
    (tmp_path / "job.json").write_text("a")
    (tmp_path / "away").mkdir()
    root = make_bundle(tmp_path / "sir", {"pyproject.toml": b"# caf\xe9\n[project]\n"})
    (root / "link").symlink_to(tmp_path / "away")
    (root / "broken").symlink_to(tmp_path / "away" / "x")
    os.mkfifo(root / "pipe")
    with (root / "large.toml").open("wb") as file:
        file.truncate(9 << 20)
    mended = mend(root, [_finding(edit)])
    assert (dict(mended.after), mended.fixed) == ({}, ())
    (unfixed,) = mended.unfixed
    assert said in unfixed.reason


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """A name may be longer than the file system takes."""
    files = read_texts(tmp_path, ["x" * 300])
    assert "it cannot be read: File name too long" in files.blocked["x" * 300]


def test_fixing_ends_with_the_report_of_what_is_left(tmp_path: Path) -> None:
    """A mend can uncover another mistake: the round is made again until nothing changes."""
    files = {
        "model/fit.py": _TARGET.replace("return {", "import scipy\n    return {"),
        "model/wire.py": "import starsim\n",
    }
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE, **files})
    report = _fixed(root)
    assert sorted(made.finding.code for made in report.fixed) == ["BK404", "BK410", "BK505", "BK505"]
    assert [finding.code for finding in report.findings] == ["BK515", "BK305"]
    # Nothing was seen to load the target's module before its name was mended.
    assert 'dependencies = ["starsim", "scipy"]' in (root / "pyproject.toml").read_text()
    assert report.exit_status == 1
    assert findings_of(root) == list(report.findings)


def test_fixing_again_changes_nothing(tmp_path: Path) -> None:
    """Whatever could be mended is."""
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE, "model/fit.py": _TARGET})
    assert _fixed(root).exit_status == 0
    before = _tree(root)
    assert _fixed(root).fixed == ()
    assert _tree(root) == before


def test_findings_that_do_not_count_are_not_fixed(tmp_path: Path) -> None:
    """Who ignores a rule does not want its mend."""
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE, "model/fit.py": _TARGET})
    (report,) = fix([root], _STATIC._replace(ignore=("BK410",)), _quiet)
    assert [made.finding.code for made in report.fixed] == ["BK404"]
    assert (root / "model/fit.py").read_text() == _TARGET


def test_each_bundle_is_fixed_and_told_apart(tmp_path: Path) -> None:
    """A repository holds several."""
    files = {"pyproject.toml": _FIXABLE, "model/fit.py": _TARGET}
    roots = [make_bundle(tmp_path / name, files) for name in ("a", "b")]
    (roots[0] / "model/fit.py").write_text(_TARGET.replace("sim_returns", "sim_returns, target_data=None"))
    reports = fix([tmp_path], _STATIC, _quiet)
    assert [(Path(report.path).name, len(report.fixed)) for report in reports] == [("a", 1), ("b", 2)]
    assert all(report.passed for report in reports)


def test_an_archive_cannot_be_mended(tmp_path: Path) -> None:
    """Its digest is what it is."""
    archive = tmp_path / "a.tar.zst"
    archive.touch()
    with pytest.raises(UsageError, match="is an archive, which nothing can mend"):
        fix([archive], _STATIC, _quiet)


def test_what_would_be_fixed_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    """Status 1 tells a pipeline that there is something to fix, even if it is a warning."""
    text = _FIXABLE.replace("fitt", "fit")
    root = make_bundle(tmp_path, {"pyproject.toml": text, "model/fit.py": _TARGET})
    before = _tree(root)
    (report,) = with_differences(validate([root], _STATIC, _quiet))
    assert _tree(root) == before
    assert "+def loss(sim_returns, target_data=None):\n" in (report.difference or "")
    assert (report.passed, report.exit_status) == (True, 1)
    lines = render([report._replace(path=".")], Format.TEXT).splitlines()
    assert "model/fit.py: would fix BK410 add the parameter target_data=None to loss()" in lines
    assert ", would fix 1 finding in 1 file, " in lines[-1]


def test_the_reports_tell_what_was_fixed_and_what_was_not(tmp_path: Path) -> None:
    """People read the lines, programs the document by its schema."""
    root = make_bundle(
        tmp_path, {"pyproject.toml": _FIXABLE.replace('name = "model"', 'name = "model"\r'), "model/fit.py": _TARGET}
    )
    report = _fixed(root)._replace(path=".")
    lines = render([report], Format.TEXT).splitlines()
    assert "pyproject.toml: fixed BK404 replace 'model.fitt:loss' by 'model.fit:loss'" in lines
    assert "model/fit.py: fixed BK410 add the parameter target_data=None to loss()" in lines
    assert "fixed 2 findings in 2 files" in lines[-1]
    document = json.loads(render([report], Format.JSON))
    Draft202012Validator(json.loads(schema_texts()["report.schema.json"])).validate(document)
    assert [(each["code"], each["path"]) for each in document["fixed"]] == [
        ("BK404", "pyproject.toml"),
        ("BK410", "model/fit.py"),
    ]


def test_what_could_not_be_fixed_is_told_with_the_reason(tmp_path: Path) -> None:
    """The finding is there still, so its reader wants to know why."""
    root = make_bundle(tmp_path, {})
    mended = mend(root, [_finding(CreateFile("model/wire.py"))])
    report = Report(".", None, None, None, None, Level.STATIC, "none", (), (), unfixed=mended.unfixed)
    assert render([report], Format.TEXT).splitlines()[0] == (
        "model/wire.py: not fixed BK405 create the file: it exists already"
    )
    (unfixed,) = json.loads(render([report], Format.JSON))["unfixed"]
    assert unfixed == {
        "code": "BK405",
        "message": "wrong",
        "path": "model/wire.py",
        "change": "create the file",
        "reason": "it exists already",
    }


def test_findings_that_can_be_fixed_are_marked(tmp_path: Path) -> None:
    """A reader sees what one command would do."""
    root = make_bundle(tmp_path, {"pyproject.toml": _FIXABLE, "model/fit.py": _TARGET})
    (report,) = validate([root], _STATIC, _quiet)
    lines = render([report._replace(path=".")], Format.TEXT).splitlines()
    assert "error BK404 [fixable] the target" in lines[0]
    assert ", 1 fixable with --fix" in lines[-1]

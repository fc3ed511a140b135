"""Edits of a bundle's files: what they add, and that they change nothing else."""

import tomllib
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.api.mending import difference, fix, mend, write
from bundlekit.api.validation import ValidateOptions
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.fix.edits import applied
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    ReplaceText,
)
from bundlekit.model.finding import Finding, Level, Severity
from bundlekit.model.place import Place

_PROJECT = '[project]\nname = "m"\n'
_TARGET = "def loss(sim_returns):\n    return {'loss': 1.0}  # one\n"

_MADE: dict[str, tuple[str, str, Edit, str]] = {
    "first-requirement": ("pyproject.toml", _PROJECT, AddRequirement("numpy"), f'{_PROJECT}dependencies = ["numpy"]\n'),
    "empty-array": (
        "pyproject.toml",
        f"{_PROJECT}dependencies = []\n",
        AddRequirement("numpy"),
        f'{_PROJECT}dependencies = ["numpy"]\n',
    ),
    "one-line": (
        "pyproject.toml",
        f'{_PROJECT}dependencies = ["scipy"]  # two\n[tool.x]\ny = 1\n',
        AddRequirement("numpy"),
        f'{_PROJECT}dependencies = ["scipy", "numpy"]  # two\n[tool.x]\ny = 1\n',
    ),
    "lines": (
        "pyproject.toml",
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n]\n',
        AddRequirement("numpy"),
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n  "numpy",\n]\n',
    ),
    "line-ends": (
        "pyproject.toml",
        '[project]\r\nname = "m"\r\ndependencies = ["scipy"]\r\n',
        AddRequirement("numpy"),
        '[project]\r\nname = "m"\r\ndependencies = ["scipy", "numpy"]\r\n',
    ),
    "entry-point": (
        "pyproject.toml",
        _PROJECT,
        AddEntryPoint("modelops.wire", "execute", "m.wire:wire"),
        f'{_PROJECT}\n[project.entry-points."modelops.wire"]\nexecute = "m.wire:wire"\n',
    ),
    "smoke-task": (
        "pyproject.toml",
        _PROJECT,
        AddSmokeTask("main"),
        f'{_PROJECT}\n[[tool.bundlekit.smoke]]\nentrypoint = "main"\nparams = {{}}\nseed = 0\n',
    ),
    "parameter": (
        "fit.py",
        _TARGET,
        AddParameter(Place("fit.py", 1), "loss", "target_data", "None"),
        _TARGET.replace("sim_returns", "sim_returns, target_data=None", 1),
    ),
    "reference": (
        "pyproject.toml",
        'targets = ["a:b", "m.fit:los"]  # a:b\n',
        ReplaceText(Place("pyproject.toml", 1, 19), "m.fit:los", "m.fit:loss"),
        'targets = ["a:b", "m.fit:loss"]  # a:b\n',
    ),
}


@pytest.mark.parametrize(("path", "before", "edit", "after"), _MADE.values(), ids=_MADE)
def test_an_edit_adds_what_it_says_and_keeps_the_rest(path: str, before: str, edit: Edit, after: str) -> None:
    """Comments, order and style are the author's."""
    found = applied({path: before}, [edit])
    assert dict(found.texts) == {path: after}
    assert found.made == (edit,)


def test_a_file_that_is_missing_is_created() -> None:
    """Empty, as a package's own module may be."""
    assert dict(applied({}, [CreateFile("m/__init__.py")]).texts) == {"m/__init__.py": ""}


_REFUSED: dict[str, tuple[dict[str, str], Edit, str]] = {
    "file-is-there": ({"m.py": "x"}, CreateFile("m.py"), "exists already"),
    "no-document": ({}, AddRequirement("numpy"), "does not exist"),
    "no-project": ({"pyproject.toml": "[tool.x]\n"}, AddRequirement("numpy"), r"no table \[project\]"),
    "no-project-for-a-wire": ({"pyproject.toml": ""}, AddEntryPoint("g", "a", "b:c"), r"no table \[project\]"),
    "dynamic": (
        {"pyproject.toml": '[project]\ndynamic = ["dependencies"]\n'},
        AddRequirement("numpy"),
        "fills in the dependencies",
    ),
    "no-array": ({"pyproject.toml": '[project]\ndependencies = "numpy"\n'}, AddRequirement("scipy"), "no array"),
    "inline-table": (
        {"pyproject.toml": "[project]\nname = 'm'\n[tool]\nbundlekit = {network = true}\n"},
        AddSmokeTask("main"),
        "valid TOML",
    ),
    "other-entry-point": (
        {"pyproject.toml": '[project.entry-points.g]\na = "x:y"\n'},
        AddEntryPoint("g", "a", "b:c"),
        "declared already",
    ),
    "line-gone": ({"a.toml": "x"}, ReplaceText(Place("a.toml", 9, 1), "x", "y"), "no line 9"),
    "text-gone": ({"a.toml": "x"}, ReplaceText(Place("a.toml", 1, 1), "z", "y"), "does not stand alone"),
    "text-twice": ({"a.toml": "x x"}, ReplaceText(Place("a.toml", 1, 1), "x", "y"), "does not stand alone"),
    "function-moved": (
        {"fit.py": f"\n{_TARGET}"},
        AddParameter(Place("fit.py", 1), "loss", "target_data", "None"),
        "does not stand alone",
    ),
    "parameter-is-there": (
        {"fit.py": "def loss(a, *, target_data): ...\n"},
        AddParameter(Place("fit.py", 1), "loss", "target_data", "None"),
        "does not stand alone",
    ),
    "no-python": (
        {"fit.py": "def loss(\n"},
        AddParameter(Place("fit.py", 1), "loss", "target_data", "None"),
        "cannot be rewritten",
    ),
}


@pytest.mark.parametrize(("texts", "edit", "said"), _REFUSED.values(), ids=_REFUSED)
def test_an_edit_that_is_not_safe_is_left_out(texts: dict[str, str], edit: Edit, said: str) -> None:
    """Nothing is changed, and the reason is told."""
    found = applied(texts, [edit])
    assert (dict(found.texts), found.made) == ({}, ())
    (refused,) = found.refused
    assert refused[0] == edit
    with pytest.raises(ValueError, match=said):
        raise ValueError(refused[1])


def test_the_same_edit_twice_changes_nothing_more() -> None:
    """Mending is idempotent."""
    once = applied({"pyproject.toml": _PROJECT}, [AddRequirement("numpy"), AddRequirement("numpy")]).texts
    assert dict(applied(once, [AddRequirement("numpy")]).texts) == {}


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


@given(
    declared=st.lists(_NAMES, max_size=4, unique=True),
    style=st.sampled_from(["[{0}]", "[ {0} ]", "[\n    {1}\n]", "[\n  {1}\n]  # behind", "[\n\t{1}\n]"]),
    comment=st.sampled_from(["", "# one\n", "\n\n"]),
    added=_NAMES,
)
def test_every_other_line_stays_as_it_is(declared: list[str], style: str, comment: str, added: str) -> None:
    """Whatever the style: the document parses to the same values with one more, and no other line is touched."""
    quoted = [f'"{name}"' for name in declared]
    array = style.format(", ".join(quoted), ",\n    ".join(quoted))
    text = (
        f'# top\n[project]\nname = "m"\n{comment}dependencies = {array}\nversion = "1"\n\n[tool.x]\ny = [1,  2] # odd\n'
    )
    found = applied({"pyproject.toml": text}, [AddRequirement(added)]).texts.get("pyproject.toml", text)
    values = tomllib.loads(found)
    assert values["project"]["dependencies"] == declared + [added] * (added not in declared)
    assert found.startswith(f'# top\n[project]\nname = "m"\n{comment}dependencies = [')
    assert found.endswith('\nversion = "1"\n\n[tool.x]\ny = [1,  2] # odd\n')


def _finding(edit: Edit) -> Finding:
    return Finding("BK405", Severity.ERROR, "wrong", edit=edit)


def test_mending_shows_first_and_writes_then(tmp_path: Path) -> None:
    """The difference is what is written, modes are kept."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    (root / "model/fit.py").chmod(0o750)
    edits = [AddParameter(Place("model/fit.py", 1), "loss", "target_data", "None"), CreateFile("model/sub/__init__.py")]
    mended = mend(root, [_finding(edit) for edit in edits])
    assert difference(mended, "sir") == (
        "--- sir/model/fit.py\n+++ sir/model/fit.py\n@@ -1,2 +1,2 @@\n-def loss(sim_returns):\n"
        "+def loss(sim_returns, target_data=None):\n     return {'loss': 1.0}  # one\n"
        "--- /dev/null\n+++ sir/model/sub/__init__.py\n"
    )
    assert (root / "model/fit.py").read_text() == _TARGET
    write(root, mended)
    assert "target_data=None" in (root / "model/fit.py").read_text()
    assert (root / "model/fit.py").stat().st_mode & 0o777 == 0o750
    assert (root / "model/sub/__init__.py").read_text() == ""
    assert mended.mended == 2


def test_a_file_that_changed_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    """Somebody is at work in it."""
    root = make_bundle(tmp_path, {"model/fit.py": _TARGET})
    mended = mend(root, [_finding(AddParameter(Place("model/fit.py", 1), "loss", "target_data", "None"))])
    (root / "model/fit.py").write_text("# mine\n")
    with pytest.raises(FileAccessError, match="has changed since it was checked"):
        write(root, mended)
    assert (root / "model/fit.py").read_text() == "# mine\n"


_NOT_OURS: dict[str, Edit] = {
    "outside": ReplaceText(Place("../job.json", 1, 1), "a", "b"),
    "absolute": CreateFile("/tmp/x.py"),  # noqa: S108 - refused before anything is looked at
    "through-a-link": CreateFile("link/x.py"),
    "a-link": CreateFile("broken"),
    "a-directory": CreateFile("model"),
}


@pytest.mark.parametrize("edit", _NOT_OURS.values(), ids=_NOT_OURS)
def test_nothing_outside_of_the_bundle_is_changed(edit: Edit, tmp_path: Path) -> None:
    """A link may lead anywhere."""
    (tmp_path / "job.json").write_text("a")
    (tmp_path / "away").mkdir()
    root = make_bundle(tmp_path / "sir", {})
    (root / "link").symlink_to(tmp_path / "away")
    (root / "broken").symlink_to(tmp_path / "away" / "x")
    mended = mend(root, [_finding(edit)])
    assert dict(mended.after) == {}
    assert [reason for reason in mended.refused if "is not a file of the bundle" in reason]


_UNREADABLE: dict[str, bytes] = {"mark": b"\xef\xbb\xbf[project]\n", "latin": b"# caf\xe9\n[project]\n"}


@pytest.mark.parametrize("data", _UNREADABLE.values(), ids=_UNREADABLE)
def test_what_is_no_plain_text_is_left_as_it_is(data: bytes, tmp_path: Path) -> None:
    """Its bytes could not all be put back."""
    root = make_bundle(tmp_path, {"pyproject.toml": data})
    assert dict(mend(root, [_finding(AddRequirement("numpy"))]).after) == {}
    assert (root / "pyproject.toml").read_bytes() == data


def test_fixing_ends_with_the_report_of_what_is_left(tmp_path: Path) -> None:
    """A mend can uncover another mistake: the round is made again until nothing changes."""
    text = pyproject(project="dependencies = []", after='[tool.bundlekit]\ntargets = ["model.fitt:los"]')
    files = {
        "model/fit.py": _TARGET.replace("return {", "import lab\n    return {"),
        "model/wire.py": "import starsim\n",
    }
    root = make_bundle(tmp_path, {"pyproject.toml": text, **files})
    fixed = fix([root], ValidateOptions(level=Level.STATIC), lambda _: None)
    assert fixed.mended == 5
    assert [finding.code for finding in fixed.reports[0].findings] == ["BK515", "BK305"]
    assert 'dependencies = ["lab", "starsim"]' in (root / "pyproject.toml").read_text()
    assert findings_of(root) == list(fixed.reports[0].findings)


def test_an_archive_cannot_be_mended(tmp_path: Path) -> None:
    """Its digest is what it is."""
    archive = tmp_path / "a.tar.zst"
    archive.touch()
    with pytest.raises(UsageError, match="is an archive"):
        fix([archive], ValidateOptions(level=Level.STATIC), lambda _: None)

"""BK140 to BK143: what the platform's own tool would push, against what ships here; and DEFECTS 26."""

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.project import NOT_TRACKED
from bundlekit.read.project import read_project

_LIST = ".modelops-bundle/tracked.txt"
_OLD = ".modelops-bundle/tracked"
_NEEDED = "model/__init__.py\nmodel/wire.py\npyproject.toml\n"
_READS = 'def wire(entrypoint, params, seed):\n    return {"x": open("observed.csv", "rb").read()}\n'
_LAZY = """\
def wire(entrypoint, params, seed):
    try:
        open("cache.csv")
    except OSError:
        pass
    return {"x": b"1"}
"""


def _found(root: Path, tracked: str, document: str = _LIST, **files: str) -> list[Finding]:
    make_bundle(root, {document: tracked, **files})
    return findings_of(root)


_CASES: dict[str, tuple[str, dict[str, str], list[tuple[str, str | None]]]] = {
    "init-not-tracked": ("pyproject.toml\nmodel/wire.py\n", {}, [("BK140", "model/__init__.py")]),
    "included-and-not-tracked": (
        _NEEDED,
        {
            "model/wire.py": _READS,
            "observed.csv": "t\n",
            "pyproject.toml": pyproject(after='[tool.bundlekit]\ninclude = ["observed.csv"]\n'),
        },
        [("BK140", "observed.csv")],
    ),
    "directory-partly-tracked": (
        f"{_NEEDED}model/sir.py\ndata/a.csv\n",
        {
            "data/a.csv": "",
            "data/b.csv": "",
            "model/sir.py": "class Sir:\n    pass\n",
            ".modelops-bundle/registry.yaml": (
                "models:\n  sir: {entrypoint: 'model.sir:Sir', path: model/sir.py, class_name: Sir, data: [data]}\n"
            ),
        },
        [("BK131", "sir"), ("BK140", "data/b.csv")],
    ),
    "requirements-included-and-not-tracked": (
        "wire.py\npyproject.toml\n",
        {
            "pyproject.toml": '[tool.bundlekit]\ninclude = ["requirements.txt"]\n',
            "wire.py": GOOD_WIRE,
            "requirements.txt": "numpy\n",
        },
        [("BK140", "requirements.txt")],
    ),
    "empty-list": ("\n", {}, [("BK140", None)]),
    "missing": (f"{_NEEDED}data/old.csv\n", {}, [("BK141", "data/old.csv")]),
    "outside": (f"{_NEEDED}../x.csv\n", {}, [("BK141", "../x.csv")]),
    "left-out-by-a-pattern": (
        f"{_NEEDED}a.txt\nb.txt\n",
        {"a.txt": "", "b.txt": "", ".modelopsignore": "*.txt\n"},
        [("BK142", "*.txt (.modelopsignore)")],
    ),
    "left-out-by-default": (f"{_NEEDED}build/x.csv\n", {"build/x.csv": ""}, [("BK142", "build/ (default)")]),
    "file-with-a-leading-space": (
        f"{_NEEDED} a.csv\n",
        {" a.csv": ""},
        [("BK141", "a.csv"), ("BK143", " a.csv")],
    ),
}


@pytest.mark.parametrize(("tracked", "files", "expected"), _CASES.values(), ids=_CASES)
def test_a_difference_between_tracked_and_shipped_is_a_warning(
    tracked: str, files: dict[str, str], expected: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    """The bundle is in order here and incomplete there, or the other way round."""
    found = [each for each in _found(tmp_path, tracked, **files) if each.code.startswith(("BK13", "BK14"))]
    assert sorted((each.code, each.entity or "") for each in found) == sorted((code, it or "") for code, it in expected)
    assert {each.severity for each in found if each.code.startswith("BK14")} == {Severity.WARNING}


_NOT_SHIPPED: dict[str, tuple[str, dict[str, str], list[tuple[str, Severity, str]]]] = {
    "code": ("pyproject.toml\nmodel/__init__.py\n", {}, [("BK304", Severity.ERROR, "model/wire.py")]),
    "pyproject": ("model/__init__.py\nmodel/wire.py\n", {}, [("BK201", Severity.ERROR, "pyproject.toml")]),
    "data": (
        _NEEDED,
        {"model/wire.py": _READS, "observed.csv": "t\n"},
        [("BK201", Severity.ERROR, "observed.csv")],
    ),
    "imported-module": (
        _NEEDED,
        {"model/wire.py": "from model.real import wire\n", "model/real.py": GOOD_WIRE},
        [("BK330", Severity.ERROR, "model/real.py")],
    ),
    "requirements": (
        "wire.py\n",
        {"pyproject.toml": "", "wire.py": GOOD_WIRE, "requirements.txt": "numpy\n"},
        [("BK201", Severity.ERROR, "pyproject.toml"), ("BK201", Severity.ERROR, "requirements.txt")],
    ),
    "cache-that-may-be-absent": (
        _NEEDED,
        {"model/wire.py": _LAZY, "cache.csv": ""},
        [("BK201", Severity.WARNING, "cache.csv")],
    ),
}


@pytest.mark.parametrize(("tracked", "files", "expected"), _NOT_SHIPPED.values(), ids=_NOT_SHIPPED)
def test_what_is_needed_and_not_tracked_is_found_as_not_shipped(
    tracked: str, files: dict[str, str], expected: list[tuple[str, Severity, str]], tmp_path: Path
) -> None:
    """The list decides what ships, here as there, so the archive fails like the platform's own bundle: found now."""
    found = [each for each in _found(tmp_path, tracked, **files) if "(does not list it)" in each.message]
    assert [(each.code, each.severity) for each in found] == [(code, severity) for code, severity, _ in expected]
    for each, (_, _, path) in zip(found, expected, strict=True):
        assert path in each.message
        assert each.hint is not None
        assert each.hint.startswith(f"track it with `mops bundle add {path}`")


def test_only_tracked_files_ship(tmp_path: Path) -> None:
    """Notes, results and data that nobody tracked stay at home, each named in the report; directories as a whole."""
    files = {"notes.txt": "", "results/a.csv": "", "data/used.csv": "", "data/old.csv": "", "keep/a/b.txt": ""}
    settings = pyproject(after='[tool.bundlekit]\ninclude = ["keep/"]\nexclude = ["*.pyc"]\n')
    make_bundle(tmp_path, {_LIST: f"{_NEEDED}data/used.csv\n", **files, "pyproject.toml": settings})
    (tmp_path / "results" / "link").symlink_to("nowhere")

    project = read_project(tmp_path)

    assert [member.path for member in project.members] == [
        "data/used.csv",
        "keep/a/b.txt",
        "model/__init__.py",
        "model/wire.py",
        "pyproject.toml",
    ]
    assert [entry.path for entry in project.excluded if entry.pattern == NOT_TRACKED] == [
        "data/old.csv",
        "notes.txt",
        "results/",
    ]
    assert project.refused == ()


_LEFT_ALONE: dict[str, tuple[str, dict[str, str]]] = {
    "in-order": (_NEEDED, {}),
    "dotted-paths-and-trailing-space": (_NEEDED.replace("model/wire.py", "./model/wire.py"), {}),
    "spaces-that-mean-nothing": (_NEEDED.replace("pyproject", "  pyproject").replace("\n", " \n"), {}),
    "carriage-returns": (_NEEDED.replace("\n", "\r\n"), {}),
    "notes-that-nothing-needs": (_NEEDED, {"notes.txt": "", "model/unused.py": ""}),
    "tracked-and-ignored-but-included": (
        f"{_NEEDED}a.txt\n",
        {
            "a.txt": "",
            ".modelopsignore": "*.txt\n",
            "pyproject.toml": pyproject(after='[tool.bundlekit]\ninclude = ["a.txt"]\n'),
        },
    ),
    "ignored-and-not-tracked": (_NEEDED, {"a.txt": "", ".modelopsignore": "*.txt\n"}),
}


@pytest.mark.parametrize(("tracked", "files"), _LEFT_ALONE.values(), ids=_LEFT_ALONE)
def test_a_list_in_order_is_left_alone(tracked: str, files: dict[str, str], tmp_path: Path) -> None:
    """Both ways ship what is needed."""
    assert _found(tmp_path, tracked, **files) == []


def test_an_unpacked_archive_has_no_list(tmp_path: Path) -> None:
    """The list never ships, so its absence says nothing."""
    make_bundle(tmp_path, {_LIST: _NEEDED})
    project = read_project(tmp_path)
    assert project.tracked is not None
    assert _LIST not in {member.path for member in project.members}
    (tmp_path / _LIST).unlink()
    (tmp_path / _LIST).parent.rmdir()
    assert read_project(tmp_path).tracked is None
    assert findings_of(tmp_path) == []


def test_a_bundle_without_pyproject_has_none_to_track(tmp_path: Path) -> None:
    """Only what ships here can be missing there."""
    write_tree(tmp_path, {"wire.py": GOOD_WIRE, "requirements.txt": "", _LIST: "requirements.txt\nwire.py\n"})
    assert [each for each in findings_of(tmp_path) if each.code.startswith("BK14")] == []


def test_the_old_name_of_the_list_is_read_and_told(tmp_path: Path) -> None:
    """Constants and documents of the platform have it; its tool looks for another."""
    found = _found(tmp_path, "pyproject.toml\nmodel/__init__.py\n", _OLD)
    assert [(each.code, each.path) for each in found] == [("BK143", _OLD), ("BK140", "model/wire.py")]
    (tmp_path / _LIST).write_text(_NEEDED)
    assert findings_of(tmp_path) == []


def test_a_name_with_a_line_break_is_two_lines_of_the_list(tmp_path: Path) -> None:
    """DEFECTS 26: such a name loads as two files."""
    found = _found(tmp_path, f"a\nb.txt\n{_NEEDED}", **{"a\nb.txt": ""})
    absent = [each for each in found if each.code == "BK141"]
    assert [each.entity for each in absent] == ["a", "b.txt"]
    assert {each.hint for each in absent} == {
        "the name 'a\\nb.txt' holds a line break, which the list cannot say: rename that file"
    }


def test_many_tracked_files_that_one_pattern_leaves_out_are_one_finding(tmp_path: Path) -> None:
    """A directory of a thousand files must not drown everything else."""
    names = [f"data/{number:02}.csv" for number in range(12)]
    files = dict.fromkeys(names, "") | {".modelopsignore": "*.csv\n"}
    (found,) = _found(tmp_path, _NEEDED + "\n".join(names), **files)
    assert found.code == "BK142"
    assert "data/07.csv and 4 more; the platform ships them all the same" in found.message


_UNREADABLE: dict[str, bytes] = {"latin-1": b"caf\xe9.csv\n", "too-large": b"x" * (8 * 1024 * 1024 + 1)}


@pytest.mark.parametrize("data", _UNREADABLE.values(), ids=_UNREADABLE)
def test_a_list_that_cannot_be_read_is_an_error(data: bytes, tmp_path: Path) -> None:
    """Silence would look like a list in order."""
    make_bundle(tmp_path, {_LIST: data})
    assert [(each.code, each.path) for each in findings_of(tmp_path)] == [("BK106", _LIST)]

"""BK108 to BK110: comments and settings that keep findings from counting."""

from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.model.policy import IgnoreComment
from bundlekit.read.project import read_project

_READ: dict[str, tuple[str, str, IgnoreComment]] = {
    "behind": (
        "model/rates.py",
        "x = 1  # bundlekit: ignore[BK305] it is set at run time\n",
        IgnoreComment("model/rates.py", 1, 8, ("BK305",), 1),
    ),
    "alone": (
        "model/rates.py",
        "# bundlekit: ignore[BK3, BK204] the runner's own\nx = 1\n",
        IgnoreComment("model/rates.py", 1, 1, ("BK3", "BK204"), 2),
    ),
    "indented": (
        "model/rates.py",
        "def f():\n    # bundlekit:ignore[BK3] - a reason\n    return 1\n",
        IgnoreComment("model/rates.py", 2, 5, ("BK3",), 3),
    ),
    "above-another-comment": (
        "model/rates.py",
        "# bundlekit: ignore[BK3] a reason\n# and more about it\nx = 1\n",
        IgnoreComment("model/rates.py", 1, 1, ("BK3",), 3),
    ),
    "before-another-tool's": (
        "model/rates.py",
        "x = 1  # bundlekit: ignore[BK3] see #12  # noqa: E501\n",
        IgnoreComment("model/rates.py", 1, 8, ("BK3",), 1),
    ),
    "behind-another-tool's": (
        "model/rates.py",
        "x = 1  # noqa: E501  # bundlekit: ignore [BK3] why\n",
        IgnoreComment("model/rates.py", 1, 22, ("BK3",), 1),
    ),
    "modelops": (
        ".modelops/modelops.toml",
        "[modelops]\nwire = 'model.wire:wire'  # bundlekit: ignore[BK310] the only runner here\n",
        IgnoreComment(".modelops/modelops.toml", 2, 27, ("BK310",), 2),
    ),
    "pyproject": (
        "pyproject.toml",
        pyproject(project='description = "a # bundlekit: ignore[BK1] text"  # bundlekit: ignore[BK105] why'),
        IgnoreComment("pyproject.toml", 4, 50, ("BK105",), 4),
    ),
    "requirements": (
        "requirements.txt",
        "numpy  # bundlekit: ignore[BK5] the cluster has it\n",
        IgnoreComment("requirements.txt", 1, 8, ("BK5",), 1),
    ),
    "registry": (
        ".modelops-bundle/registry.yaml",
        "# bundlekit: ignore[BK1] made by a tool that doesn't care\nversion: '1.0'\n",
        IgnoreComment(".modelops-bundle/registry.yaml", 1, 1, ("BK1",), 2),
    ),
}


@pytest.mark.parametrize(("path", "text", "comment"), _READ.values(), ids=_READ)
def test_a_comment_is_read_with_its_place(path: str, text: str, comment: IgnoreComment, tmp_path: Path) -> None:
    """It speaks of its own line, or alone on a line of the first below that is more than a comment."""
    make_bundle(tmp_path, {path: text})
    assert read_project(tmp_path).ignores == (comment,)


_MALFORMED: dict[str, tuple[str, str]] = {
    "no-reason": ("x = 1  # bundlekit: ignore[BK305]\n", "no reason"),
    "only-punctuation": ("x = 1  # bundlekit: ignore[BK305] - \n", "no reason"),
    "no-brackets": ("x = 1  # bundlekit: ignore BK305 because\n", "no code in brackets"),
    "empty-brackets": ("x = 1  # bundlekit: ignore[ ] because\n", "no code in brackets"),
    "other-tool's-comment": ("x = 1  # bundlekit: ignore[BK305]  # noqa: E501\n", "no reason"),
    "open-bracket": ("x = 1  # bundlekit: ignore[BK305 because\n", "no code in brackets"),
    "bare": ("x = 1  # bundlekit: ignore\n", "no code in brackets"),
}


@pytest.mark.parametrize(("source", "said"), _MALFORMED.values(), ids=_MALFORMED)
def test_a_malformed_comment_is_found_and_ignores_nothing(source: str, said: str, tmp_path: Path) -> None:
    """Otherwise its author believes that it works."""
    make_bundle(tmp_path, {"model/rates.py": source})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.path, found.line, found.column) == ("BK108", "model/rates.py", 1, 8)
    assert said in found.message
    assert read_project(tmp_path).ignores == ()


_UNKNOWN_CODES: dict[str, tuple[str, str, str]] = {
    "another-tool's": ("E501", "'E501'", "`bundlekit rules`"),
    "of-no-rule": ("BK3, BK399", "'BK399'", "nearest code: BK3"),
    "of-no-dynamic-rule": ("BK799", "'BK799'", "nearest code: BK70"),
    "lower-case": ("bk305", "'bk305'", "nearest code: BK305"),
    "no-comma": ("BK305 BK306", "'BK305 BK306'", "nearest code: BK3"),
}


@pytest.mark.parametrize(("codes", "named", "hint"), _UNKNOWN_CODES.values(), ids=_UNKNOWN_CODES)
def test_a_comment_with_a_code_of_no_rule_is_found(codes: str, named: str, hint: str, tmp_path: Path) -> None:
    """It ignores nothing at all, so it is not found a second time for being without use."""
    make_bundle(tmp_path, {"model/rates.py": f"x = 1  # bundlekit: ignore[{codes}] because\n"})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.severity, found.path, found.line, found.column) == (
        "BK108",
        "warning",
        "model/rates.py",
        1,
        8,
    )
    assert named in found.message
    assert found.hint is not None
    assert hint in found.hint


_NO_COMMENTS: dict[str, str] = {
    "string": 'TEXT = "# bundlekit: ignore[BK305]"\n',
    "docstring": '"""Write # bundlekit: ignore[BK305] behind it."""\n',
    "other-tool": "x = 1  # bundlekit: ignored[BK305]\n",
    "cannot-be-tokenized": "x = '''# bundlekit: ignore[BK305]\n",
    "bad-encoding": "# -*- coding: nonsense -*-\n# bundlekit: ignore[BK305]\n",
}


@pytest.mark.parametrize("source", _NO_COMMENTS.values(), ids=_NO_COMMENTS)
def test_what_only_looks_like_a_comment_is_none(source: str, tmp_path: Path) -> None:
    """A document about comments holds such text."""
    make_bundle(tmp_path, {"model/rates.py": source})
    assert {finding.code for finding in findings_of(tmp_path)} <= {"BK311"}


def test_a_comment_that_ignores_nothing_is_found(tmp_path: Path) -> None:
    """What it spoke of has gone; the next finding there would go unseen."""
    make_bundle(tmp_path, {"model/rates.py": "# bundlekit: ignore[BK3, BK7, BK204] once needed\nx = 1\n"})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.path, found.line, found.column) == ("BK109", "model/rates.py", 1, 1)
    assert "BK3, BK204, of which nothing is found in line 2" in found.message


def test_a_code_that_ignores_nothing_is_found_beside_one_that_does(tmp_path: Path) -> None:
    """The comment stays, and the code that is left over goes."""
    source = "name = '\\d'  # bundlekit: ignore[BK312, BK313] once there were two\n"
    make_bundle(tmp_path, {"model/rates.py": source})
    assert ["BK313, of which nothing" in each.message for each in findings_of(tmp_path) if each.code == "BK109"] == [
        True
    ]


_IN_USE: dict[str, dict[str, str]] = {
    "cannot-be-parsed": {"model/rates.py": "x = = 1  # bundlekit: ignore[BK312] it is meant\n"},
    "needs-what-cannot-be-parsed": {
        "model/wire.py": "def wire(:\n",
        "model/rates.py": "x = 1  # bundlekit: ignore[BK3] it is meant\n",
    },
    "found": {"model/rates.py": "name = '\\d'  # bundlekit: ignore[BK312] it is meant\n"},
    "found-below": {"model/rates.py": "# bundlekit: ignore[BK3] it is meant\nname = '\\d'\n"},
    "found-in-the-settings": {
        "pyproject.toml": pyproject(after='[tool.bundlekit]\nignore = ["BK299"]  # bundlekit: ignore[BK110] to come')
    },
    "needs-a-run-or-not": {"model/rates.py": "x = 1  # bundlekit: ignore[BK5] a build finds it\n"},
    "needs-a-run": {"model/rates.py": "x = 1  # bundlekit: ignore[BK7] a smoke task finds it\n"},
    "whole-catalogue": {"model/rates.py": "x = 1  # bundlekit: ignore[BK] made by a tool\n"},
}


@pytest.mark.parametrize("files", _IN_USE.values(), ids=_IN_USE)
def test_a_comment_that_is_or_may_be_in_use_is_left_alone(files: dict[str, str], tmp_path: Path) -> None:
    """Reading does not tell what a run would have found."""
    make_bundle(tmp_path, files)
    assert "BK109" not in {finding.code for finding in findings_of(tmp_path)}


_UNKNOWN: dict[str, tuple[str, int]] = {
    "select": ('[tool.bundlekit]\nselect = ["BK299"]\n', 8),
    "ignore": ('[tool.bundlekit]\nignore = ["BK3", "BK40x"]\n', 8),
    "per-file": ('[tool.bundlekit.per-file-ignores]\n"tests/" = ["BK999x"]\n', 8),
    "severity": ('[tool.bundlekit.severity]\nBK399 = "error"\n', 8),
    "needs-a-run": ('[tool.bundlekit]\nignore = ["BK799"]\n', 8),
    "empty": ('[tool.bundlekit]\nignore = [""]\n', 8),
}


@pytest.mark.parametrize(("after", "line"), _UNKNOWN.values(), ids=_UNKNOWN)
def test_a_setting_that_names_no_rule_is_found(after: str, line: int, tmp_path: Path) -> None:
    """A misspelt code has no effect, and nothing else would say so."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=after)})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.path, found.line) == ("BK110", "pyproject.toml", line)


def test_settings_that_name_rules_are_read(tmp_path: Path) -> None:
    """Prefixes count, and severities have three words."""
    after = (
        '[tool.bundlekit]\nselect = ["BK"]\nignore = ["BK206", "BK7"]\nbaseline = "known.json"\n'
        '[tool.bundlekit.per-file-ignores]\n"tests/" = ["BK3"]\n[tool.bundlekit.severity]\nBK410 = "error"\n'
    )
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=after)})
    settings = read_project(tmp_path).settings
    assert findings_of(tmp_path) == []
    assert (settings.select, settings.ignore, settings.baseline) == (("BK",), ("BK206", "BK7"), "known.json")
    assert [tuple(each) for each in settings.per_file_ignores] == [("tests/", ("BK3",))]
    assert dict(settings.severities) == {"BK410": "error"}


def test_a_severity_that_is_none_is_found(tmp_path: Path) -> None:
    """Errors, warnings and infos are all there is."""
    write_tree(tmp_path, {})
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after='[tool.bundlekit.severity]\nBK410 = "off"\n')})
    (found,) = findings_of(tmp_path)
    assert found.code == "BK104"
    assert "one of error, warning, info" in found.message


_NO_PATTERNS: dict[str, str] = {"broken": "!", "takes-back": "!model/", "nothing": "# a comment"}


@pytest.mark.parametrize("pattern", _NO_PATTERNS.values(), ids=_NO_PATTERNS)
def test_a_pattern_that_matches_no_file_is_found(pattern: str, tmp_path: Path) -> None:
    """It is a mistake in the settings, with a place, and no reason to break down."""
    after = f'[tool.bundlekit.per-file-ignores]\n"{pattern}" = ["BK3"]\n"tests/" = ["BK4"]\n'
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=after)})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.line, repr(pattern) in found.message) == ("BK104", 8, True)
    assert [each.pattern for each in read_project(tmp_path).settings.per_file_ignores] == ["tests/"]


@pytest.mark.parametrize("path", ["/etc/known.json", "../known.json", " "])
def test_a_baseline_outside_of_the_bundle_is_found(path: str, tmp_path: Path) -> None:
    """The bundle may come from anybody, and --write-baseline writes there."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=f'[tool.bundlekit]\nbaseline = "{path}"\n')})
    (found,) = findings_of(tmp_path)
    assert found.code == "BK104"
    assert "the path of a file inside the bundle" in found.message
    assert read_project(tmp_path).settings.baseline is None

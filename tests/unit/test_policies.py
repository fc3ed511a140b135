"""What decides which findings of a bundle count, on real bundles at level static."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject

from bundlekit.api.policies import looked_for, policy_of, unused_after_run
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.errors import UsageError
from bundlekit.model.finding import Finding, Level, Report, Severity, Stage, StageName, StageStatus
from bundlekit.model.policy import Policy, Selection
from bundlekit.read.project import read_project

_OPTIONS = ValidateOptions(level=Level.STATIC)
_URL = "solver @ https://example.org/solver-1.0-py3-none-any.whl"
_WRONG = {"model/wire.py": "def wire(entrypoint): ...\n"}
"""BK307, an error in line 1, and a note, BK206, of which no line speaks."""


def _report(root: Path, files: Mapping[str, str], options: ValidateOptions = _OPTIONS, *, after: str = "") -> Report:
    make_bundle(root, {"pyproject.toml": pyproject(after=after), "model/data/": "", **files})
    (report,) = validate([root], options, lambda _: None)
    return report


def _told(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


_SETTINGS: dict[str, tuple[str, list[str], dict[str, int]]] = {
    "nothing": ("", ["BK206", "BK307"], {}),
    "ignore": ('[tool.bundlekit]\nignore = ["BK3"]\n', ["BK206"], {"ignore": 1}),
    "select": ('[tool.bundlekit]\nselect = ["BK2"]\n', ["BK206"], {"select": 1}),
    "select-and-ignore": ('[tool.bundlekit]\nselect = ["BK"]\nignore = ["BK206"]\n', ["BK307"], {"ignore": 1}),
    "per-file": (
        '[tool.bundlekit.per-file-ignores]\n"wire.py" = ["BK307"]\n"model/" = ["BK204"]\n',
        ["BK206"],
        {"per-file-ignores": 1},
    ),
    "unknown-select": ('[tool.bundlekit]\nselect = ["BK999"]\n', ["BK206", "BK307", "BK110"], {}),
    "one-unknown-select": ('[tool.bundlekit]\nselect = ["BK2", "BK999"]\n', ["BK206", "BK110"], {"select": 1}),
    "unknown-select-ignored": (
        '[tool.bundlekit]\nselect = ["BK2", "BK999"]\nignore = ["BK110"]\n',
        ["BK206"],
        {"select": 1, "ignore": 1},
    ),
    "empty-ignore": ('[tool.bundlekit]\nignore = [""]\n', ["BK206", "BK307", "BK110"], {}),
    "empty-per-file": ('[tool.bundlekit.per-file-ignores]\n"*" = [""]\n', ["BK206", "BK307", "BK110"], {}),
    "empty-severity": ('[tool.bundlekit.severity]\n"" = "info"\n', ["BK206", "BK307", "BK110"], {}),
}


@pytest.mark.parametrize(("after", "told", "suppressed"), _SETTINGS.values(), ids=_SETTINGS)
def test_the_settings_decide_what_counts(
    after: str, told: list[str], suppressed: dict[str, int], tmp_path: Path
) -> None:
    """A code that no rule has must not keep anything from counting: it would turn every bundle green."""
    report = _report(tmp_path, _WRONG, after=after)
    assert sorted(_told(report)) == sorted(told)
    assert dict(report.suppressed) == suppressed
    assert report.passed is ("BK307" not in told)


_OPTIONS_AND_SETTINGS: dict[str, tuple[ValidateOptions, list[str]]] = {
    "ignore-comes-on-top": (_OPTIONS._replace(ignore=("BK307",)), []),
    "select-begins-anew": (_OPTIONS._replace(select=("BK206", "BK3")), ["BK206", "BK307"]),
    "several-in-one": (_OPTIONS._replace(select=("BK206, BK3",)), ["BK206", "BK307"]),
}


@pytest.mark.parametrize(("options", "told"), _OPTIONS_AND_SETTINGS.values(), ids=_OPTIONS_AND_SETTINGS)
def test_options_and_settings_are_put_together_as_in_ruff(
    options: ValidateOptions, told: list[str], tmp_path: Path
) -> None:
    """People know the one tool and read no manual for the other."""
    assert _told(_report(tmp_path, _WRONG, options, after='[tool.bundlekit]\nignore = ["BK206"]\n')) == told


@pytest.mark.parametrize("prefix", ["BK399", "", "E501", "bk3", "BK3,", "BK799"])
def test_an_option_that_names_no_rule_is_refused(prefix: str, tmp_path: Path) -> None:
    """A typo on the command line is told before any work."""
    with pytest.raises(UsageError, match="no rule's code begins with") as refused:
        validate([tmp_path], _OPTIONS._replace(ignore=(prefix,)), lambda _: None)
    assert "`bundlekit rules` lists them" in str(refused.value.hint)


_COMMENTED: dict[str, tuple[dict[str, str], list[str]]] = {
    "behind": ({"model/wire.py": "def wire(entrypoint): ...  # bundlekit: ignore[BK307] not for today's runner\n"}, []),
    "above": ({"model/wire.py": "# bundlekit: ignore[BK3] not for today's runner\ndef wire(entrypoint): ...\n"}, []),
    "elsewhere": (
        {"model/wire.py": "def wire(entrypoint): ...\n# bundlekit: ignore[BK307] not for today's runner\n"},
        ["BK307", "BK109"],
    ),
    "without-reason": (
        {"model/wire.py": "def wire(entrypoint): ...  # bundlekit: ignore[BK307]\n"},
        ["BK307", "BK108"],
    ),
    "with-an-unknown-code": (
        {"model/wire.py": "def wire(entrypoint): ...  # bundlekit: ignore[BK307, BK399] not for today's runner\n"},
        ["BK307", "BK108"],
    ),
    "of-another-code": (
        {"model/wire.py": "def wire(entrypoint): ...  # bundlekit: ignore[BK305] not for today's runner\n"},
        ["BK307", "BK109"],
    ),
    "of-what-has-no-line": (
        {"random.py": "# bundlekit: ignore[BK204] the runner knows\nx = 1\n"},
        ["BK204", "BK109"],
    ),
}


@pytest.mark.parametrize(("files", "told"), _COMMENTED.values(), ids=_COMMENTED)
def test_a_comment_decides_for_its_line(files: dict[str, str], told: list[str], tmp_path: Path) -> None:
    """The next finding in the file is somebody else's decision."""
    report = _report(tmp_path, files, _OPTIONS._replace(ignore=("BK206",)))
    assert sorted(_told(report)) == sorted(told)
    assert report.suppressed.get("comment", 0) == (not told)


def test_an_error_that_is_ignored_lets_the_stage_pass(tmp_path: Path) -> None:
    """In pyproject.toml as in code."""
    text = pyproject(project=f'dependencies = [\n  "{_URL}",  # bundlekit: ignore[BK504] the cluster mirrors it\n]')
    after = '[tool.bundlekit.severity]\nBK504 = "error"\n'
    failed = _report(tmp_path / "a", {"pyproject.toml": text.replace("# bundlekit", "#") + after})
    assert (failed.passed, failed.stages[0].status, failed.reweighed) == (False, StageStatus.FAILED, 1)
    passed = _report(tmp_path / "b", {"pyproject.toml": text + after})
    assert (passed.passed, passed.stages[0].status, passed.reweighed) == (True, StageStatus.PASSED, 0)


def test_an_error_may_be_lowered(tmp_path: Path) -> None:
    """It is the user's decision, and the report says that one was made."""
    report = _report(tmp_path, _WRONG, after='[tool.bundlekit.severity]\nBK3 = "info"\nBK307 = "warning"\n')
    assert (report.passed, report.reweighed) == (True, 1)
    assert [(each.code, each.severity) for each in report.findings][-1] == ("BK307", Severity.WARNING)


_RAN = Stage(StageName.IMPORT, StageStatus.PASSED, 0.1)
_FAILURE = Finding("BK604", Severity.WARNING, "lowered by the settings")
_STAGES: dict[str, tuple[tuple[Stage, ...], tuple[Finding, ...], bool]] = {
    "did-not-run": ((), (), False),
    "passed": ((_RAN,), (), True),
    "skipped": ((_RAN._replace(status=StageStatus.SKIPPED),), (), False),
    "failed": ((_RAN._replace(status=StageStatus.FAILED),), (), False),
    "met-a-failure": ((_RAN,), (_FAILURE,), False),
    "another-stage": ((_RAN._replace(name=StageName.SMOKE),), (), False),
}


@pytest.mark.parametrize(("stages", "found", "is_unused"), _STAGES.values(), ids=_STAGES)
def test_a_comment_about_a_run_is_unused_when_its_rules_have_run(
    stages: tuple[Stage, ...], found: tuple[Finding, ...], tmp_path: Path, *, is_unused: bool
) -> None:
    """What a stage did not come to, it would perhaps have found."""
    make_bundle(tmp_path, {"model/rates.py": "x = 1  # bundlekit: ignore[BK603, BK305] it was needed once\n"})
    policy = policy_of(read_project(tmp_path), Selection(), (), learns=False)
    idle = unused_after_run(policy, found, looked_for(policy, stages, found))
    assert [each.message for each in idle] == [
        "the comment ignores BK603, of which nothing is found in line 1"
    ] * is_unused


def test_what_cannot_be_read_hides_what_would_be_found() -> None:
    """So nothing of it has gone from the baseline."""
    broken = Finding("BK103", Severity.ERROR, "no TOML", "pyproject.toml", 1)
    assert looked_for(Policy(), (), (broken,)) == {"BK103"}


def test_what_is_not_selected_is_not_looked_for() -> None:
    """And what is, is found where it is."""
    ran = looked_for(Policy((Selection(select=("BK6",)),)), (_RAN,), (_FAILURE,))
    assert ("BK305" in ran, "BK604" in ran, "BK603" in ran) == (False, True, False)

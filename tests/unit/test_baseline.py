"""Baselines: what is known does not count, what is new does."""

import json
from pathlib import Path

import pytest
from builders.bundles import make_bundle

from bundlekit.api.policies import write_baseline
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.errors import UsageError
from bundlekit.model.finding import Level, Report
from bundlekit.read.baseline import read_baseline


def _validated(root: Path, baseline: Path | None = None) -> tuple[Report, ...]:
    return validate([root], ValidateOptions(level=Level.STATIC, baseline=baseline), lambda _: None)


def test_known_findings_do_not_count_and_new_ones_do(tmp_path: Path) -> None:
    """A repository with old findings can take up the hook today."""
    root = make_bundle(tmp_path / "sir", {"model/wire.py": "def run(): ...\n"})
    before = _validated(root)
    assert [finding.code for finding in before[0].findings] == ["BK305"]
    file = tmp_path / "known.json"
    assert write_baseline(file, before) == 1
    (known,) = _validated(root, file)
    assert known.findings == ()
    assert known.passed
    assert dict(known.suppressed) == {"baseline": 1}
    (root / "random.py").write_text("")
    (after,) = _validated(root, file)
    assert [finding.code for finding in after.findings] == ["BK204"]


def test_the_settings_name_the_baseline_from_the_bundle(tmp_path: Path) -> None:
    """So that the hook needs no argument; one that is not there is none."""
    text = '[project]\nname = "m"\nversion = "1"\n[project.entry-points."modelops.wire"]\nx = "model.wire:wire"\n'
    settings = '[tool.bundlekit]\nbaseline = "known.json"\n'
    root = make_bundle(tmp_path, {"model/wire.py": "def run(): ...\n", "pyproject.toml": text + settings})
    before = _validated(root)
    assert [finding.code for finding in before[0].findings] == ["BK305"]
    write_baseline(root / "known.json", before)
    assert _validated(root)[0].findings == ()


_NONE: dict[str, tuple[str, str]] = {
    "not-json": ("{", "is not JSON"),
    "a-list": ("[]", "is no baseline"),
    "other-schema": ('{"schema": "bundlekit/report/1", "bundles": {}}', "is no baseline"),
    "no-bundles": ('{"schema": "bundlekit/baseline/1"}', "is no baseline"),
    "no-list": ('{"schema": "bundlekit/baseline/1", "bundles": {"a": 1}}', "no list of fingerprints for 'a'"),
    "no-fingerprint": ('{"schema": "bundlekit/baseline/1", "bundles": {"a": ["x"]}}', "no list of fingerprints"),
}


@pytest.mark.parametrize(("text", "said"), _NONE.values(), ids=_NONE)
def test_what_is_no_baseline_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """Taken for an empty one it would bring back every old finding."""
    file = tmp_path / "known.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_baseline(file)


def test_a_baseline_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Who names one means that there is one."""
    with pytest.raises(UsageError, match="cannot be read"):
        read_baseline(tmp_path / "known.json")
    with pytest.raises(UsageError, match="not a regular file"):
        read_baseline(tmp_path)


def test_somebodys_own_file_is_not_replaced(tmp_path: Path) -> None:
    """A slip of the keyboard costs nothing."""
    root = make_bundle(tmp_path / "sir", {})
    file = tmp_path / "notes.json"
    file.write_text(json.dumps({"mine": 1}))
    with pytest.raises(UsageError, match="left as it is"):
        write_baseline(file, _validated(root))
    assert json.loads(file.read_text()) == {"mine": 1}

"""Baselines: what is known does not count, what is new does."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject
from jsonschema import Draft202012Validator

from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.errors import UsageError
from bundlekit.model.baseline import Baseline, KnownFinding
from bundlekit.model.finding import Level, Report
from bundlekit.read.baseline import read_baseline
from bundlekit.report.json_schemas import schema_texts

_STATIC = ValidateOptions(level=Level.STATIC)
_WRONG = {"model/wire.py": "def run(): ...\n"}
_SETTING = pyproject(after='[tool.bundlekit]\nbaseline = "known.json"\n')


def _validated(options: ValidateOptions, *roots: Path) -> tuple[Report, ...]:
    return validate(roots, options, lambda _: None)


def _learnt(file: Path | None, *roots: Path) -> tuple[Report, ...]:
    return _validated(_STATIC._replace(baseline=file, write_baseline=True), *roots)


def _codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def _document(file: Path) -> Mapping[str, list[dict[str, str]]]:
    document = json.loads(file.read_text())
    Draft202012Validator(json.loads(schema_texts()["baseline.schema.json"])).validate(document)
    bundles: Mapping[str, list[dict[str, str]]] = document["bundles"]
    return bundles


def test_known_findings_do_not_count_and_new_ones_do(tmp_path: Path) -> None:
    """A repository with old findings can take up the hook today."""
    root, file = make_bundle(tmp_path / "sir", _WRONG), tmp_path / "known.json"
    (learnt,) = _learnt(file, root)
    assert (learnt.passed, dict(learnt.suppressed), learnt.findings) == (True, {"baseline": 1}, ())
    assert [(each["code"], each["path"]) for each in _document(file)["sir"]] == [("BK305", "pyproject.toml")]
    (root / "random.py").write_text("")
    (after,) = _validated(_STATIC._replace(baseline=file), root)
    assert (_codes(after), dict(after.suppressed), after.gone) == (["BK204"], {"baseline": 1}, 0)


def test_what_has_gone_is_told_and_leaves_with_the_next_writing(tmp_path: Path) -> None:
    """So that the baseline shrinks."""
    root, file = make_bundle(tmp_path / "sir", _WRONG), tmp_path / "known.json"
    _learnt(file, root)
    make_bundle(root, {})
    (mended,) = _validated(_STATIC._replace(baseline=file), root)
    assert (mended.passed, mended.gone) == (True, 1)
    (learnt,) = _learnt(file, root)
    assert (learnt.gone, _document(file)) == (0, {})


def test_one_file_knows_several_bundles_each_by_its_path(tmp_path: Path) -> None:
    """Writing anew for one of them leaves the others as they are."""
    one, two = make_bundle(tmp_path / "models" / "one", _WRONG), make_bundle(tmp_path / "models" / "two", _WRONG)
    file = tmp_path / "known.json"
    _learnt(file, one, two)
    assert list(_document(file)) == ["models/one", "models/two"]
    make_bundle(one, {})
    _learnt(file, one)
    assert list(_document(file)) == ["models/two"]
    assert [report.passed for report in _validated(_STATIC._replace(baseline=file), one, two)] == [True, True]


def test_the_settings_name_the_baseline_from_the_bundle(tmp_path: Path) -> None:
    """So that the hook needs no argument; the bundle may be moved, and a file that is not there yet knows nothing."""
    root = make_bundle(tmp_path / "sir", {**_WRONG, "pyproject.toml": _SETTING})
    assert _codes(_validated(_STATIC, root)[0]) == ["BK305"]
    _learnt(None, root)
    assert list(_document(root / "known.json")) == ["."]
    moved = root.rename(tmp_path / "moved")
    assert _validated(_STATIC, moved)[0].passed


def test_the_command_line_names_another_baseline_than_the_settings(tmp_path: Path) -> None:
    """The option goes first, as everywhere."""
    root = make_bundle(tmp_path / "sir", {**_WRONG, "pyproject.toml": _SETTING})
    _learnt(None, root)
    _learnt(tmp_path / "empty.json", make_bundle(tmp_path / "other", {}))
    (report,) = _validated(_STATIC._replace(baseline=tmp_path / "empty.json"), root)
    assert _codes(report) == ["BK305"]


def test_what_is_not_looked_for_stays_known(tmp_path: Path) -> None:
    """A baseline of a smoke run does not shrink when somebody writes it at level static, or for one family alone."""
    fingerprint = "0" * 64
    smoke = KnownFinding(fingerprint, "BK701", None, "it failed")
    old = KnownFinding(fingerprint, "BK305", None, "gone")
    new = KnownFinding("1" * 64, "BK204", "random.py", "new")
    baseline = Baseline({"sir": (smoke, old), "other": (old,)})
    assert baseline.renewed("sir", [new], {"BK305", "BK204"}).bundles == {"sir": (new, smoke), "other": (old,)}

    root, file = make_bundle(tmp_path / "sir", {**_WRONG, "random.py": ""}), tmp_path / "known.json"
    _learnt(file, root)
    make_bundle(root, {})
    one_family = _STATIC._replace(select=("BK2",), baseline=file)
    (report,) = _validated(one_family, root)
    assert (report.gone, dict(report.suppressed)) == (0, {"baseline": 1})
    _validated(one_family._replace(write_baseline=True), root)
    assert [each["code"] for each in _document(file)["sir"]] == ["BK204", "BK305"]


def test_without_a_place_for_the_baseline_none_is_written(tmp_path: Path) -> None:
    """The bundle that names a file gets none either: nothing is written unless there is a verdict on all."""
    named = make_bundle(tmp_path / "named", {"pyproject.toml": _SETTING})
    reports = _learnt(None, named, make_bundle(tmp_path / "sir", {}))
    assert reports[0].obstacle is None
    assert reports[1].obstacle is not None
    assert "--write-baseline needs to know where to write" in reports[1].obstacle.message
    assert not (named / "known.json").exists()


_KNOWN = '{"schema": "bundlekit/baseline/1", "bundles": {"a": %s}}'
_ENTRY = {"fingerprint": "0" * 64, "code": "BK305", "path": None, "message": "it is wrong"}
_NONE: dict[str, tuple[str, str]] = {
    "not-json": ('{\n  "schema": nothing}', r"known.json:2:13: the baseline is not JSON"),
    "too-deep": ("[" * 100_000, "is not JSON"),
    "not-utf-8": ("\udcff", "is not JSON"),
    "a-list": ("[]", "is no baseline"),
    "other-schema": ('{"schema": "bundlekit/report/1", "bundles": {}}', "is no baseline"),
    "no-bundles": ('{"schema": "bundlekit/baseline/1"}', "is no baseline"),
    "too-long": (" " * (8 * 1024 * 1024 + 1), "longer than 8,388,608 bytes"),
    "no-list": (_KNOWN % 1, r"bundles\['a'\] is no list of findings"),
    "no-object": (_KNOWN % '["x"]', "number 1 lacks fingerprint"),
    "no-fingerprint": (_KNOWN % json.dumps([_ENTRY, _ENTRY | {"fingerprint": "x"}]), "number 2 lacks fingerprint"),
    "no-code": (_KNOWN % json.dumps([_ENTRY | {"code": 305}]), "number 1 lacks fingerprint"),
    "no-path": (_KNOWN % json.dumps([_ENTRY | {"path": 1}]), "number 1 lacks fingerprint"),
    "no-message": (_KNOWN % json.dumps([_ENTRY | {"message": None}]), "number 1 lacks fingerprint"),
}


@pytest.mark.parametrize(("text", "said"), _NONE.values(), ids=_NONE)
def test_what_is_no_baseline_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """Taken for an empty one it would bring back every old finding."""
    file = tmp_path / "known.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=said):
        read_baseline(file)
    (report,) = _validated(_STATIC._replace(baseline=file), make_bundle(tmp_path / "a", {}))
    assert (report.exit_status, report.passed) == (2, False)


def test_a_baseline_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Who names one means that there is one; the hint works as it stands, with or without a setting."""
    file = tmp_path / "known.json"
    with pytest.raises(UsageError, match="cannot be read") as refused:
        read_baseline(file)
    assert refused.value.hint == f"write it with: bundlekit validate --baseline {file} --write-baseline"
    with pytest.raises(UsageError, match="not a regular file"):
        read_baseline(tmp_path)


@pytest.mark.parametrize("own", ["option", "setting"])
def test_somebodys_own_file_is_not_replaced(own: str, tmp_path: Path) -> None:
    """A slip of the keyboard costs nothing."""
    root = make_bundle(tmp_path / "sir", {**_WRONG, "pyproject.toml": _SETTING})
    file = tmp_path / "notes.json" if own == "option" else root / "known.json"
    file.write_text(json.dumps({"mine": 1}))
    if own == "option":
        with pytest.raises(UsageError, match="left as it is"):
            _learnt(file, root)
    else:
        (report,) = _learnt(None, root)
        assert report.obstacle is not None
        assert "left as it is" in report.obstacle.message
    assert json.loads(file.read_text()) == {"mine": 1}


def test_an_empty_file_is_an_empty_baseline_when_one_is_written(tmp_path: Path) -> None:
    """`mktemp` makes one, and there is nothing in it to lose."""
    root, file = make_bundle(tmp_path / "sir", _WRONG), tmp_path / "known.json"
    file.touch()
    _learnt(file, root)
    assert list(_document(file)) == ["sir"]

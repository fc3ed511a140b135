"""A report that was kept comes back as it was."""

from typing import get_args

import pytest
from builders.reports import HOSTILE, finding, report

from bundlekit.model.digest import Digest
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    RenameKey,
    ReplaceText,
    RequireFreshProcess,
)
from bundlekit.model.finding import Finding, Report, Severity
from bundlekit.model.kept_report import kept, restored
from bundlekit.model.place import Place

_PLACE = Place("coin/wire.py", 3, 5)
_EDITS: tuple[Edit, ...] = (
    CreateFile("coin/__init__.py", "x"),
    AddRequirement("numpy>=2"),
    AddEntryPoint("modelops.wire", "execute", "coin.wire:wire"),
    ReplaceText(_PLACE, "a", "b"),
    AddParameter(_PLACE, "wire", "seed", "0"),
    AddSmokeTask("main"),
    RequireFreshProcess("task 3 changes after task 1"),
    RenameKey("pyproject.toml", ("tool", "bundlekit", "smoke", 0, "sed"), "seed"),
)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(report(), id="nothing found"),
        pytest.param(report(finding(), Finding("BK101", Severity.INFO, HOSTILE, entity=HOSTILE)), id="findings"),
        pytest.param(report(*[finding()._replace(edit=edit) for edit in _EDITS]), id="edits"),
        pytest.param(report()._replace(digest=Digest.of(b""), deps_hash=Digest.of(b"x")), id="digests"),
        pytest.param(report()._replace(suppressed={"baseline": 3}), id="suppressed findings"),
    ],
)
def test_a_kept_report_comes_back_equal(value: Report) -> None:
    """A report that is shown again must be the one that was shown."""
    assert restored(kept(value)) == value
    assert [type(each.edit) for each in restored(kept(value)).findings] == [type(each.edit) for each in value.findings]


def test_every_kind_of_edit_can_be_kept() -> None:
    """A new kind that the store does not know would break the hook on the second run only."""
    assert {type(edit) for edit in _EDITS} == set(get_args(Edit))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", kept(report()).replace('"static"', '"statik"')])
def test_a_text_that_is_no_report_is_refused(text: str) -> None:
    """The store takes it for nothing, and must be told so by an exception that it knows."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        restored(text)

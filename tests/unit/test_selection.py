"""Selecting and ignoring findings by code prefix."""

import pytest

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.selection import selected

FINDINGS = tuple(Finding(code, Severity.ERROR, "message") for code in ("BK101", "BK301", "BK307", "BK401"))


@pytest.mark.parametrize(
    ("select", "ignore", "kept"),
    [
        pytest.param((), (), ["BK101", "BK301", "BK307", "BK401"], id="nothing asked keeps all"),
        pytest.param(("BK3",), (), ["BK301", "BK307"], id="a family"),
        pytest.param((), ("BK3",), ["BK101", "BK401"], id="all but a family"),
        pytest.param((), ("BK3", "BK101"), ["BK401"], id="several ignored"),
        pytest.param(("BK301",), ("BK3",), ["BK301"], id="the longer prefix wins for select"),
        pytest.param(("BK3",), ("BK301",), ["BK307"], id="the longer prefix wins for ignore"),
        pytest.param(("BK3",), ("BK3",), [], id="ignore wins a tie"),
    ],
)
def test_the_longest_prefix_decides(select: tuple[str, ...], ignore: tuple[str, ...], kept: list[str]) -> None:
    """People ignore a family and keep one rule of it, or the other way round."""
    assert [finding.code for finding in selected(FINDINGS, select, ignore)] == kept

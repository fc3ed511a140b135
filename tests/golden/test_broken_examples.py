"""examples/broken: each bundle's static findings are those that stand beside it, to the letter."""

from pathlib import Path

import pytest
from builders.bundles import findings_of

from bundlekit.report.text import finding_lines

_BROKEN = Path(__file__).resolve().parents[2] / "examples" / "broken"
_BUNDLES = sorted(path for path in _BROKEN.iterdir() if path.is_dir())


def golden_form(bundle: Path) -> str:
    """Return the findings as the text report prints them, without colours."""
    lines = [line for finding in findings_of(bundle) for line in finding_lines(finding, lambda text, _: text)]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("bundle", _BUNDLES, ids=[path.name for path in _BUNDLES])
def test_the_findings_are_the_expected_ones(bundle: Path) -> None:
    """Messages, places and hints are what users see: a change of them is seen in review."""
    expected = (_BROKEN / f"{bundle.name}.findings.txt").read_text("utf-8")
    assert golden_form(bundle) == expected


def test_nothing_expected_is_without_its_bundle() -> None:
    """A renamed example must take its expectation along."""
    assert {path.name.removesuffix(".findings.txt") for path in _BROKEN.glob("*.findings.txt")} <= {
        path.name for path in _BUNDLES
    }

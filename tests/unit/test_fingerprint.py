"""Fingerprints tell a finding again after its file was edited elsewhere."""

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.fingerprint import fingerprints


def _finding(message: str = "no such name", line: int = 3, path: str = "model/wire.py") -> Finding:
    return Finding("BK305", Severity.ERROR, message, path, line, 1)


def test_a_finding_that_moves_keeps_its_fingerprint() -> None:
    """A baseline that every inserted line invalidates is thrown away."""
    before = fingerprints([_finding("defined in line 3 of it", 3)])
    assert fingerprints([_finding("defined in line 40 of it", 40)]) == before


def test_findings_that_differ_only_in_their_place_are_told_apart() -> None:
    """Two equal findings in one file are two."""
    first, second = fingerprints([_finding(line=3), _finding(line=9)])
    assert first != second
    assert fingerprints([_finding(line=5), _finding(line=11)]) == [first, second]


def test_message_and_path_count() -> None:
    """What is new must not hide behind what is known."""
    assert len(set(fingerprints([_finding(), _finding("another"), _finding(path="model/fit.py")]))) == 3

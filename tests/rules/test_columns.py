"""Columns count characters, whatever stands before them in the line."""

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle

_WIRE = GOOD_WIRE.encode()
_BROKEN = {"'éé'; ": "two characters of two bytes", "'x𝄞'; ": "one of four bytes", "'xx'; ": "ASCII"}


@pytest.mark.parametrize("before", _BROKEN, ids=list(_BROKEN.values()))
@pytest.mark.parametrize(
    ("rest", "code", "column"),
    [
        pytest.param("x = +* 2", "BK311", 12, id="the parser's error"),
        pytest.param("from __future__ import nope", "BK311", 7, id="the compiler's error"),
        pytest.param("return 1", "BK311", 7, id="a return outside functions"),
        pytest.param("data = open('data/no.csv')", "BK201", 19, id="a file that does not ship"),
    ],
)
def test_a_column_counts_characters(tmp_path: Path, before: str, rest: str, code: str, column: int) -> None:
    """Trees count bytes: an editor that is sent there lands beside the mistake, and SARIF would tell a lie."""
    files = {"model/wire.py": f"{before}{rest}\n".encode() + _WIRE, "data/no.csv": "1\n", ".modelopsignore": "data/\n"}
    root = make_bundle(tmp_path, files)
    found = [each for each in findings_of(root) if each.code == code]
    assert [(each.path, each.line, each.column) for each in found] == [("model/wire.py", 1, column)]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(b"# coding: latin-1\n", b"\n", id="latin-1"),
        pytest.param(b"# coding: latin-1\r\n", b"\r\n", id="DOS line ends"),
    ],
)
def test_a_column_counts_characters_in_the_encoding_of_the_source(tmp_path: Path, start: bytes, end: bytes) -> None:
    """Old sources name their encoding, and Python counts the bytes of what it made of them."""
    line = "'éé'; return 1".encode("latin-1")
    root = make_bundle(tmp_path, {"model/wire.py": start + line + end + _WIRE})
    assert [(each.line, each.column) for each in findings_of(root) if each.code == "BK311"] == [(2, 7)]


def test_a_source_that_cannot_be_decoded_is_a_finding_all_the_same(tmp_path: Path) -> None:
    """Columns are for convenience; no mistake may be lost over one."""
    root = make_bundle(tmp_path, {"model/wire.py": b"# coding: no-such-codec\n'\xe9'\n" + _WIRE})
    assert [each.code for each in findings_of(root)].count("BK311") == 1

"""Sources as hostile or merely old as they come (HOSTILE_CORPUS E): one finding, no crash, no hang."""

import gc
import os
import time
import warnings
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

from bundlekit.check.syntax import Parsed, SyntaxFailure, parse, paused_collector
from bundlekit.model.finding import Severity

_DEEP_IF = "".join("    " * depth + "if x:\n" for depth in range(500)) + "    " * 500 + "pass\n"

_REFUSED: dict[str, bytes] = {
    "nul": b"def wire(a, b, c): ...\n\0",
    "invalid-utf-8": b"x = '\xff'\ndef wire(a, b, c): ...\n",
    "unknown-codec": b"# -*- coding: no-such-codec -*-\ndef wire(a, b, c): ...\n",
    "cookie-against-mark": b"\xef\xbb\xbf# coding: latin-1\ndef wire(a, b, c): ...\n",
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.",
    "elf": b"\x7fELF\x02\x01\x01\0\0\0\0",
    "parentheses": b"x = " + b"(" * 5000 + b")" * 5000,
    "unary-minus": b"x = " + b"-" * 200_000 + b"1",
    "sum": b"x = 1" + b"+1" * 200_000,
    "attributes": b"x = a" + b".b" * 200_000,
    "nested-if": _DEEP_IF.encode(),
    "duplicate-arguments": b"def wire(a, a, b): ...\n",
    "return-at-top": b"def wire(a, b, c): ...\nreturn\n",
    "yield-at-top": b"def wire(a, b, c): ...\nyield 1\n",
    "await-at-top": b"def wire(a, b, c): ...\nawait x\n",
    "return-in-class": b"def wire(a, b, c): ...\nclass A:\n    return\n",
    "future": b"from __future__ import nothing_such\ndef wire(a, b, c): ...\n",
}


@pytest.mark.parametrize("data", _REFUSED.values(), ids=_REFUSED)
def test_a_source_that_cannot_be_imported_is_one_error(data: bytes, tmp_path: Path) -> None:
    """Whatever the parser throws becomes a finding at the file, within seconds."""
    make_bundle(tmp_path, {"model/wire.py": data})
    started = time.monotonic()
    found = findings_of(tmp_path)
    assert [(f.code, f.severity, f.path) for f in found if f.code == "BK311"] == [
        ("BK311", Severity.ERROR, "model/wire.py")
    ]
    assert time.monotonic() - started < 10


_ACCEPTED: dict[str, bytes] = {
    "byte-order-mark": b"\xef\xbb\xbf" + GOOD_WIRE.encode(),
    "latin-1": b"# coding: latin-1\nNAME = '\xe9'\n" + GOOD_WIRE.encode(),
    "cp1252": b"# coding: cp1252\nNAME = '\x80'\n" + GOOD_WIRE.encode(),
    "utf-8-sig": b"# coding: utf-8-sig\n" + GOOD_WIRE.encode(),
    "lone-cr": GOOD_WIRE.replace("\n", "\r").encode(),
    "form-feed": b"\x0c\n" + GOOD_WIRE.encode(),
    "no-final-newline": GOOD_WIRE.rstrip().encode(),
    "big-literal": b"TEXT = '" + b"x" * 5_000_000 + b"'\n" + GOOD_WIRE.encode(),
    "big-shift": b"NUMBER = 1 << 10 ** 9\nTEXT = 'a' * 10 ** 9\n" + GOOD_WIRE.encode(),
    "empty-package": GOOD_WIRE.encode(),
}


@pytest.mark.parametrize("data", _ACCEPTED.values(), ids=_ACCEPTED)
def test_a_source_that_imports_is_left_alone(data: bytes, tmp_path: Path) -> None:
    """Encodings and line ends are CPython's business, constants are nobody's: nothing is folded or run."""
    make_bundle(tmp_path, {"model/wire.py": data})
    assert findings_of(tmp_path) == []


def test_an_expression_deeper_than_our_own_stack_is_unknown(tmp_path: Path) -> None:
    """The parser takes more levels than a function that follows them."""
    source = "import numpy as a\nwire = a" + ".b" * 900 + "\n"
    make_bundle(
        tmp_path, {"model/wire.py": source, "pyproject.toml": pyproject(project='dependencies = ["numpy==2.1.0"]')}
    )
    assert {finding.code for finding in findings_of(tmp_path)} <= {"BK304", "BK309", "BK311"}


def test_invalid_utf8_is_found_at_its_line(tmp_path: Path) -> None:
    """Python's own message counts bytes from the start of the file."""
    make_bundle(tmp_path, {"model/wire.py": b"x = 1\ny = '\xff'\n" + GOOD_WIRE.encode()})
    (found,) = (finding for finding in findings_of(tmp_path) if finding.code == "BK311")
    assert found.line == 2


@pytest.mark.parametrize("name", ["__init__.py/x.py", "__init__.pyi"])
def test_a_package_without_a_real_init_is_a_namespace(name: str, tmp_path: Path) -> None:
    """A directory of that name, or a stub, makes no regular package; the module in it imports all the same."""
    root = make_bundle(tmp_path, {})
    (root / "model/__init__.py").unlink()
    target = root / "model" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("")
    assert findings_of(root) == []


def test_an_init_that_is_a_link_cannot_ship(tmp_path: Path) -> None:
    """Links do not ship, so on the worker the package has no __init__."""
    make_bundle(tmp_path, {"shared.py": ""})
    (tmp_path / "model/__init__.py").unlink()
    (tmp_path / "model/__init__.py").symlink_to("../shared.py")
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK202"]


def test_only_bytecode_is_no_source(tmp_path: Path) -> None:
    """Bytecode is left out, so nothing is there to import."""
    make_bundle(tmp_path, {"model/wire.pyc": b"\0" * 16})
    (tmp_path / "model/wire.py").unlink()
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK304"]


def test_parsers_warnings_are_findings_and_never_printed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Standard output holds the report; and -W error must not turn a warning into a syntax error."""
    make_bundle(tmp_path, {"model/wire.py": GOOD_WIRE + "PATTERN = '\\d'\n"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = findings_of(tmp_path)
    assert [(finding.code, finding.line) for finding in found] == [("BK312", 3)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
def test_the_collector_is_left_as_it_was(tmp_path: Path, *, enabled: bool) -> None:
    """The checker is a library too: a program that manages its memory itself must not find the collector changed."""
    make_bundle(tmp_path, {})
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        findings_of(tmp_path)
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_what_a_program_froze_stays_frozen(tmp_path: Path) -> None:
    """Programs freeze what they have before they fork."""
    make_bundle(tmp_path, {})
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        findings_of(tmp_path)
        # What was frozen may be dropped, and still nothing was thawed.
        assert 0 < gc.get_freeze_count() <= frozen
    finally:
        gc.unfreeze()


def test_what_was_made_meanwhile_is_not_looked_at_again() -> None:
    """The trees of scipy and what it imports took the collector half as long as the check."""
    passes: list[str] = []
    threshold = gc.get_threshold()

    def count(phase: str, _: dict[str, int]) -> None:
        passes.append(phase)

    gc.callbacks.append(count)
    try:
        gc.set_threshold(5_000, 1_000, 1_000)
        with paused_collector():
            kept = [[number] for number in range(20_000)]
        kept += [[number] for number in range(100)]
        assert (len(kept), passes) == (20_100, [])
    finally:
        gc.callbacks.remove(count)
        gc.set_threshold(*threshold)


def test_nothing_of_the_bundle_is_run(tmp_path: Path) -> None:
    """Static means static: module level code leaves no trace."""
    canary = tmp_path / "canary"
    make_bundle(tmp_path / "b", {"model/wire.py": f"open({str(canary)!r}, 'w')\n{GOOD_WIRE}", "setup.py": "1/0\n"})
    findings_of(tmp_path / "b")
    assert not canary.exists()
    assert not any(name.startswith("__pycache__") for _, names, _ in os.walk(tmp_path) for name in names)


def test_the_parser_says_which() -> None:
    """The value is a tree or a reason, never an exception."""
    assert isinstance(parse(b"x = 1\n", "x.py"), Parsed)
    assert parse(b"x = = 1\n", "x.py") == SyntaxFailure("invalid syntax", 1, 5)

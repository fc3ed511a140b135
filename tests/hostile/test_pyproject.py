"""pyproject.toml and entry points made to break a reader (HOSTILE_CORPUS D), through the whole static stage.

Rows P06, P12 and P14 are about environments; P15, which builds, is in tests/process/test_environment_failures.py.
What is said of each document in detail is in tests/unit/test_read_pyproject.py; what of each kind of wire (P08 to P10)
in tests/rules/test_wire_verdicts.py, and of more layouts (P07) in tests/unit/test_read_project.py.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.bundles import GOOD_PYPROJECT, GOOD_WIRE, make_bundle, pyproject

from bundlekit.cold_runner.entry_point import parse_reference
from bundlekit.model.finding import Report, Severity

Judge = Callable[..., Report]
_NAMED = '[project]\nname = "x"\nversion = "1"\n'
_GROUP = '[project.entry-points."modelops.wire"]\n'
_MEBIBYTE = 1 << 20


class _Expected(NamedTuple):
    """The first finding of a row: its code and place, and words of its message."""

    code: str
    line: int | None
    column: int | None
    words: str


_REFUSED: dict[str, tuple[bytes | str, _Expected]] = {
    "P01-invalid": ("[project\n", _Expected("BK103", 1, 1, "its ] is missing")),
    "P01-nul": (b"\0", _Expected("BK103", 1, 1, "not valid TOML")),
    "P01-mark": (b"\xef\xbb\xbf" + GOOD_PYPROJECT.encode(), _Expected("BK103", 1, 1, "byte order mark")),
    "P01-latin-1": (b'[project]\nname = "\xe9"', _Expected("BK103", 2, 9, "byte 0xe9 cannot be decoded")),
    "P01-utf-16": (GOOD_PYPROJECT.encode("utf-16"), _Expected("BK103", 1, 1, "not UTF-8")),
    "P01-lone-cr": (GOOD_PYPROJECT.replace("\n", "\r"), _Expected("BK103", 1, 10, "not valid TOML")),
    "P01-50-MB": (b"#" * (50 << 20), _Expected("BK103", None, None, "has 52,428,800 bytes, more than the limit")),
    "P01-arrays": (b"x=" + b"[" * 10_000 + b"]" * 10_000, _Expected("BK103", None, None, "nested too deeply")),
    "P01-arrays-open": (b"x=" + b"[" * 10_000, _Expected("BK103", None, None, "nested too deeply")),
    "P01-inline": (b"x=" + b"{a=" * 10_000 + b"1" + b"}" * 10_000, _Expected("BK103", None, None, "too deeply")),
    "P01-dotted": (b"a." * 10_000 + b"a=1\n", _Expected("BK103", 1, 65, "a key of more than 32 parts")),
    "P01-dotted-spaces": (b"'a' . " * 10_000 + b"a=1\n", _Expected("BK103", 1, 193, "a key of more than 32 parts")),
    "P01-dotted-table": (b"[" + b"a." * 10_000 + b"a]\n", _Expected("BK103", 1, 66, "a key of more than 32 parts")),
    "P01-dotted-within": (b"x = {" + b"a." * 10_000 + b"a=1}\n", _Expected("BK103", 1, 70, "more than 32 parts")),
    "P01-digits": (b"x=" + b"1" * _MEBIBYTE, _Expected("BK103", None, None, "more than the limit")),
    "P01-digits-less": (b"x=" + b"1" * 1_000_000, _Expected("BK103", None, None, "holds a value that cannot be read")),
    "P01-quotes": (b'"' * 1_000_000, _Expected("BK103", 1, 3, "not valid TOML")),
    "P01-text-open": (b'x="""' + b'"' * 1_000_000, _Expected("BK103", 1, 11, "not valid TOML")),
    "P01-escapes-open": (b'x="' + b"\\" * 999_999, _Expected("BK103", 1, 3, "not valid TOML")),
    "P01-brackets": (b"[" * 1_000_000, _Expected("BK103", 1, 3, "not valid TOML")),
    "P01-again-and-again": (b"a=1\n" * 200_000, _Expected("BK103", 2, 1, "the key a is there twice")),
    "P02-project": ("project = 3\n", _Expected("BK104", 1, 11, "project must be a table, found an integer (3)")),
    "P02-several": (f"{_NAMED}dependencies=[1]\nentry-points=[]\n", _Expected("BK104", 4, 15, "must be a string")),
    "P02-dependencies": (f'{_NAMED}dependencies="abc"\n', _Expected("BK104", 4, 14, "must be an array of strings")),
    "P02-value": (f"{_NAMED}{_GROUP}execute = 1\n", _Expected("BK104", 5, 11, "must be a string, found an integer")),
    "P03-none": (_NAMED, _Expected("BK301", None, None, "no wire function is declared")),
    "P03-misspelt": (f'{_NAMED}[project.entry-points.modelops-wire]\na = "a:b"\n', _Expected("BK301", 4, 1, "no wire")),
    "P03-two": (
        f'{_NAMED}{_GROUP}a = "model.wire:wire"\nb = "model.wire:wire"\n',
        _Expected("BK302", 6, 5, "a second entry point 'b'"),
    ),
    "P16-empty": (f'{_NAMED}{_GROUP}"" = "model.wire:wire"\n', _Expected("BK317", 5, 6, "is empty")),
    "P16-equals": (f'{_NAMED}{_GROUP}"a=b" = "model.wire:wire"\n', _Expected("BK317", 5, 9, "has '=' in it")),
    "P16-bracket": (f'{_NAMED}{_GROUP}"[x]" = "model.wire:wire"\n', _Expected("BK317", 5, 9, "starts with '['")),
}


@pytest.mark.parametrize(("text", "expected"), _REFUSED.values(), ids=_REFUSED)
def test_a_hostile_pyproject_is_refused_at_its_place(
    text: bytes | str, expected: _Expected, tmp_path: Path, judge: Judge
) -> None:
    """Whatever stands in the document, its author learns where to look; and in seconds."""
    make_bundle(tmp_path, {"pyproject.toml": text})
    report = judge(tmp_path)
    first = next(each for each in report.findings if each.code == expected.code)
    assert (first.severity, first.path) == (Severity.ERROR, "pyproject.toml")
    assert (first.line, first.column) == (expected.line, expected.column)
    assert expected.words in first.message
    assert not report.passed


def test_p01_a_missing_one_is_an_error(tmp_path: Path, judge: Judge) -> None:
    """And the only one but for the name, which has to come from somewhere."""
    make_bundle(tmp_path, {})
    (tmp_path / "pyproject.toml").unlink()
    assert [(each.code, each.severity) for each in judge(tmp_path).findings] == [
        ("BK101", Severity.ERROR),
        ("BK105", Severity.WARNING),
    ]


def test_p02_everything_wrong_is_told_at_once(tmp_path: Path, judge: Judge) -> None:
    """One round of mending, not one for each."""
    make_bundle(tmp_path, {"pyproject.toml": f"{_NAMED}dependencies=[1]\nentry-points=[]\nkeywords=2\n"})
    assert [(each.code, each.line) for each in judge(tmp_path).findings] == [("BK104", 4), ("BK104", 5), ("BK104", 6)]


def test_p03_a_group_that_is_nearly_right_is_named(tmp_path: Path, judge: Judge) -> None:
    """The hint has the nearest thing that exists."""
    make_bundle(tmp_path, {"pyproject.toml": f'{_NAMED}[project.entry-points.modelops-wire]\na = "model.wire:wire"\n'})
    (found,) = judge(tmp_path).findings
    assert found.hint == "write [project.entry-points.\"modelops.wire\"], not 'modelops-wire'"


_GOOD: dict[str, bytes | str] = {
    "P01-crlf": GOOD_PYPROJECT.replace("\n", "\r\n"),
    "P01-tables": GOOD_PYPROJECT.encode() + b"".join(b"[tool.a%d]\n" % number for number in range(20_000)),
    "P01-arrays-of-tables": GOOD_PYPROJECT.encode() + b"[[tool.a]]\n" * 20_000,
    "P01-keys": GOOD_PYPROJECT.encode() + b"[tool.a]\n" + b"".join(b"k%d=1\n" % number for number in range(20_000)),
    "P01-deep-tables": GOOD_PYPROJECT.encode() + b"".join(b"[tool%s.k%d]\n" % (b".a" * 30, n) for n in range(1_000)),
    "P01-array": GOOD_PYPROJECT.encode() + b"[tool.a]\nx=[" + b"1," * 100_000 + b"]\n",
    "P01-text": GOOD_PYPROJECT.encode() + b"[tool.a]\nx='" + b"a" * 1_000_000 + b"'\n",
    "P01-escapes": GOOD_PYPROJECT.encode() + b'[tool.a]\nx="' + b"\\u0041" * 160_000 + b'"\n',
    "P01-comments": GOOD_PYPROJECT.encode() + b"#\n" * 500_000,
    "P01-blanks": GOOD_PYPROJECT.encode() + b" " * 1_000_000,
    "P01-float": GOOD_PYPROJECT.encode() + b"[tool.a]\nx = 1." + b"0" * 1_000_000 + b"\n",
}


@pytest.mark.parametrize("text", _GOOD.values(), ids=_GOOD)
def test_what_is_large_and_right_is_left_alone(text: bytes | str, tmp_path: Path, judge: Judge) -> None:
    """The twin: no document within the size limit takes long, or is refused for its size alone."""
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert judge(tmp_path).findings == ()


_P04: dict[str, str] = {
    "a": "BK303",
    "a:": "BK303",
    ":b": "BK303",
    "": "BK303",
    "a:b:c": "BK303",
    "a/b:c": "BK303",
    "a-b:c": "BK303",
    "..a:b": "BK303",
    "a:b [x]": "BK303",
    "a:b()": "BK303",
    "1a:b": "BK303",
    "a:class": "BK303",
    "a:b;import os": "BK303",
    "model.wire:wi\u202ere": "BK303",
    "x" * 5_000 + ":a": "BK303",
    "a" + ".a" * 30_000 + ":b": "BK303",
    "\u00e9:\u00fc": "BK304",
    "m\u043edel.wire:wire": "BK304",
    "model.wire:wire.c": "BK309",
    "a" + ".a" * 2_000 + ":b": "BK309",
    "model.wire:" + "a." * 2_000 + "b": "BK305",
    " model.wire : wire ": "",
    "model.wire:wire": "",
}


@pytest.mark.parametrize("value", _P04, ids=[f"P04-{value!a:.20}" for value in _P04])
def test_p04_each_spelling_has_one_verdict(value: str, tmp_path: Path, judge: Judge) -> None:
    """The static check says of a spelling what the runners' own grammar says of it: there is one."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=value)})
    found = [each.code for each in judge(tmp_path).findings if each.code != "BK311"]
    assert found == ([_P04[value]] if _P04[value] else [])
    if _P04[value] == "BK303":
        with pytest.raises(ValueError, match=r"expected|asks for extras"):
            parse_reference(value)
    else:
        parse_reference(value)


_P07: dict[str, tuple[str, dict[str, str | bytes], list[str]]] = {
    "namespace": ("model.wire:wire", {"model/__init__.py": b"", "model/wire.py": GOOD_WIRE}, []),
    "src": ("pack.wire:wire", {"src/pack/__init__.py": "", "src/pack/wire.py": GOOD_WIRE}, []),
    "src-namespace": ("space.pack.wire:wire", {"src/space/pack/wire.py": GOOD_WIRE}, []),
    "flat": ("wire:wire", {"wire.py": GOOD_WIRE}, []),
    "extension": ("model.native:wire", {"model/native.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"}, ["BK309"]),
}


@pytest.mark.parametrize(("wire", "files", "codes"), _P07.values(), ids=_P07)
def test_p07_a_layout_is_resolved_or_in_doubt(
    wire: str, files: Mapping[str, str | bytes], codes: list[str], tmp_path: Path, judge: Judge
) -> None:
    """Never a false error: what cannot be read is left to the import stage."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=wire), **files})
    assert [each.code for each in judge(tmp_path).findings] == codes


_P16: dict[str, str] = {
    "spaces": '"a b"',
    "letters": '"\u00e9"',
    "nul": '"\\u0000"',
    "line": '"a\\nb"',
    "reordered": '"\\u202e"',
    "hash": '"#x"',
}


@pytest.mark.parametrize("key", _P16.values(), ids=_P16)
def test_p16_an_odd_name_is_a_warning_in_plain_characters(key: str, tmp_path: Path, judge: Judge) -> None:
    """It can be installed; and the fixture holds that no character of it reaches the terminal."""
    make_bundle(tmp_path, {"pyproject.toml": f'{_NAMED}{_GROUP}{key} = "model.wire:wire"\n'})
    assert [(each.code, each.severity) for each in judge(tmp_path).findings] == [("BK317", Severity.WARNING)]


@pytest.mark.process
def test_the_command_line_survives_all_of_them(tmp_path: Path) -> None:
    """One process for every row: strict JSON, one report each, status 1, no traceback."""
    roots = []
    for name, (text, _) in _REFUSED.items():
        roots.append(make_bundle(tmp_path / name, {"pyproject.toml": text}))
    command = [sys.executable, "-m", "bundlekit", "validate", "--level", "static", "--no-cache", "--output", "json"]
    done = subprocess.run([*command, *roots], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"\0" not in done.stdout
    reports = json.loads(done.stdout)["reports"]
    assert [Path(each["bundle"]["path"]).name for each in reports] == list(_REFUSED)
    assert [each["passed"] for each in reports] == [False] * len(roots)
    assert [each["error"] for each in reports] == [None] * len(roots)

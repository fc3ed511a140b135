"""Sources as hostile as they come, through the whole static stage (HOSTILE_CORPUS E): a verdict for each, and no crash.

What the rules say of most of them in detail is in tests/rules/test_hostile_sources.py.
"""

import ast
import base64
import json
import marshal
import pickle
import resource
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, make_bundle

from bundlekit.api.archives import PackOptions, pack
from bundlekit.api.trial_parse import MAX_MEMORY_BYTES, trial_parse
from bundlekit.api.validation import ValidateOptions
from bundlekit.check.syntax import Parsed, SyntaxFailure, compile_error, parse
from bundlekit.errors import BundlekitError
from bundlekit.model.archive import Packed
from bundlekit.model.finding import Level, Report, Severity
from bundlekit.read.costly_sources import MAX_PLAIN_BYTES, may_be_costly

Judge = Callable[[Path], Report]
_WIRE = GOOD_WIRE.encode()


def _deep(head: str, depth: int) -> bytes:
    return "".join(" " * level + head + "\n" for level in range(depth)).encode() + b" " * depth + b"pass\n"


_REFUSED: dict[str, Callable[[], bytes]] = {
    "S02-unknown-codec": lambda: b"# coding: no-such-codec\n" + _WIRE,
    "S02-codec-that-is-no-text": lambda: b"# coding: hex\n" + _WIRE,
    "S02-mark-against-cookie": lambda: b"\xef\xbb\xbf# coding: latin-1\n" + _WIRE,
    "S02-utf-16": lambda: GOOD_WIRE.encode("utf-16"),
    "S03-nul": lambda: _WIRE + b"\0",
    "S03-nul-in-comment": lambda: b"# \0\n" + _WIRE,
    "S03-control-z": lambda: _WIRE + b"\x1a",
    "S04-invalid-utf-8": lambda: b"x = '\xff'\n" + _WIRE,
    "S04-surrogate": lambda: b"x = '\xed\xa0\x80'\n" + _WIRE,
    "S05-parentheses": lambda: b"x = " + b"(" * 5000 + b")" * 5000,
    "S05-parentheses-open": lambda: b"x = " + b"(" * 200_000,
    "S05-braces-open": lambda: b"x = " + b"{" * 199 + b"\n" + _WIRE,
    "S05-unary-minus": lambda: b"x = " + b"-" * 200_000 + b"1",
    "S05-not": lambda: b"x = " + b"not " * 60_000 + b"1",
    "S05-power": lambda: b"x = " + b"1**" * 60_000 + b"1",
    "S05-sum": lambda: b"x = 1" + b"+1" * 100_000,
    "S05-calls": lambda: b"x = a" + b"()" * 100_000,
    "S05-lambdas": lambda: b"x = " + b"lambda: " * 20_000 + b"1",
    "S05-conditions": lambda: b"x = " + b"1 if 1 else " * 20_000 + b"1",
    "S05-nested-if": lambda: _deep("if x:", 600),
    "S05-nested-def": lambda: _deep("def f():", 600),
    "S05-elif": lambda: b"if a: pass\n" + b"elif a: pass\n" * 15_000,
    "S05-f-strings": lambda: b"x = " + b"f'{" * 5000 + b"a" + b"}'" * 5000,
    "S06-integer": lambda: b"x = " + b"1" * 5000 + b"\n" + _WIRE,
    "S08-future": lambda: b"from __future__ import nothing_such\n" + _WIRE,
    "S08-await": lambda: _WIRE + b"await x\n",
    "S08-return": lambda: _WIRE + b"return\n",
    "S08-arguments-twice": lambda: b"def wire(a, a, b): ...\n",
    "S08-nonlocal": lambda: _WIRE + b"nonlocal x\n",
    "S12-pickle": lambda: pickle.dumps({"a": 1}),
    "S12-bytecode": lambda: b"\xa7\r\r\n" + bytes(12) + marshal.dumps(compile(GOOD_WIRE, "wire.py", "exec")),
    "S12-elf": lambda: b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0>\0",
    "S12-zip": lambda: b"PK\x03\x04\x14\0\0\0\x08\0",
    "S12-notebook": lambda: b'{"cells": [{"cell_type": "code",}]}]',
}


@pytest.mark.parametrize("data", _REFUSED.values(), ids=_REFUSED)
def test_a_source_that_cannot_be_imported_is_an_error(data: Callable[[], bytes], tmp_path: Path, judge: Judge) -> None:
    """Whatever Python throws at it becomes one error at the file; that Python does is asked of it here as well."""
    source = data()
    make_bundle(tmp_path, {"model/wire.py": source})
    report = judge(tmp_path)
    found = [finding for finding in report.findings if finding.code == "BK311"]
    assert [(each.severity, each.path) for each in found] == [(Severity.ERROR, "model/wire.py")]
    assert _imports(tmp_path) is False


@pytest.mark.process
def test_the_command_line_survives_all_of_them(tmp_path: Path) -> None:
    """One process for every row, even with warnings as errors: strict JSON, an error each, status 1, no traceback."""
    roots = [make_bundle(tmp_path / name, {"model/wire.py": data()}) for name, data in _REFUSED.items()]
    options = ["--level", "static", "--no-cache", "--output", "json"]
    command = [sys.executable, "-W", "error", "-m", "bundlekit", "validate", *options, *map(str, roots)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    reports = json.loads(done.stdout)["reports"]
    assert [Path(each["bundle"]["path"]).name for each in reports] == list(_REFUSED)
    assert all("BK311" in {found["code"] for found in each["findings"]} for each in reports)


_ACCEPTED: dict[str, bytes] = {
    "S01-byte-order-mark": b"\xef\xbb\xbf" + _WIRE,
    "S02-latin-1": b"# coding: latin-1\nNAME = '\xe9'\n" + _WIRE,
    "S02-cp1252": b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nNAME = '\x80'\n" + _WIRE,
    "S02-utf-8-sig": b"\xef\xbb\xbf# coding: utf-8-sig\n" + _WIRE,
    "S02-cookie-in-third-line": b"\n\n# coding: no-such-codec\n" + _WIRE,
    "S02-gbk": "# coding: gbk\nNAME = '\u4e2d'\n".encode("gbk") + _WIRE,
    "S03-lone-cr": _WIRE.replace(b"\n", b"\r"),
    "S03-crlf": _WIRE.replace(b"\n", b"\r\n"),
    "S03-form-feed": b"\x0c\n" + _WIRE,
    "S03-no-final-newline": _WIRE.rstrip(),
    "S05-within-limits": b"x = " + b"(" * 150 + b"1" + b")" * 150 + b"\n" + _WIRE,
    "S05-long-sum": b"x = 1" + b"+1" * 900 + b"\n" + _WIRE,
    "S05-long-elif": b"a = b = 0\nif a: pass\n" + b"elif b: pass\n" * 300 + _WIRE,
    "S06-literal-10-MB-less": b"TEXT = '" + b"x" * 7_900_000 + b"'\n" + _WIRE,
    "S06-shift": b"import sys\nif len(sys.argv) > 10**6: NUMBER = 1 << 10 ** 9\n" + _WIRE,
    "S06-repetition": b"import sys\nif len(sys.argv) > 10**6: TEXT = 'a' * 10 ** 9\n" + _WIRE,
    "S06-table": b"TABLE = [\n" + b"    [0.125, 12.5, 'name'],\n" * 20_000 + b"]\n" + _WIRE,
    "S06-f-strings": b"a = 1\n" + b"x = f'{a} {a}'\n" * 8_000 + _WIRE,
}


@pytest.mark.parametrize("data", _ACCEPTED.values(), ids=_ACCEPTED)
def test_a_source_that_imports_is_left_alone(data: bytes, tmp_path: Path, judge: Judge) -> None:
    """The twin: not one word about what Python imports, however it looks."""
    make_bundle(tmp_path, {"model/wire.py": data})
    assert judge(tmp_path).findings == ()
    assert _imports(tmp_path) is True


def _imports(root: Path) -> bool:
    command = [sys.executable, "-I", "-B", "-W", "ignore", "-c", "import sys; sys.path[:0] = ['.']; import model.wire"]
    return subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=60).returncode == 0


_TOO_COSTLY: dict[str, tuple[Callable[[], bytes], str]] = {
    "S06-200-MB": (lambda: b"#" * (8 << 20) + b"\n", "it has 8,388,609 bytes, more than 8,388,608"),
    "S06-line-of-zeros": (lambda: b"x = [" + b"0," * 3_900_000 + b"]", "more than 512 MB of memory"),
    "S09-combining-marks": (
        lambda: b"x" + "\u0315\u0300".encode() * 60_000 + b" = 1\n",
        "parsing it takes more than 2 s",
    ),
    "S06-statements": (lambda: b"0;" * 3_900_000 + b"\n", "parsing it takes more than"),
    "S06-dotted-import": (lambda: b"import a" + b".b" * 100_000 + b"\n", "parsing it takes more than"),
    "S06-f-string": (lambda: b"x = f'" + b"{a}" * 300_000 + b"'\n", "parsing it takes more than"),
}


@pytest.mark.parametrize(("data", "why"), _TOO_COSTLY.values(), ids=_TOO_COSTLY)
def test_a_source_that_is_too_costly_is_unknown(
    data: Callable[[], bytes], why: str, tmp_path: Path, judge: Judge
) -> None:
    """It is tried in a process with limits, so that ours stays small and quick; what it defines may be all right."""
    make_bundle(tmp_path, {"model/wire.py": data()})
    report = judge(tmp_path)
    assert [(each.code, each.severity) for each in report.findings] == [
        ("BK311", Severity.WARNING),
        ("BK309", Severity.INFO),
    ]
    assert why in report.findings[0].message
    assert report.passed
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * MAX_MEMORY_BYTES // 1024


def test_what_is_not_tried_is_cheap() -> None:
    """The thresholds: the worst kinds of source just below them, parsed in process."""
    worst = {
        "statements": b"0;" * (MAX_PLAIN_BYTES // 2),
        "import": b"import a" + b".b" * 9_999 + b"\n",
        "f-string": b"x = f'" + b"{a}" * 9_999 + b"'\n",
        "marks": ("x" + "\u0315" * 511 + "\u0300" * 511 + " = 1\n").encode() * 125,
    }
    for name, data in worst.items():
        assert not may_be_costly(data), name
        assert trial_parse(data) is None, name


def test_s05_the_verdict_does_not_depend_on_who_asks() -> None:
    """Python's own limit shrinks with the depth of the caller's stack: one near it must not be refused."""
    longest = next(n for n in range(12_000, 1000, -250) if _parses_at_the_bottom(n))
    data = b"x = 1" + b"+1" * longest

    def at_depth(depth: int) -> tuple[Parsed | SyntaxFailure, SyntaxFailure | None]:
        return at_depth(depth - 1) if depth else (parse(data, "x.py"), compile_error(data, "x.py", ast.Module([], [])))

    parsed, failure = at_depth(500)
    assert isinstance(parsed, Parsed)
    assert failure is None


def _parses_at_the_bottom(terms: int) -> bool:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"compile('x = 1' + '+1' * {terms}, 'x', 'exec')"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.parametrize("name", [name for name in _REFUSED if name.startswith("S05")])
def test_s05_a_small_stack_is_no_crash(name: str) -> None:
    """A program may check bundles in threads with stacks of 256 KB, which Python's parser overruns without asking."""
    before = threading.stack_size(256 * 1024)
    found: list[Parsed | SyntaxFailure | None] = []

    def check() -> None:
        found.append(parse(_REFUSED[name](), "x.py"))
        found.append(compile_error(_WIRE, "x.py", ast.parse(_WIRE)))

    try:
        thread = threading.Thread(target=check)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert isinstance(found[0], SyntaxFailure)
    assert found[1:] == [None]


_DEEP_BUT_GOOD: dict[str, str] = {
    "S05-attributes": "import a\nwire = a" + ".b" * 900 + "\n",
    "S05-elif": "wire = 1\nif wire: pass\n" + "elif wire: pass\n" * 1500,
    "S05-conditions": "wire = " + "1 if wire else " * 1500 + "2\n",
    "S05-sum": "wire = 1" + " + 1" * 1500 + "\n",
    "S05-calls": "def f(): return f\nwire = f" + "()" * 1500 + "\n",
    "S05-not": "x = 1\nif " + "not " * 1500 + "x: wire = 1\n",
    "S05-decorators": "def d(f): return f\n" + "@d\n" * 1500 + GOOD_WIRE,
    "S05-aliases": "a0 = 1\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(3000)) + "wire = a3000\n",
    "S05-returns": "def wire(e, p, s):\n    return " + "1 if e else " * 1500 + "{}\n",
    "S05-bases": "class A0: pass\n" + "".join(f"class A{n + 1}(A{n}): pass\n" for n in range(1500)) + "wire = A1500\n",
}


@pytest.mark.parametrize("source", _DEEP_BUT_GOOD.values(), ids=_DEEP_BUT_GOOD)
def test_what_parses_but_is_deep_is_no_crash(source: str, tmp_path: Path, judge: Judge) -> None:
    """The parser takes more levels than functions of ours that follow a tree: the answer is then unknown at worst."""
    make_bundle(tmp_path, {"model/wire.py": source})
    assert {each.code for each in judge(tmp_path).findings} <= {"BK304", "BK306", "BK307", "BK309", "BK311", "BK505"}


def test_s05_a_chain_of_modules_is_no_crash(tmp_path: Path, judge: Judge) -> None:
    """One name through a thousand modules: none of them is deep."""
    files = {f"model/m{n}.py": f"from model.m{n + 1} import wire\n" for n in range(1000)}
    make_bundle(tmp_path, {"model/wire.py": "from model.m0 import wire\n", **files, "model/m1000.py": GOOD_WIRE})
    assert {each.code for each in judge(tmp_path).findings} <= {"BK309", "BK311"}


_DECEPTIVE: dict[str, tuple[str, str, int | None, int | None, str]] = {
    "S09-comment": (
        "x = 1\n# \u202e admin \u2066 {\n",
        "BK321",
        2,
        3,
        "U+202E RIGHT-TO-LEFT OVERRIDE",
    ),
    "S09-string": ('\u00e4 = "a\u2067b"\n', "BK321", 1, 7, "U+2067 RIGHT-TO-LEFT ISOLATE"),
    "S09-after-mark": ("\ufeff# \u202a\n", "BK321", 1, 3, "U+202A"),
    "S09-cyrillic": ("\u00e9t\u00e9 = 1; p\u0430rams = 1\n", "BK322", 1, 10, r"'p\u0430rams' looks like 'params'"),
    "S09-greek": ("def f(m\u03bfdel):\n    pass\n", "BK322", 1, 7, r"'m\u03bfdel' looks like 'model'"),
    "S09-nu-beside-v": ("\u03bdmax = 1\nvmax = 2\n", "BK322", 1, 1, r"'\u03bdmax' looks like 'vmax'"),
    "S09-script-l-beside-l": ("lmax = 1\n\u2113max = 2\n", "BK322", 2, 1, "is read by Python as 'lmax'"),
    "S09-armenian": ("s\u0585lve = 1\n", "BK322", 1, 1, "looks like 'solve'"),
    "S09-ligature": ("\ufb01t = 1\n", "BK322", 1, 1, r"'\ufb01t' is read by Python as 'fit'"),
    "S09-fullwidth": ("x = 1\n\uff41 = 1\n", "BK322", 2, 1, "is read by Python as 'a'"),
    "S09-bold": ("\U0001d404xec = 1\n", "BK322", 1, 1, "is read by Python as 'Exec'"),
    "S09-raised": ("e\u1d5bal = 1\n", "BK322", 1, 1, "is read by Python as 'eval'"),
    "S09-too-large": (
        "# p\u0430rams\n" + "#" * (1 << 20),
        "BK322",
        None,
        None,
        "so its names were not searched for lookalikes",
    ),
}


@pytest.mark.parametrize("name", _DECEPTIVE)
def test_deceptive_text_is_found_at_its_place(name: str, tmp_path: Path, judge: Judge) -> None:
    """People review what they see; and the report itself must not be reordered by what it is about."""
    source, code, line, column, text = _DECEPTIVE[name]
    make_bundle(tmp_path, {"model/names.py": source})
    (found,) = judge(tmp_path).findings
    severity = Severity.WARNING if line else Severity.INFO
    assert (found.code, found.severity, found.line, found.column) == (code, severity, line, column)
    assert text in found.message
    assert found.message.isascii()


def test_s09_a_source_that_ends_too_soon_is_searched_as_far_as_it_goes(tmp_path: Path, judge: Judge) -> None:
    """What cannot be imported may be mended and read before it is checked again."""
    make_bundle(tmp_path, {"model/names.py": "p\u0430rams = 1\nx = (\n"})
    assert [each.code for each in judge(tmp_path).findings] == ["BK322", "BK311"]


_HONEST: dict[str, str | bytes] = {
    "S09-greek": "\u03b2 = 0.3\n\u0394t = 1\n\u03b1_x = \u03bd_max = 2\nd\u03bd = \u03c3T = 3\n\u00b5 = \u03c1 = 4\n",
    "S09-subscript": "\u03bdmax = \u03bd0 = 3090\n\u2113max = 2000\n",
    "S09-german": "gr\u00f6\u00dfe = 1\nL\u00e4nge_mm = 2\n",
    "S09-russian": "\u0441\u043a\u043e\u0440\u043e\u0441\u0442\u044c = 1\nx_\u0430 = 2\n",
    "S09-chinese": "\u901f\u5ea6 = 1\n",
    "S09-decomposed": "cafe\u0301 = 1\n",
    "S09-formula": "\u2113 = d\u2113 = \U0001d465 = \U0001d6fd = x\u1d62\u2c7c = V\u2098\u2090\u2093 = x_\u2113 = 1\n",
    "S09-long": "x" + "\u0315" * 300 + " = 1\n",
    "S09-long-comment": "# x" + "\u0315\u0300" * 60_000 + "\n",
    "S09-large": "# \u03b2\n" + "#" * (1 << 20),
    "S09-comment-only": "# p\u0430rams \ufb01t x\u00b2\nNAME = 'p\u0430rams'\n",
    "S09-hebrew-string": "NAME = '\u05e9\u05dc\u05d5\u05dd'\n",
    "S09-marks": "NAME = 'a\u200eb\u200d'\n",
    "S09-latin-1": b"# coding: latin-1\nNAME = '\xaa\xe2\x80\xae'\n",
}


@pytest.mark.parametrize("source", _HONEST.values(), ids=_HONEST)
def test_honest_letters_are_left_alone(source: str | bytes, tmp_path: Path, judge: Judge) -> None:
    """Scientists write the letters of their formulas and of their languages."""
    make_bundle(tmp_path, {"model/names.py": source})
    assert not [each for each in judge(tmp_path).findings if each.code in {"BK321", "BK322"}]


@pytest.mark.parametrize("kind", ["missing", "directory", "link", "dangling"])
def test_s10_an_odd_init_has_a_precise_verdict(kind: str, tmp_path: Path, judge: Judge) -> None:
    """A directory of that name makes no package, and a link does not ship; without one it is a namespace package."""
    make_bundle(tmp_path, {"shared.py": ""})
    init = tmp_path / "model/__init__.py"
    init.unlink()
    if kind == "directory":
        init.mkdir()
        (init / "x.txt").write_text("")
    elif kind != "missing":
        init.symlink_to("../shared.py" if kind == "link" else "../nowhere.py")
    expected = [("BK202", "model/__init__.py")] if kind in {"link", "dangling"} else []
    assert [(each.code, each.path) for each in judge(tmp_path).findings] == expected


@pytest.mark.parametrize("suffix", [".pyc", ".pyo", ".cpython-311.pyc"])
def test_s12_bytecode_alone_is_no_module(suffix: str, tmp_path: Path, judge: Judge) -> None:
    """Bytecode does not ship."""
    make_bundle(tmp_path, {f"model/wire{suffix}": b"\0" * 16})
    (tmp_path / "model/wire.py").unlink()
    assert [each.code for each in judge(tmp_path).findings] == ["BK304"]


def test_s13_a_file_that_changes_after_the_check_is_not_packed(tmp_path: Path) -> None:
    """What was proved is what ships: the archive is refused rather than made of other bytes."""
    root = make_bundle(tmp_path / "bundle", {})
    wire = root / "model/wire.py"

    def meddle(message: str) -> None:
        if message.startswith("packing"):
            wire.write_text(GOOD_WIRE + "# one line more\n")

    options = PackOptions(output=tmp_path / "model.tar.zst", validation=ValidateOptions(level=Level.STATIC))
    with pytest.raises(BundlekitError, match=r"model/wire\.py changed while it was being read"):
        pack(root, options, meddle)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_s13_an_unchanged_file_is_packed(tmp_path: Path) -> None:
    """The twin."""
    root = make_bundle(tmp_path / "bundle", {})
    options = PackOptions(output=tmp_path / "model.tar.zst", validation=ValidateOptions(level=Level.STATIC))
    assert isinstance(pack(root, options, lambda _message: None), Packed)


def test_s14_warnings_of_the_parser_are_findings(tmp_path: Path, judge: Judge) -> None:
    """Even under -W error; the fixture holds that nothing is printed."""
    make_bundle(tmp_path, {"model/wire.py": GOOD_WIRE + "PATTERN = '\\d'\nX = 1 is 1\n"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judge(tmp_path).findings
    assert {(each.code, each.severity) for each in found} == {("BK312", Severity.INFO)}


def test_nothing_is_executed(tmp_path: Path, judge: Judge) -> None:
    """Not by a codec, a decorator, a format or a path configuration file in the bundle."""
    canary = tmp_path / "canary"
    code = f"open({str(canary)!r}, 'w')\n"
    make_bundle(
        tmp_path / "bundle",
        {
            "model/wire.py": code + GOOD_WIRE,
            "sitecustomize.py": code,
            "encodings/evil.py": code,
            "ast.py": code,
            "evil.pth": "import base64; exec(base64.b64decode(" + repr(base64.b64encode(code.encode())) + "))",
            "setup.py": code,
            "conftest.py": code,
        },
    )
    judge(tmp_path / "bundle")
    assert not canary.exists()

"""C and C++ sources made to cost a parser everything: an answer in seconds, and told where it is not whole."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.bundles import make_bundle

from bundlekit.check.native_limits import NativeLimits
from bundlekit.check.native_state import NativeVariable, Unsearched, native_variables
from bundlekit.model.finding import Report, Severity

Judge = Callable[..., Report]
_MEBIBYTE = 1 << 20
_MOST_CPU_S = 3.0
"""The limit is 1.7 s for a mebibyte; what was found until then is still put together."""


def _filled(unit: bytes, head: bytes = b"") -> bytes:
    return (head + unit * (_MEBIBYTE // len(unit)))[:_MEBIBYTE]


_NOISE = random.Random(1).randbytes(_MEBIBYTE)  # noqa: S311 - the same noise in each run
_WITHIN_LIMITS: dict[str, bytes] = {
    "braces-open": b"{" * _MEBIBYTE,
    "braces-closed": b"{" * (_MEBIBYTE // 2) + b"}" * (_MEBIBYTE // 2),
    "parentheses": b"int x = " + b"(" * 500_000 + b"1" + b")" * 500_000 + b";",
    "macros": _filled(b"#define A B\n"),
    "conditions": _filled(b"#if X\n"),
    "one-macro": _filled(b"x\\\n", b"#define A "),
    "static-words": _filled(b"static "),
    "stars": _filled(b"*", b"int "),
    "one-text": _filled(b"a", b'"'),
    "zeros": bytes(_MEBIBYTE),
}
_BEYOND_LIMITS: dict[str, tuple[bytes, str]] = {
    "blocks-in-blocks": (b"void f()" + b"{n=1;" * 500 + b"}" * 500, "400 blocks in one another"),
    "templates": (_filled(b"a<"), "it takes the parser longer"),
    "attributes": (_filled(b"[[a]]"), "it takes the parser longer"),
    "empty-statics": (_filled(b"static;"), "it takes the parser longer"),
    "noise": (_NOISE, "it takes the parser longer"),
    "many-statics": (_filled(b"static int x;"), "more than 2,000 variables"),
}
_TIMED: dict[str, tuple[bytes, str]] = {
    **{f"{name}-c++": (data, "a.cpp") for name, data in _WITHIN_LIMITS.items()},
    **{f"{name}-c": (data, "a.c") for name, (data, _) in _BEYOND_LIMITS.items()},
}


@pytest.mark.parametrize(("data", "path"), _TIMED.values(), ids=_TIMED)
def test_a_mebibyte_takes_two_seconds_at_most(data: bytes, path: str) -> None:
    """Without limits some of these take minutes, and a gigabyte of memory."""
    started = time.thread_time()
    native_variables(data, path)
    assert time.thread_time() - started < _MOST_CPU_S


@pytest.mark.parametrize(("data", "why"), _BEYOND_LIMITS.values(), ids=_BEYOND_LIMITS)
def test_what_is_not_searched_to_its_end_is_said(data: bytes, why: str, tmp_path: Path, judge: Judge) -> None:
    """A file that was not searched is not a clean one; and it is no reason to fail."""
    make_bundle(tmp_path, {"src/a.cpp": data})
    report = judge(tmp_path)
    said = [each for each in report.findings if "was not searched" in each.message]
    assert [(each.code, each.severity, each.path) for each in said] == [("BK811", Severity.INFO, "src/a.cpp")]
    assert why in said[0].message
    assert report.passed


def test_what_was_found_before_a_limit_is_kept() -> None:
    """The first variables of a file are as true as those of a short one."""
    found = native_variables(b"static int n;\nvoid f() { n = 1; }\nvoid g()" + b"{n=1;" * 500 + b"}" * 500, "a.cpp")
    assert [type(each) for each in found[1:]] == [Unsearched]
    assert isinstance(found[0], NativeVariable)
    assert (found[0].name, found[0].writes[0]) == ("n", 2)


def test_the_reader_has_a_deadline_too() -> None:
    """Text that is cheap to parse may be dear to read."""
    limits = NativeLimits(0)
    while not limits.after_node(0):
        assert limits.passed is None
    assert limits.passed == "it takes longer to read than any text that people write"


def test_deep_but_human_sources_are_searched() -> None:
    """The twin: more blocks, variables and errors than anyone writes, below the limits."""
    blocks = b"static int n; void f()" + b"{" * 390 + b"n = 1;" + b"}" * 390
    variables = b"".join(b"static int n%d;\n" % number for number in range(2000))
    errors = b"static int n = ) ;\n" * 500
    for data in (blocks, variables, errors):
        assert not [each for each in native_variables(data, "a.cpp") if isinstance(each, Unsearched)]

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.cold_runner.strict_json import MAX_DEPTH, JsonTooLargeError, StrictJsonError, dumps, loads

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    """Types too: 1, 1.0 and true are three parameters, and -0.0 is not 0.0."""
    assert repr(loads(dumps(value).encode())) == repr(_sorted(value))


@given(VALUES)
def test_the_canonical_form_is_a_fixed_point(value: object) -> None:
    """Ids are hashes of it."""
    assert dumps(loads(dumps(value).encode())) == dumps(value)


REFUSED = {
    "nothing": (b"", "one JSON document"),
    "two documents": (b"1 2", "Extra data"),
    "trailing comma": (b"[1,]", "line 1"),
    "NaN": (b"NaN", "NaN"),
    "negative infinity": (b"[-Infinity]", "-Infinity"),
    "a number that overflows": (b"1e400", "1e400"),
    "duplicate key": (b'{"a":1,"a":1}', "'a' twice"),
    "duplicate key below": (b'[{"b":{"a":1,"a":2}}]', "'a' twice"),
    "same key by an escape": (b'{"a":1,"\\u0061":2}', "'a' twice"),
    "lone surrogate": (b'["\\ud800"]', "surrogate"),
    "lone surrogate in a key": (b'{"\\udfff":1}', "surrogate"),
    "no UTF-8": (b'"\xff"', "0xff"),
    "encoded surrogate": (b'"\xed\xa0\x80"', "UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ('"a"'.encode("utf-16"), "UTF-8"),
    "control character": (b'"\x00"', "control character"),
    "too deep for us": (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nesting"),
    "too deep for Python": (b"[" * 100_000 + b"]" * 100_000, "nesting"),
    "more digits than Python reads": (b"1" * 5000, "number"),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_what_readers_disagree_on_is_refused(data: bytes, says: str) -> None:
    """Each of these means different things to different parsers."""
    with pytest.raises(StrictJsonError) as caught:
        loads(data)
    assert says in str(caught.value)


ACCEPTED = {
    "deep enough": b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    "surrogate pair": b'"\\ud83d\\ude00"',
    "NUL by an escape": b'"\\u0000"',
    "line separator": '"\u2028"'.encode(),
    "large integer": b"18446744073709551616",
    "smallest number": b"5e-324",
    "white space around": b" \n{}\t",
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_the_unusual_but_clear_is_accepted(data: bytes) -> None:
    """Strict is not the same as fussy."""
    loads(data)


def test_the_size_is_bounded_before_anything_is_parsed() -> None:
    """A limit that is looked at afterwards protects nothing."""
    with pytest.raises(JsonTooLargeError, match="at most 3 bytes"):
        loads(b"[1, ", max_bytes=3)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_no_number_is_written_that_cannot_be_read(value: object) -> None:
    """Python would write NaN, which is no JSON."""
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(value)


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value

"""Places of values in JSON: 1-based line and column, whatever the layout, and never a crash."""

import json

import pytest

from bundlekit.read.json_places import JsonPlaces

_TEXT = """\
{
  "a": 1, "b\\"c": [true, {"d": "x:,{"}],
  "e": {"f": [], "g": [[2], 3]},
  "\\u0068": null
}
"""

_PLACES: dict[str, tuple[tuple[str | int, ...], tuple[int, int], tuple[int, int]]] = {
    "document": ((), (1, 1), (1, 1)),
    "first": (("a",), (2, 8), (2, 3)),
    "escaped-key": (('b"c',), (2, 19), (2, 11)),
    "item": (('b"c', 0), (2, 20), (2, 20)),
    "in-an-item": (('b"c', 1, "d"), (2, 32), (2, 27)),
    "empty-array": (("e", "f"), (3, 14), (3, 9)),
    "array-in-array": (("e", "g", 0, 0), (3, 25), (3, 25)),
    "after-an-array": (("e", "g", 1), (3, 29), (3, 29)),
    "unicode-escape": (("h",), (4, 13), (4, 3)),
    "missing-key": (("e", "no", 3), (3, 8), (3, 3)),
}


@pytest.mark.parametrize(("path", "value", "key"), _PLACES.values(), ids=_PLACES)
def test_values_and_keys_have_their_place(
    path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]
) -> None:
    """A finding about a job of a thousand lines must name one; what is not there has the place of its parent."""
    places = JsonPlaces(_TEXT)
    assert (places.value(path), places.key(path)) == (value, key)


def test_the_last_of_two_equal_keys_counts() -> None:
    """As for the parser, so that the place is that of the value which was read."""
    assert JsonPlaces('{"a": 1,\n"a": 2}').value(("a",)) == (2, 6)


def test_a_scalar_document_has_one_place() -> None:
    """It is refused as no table, at its beginning."""
    assert JsonPlaces(" 3").value(("a",)) == (1, 2)


def test_an_empty_document_has_no_place() -> None:
    """The parser has refused it; asking must not crash."""
    assert JsonPlaces("").value(()) is None


def test_deep_nesting_is_no_recursion() -> None:
    """A document may be nested as deeply as the parser admits."""
    places = JsonPlaces("[" * 900 + "]" * 900)
    assert places.value((0,) * 899) == (1, 900)


def test_a_huge_document_is_scanned_up_to_a_limit() -> None:
    """A grid of a million numbers must not cost a hundred megabytes of places; the array itself is still found."""
    text = json.dumps({"values": list(range(250_000)), "last": 1})
    places = JsonPlaces(text)
    assert places.value(("values", 3)) == (1, 22)
    assert places.value(("last",)) == (1, 1)

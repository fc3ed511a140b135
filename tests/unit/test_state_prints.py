"""Fingerprints of Python values: equal for equal ones, other for others, and no code of a bundle is called."""

import array
import collections
import copy
import ctypes
import enum
import functools
import io
import itertools
import json
import random
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundlekit.cold_runner.child.state_prints import Fingerprints
from bundlekit.cold_runner.child.state_texts import shown


def _print(value: object, each: int = 100_000) -> str:
    return Fingerprints(1_000_000, each).of(value)


class _Slotted:
    __slots__ = ("__weakref__", "value")

    def __init__(self, value: object) -> None:
        self.value = value


@dataclass
class _State:
    values: list[object] = field(default_factory=list)


class _Counter(dict[str, int]):
    extra = 0


class _Colour(enum.Enum):
    RED = 1
    BLUE = 2


def _closed_over(value: object) -> Callable[[], object]:
    return lambda: value


def _with_default(value: object) -> Callable[[], object]:
    def inner(acc: object = value) -> object:
        return acc

    return inner


def _counted(steps: int) -> object:
    count = itertools.count()
    for _ in range(steps):
        next(count)
    return count


def _drawn(generator: object, steps: int) -> object:
    for _ in range(steps):
        generator.random()
    return generator


def _cached(*keys: int) -> object:
    cached = functools.lru_cache(maxsize=8)(lambda key: [key])
    for key in keys:
        cached(key)
    return cached


def _written(text: str) -> io.StringIO:
    buffer = io.StringIO()
    buffer.write(text)
    return buffer


def _dataclass_with_slot(value: object) -> object:
    inner = _Slotted(value)
    return types.SimpleNamespace(inner=inner, more=[inner, inner])


_MAKERS: dict[str, Callable[[int], object]] = {
    "int": lambda n: n,
    "large int": lambda n: 10**5000 + n,
    "float": lambda n: n / 3,
    "bool": lambda n: n == 1,
    "text": lambda n: f"text {n}",
    "lone surrogate": lambda n: f"\udc80{n}",
    "bytes": lambda n: bytes([n]),
    "list": lambda n: [1, n],
    "long list": lambda n: [*range(100_000), n],
    "list of lists": lambda n: [[1], [n]],
    "tuple": lambda n: (1, n),
    "dict": lambda n: {"a": 1, "b": {"c": n}},
    "key of a dict": lambda n: {n: 1},
    "set": lambda n: {1, 2, n + 5},
    "set of texts": lambda n: {"a", f"{n}"},
    "set of tuples": lambda n: {(1, 2), (3, n)},
    "frozenset": lambda n: frozenset({(n,)}),
    "deque": lambda n: collections.deque([1, n], maxlen=5),
    "ordered dict": lambda n: collections.OrderedDict(a=n),
    "counter": lambda n: collections.Counter({"a": n}),
    "default dict": lambda n: collections.defaultdict(list, a=[n]),
    "subclass of dict": lambda n: _Counter(a=n),
    "slot": _Slotted,
    "dataclass": lambda n: _State([1, n]),
    "nested": _dataclass_with_slot,
    "namespace": lambda n: types.SimpleNamespace(a=n),
    "member": lambda n: [_Colour.RED, _Colour.BLUE][n % 2],
    "array": lambda n: np.array([1.0, n]),
    "array in steps": lambda n: np.array([1.0, 5, n, 5])[::2],
    "array of objects": lambda n: np.array([1, [n]], dtype=object),
    "array of days": lambda n: np.array([n], dtype="M8[D]"),
    "type of an array": lambda n: np.zeros(2, ["f4", "f8"][n % 2]),
    "shape of an array": lambda n: np.zeros([(2, 3), (3, 2)][n % 2]),
    "scalar of numpy": np.float64,
    "generator of numpy": lambda n: _drawn(np.random.default_rng(1), n),
    "old generator of numpy": lambda n: _drawn(np.random.RandomState(1), n),
    "bits of numpy": lambda n: _drawn(np.random.default_rng(1), n).bit_generator,
    "generator": lambda n: _drawn(random.Random(1), n),  # noqa: S311 - what models draw from
    "array of the standard library": lambda n: array.array("d", [n]),
    "bytearray": lambda n: bytearray([n]),
    "ctypes": lambda n: (ctypes.c_double * 2)(1.0, n),
    "closure": _closed_over,
    "default": _with_default,
    "partial": lambda n: functools.partial(print, n),
    "method": lambda n: _Slotted(n).__repr__,
    "count": _counted,
    "lru_cache": lambda n: _cached(*range(n)),
    "buffer": lambda n: _written("x" * n),
    "iterator": lambda n: iter([n]),
    "type": lambda n: [int, str][n % 2],
    "module": lambda n: [json, time][n % 2],
    "function": lambda n: [json.dumps, json.loads][n % 2],
    "function of C code": lambda n: [time.time, time.sleep][n % 2],
    "none": lambda n: [None, 0][n % 2],
    "empty containers": lambda n: [[], {}, (), set()][n % 4],
    "what looks alike": lambda n: [[["a"], "b"], [["a", "b"]], ["a", ["b"]]][n % 3],
    "one and true": lambda n: [1, True, 1.0][n % 3],
    "minus one and two": lambda n: [-1, -2][n % 2],
    "zeros": lambda n: [0.0, -0.0][n % 2],
}


@pytest.mark.parametrize("make", _MAKERS.values(), ids=_MAKERS)
def test_equal_values_have_one_fingerprint_and_others_another(make: Callable[[int], object]) -> None:
    """An address in it would call everything changed; anything left out would call a leak clean."""
    assert _print(make(1)) == _print(make(1))
    assert _print(make(1)) != _print(make(2))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(max_size=3), below, max_size=4)
        | st.lists(below, max_size=3).map(tuple)
        | st.lists(below, max_size=2).map(_State)
        | st.sets(st.integers() | st.text(max_size=3), max_size=4)
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(value=_VALUES, other=_VALUES)
def test_a_copy_has_the_same_fingerprint_and_what_is_unlike_has_not(value: object, other: object) -> None:
    """What is copied is equal, and what pickle writes otherwise is not."""
    assert _print(value) == _print(copy.deepcopy(value))
    if repr(value) != repr(other):
        assert _print(value) != _print(other)
    assert len(shown(value)) <= 60


@settings(deadline=None)
@given(members=st.lists(st.integers() | st.tuples(st.text(max_size=3), st.integers()), unique=True, max_size=8))
def test_the_order_in_a_set_is_no_part_of_it(members: list[object]) -> None:
    """It hangs on the addresses, and on what was in it before."""
    backwards = set[object]()
    for each in reversed(members):
        backwards.add(each)
    assert _print(set(members)) == _print(backwards)


def test_the_order_in_a_dict_is_part_of_it() -> None:
    """Code that walks over it gives other results."""
    assert _print({"a": 1, "b": 2}) != _print({"b": 2, "a": 1})


def test_cycles_end() -> None:
    """Models are full of objects that know each other."""
    one, other = [1], [1]
    one.append(one)
    other.append([1, other])
    assert _print(one) == _print(one)
    assert _print(one) != _print(other)


def test_a_deep_value_needs_no_recursion() -> None:
    """A linked list of a million is walked as far as the budget goes."""
    value: list[object] = []
    for _ in range(20_000):
        value = [value]
    assert _print(value) == _print([value[0]])


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_beyond_its_budget_it_tells_of_lengths_and_ends(size: int) -> None:
    """A model may hold gigabytes; the experiment has a minute."""
    began = time.monotonic()
    value = [[number] for number in range(min(size, 200_000))] * (size // min(size, 200_000))
    assert _print(value, each=1000) != _print(value[:-1], each=1000)
    assert time.monotonic() - began < 5


def test_no_code_of_an_object_is_called() -> None:
    """Its repr may raise, print, or count how often it was asked."""
    called: list[str] = []

    class Meta(type):
        def __getattribute__(cls, name: str) -> object:
            called.append(f"class {name}")
            return super().__getattribute__(name)

        def __eq__(cls, other: object) -> bool:
            called.append("class eq")
            return True

        def __hash__(cls) -> int:
            called.append("class hash")
            return 1

        def __instancecheck__(cls, instance: object) -> bool:
            called.append("class instance")
            return True

    class Hostile(metaclass=Meta):
        def __init__(self) -> None:
            object.__setattr__(self, "n", 1)

        def __getattribute__(self, name: str) -> object:
            called.append(name)
            return object.__getattribute__(self, name)

        def __eq__(self, other: object) -> bool:
            called.append("eq")
            return True

        def __hash__(self) -> int:
            called.append("hash")
            return 1

        def __repr__(self) -> str:
            called.append("repr")
            return "hostile"

        def __len__(self) -> int:
            called.append("len")
            return 1

        def __iter__(self) -> object:
            called.append("iter")
            return iter([])

        def __format__(self, spec: str) -> str:
            called.append("format")
            return ""

    class HostileDict(dict[str, int]):
        def items(self) -> object:  # type: ignore[override]  # that is what is tried
            called.append("items")
            return []

        def __iter__(self) -> object:  # type: ignore[override]  # that is what is tried
            called.append("dict iter")
            return iter([])

    value = [Hostile(), HostileDict(a=1), Hostile, {"a": Hostile()}]
    called.clear()
    _print(value)
    _print(value[0])
    [shown(each) for each in value]
    assert called == []


_TEXTS = {
    "scalar": (1.5, "1.5"),
    "list": ([1, 2], "list of 2: 1, 2"),
    "long list": (list(range(100)), "list of 100: ..., 96, 97, 98, 99"),
    "dict": ({"a": [1]}, "dict of 1: 'a': list of 1"),
    "secret key": ({"api_key": "xyz"}, "dict of 1: 'api_key': ..."),
    "long text": ("x" * 100, "'" + "x" * 56 + "..."),
    "large int": (10**5000, "an int of 16610 bits"),
    "instance": (_State([1]), f"<{__name__}._State> values=list of 1"),
    "array": (np.zeros((2, 3)), "numpy.ndarray float64 [2, 3]"),
    "function": (json.dumps, "function json.dumps"),
    "class": (collections.OrderedDict, "class collections.OrderedDict"),
}


@pytest.mark.parametrize(("value", "expected"), _TEXTS.values(), ids=_TEXTS)
def test_texts_are_short_and_show_what_came_last(value: object, expected: str) -> None:
    """They stand in a table, beside each other."""
    found = shown(value)
    assert found == expected


@pytest.mark.parametrize("name", ["API_KEY", "db_password", "AUTH", "Token"])
def test_values_with_names_of_secrets_are_not_shown(name: str) -> None:
    """A report is passed on."""
    assert shown("hidden", name) == "str"

"""The strict table of what a wire and a target may return, which executors in other processes share."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import pytest

from bundlekit.cold_runner.child.channel import RefusedError
from bundlekit.cold_runner.child.report import ChildReport
from bundlekit.cold_runner.child.returns import (
    MAX_NAME_BYTES,
    MAX_OUTPUTS,
    diagnostics_of,
    field_of,
    loss_of,
    name_problem,
    outputs_of,
    replicates_of,
)
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.runner_error import RunnerError


class Scalar:
    """Stands for a scalar of another library: no dimensions, and a float."""

    shape = ()

    def __float__(self) -> float:
        """Return a loss."""
        return 1.5


class Array(Scalar):
    """Stands for an array of one element, of which numpy also makes a float."""

    shape = (1,)


Bool = type("bool_", (Scalar,), {})
Complex = type("complex64", (Scalar,), {})


class Index:
    """Stands for an integer of another library."""

    def __index__(self) -> int:
        """Return a count."""
        return 3


class Twice(Mapping[str, bytes]):
    """A mapping that gives a name twice."""

    def __getitem__(self, name: str) -> bytes:
        """Return some data."""
        return name.encode()

    def __iter__(self) -> Iterator[str]:
        """Yield the one name twice."""
        return iter(["a", "a"])

    def __len__(self) -> int:
        """Return what it claims."""
        return 2


TAKEN: dict[str, tuple[object, dict[str, bytes]]] = {
    "bytes": ({"a": b"x"}, {"a": b"x"}),
    "bytearray": ({"a": bytearray(b"x")}, {"a": b"x"}),
    "memoryview": ({"a": memoryview(b"x")}, {"a": b"x"}),
    "memoryview with gaps": ({"a": memoryview(b"abc")[::2]}, {"a": b"ac"}),
    "memoryview of large items": ({"a": memoryview(b"abcdefgh").cast("Q")}, {"a": b"abcdefgh"}),
    "memoryview of nothing": ({"a": memoryview(b"")}, {"a": b""}),
    "ordered": (OrderedDict(b=b"1", a=b"2"), {"b": b"1", "a": b"2"}),
    "read-only": (MappingProxyType({"a": b"x"}), {"a": b"x"}),
    "long name": ({"é" * 127: b"x"}, {"é" * 127: b"x"}),
    "name with a space": ({"a b/c": b"x"}, {"a b/c": b"x"}),
}


@pytest.mark.parametrize(("returned", "expected"), TAKEN.values(), ids=TAKEN)
def test_what_the_table_takes_becomes_names_and_bytes(returned: object, expected: dict[str, bytes]) -> None:
    """Three runners that each take something else give three results."""
    assert {name.decode(): bytes(data) for name, data in outputs_of(returned)} == expected


REFUSED: dict[str, tuple[object, str]] = {
    "None": (None, "NoneType"),
    "list": ([b"x"], "list"),
    "int": (3, "int"),
    "text": ("x", "str"),
    "bytes": (b"x", "bytes"),
    "set": ({b"x"}, "set"),
    "text value": ({"a": "x"}, "found str; encode it"),
    "None value": ({"a": None}, "NoneType"),
    "dict value": ({"a": {}}, "dict"),
    "list of ints": ({"a": [1]}, "list"),
    "int value": ({"a": 1}, "int"),
    "int name": ({1: b"x"}, "1 (int)"),
    "empty name": ({"": b"x"}, "non-empty"),
    "lone surrogate in a name": ({"\ud800": b"x"}, "d800"),
    "newline in a name": ({"a\nb": b"x"}, "control characters"),
    "NUL in a name": ({"a\0": b"x"}, "control characters"),
    "override of direction in a name": ({"a\u202eb": b"x"}, "control characters"),
    "name too long": ({"é" * 128: b"x"}, f"at most {MAX_NAME_BYTES} bytes"),
}


@pytest.mark.parametrize(("returned", "says"), REFUSED.values(), ids=REFUSED)
def test_what_the_table_refuses_is_named(returned: object, says: str) -> None:
    """Each is what some runner makes something of."""
    with pytest.raises(RefusedError) as caught:
        list(outputs_of(returned))
    assert caught.value.code == "E_WIRE_RESULT"
    assert says in caught.value.message


def test_a_coroutine_is_closed_without_a_warning() -> None:
    """Warnings are errors in these tests, as in some bundles."""

    async def later() -> None: ...

    with pytest.raises(RefusedError, match="coroutine"):
        list(outputs_of(later()))


def test_too_many_outputs_are_a_limit() -> None:
    """A dict of millions of tiny outputs is a mistake, and would cost each host a file or a row."""
    with pytest.raises(RefusedError) as caught:
        list(outputs_of(dict.fromkeys(map(str, range(MAX_OUTPUTS + 1)), b"x")))
    assert caught.value.code == "E_LIMIT"


@pytest.mark.parametrize("name", ["a\nb", "x" * 256], ids=["control", "long"])
def test_names_are_judged_again_outside_the_child(name: str) -> None:
    """The child holds bundle code, which may have changed what checks there."""
    fields = [name.encode(), b"x"]
    body = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    with pytest.raises(RunnerError) as caught:
        ChildReport().feed(b"O" + len(body).to_bytes(8, "big") + body)
    assert caught.value.code is ErrorCode.WIRE_RESULT
    assert caught.value.message == name_problem(name)


def test_a_mapping_that_gives_a_name_twice_is_refused_where_it_arrives() -> None:
    """No dict can, but any Mapping may."""
    frames = bytearray()
    for name, data in outputs_of(Twice()):
        body = len(name).to_bytes(8, "big") + name + len(data).to_bytes(8, "big") + bytes(data)
        frames += b"O" + len(body).to_bytes(8, "big") + body
    with pytest.raises(RunnerError, match="each output once"):
        ChildReport().feed(bytes(frames))


LOSSES: dict[str, tuple[object, float]] = {
    "float": (1.5, 1.5),
    "int": (2, 2.0),
    "negative zero": (-0.0, 0.0),
    "Fraction": (Fraction(3, 2), 1.5),
    "Decimal": (Decimal("1.5"), 1.5),
    "scalar of a library": (Scalar(), 1.5),
}


@pytest.mark.parametrize(("loss", "expected"), LOSSES.values(), ids=LOSSES)
def test_finite_real_numbers_are_losses(loss: object, expected: float) -> None:
    """Scalars of numpy, JAX and torch are what targets compute."""
    assert loss_of(loss) == expected


NO_LOSSES: dict[str, object] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "text": "1",
    "bytes": b"1",
    "bool": True,
    "bool of a library": Bool(),
    "complex": 1j,
    "complex of a library": Complex(),
    "None": None,
    "list": [1.0],
    "array of one element": Array(),
    "beyond a double": 10**400,
}


@pytest.mark.parametrize("loss", NO_LOSSES.values(), ids=NO_LOSSES)
def test_anything_else_is_no_loss(loss: object) -> None:
    """A NaN that passes for a loss ruins a calibration in silence."""
    with pytest.raises(RefusedError, match="loss must be finite"):
        loss_of(loss)


@pytest.mark.parametrize("given", [None, {}, {"a": [1, {"b": 2}]}, {"a": {"b": None}}], ids=repr)
def test_diagnostics_are_a_dict_with_names(given: object) -> None:
    """Absent ones are none."""
    assert diagnostics_of(given) == (given or {})


@pytest.mark.parametrize("given", [[], "x", {1: 2}, {"a": {None: 1}}, {"a": [{"b": 1, 2: 3}]}], ids=repr)
def test_diagnostics_that_json_would_change_are_refused(given: object) -> None:
    """1 and "1" would become one key."""
    with pytest.raises(RefusedError, match="diagnostics"):
        diagnostics_of(given)


def test_diagnostics_that_hold_themselves_do_not_hang() -> None:
    """JSON refuses them afterwards."""
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert diagnostics_of(endless) is endless


@pytest.mark.parametrize(("count", "expected"), [(None, 7), (0, 0), (3, 3), (Index(), 3)])
def test_a_number_of_replicates_is_a_count_or_what_was_given(count: object, expected: int) -> None:
    """Integers of libraries count too."""
    assert replicates_of(count, 7) == expected


@pytest.mark.parametrize("count", [-1, True, 1.0, "3", Bool()], ids=["negative", "true", "float", "text", "bool"])
def test_anything_else_is_no_number_of_replicates(count: object) -> None:
    """A count that is replaced in silence is a wrong count."""
    with pytest.raises(RefusedError, match="n_replicates"):
        replicates_of(count, 7)


def test_fields_are_keys_of_a_dict_and_attributes_of_all_else() -> None:
    """A target returns either."""
    assert field_of({"shape": 3}, "shape") == 3
    assert field_of(Scalar(), "shape") == ()
    assert field_of(None, "loss") is None

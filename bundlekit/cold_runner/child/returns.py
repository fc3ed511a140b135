"""What a wire function and a target function may return: the one table, for every executor.

Runs in the child, under the conditions of the module `main`, where values still have their types; executors that call
bundle code in other processes use it as it is, and whoever receives a result asks :func:`name_problem` again, since a
child holds bundle code, which may have changed what checks there.

| returned           | taken                                             | refused                              |
|--------------------|---------------------------------------------------|--------------------------------------|
| by a wire          | any Mapping that is not empty                     | all else; a coroutine is closed      |
| name of an output  | str of 1 to 255 UTF-8 bytes, all characters shown | all else, a lone surrogate; twice    |
| value of an output | bytes, bytearray, memoryview                      | all else, text and arrays too        |
| number of outputs  | up to 100,000                                     | more: E_LIMIT                        |
| by a target        | a dict with `loss`, an object with `loss`         | all else                             |
| loss               | a finite real number, scalars of numpy and others | text, bool, complex, arrays, NaN     |
| diagnostics        | a dict that JSON holds as it is, absent, None     | other keys than str, NaN, > 64 KiB   |
| n_replicates       | an int from 0, absent, None                       | all else                             |

What the bytes say is judged afterwards, in `result`: an error inside the outputs, outputs that are all empty.

See: DESIGN decision 7; CONTRACT sections 3, 4, 7 and 10.
"""

from _collections_abc import Mapping  # collections.abc would import the rest of collections

from .channel import RefusedError, described

TYPE_CHECKING = False  # typing is not loaded at the start of an interpreter
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_DIAGNOSTICS_CHARACTERS",
    "MAX_NAME_BYTES",
    "MAX_OUTPUTS",
    "diagnostics_of",
    "field_of",
    "loss_of",
    "name_problem",
    "outputs_of",
    "replicates_of",
]

MAX_OUTPUTS = 100_000
MAX_NAME_BYTES = 255
MAX_DIAGNOSTICS_CHARACTERS = 65_536
"""Of their JSON, as the ecosystem's trial results have it (CONTRACT section 7)."""

_BOOLS = frozenset({"bool", "bool_"})
_NOT_FINITE = (float("inf"), float("-inf"))


def outputs_of(returned: object) -> "Iterator[tuple[bytes, bytes | memoryview]]":
    """Yield name (UTF-8) and data of each output that a wire function returned.

    Raises:
        RefusedError: E_WIRE_RESULT for what is not in the table, E_LIMIT for too many outputs.
    """
    if not isinstance(returned, Mapping):
        kind = type(returned).__name__
        if kind in {"coroutine", "generator"} and hasattr(returned, "close"):
            returned.close()
        raise _refused(f"expected a dict of outputs from the wire function, found {kind}")
    if len(returned) > MAX_OUTPUTS:
        raise RefusedError("E_LIMIT", f"expected at most {MAX_OUTPUTS} outputs, found {len(returned)}")
    for name, value in returned.items():
        yield _name_bytes(name), _data(name, value)


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an output, or None; the sentence says what was expected and found."""
    if not name:
        return "expected output names that are non-empty str, found ''"
    try:
        size = len(str.encode(name, "utf-8"))
    except UnicodeEncodeError:
        return f"expected output names in Unicode, found {str.__str__(name)!a:.200}"
    if size > MAX_NAME_BYTES:
        return f"expected output names of at most {MAX_NAME_BYTES} bytes, found one of {size}: {name!a:.100}"
    if not str.isprintable(name):
        return f"expected output names without control characters, found {str.__str__(name)!a:.200}"
    return None


def loss_of(loss: object) -> float:
    """Return the loss as a float.

    Raises:
        RefusedError: E_WIRE_RESULT, naming what was found.
    """
    number = _real(loss)
    if number is None or number != number or number in _NOT_FINITE:  # noqa: PLR0124 - NaN alone differs from itself
        message = "loss must be finite: expected a finite number as the target's loss, found "
        raise _refused(message + described(loss))
    return number


def diagnostics_of(diagnostics: object) -> dict[str, object]:
    """Return the diagnostics that a target gave, none if it gave none.

    Raises:
        RefusedError: E_WIRE_RESULT; only what JSON would change or refuse in silence is looked for here.
    """
    if diagnostics is None:
        return {}
    if not isinstance(diagnostics, dict):
        raise _refused(f"expected a dict as the target's diagnostics, found {described(diagnostics)}")
    _check_keys(diagnostics)
    return diagnostics


def replicates_of(count: object, given: int) -> int:
    """Return the number of replicates that a target tells of, or else how many it was given.

    Raises:
        RefusedError: E_WIRE_RESULT.
    """
    if count is None:
        return given
    # `operator` is not loaded at the start of an interpreter; numpy's integers have the method too.
    index = getattr(type(count), "__index__", None)
    if index is None or type(count).__name__ in _BOOLS or index(count) < 0:
        raise _refused(f"expected a number of replicates as the target's n_replicates, found {described(count)}")
    return int(index(count))


def field_of(returned: object, name: str) -> object:
    """Return what a target's result says of `name`: a key of a dict, an attribute of any other object, else None."""
    return returned.get(name) if isinstance(returned, dict) else getattr(returned, name, None)


def _name_bytes(name: object) -> bytes:
    if not isinstance(name, str):
        raise _refused(f"expected output names that are non-empty str, found {described(name)}")
    problem = name_problem(name)
    if problem is not None:
        raise _refused(problem)
    return str.encode(name, "utf-8")


def _data(name: object, value: object) -> bytes | memoryview:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        view = memoryview(value)
        # Without a copy where it can be: an output may be as large as half the memory.
        return view.cast("B") if view.c_contiguous and view.nbytes else view.tobytes()
    kind = type(value).__qualname__
    advice = "; encode it (.encode())" if isinstance(value, str) else ""
    raise _refused(f"expected bytes, bytearray or memoryview in output {name!r:.100}, found {kind}{advice}")


def _real(loss: object) -> float | None:
    """Return `loss` as a float if it is one real number, of whatever library."""
    is_text = isinstance(loss, (str, bytes, bytearray)) or type(loss).__name__ in _BOOLS
    # numpy gives complex scalars a __float__ that drops half of them, and arrays of one element one too.
    is_complex = isinstance(loss, complex) or type(loss).__name__.startswith("complex")
    if is_text or is_complex or tuple(getattr(loss, "shape", ())) != () or not hasattr(type(loss), "__float__"):
        return None
    try:
        return float(loss)  # type: ignore[arg-type]  # it has a __float__
    except OverflowError:
        return None


def _check_keys(value: dict[object, object]) -> None:
    """Refuse keys of which JSON would make text: 1 and "1" would become one."""
    below: list[object] = [value]
    seen: set[int] = set()
    while below:
        each = below.pop()
        if id(each) in seen or not isinstance(each, (dict, list, tuple)):
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            wrong = [key for key in each if not isinstance(key, str)]
            if wrong:
                raise _refused(f"expected diagnostics with str as keys, found the key {described(wrong[0])}")
        below.extend(each.values() if isinstance(each, dict) else each)


def _refused(message: str) -> RefusedError:
    return RefusedError("E_WIRE_RESULT", message)

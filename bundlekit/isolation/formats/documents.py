"""JSON, compared by value: objects without regard to the order of their keys, numbers by type and bits."""

import json
from collections.abc import Iterator

from bundlekit.isolation.formats.difference import Difference, UnreadableError, read_both, shown, shown_pair
from bundlekit.isolation.formats.floats import bits_of, distance

__all__ = ["differing_json"]

_MAX_BYTES = 1 << 24
"""Python needs about twenty times as much for what is in it."""
_MAX_PATH = 200
_ABSENT = object()


def differing_json(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first value that differs, depth first: in the order of keys that both have, else in sorted order.

    Raises:
        UnreadableError: one of both is no JSON, is too large, nested too deeply, or has a key twice in an object.
    """
    place: list[str] = []
    stack: list[Iterator[tuple[str, object, object]]] = [iter([("$", *read_both(_loaded, cold, warm))])]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            if place:
                place.pop()
            continue
        name, before, after = step
        place.append(name)
        if (found := _differing(place, before, after)) is not None:
            return found
        stack.append(_children(before, after))
    return None


def _loaded(data: bytes) -> object:
    if len(data) > _MAX_BYTES:
        raise UnreadableError(f"JSON of more than {_MAX_BYTES >> 20} MiB is compared as text")
    try:
        found: object = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"no JSON: {shown(str(error))}") from None
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("expected each key of an object once")
    return found


def _children(cold: object, warm: object) -> Iterator[tuple[str, object, object]]:
    if isinstance(cold, dict) and isinstance(warm, dict):
        for key in cold if list(cold) == list(warm) else sorted({*cold, *warm}):
            yield _step(key), cold.get(key, _ABSENT), warm.get(key, _ABSENT)
    elif isinstance(cold, list) and isinstance(warm, list):
        for index in range(max(len(cold), len(warm))):
            ends = [each[index] if index < len(each) else _ABSENT for each in (cold, warm)]
            yield f"[{index}]", ends[0], ends[1]


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"


def _differing(place: list[str], cold: object, warm: object) -> Difference | None:
    if type(cold) is type(warm) and (isinstance(cold, (dict, list)) or _same_scalar(cold, warm)):
        return None
    path = "".join(place) if len(place) < _MAX_PATH else "".join([*place[:20], "...", *place[-20:]])
    if len(path) > _MAX_PATH:
        path = path[: _MAX_PATH // 2] + "..." + path[-_MAX_PATH // 2 :]
    if isinstance(cold, float) and isinstance(warm, float):
        return Difference(path, repr(cold), repr(warm), distance(bits_of(cold), bits_of(warm), 64))
    if isinstance(cold, str) and isinstance(warm, str):
        return Difference(path, *shown_pair(json.dumps(cold), json.dumps(warm)))
    return Difference(path, _text(cold), _text(warm))


def _same_scalar(cold: object, warm: object) -> bool:
    if isinstance(cold, float) and isinstance(warm, float):
        return bits_of(cold) == bits_of(warm)
    return cold == warm


def _text(value: object) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, (dict, list)):
        kind = "object" if isinstance(value, dict) else "list"
        return f"{kind} of {len(value)}"
    return shown(json.dumps(value))

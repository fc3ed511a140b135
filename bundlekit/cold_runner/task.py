"""Tasks as they come in: parsed strictly, every problem told at once, before any work for an environment.

See: DESIGN decision 7 for the task id, CONTRACT section 3 for the parameter id; HOSTILE_CORPUS F.
"""

import binascii
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .codes import ErrorCode, Phase
from .long_texts import LongText, LongTexts
from .runner_error import RunnerError
from .strict_json import JsonTooLargeError, JsonValue, StrictJsonError, dumps, loads

__all__ = [
    "AGGREGATION_KEYS",
    "MAX_TASK_BYTES",
    "AggregationTask",
    "SimulationTask",
    "param_id",
    "parse_aggregation",
    "parse_simulation",
    "read_long_task",
    "read_task",
    "task_id",
]

MAX_TASK_BYTES = 1 << 30
_SEED_LIMIT = 1 << 64
_PARAM_DOMAIN = b"contracts:param:v1|"
_FIXED_VARIABLES = frozenset({"HOME", "TMPDIR"})
_REFUSED_VARIABLES = ("PYTHON", "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES")
"""Beginnings of names. They would run code before the runner's own, or undo what it promises of every child."""


class SimulationTask(NamedTuple):
    """One call of a wire function. `outputs` are the names asked for, sorted; None asks for all.

    `env` are variables of its own. They are no part of its identity, as nothing is that only says how it is run.
    """

    entrypoint: str
    params: Mapping[str, JsonValue]
    seed: int
    outputs: tuple[str, ...] | None
    env: Mapping[str, str] = {}


AGGREGATION_KEYS = ("target_entrypoint", "sim_returns", "target_data")
"""The keys that an aggregation is read from."""


class AggregationTask(NamedTuple):
    """One call of a target function; inline data is bytes (or base64, if that was asked for) and has been checked.

    What is too large for that is in the file `texts`; a tuple of start, size and whether text is wanted stands for it.
    """

    target_entrypoint: str
    sim_returns: tuple[Mapping[str, object], ...]
    target_data: JsonValue
    texts: str | None = None


def read_task(data: bytes | bytearray) -> JsonValue:
    """Return the JSON document in `data`.

    Raises:
        RunnerError: E_TASK when it is not strict JSON, E_LIMIT when it is larger than MAX_TASK_BYTES.
    """
    if not data.strip():
        raise _refused(["expected one JSON object on stdin, found nothing"])
    try:
        return loads(data, max_bytes=MAX_TASK_BYTES)
    except JsonTooLargeError as error:
        raise RunnerError(ErrorCode.LIMIT, Phase.TASK, f"the task is too large: {error}") from None
    except StrictJsonError as error:
        raise _refused([str(error)]) from None


def read_long_task(descriptor: int, texts: LongTexts) -> JsonValue:
    """Return the JSON document that `descriptor` gives until its end; marks in it stand for what `texts` then holds.

    Raises:
        RunnerError: as :func:`read_task`.
    """
    size = 0
    while data := os.read(descriptor, 1 << 20):
        size += len(data)
        if size > MAX_TASK_BYTES:
            message = f"the task is too large: expected at most {MAX_TASK_BYTES} bytes of JSON, found more"
            raise RunnerError(ErrorCode.LIMIT, Phase.TASK, message)
        texts.feed(data)
    texts.close()
    return read_task(texts.document)


def parse_simulation(value: JsonValue, warn: Callable[[str], None]) -> SimulationTask:
    """Return `value` as a simulation task; unknown keys are told to `warn`.

    Raises:
        RunnerError: E_TASK with all problems in one message.
    """
    table = _table(value)
    problems: list[str] = []
    entrypoint = _text(table, "entrypoint", problems)
    params = table.get("params")
    if not isinstance(params, dict):
        problems.append(_expected("params", "an object", table))
    seed = table.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < _SEED_LIMIT:
        problems.append(_expected("seed", "an integer from 0 to 2**64 - 1", table))
    outputs = _names(table, "outputs", problems)
    env = _variables(table, problems)
    _warn_unknown(table, SimulationTask._fields, warn)
    for name in sorted(env.keys() & _FIXED_VARIABLES):
        warn(f"Warning: the task's env sets {name}, which is not used: every task gets one of its own")
    if problems or not isinstance(params, dict) or not isinstance(seed, int):
        raise _refused(problems)
    return SimulationTask(entrypoint, params, seed, outputs, env)


def parse_aggregation(
    value: JsonValue, warn: Callable[[str], None], *, as_text: bool = False, texts: str | None = None
) -> AggregationTask:
    """Return `value` as an aggregation task; inline data becomes bytes, or stays base64 `as_text`.

    Raises:
        RunnerError: E_TASK with all problems in one message, each replicate named by its position.
    """
    table = _table(value)
    problems: list[str] = []
    target = _text(table, "target_entrypoint", problems)
    returns = table.get("sim_returns")
    parsed: list[Mapping[str, object]] = []
    if isinstance(returns, list):
        for position, each in enumerate(returns):
            parsed.append(_replicate(each, f"sim_returns[{position}]", problems, as_text=as_text))
    else:
        problems.append(_expected("sim_returns", "an array", table))
    _warn_unknown(table, AGGREGATION_KEYS, warn)
    if problems:
        raise _refused(problems)
    return AggregationTask(target, tuple(parsed), table.get("target_data"), texts)


def task_id(bundle_digest: str, task: SimulationTask, params: str | None = None) -> str:
    """Return the identity of `task` in that bundle, the same in every executor (DESIGN decision 7).

    `params` are its own in canonical form, for whoever has them: writing them costs as much as all else.
    """
    seed = task.seed if type(task.seed) is int else dumps(task.seed)
    identity = (
        f'{{"bundle":{dumps(bundle_digest)},"entrypoint":{dumps(task.entrypoint)},'
        f'"outputs":{"null" if task.outputs is None else dumps(task.outputs)},'
        f'"params":{dumps(task.params) if params is None else params},"seed":{seed}}}'
    )
    return "sha256:" + hashlib.sha256(identity.encode()).hexdigest()


def param_id(params: Mapping[str, JsonValue] | str) -> str:
    """Return the ecosystem's id of a parameter set, or of its canonical form: bare BLAKE2b-256 hex.

    See: CONTRACT section 3.
    """
    written = params if isinstance(params, str) else dumps(params)
    return hashlib.blake2b(_PARAM_DOMAIN + written.encode(), digest_size=32).hexdigest()


def _replicate(value: JsonValue, where: str, problems: list[str], *, as_text: bool) -> Mapping[str, object]:
    if not isinstance(value, dict):
        problems.append(f"expected an object in {where}, found {_kind(value)}")
        return {}
    outputs = value.get("outputs", {})
    if not isinstance(outputs, dict):
        problems.append(f"expected an object in {where}.outputs, found {_kind(outputs)}")
        return {}
    parsed = {
        name: _artifact(each, f"{where}.outputs[{name!r:.80}]", problems, as_text=as_text)
        for name, each in outputs.items()
    }
    return {**value, "outputs": parsed}


def _artifact(value: JsonValue, where: str, problems: list[str], *, as_text: bool) -> Mapping[str, object]:
    if not isinstance(value, dict):
        problems.append(f"expected an object in {where}, found {_kind(value)}")
        return {}
    inline = value.get("inline")
    if isinstance(inline, LongText):
        return _long_artifact(value, inline, where, problems, as_text=as_text)
    data = _artifact_bytes(value, where, problems)
    if data is None:
        return value
    _compare(value, len(data), hashlib.blake2b(data, digest_size=32).hexdigest(), where, problems)
    given = binascii.b2a_base64(data, newline=False).decode() if as_text else data
    return {**value, "inline": given}


def _long_artifact(
    value: Mapping[str, JsonValue], text: LongText, where: str, problems: list[str], *, as_text: bool
) -> Mapping[str, object]:
    """Return the artifact with the place of its data, which the child will read: start, size, and whether as text."""
    try:
        _compare(value, *text.measured(), where, problems)
    except ValueError as error:
        problems.append(f"expected base64 in {where}.inline, found text that is not: {error}")
    return {**value, "inline": (text.start, text.size, as_text)}


def _compare(value: Mapping[str, JsonValue], size: int, checksum: str, where: str, problems: list[str]) -> None:
    if value.get("size", size) != size:
        problems.append(f"expected {value['size']!r} bytes in {where} as its size says, found {size}")
    if value.get("checksum", checksum) != checksum:
        problems.append(f"expected the checksum {value['checksum']!r:.80} in {where}, found {checksum}")


def _artifact_bytes(value: Mapping[str, JsonValue], where: str, problems: list[str]) -> bytes | None:
    inline, ref = value.get("inline"), value.get("ref")
    if isinstance(inline, str):
        try:
            return binascii.a2b_base64(inline, strict_mode=True)
        except ValueError as error:
            problems.append(f"expected base64 in {where}.inline, found text that is not: {error}")
    elif isinstance(ref, str):
        try:
            with open(ref, "rb") as file:
                return file.read()
        except (OSError, ValueError) as error:
            problems.append(f"expected a readable file in {where}.ref, found {ref!r:.200}: {error}")
    else:
        problems.append(f"expected base64 text in {where}.inline or a path in {where}.ref, found {_kind(inline)}")
    return None


def _table(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise _refused([f"expected an object, found {_kind(value)}"])
    return value


def _text(table: Mapping[str, JsonValue], key: str, problems: list[str]) -> str:
    value = table.get(key)
    if isinstance(value, str) and value:
        return value
    problems.append(_expected(key, "a non-empty string", table))
    return ""


def _names(table: Mapping[str, JsonValue], key: str, problems: list[str]) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, list):
        names = [each for each in value if isinstance(each, str) and each]
        if len(names) == len(value) == len(set(names)):
            return tuple(sorted(names))
    problems.append(_expected(key, "an array of distinct names, or null", table))
    return None


def _variables(table: Mapping[str, JsonValue], problems: list[str]) -> Mapping[str, str]:
    value = table.get("env")
    if value is not None and not isinstance(value, dict):
        problems.append(_expected("env", "an object of variables, or null", table))
        return {}
    variables: dict[str, str] = {}
    for name, text in (value or {}).items():
        if not name or "=" in name or "\0" in name:
            problems.append(f"env: expected names of variables, found {name!r:.80}")
        elif name.startswith(_REFUSED_VARIABLES):
            problems.append(
                f"env: expected no variable that changes how Python or the loader starts, found {name!r:.80}"
            )
        elif not isinstance(text, str) or "\0" in text:
            problems.append(f"env: expected text without NUL in {name!r:.80}, found {_kind(text)}")
        else:
            variables[name] = text
    return variables


def _warn_unknown(table: Mapping[str, JsonValue], known: Sequence[str], warn: Callable[[str], None]) -> None:
    for key in table.keys() - set(known):
        warn(f"Warning: the task has a key that is not used: {key!r:.80}")


def _expected(key: str, what: str, table: Mapping[str, JsonValue]) -> str:
    found = _kind(table[key]) if key in table else "no such key"
    return f"{key}: expected {what}, found {found}"


def _kind(value: JsonValue) -> str:
    if isinstance(value, (dict, list)):
        return f"an {'object' if isinstance(value, dict) else 'array'} of {len(value)}"
    return f"{dumps(value):.60}"


def _refused(problems: list[str]) -> RunnerError:
    return RunnerError(ErrorCode.TASK, Phase.TASK, "the task cannot be used: " + "; ".join(problems))

"""Requests of the server form, parsed at the door.

They come from a host of the same version, so a wrong one is that host's mistake: the first problem is enough.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from .codes import ErrorCode, Phase
from .environments.bundle_code import BundleSource
from .environments.cache_dir import default_cache_dir
from .environments.tree_digest import ListedFile
from .limits import LIMIT_KEYS, Limits, limits_of
from .long_texts import KEPT_IN_FILE, LongTexts
from .phase_limits import DEFAULT_GRACE_S
from .runner_error import RunnerError
from .sandbox.layers import SANDBOX_MODES
from .strict_json import JsonValue, StrictJsonError, loads

__all__ = ["Request", "parse_request", "reproduction"]

_VERBS = ("prepare", "probe", "simulate", "aggregate")
_FILE_FIELDS = 4
_MAX_HASH_SEED = 2**32 - 1
"""As Python has it for PYTHONHASHSEED."""
_OF_THE_MOMENT = frozenset({"cache_dir", "forks", "measured", "outputs_dir", "preserve", "texts"})


class Request(NamedTuple):
    """One request; what a verb does not need is None or empty."""

    verb: str
    bundle: BundleSource
    python: str | None
    fresh: bool
    cache_dir: str
    preserve: bool
    timeout_s: float
    environment_timeout_s: float | None
    import_timeout_s: float | None
    call_timeout_s: float | None
    grace_s: float
    pass_env: tuple[str, ...]
    env: Mapping[str, str]
    task: JsonValue
    inline_as: str
    reference: str | None
    outputs_dir: str | None
    sandbox: str
    network: bool
    limits: Limits
    forks: bool
    preload: tuple[str, ...]
    hash_seed: int
    keep_symbols: bool
    measured: bool
    texts: LongTexts | None = None


def parse_request(
    line: bytes | bytearray, texts: LongTexts | None = None, *, verbs: tuple[str, ...] = _VERBS
) -> Request:
    """Return the request in `line` for one of `verbs`, where marks stand for what is in `texts`.

    Raises:
        RunnerError: E_USAGE when it is none.
    """
    try:
        table = loads(line)
    except StrictJsonError as error:
        raise _refused(f"expected a request of one JSON object, {error}") from None
    if not isinstance(table, dict):
        raise _refused("expected a request of one JSON object, found another value")
    if texts is not None:
        kept = KEPT_IN_FILE if table.get("verb") == "aggregate" else None
        table = {name: texts.restored(value, kept if name == "task" else None) for name, value in table.items()}
    return Request(
        verb=_choice(table, "verb", verbs, None),
        bundle=_bundle(table.get("bundle")),
        python=_text(table, "python"),
        fresh=_flag(table, "fresh"),
        cache_dir=_text(table, "cache_dir") or default_cache_dir(),
        preserve=_flag(table, "preserve"),
        timeout_s=_seconds(table, "timeout_s"),
        environment_timeout_s=_seconds_or_none(table, "environment_timeout_s"),
        import_timeout_s=_seconds_or_none(table, "import_timeout_s"),
        call_timeout_s=_seconds_or_none(table, "call_timeout_s"),
        grace_s=DEFAULT_GRACE_S if (grace_s := _seconds_or_none(table, "grace_s")) is None else grace_s,
        pass_env=_texts(table, "pass_env"),
        env=_variables(table.get("env")),
        task=table.get("task"),
        inline_as=_choice(table, "inline_as", ("bytes", "str"), "bytes"),
        reference=_text(table, "reference"),
        outputs_dir=_text(table, "outputs_dir"),
        sandbox=_choice(table, "sandbox", SANDBOX_MODES, "off"),
        network=_flag(table, "network"),
        limits=_limits(table.get("limits")),
        forks=_choice(table, "start", ("exec", "fork"), "exec") == "fork",
        preload=_texts(table, "preload"),
        hash_seed=_hash_seed(table),
        keep_symbols=_flag(table, "keep_symbols"),
        measured=_flag(table, "measured"),
        texts=texts,
    )


def reproduction(request: Request) -> dict[str, object]:
    """Return what asks for the same again, on whatever cache: a request as :func:`parse_request` takes it."""
    document: dict[str, object] = {
        **request._asdict(),
        "bundle": request.bundle._asdict(),
        "limits": dict(zip(LIMIT_KEYS, request.limits, strict=True)),
        "start": "fork" if request.forks else "exec",
    }
    return {name: value for name, value in document.items() if name not in _OF_THE_MOMENT}


def _limits(value: JsonValue) -> Limits:
    value = value or {}
    if not isinstance(value, dict):
        raise _refused("expected an object in the key limits")
    try:
        return limits_of(value)
    except ValueError as error:
        raise _refused(str(error)) from None


def _bundle(value: JsonValue) -> BundleSource:
    if not isinstance(value, dict):
        raise _refused("expected an object in the key bundle")
    path = _text(value, "path")
    if path is None:
        raise _refused("expected a path in bundle.path, found null")
    files = value.get("files")
    if files is None:
        return BundleSource(path, _text(value, "digest"), None)
    if not isinstance(files, list):
        raise _refused("expected an array or null in bundle.files")
    return BundleSource(path, _text(value, "digest"), tuple(_file(each) for each in files))


def _file(value: JsonValue) -> ListedFile:
    if isinstance(value, list) and len(value) == _FILE_FIELDS:
        path, mode, size, digest = value
        if isinstance(path, str) and isinstance(mode, str) and isinstance(size, int) and isinstance(digest, str):
            return path, mode, size, digest
    raise _refused(f"expected [path, mode, size, digest] in bundle.files, found {value!r:.200}")


def _text(table: Mapping[str, JsonValue], key: str) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value
    raise _refused(f"expected a string or null in the key {key}, found {value!r:.100}")


def _texts(table: Mapping[str, JsonValue], key: str) -> tuple[str, ...]:
    value = table.get(key) or []
    if isinstance(value, list):
        texts = tuple(each for each in value if isinstance(each, str))
        if len(texts) == len(value):
            return texts
    raise _refused(f"expected an array of strings in the key {key}, found {value!r:.100}")


def _variables(value: JsonValue) -> Mapping[str, str]:
    value = value or {}
    if isinstance(value, dict):
        variables = {name: each for name, each in value.items() if isinstance(each, str)}
        if len(variables) == len(value):
            return variables
    raise _refused(f"expected an object of strings in the key env, found {value!r:.100}")


def _flag(table: Mapping[str, JsonValue], key: str) -> bool:
    value = table.get(key, False)
    if isinstance(value, bool):
        return value
    raise _refused(f"expected true or false in the key {key}, found {value!r:.100}")


def _hash_seed(table: Mapping[str, JsonValue]) -> int:
    value = table.get("hash_seed", 0)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_HASH_SEED:
        return value
    raise _refused(f"expected a number from 0 to {_MAX_HASH_SEED} in the key hash_seed, found {value!r:.100}")


def _choice(table: Mapping[str, JsonValue], key: str, choices: tuple[str, ...], default: str | None) -> str:
    value = table.get(key, default)
    if isinstance(value, str) and value in choices:
        return value
    raise _refused(f"expected one of {', '.join(choices)} in the key {key}, found {value!r:.100}")


def _seconds_or_none(table: Mapping[str, JsonValue], key: str) -> float | None:
    return None if table.get(key) is None else _seconds(table, key)


def _seconds(table: Mapping[str, JsonValue], key: str) -> float:
    value = table.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0:
        return float(value)
    raise _refused(f"expected a number of seconds above 0 in the key {key}, found {value!r:.100}")


def _refused(message: str) -> RunnerError:
    return RunnerError(ErrorCode.USAGE, Phase.TASK, message)

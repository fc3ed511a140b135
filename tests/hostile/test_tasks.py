"""Tasks that someone made to do harm, or by mistake (HOSTILE_CORPUS F); each id names its row.

Not here: T08 with 100 MB, which tests/bench/bench_payloads.py measures.
"""

import base64
import json
import re

import pytest
from builders.cold_runs import SIMULATION
from builders.invariants import Ground

from bundlekit.cold_runner import task as task_module
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.task import parse_simulation, read_task, task_id

pytestmark = pytest.mark.process

GOOD = '{"entrypoint":"main","params":{},"seed":7}'


def with_params(text: str) -> str:
    """Return a task with the parameter x as written in `text`."""
    return GOOD.replace("{},", f'{{"x":{text}}},')


def with_seed(text: str) -> str:
    """Return a task with the seed as written in `text`."""
    return GOOD.replace("7}", f"{text}}}")


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "T01-empty": ("", "found nothing"),
    "T01-white": (" \n\t", "found nothing"),
    "T01-array": ("[]", "array"),
    "T01-number": ("3", "object"),
    "T01-null": ("null", "object"),
    "T01-text": ('"x"', "object"),
    "T01-two": (GOOD + GOOD, "Extra data"),
    "T01-two-lines": (f"{GOOD}\n{GOOD}", "Extra data"),
    "T01-garbage": (GOOD + " x", "Extra data"),
    "T02-all-missing": ("{}", "entrypoint: expected a non-empty string, found no such key"),
    "T02-no-params": ('{"entrypoint":"main","seed":7}', "params"),
    "T02-no-seed": ('{"entrypoint":"main","params":{}}', "seed"),
    "T03-NaN": (with_params("NaN"), "NaN"),
    "T03-Infinity": (with_params("Infinity"), "Infinity"),
    "T03-minus-Infinity": (with_params("-Infinity"), "-Infinity"),
    "T03-overflow": (with_params("1e400"), "1e400"),
    "T04-seed-2**64": (with_seed(str(2**64)), "2**64 - 1"),
    "T04-seed-negative": (with_seed("-1"), "seed"),
    "T04-seed-float": (with_seed("1.0"), "seed"),
    "T04-seed-true": (with_seed("true"), "seed"),
    "T04-seed-text": (with_seed('"1"'), "seed"),
    "T04-5000-digits": (with_params("9" * 5000), "number"),
    "T05-surrogate-value": (with_params(r'"\ud800"'), "surrogate"),
    "T05-surrogate-key": (GOOD.replace("{},", r'{"\udc00":1},'), "surrogate"),
    "T06-twice": (GOOD.replace("{", '{"seed":1,', 1), "'seed' twice"),
    "T06-twice-deep": (with_params('{"a":1,"a":2}'), "'a' twice"),
    "T07-arrays": (with_params("[" * 100_000 + "]" * 100_000), "levels of nesting"),
    "T07-objects": (with_params('{"a":' * 100_000 + "1" + "}" * 100_000), "levels of nesting"),
    "T07-unclosed": ("[" * 100_000, "levels of nesting"),
    "T09-no-UTF-8": (with_params('"\xff"').encode("latin-1"), "UTF-8"),
    "T09-UTF-16": (GOOD.encode("utf-16"), "UTF-8"),
    "T09-UTF-32": (GOOD.encode("utf-32"), "UTF-8"),
    "T09-BOM": (b"\xef\xbb\xbf" + GOOD.encode(), "byte order mark"),
    "T11-params-list": (GOOD.replace("{},", "[],"), "params"),
    "T11-params-null": (GOOD.replace("{},", "null,"), "params"),
    "T11-params-text": (GOOD.replace("{},", '"{}",'), "params"),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_a_task_that_cannot_be_meant_is_refused_before_any_other_work(
    ground: Ground, data: str | bytes, says: str
) -> None:
    """Peers build an environment first, and then fail with a KeyError; the peak of honest work is a message."""
    ran = ground.send(data if isinstance(data, bytes) else data.encode())
    assert (ran.error["error_code"], ran.error["phase"]) == ("E_TASK", "task")
    assert says in str(ran.error["message"])
    assert len(str(ran.error["message"])) < 2000
    assert b"Child process" not in ran.stderr
    assert ran.error["log_path"] is None


def test_all_that_is_missing_is_named_at_once(ground: Ground) -> None:
    """T02: three runs for three mistakes are two too many."""
    message = str(ground.send(b"{}").error["message"])
    assert all(key in message for key in ("entrypoint", "params", "seed"))


def test_a_key_that_is_not_known_is_a_warning(ground: Ground) -> None:
    """T02: tasks carry what other runners read, and a misspelt key must be seen."""
    ran = ground.send(json.dumps({**SIMULATION, "sede": 3, "timeout": -1}).encode())
    assert ran.outputs
    assert b"not used: 'sede'" in ran.stderr


EXACT = {
    "T04-minus-zero": "-0.0",
    "T04-sum": "0.30000000000000004",
    "T04-2**53+1": str(2**53 + 1),
    "T04-2**64-1": str(2**64 - 1),
    "T04-1.0": "1.0",
    "T04-true": "true",
    "T04-4000-digits": "9" * 4000,
    "T05-NUL": r'"a\u0000b"',
    "T05-emoji": '"\U0001f600"',
    "T05-line-separator": '"\u2028"',
    "T05-escaped-emoji": r'"\ud83d\ude00"',
    "T11-kwargs": '{"seed":1,"entrypoint":"x","self":2,"**":3}',
    "T11-class": '{"__class__":"os._wrap_close","__init__":{"__globals__":1}}',
    "T12-quotes": json.dumps("'); import os; os.system('touch canary')#"),
    "T12-braces": json.dumps("{0.__class__} %(x)s ${HOME} `id` \\ \n \r \" '"),
}


@pytest.mark.parametrize("text", EXACT.values(), ids=EXACT)
def test_parameters_arrive_exactly_or_not_at_all(ground: Ground, text: str) -> None:
    """What is passed by repr, argv or templates is changed, or run."""
    ran = ground.send(with_params(text).encode())
    said = base64.b64decode(str(ran.outputs["raw"]["inline"])).decode()
    assert said == repr(("main", {"x": json.loads(text)}, 7))
    assert not list(ground.top.rglob("canary"))


@pytest.mark.parametrize("seed", [0, 2**32, 2**63, 2**64 - 1], ids=str)
def test_seeds_arrive_exactly(ground: Ground, seed: int) -> None:
    """T04: up to the last of 64 bits."""
    ran = ground.send(with_seed(str(seed)).encode())
    assert base64.b64decode(str(ran.outputs["raw"]["inline"])).decode() == repr(("main", {}, seed))


ENTRYPOINTS = {
    "T12-python": "'); import os; os.system('touch canary')#",
    "T12-shell": "$(touch canary); `touch canary` | touch canary",
    "T12-newline": "main\n_fatal_error",
    "T12-path": "../../etc/passwd",
}


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS.values(), ids=ENTRYPOINTS)
def test_an_entrypoint_is_data(ground: Ground, entrypoint: str) -> None:
    """T12: the wire function gets it as it is."""
    ran = ground.send(json.dumps({**SIMULATION, "entrypoint": entrypoint}).encode())
    assert base64.b64decode(str(ran.outputs["raw"]["inline"])).decode() == repr((entrypoint, {}, 7))
    assert not list(ground.top.rglob("canary"))


@pytest.mark.parametrize("entrypoint", ["does.not.exist:fn", "os.nothing:fn", "..os:fn", ":fn"])
def test_an_entrypoint_to_nowhere_is_told(ground: Ground, entrypoint: str) -> None:
    """T13: a module that cannot be found is named, though the wire function might not look at it."""
    ran = ground.send(json.dumps({**SIMULATION, "entrypoint": entrypoint}).encode())
    assert ran.error["error_code"] == "E_ENTRYPOINT"
    assert entrypoint in str(ran.error["message"])


def test_ten_megabytes_of_parameters_arrive(ground: Ground) -> None:
    """T08: what goes through argv ends at 128 KiB."""
    ran = ground.send(json.dumps({**SIMULATION, "params": {"x": "y" * 10_000_000}}).encode())
    assert ran.outputs["raw"]["size"] == len(repr(("main", {"x": ""}, 7))) + 10_000_000


def test_a_task_above_the_limit_is_refused_as_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """T08: the limit itself is a gigabyte, which no test should send."""
    monkeypatch.setattr(task_module, "MAX_TASK_BYTES", 100)
    with pytest.raises(RunnerError, match="too large") as caught:
        read_task(GOOD.encode() + b" " * 100)
    assert caught.value.code is ErrorCode.LIMIT


def test_tasks_that_differ_in_one_thing_have_ids_of_their_own() -> None:
    """T15: a peer gives all of them one id, and the first one's result."""
    base = {"entrypoint": "a.b/c", "params": {"x": 1}, "seed": 7}
    changes = (
        {},
        {"params": {"x": 2}},
        {"params": {"x": 1.0}},
        {"entrypoint": "a.d/c"},
        {"entrypoint": "a.b/d"},
        {"outputs": ["t"]},
        {"seed": 8},
    )
    tasks = [parse_simulation({**base, **change}, lambda _line: None) for change in changes]  # type: ignore[dict-item]
    ids = {task_id(f"sha256:{digit * 64}", task) for task in tasks for digit in "ab"}
    assert len(ids) == 2 * len(changes)
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in ids)


def test_the_same_task_twice_gives_the_same(ground: Ground) -> None:
    """T17: ids, checksums and the order of sets."""
    source = "def wire(e, p, s): return {'raw': repr({str(n) for n in range(50)}).encode()}\n"
    first = ground.simulate(source)
    assert ground.again().document == first.document


@pytest.mark.parametrize("value", ["0", "-1", "nan", "1e308", "x", ""])
def test_a_deadline_that_is_none_is_refused(ground: Ground, value: str) -> None:
    """T18: here it is no part of the task but an option, so it is a wrong use (E_USAGE) and no bad task."""
    assert ground.send(GOOD.encode(), f"--timeout-s={value}").error["error_code"] == "E_USAGE"

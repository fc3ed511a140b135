import base64

import pytest

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.cold_runner.task import (
    SimulationTask,
    param_id,
    parse_aggregation,
    parse_simulation,
    read_task,
    task_id,
)

DIGEST = "sha256:" + "ab" * 32
GOOD: dict[str, JsonValue] = {"entrypoint": "main", "params": {"beta": 0.3}, "seed": 7}

# Values that the ecosystem's own code gives (CONTRACT section 3).
PARAM_IDS: list[tuple[dict[str, JsonValue], str]] = [
    ({"beta": 0.3, "gamma": 0.1}, "761edf35ca1634d79a760bfa7030cf07e72a3559b3cdb0c56d20557de35b1e07"),
    ({"n": 1}, "f7b7157437816c1bdcf8f8234b7fffc09201fdf1d6b7727f2dd2f7ae2833422f"),
    ({"n": 1.0}, "f51a1697c250b04e9f83ae24c1471c7a0e786564d6c11390eca49e42badaec4a"),
    ({"n": True}, "21b24e63c83bc738cd44589d56c0d1ee1577844fc405b00de81e76196686aa58"),
    ({"x": -0.0}, "e69ec3a1fe2a767af4e8d1b8b24b1819d6cb92ff03342e7dde723566f80ea36f"),
    ({"x": 0.0}, "246dd4fa2ad31c65d54a3a183efbee0d4e69237db1218ea3cf3e2a716b29ddc5"),
    ({"x": 1e-07}, "adbf9eb5c4904a62f82c73e42db7e6237d69224bed96952a2832601602c69fa3"),
    ({"x": 1e16}, "fdf63215605c10f64a9d6b34203d5e36bddc2c0f65c2c5602f9d7e6acb6e3933"),
    ({"name": "é☃", "z": 'a"b'}, "5d6e87329722e149604bff82450deb78807c721ee4e09660c46ad3e5c0272627"),
    ({}, "02a98351d516148f91f93bb0ce4b4cb6468cb40e04263fb6f257e9ba37365b44"),
    ({"batch_size": 32, "learning_rate": 0.01}, "38b8bc3f7eb0d25175d156ce77a518329331ae1a05bd77324acc3f504d9539e0"),
]


def refuse(_line: str) -> None:
    """Take no warning."""
    raise AssertionError(_line)


@pytest.mark.parametrize(("params", "expected"), PARAM_IDS, ids=lambda value: str(value)[:24])
def test_parameter_ids_are_those_of_the_ecosystem(params: dict[str, JsonValue], expected: str) -> None:
    """Results are found by them elsewhere."""
    assert param_id(params) == expected


def test_tasks_that_differ_in_one_field_have_different_ids() -> None:
    """Ids that leave a field out give one task the other's result."""
    tasks = [
        parse_simulation({**GOOD, **change}, refuse)
        for change in (
            {},
            {"entrypoint": "a.b/baseline"},
            {"entrypoint": "a.b/lockdown"},
            {"params": {"beta": 0.30000000000000004}},
            {"params": {"beta": 1}},
            {"params": {"beta": 1.0}},
            {"params": {"beta": True}},
            {"seed": 8},
            {"outputs": ["table"]},
            {"outputs": []},
        )
    ]
    ids = [task_id(DIGEST, task) for task in tasks]
    ids.append(task_id("sha256:" + "cd" * 32, tasks[0]))
    assert len(set(ids)) == len(ids)
    assert all(each.startswith("sha256:") and len(each) == 71 for each in ids)


def test_the_order_of_keys_and_names_is_no_part_of_an_id() -> None:
    """The same task asked for in another order is the same task."""
    one = parse_simulation({**GOOD, "params": {"a": 1, "b": 2}, "outputs": ["x", "y"]}, refuse)
    two = parse_simulation({"outputs": ["y", "x"], "seed": 7, "params": {"b": 2, "a": 1}, "entrypoint": "main"}, refuse)
    assert one == two
    assert task_id(DIGEST, one) == task_id(DIGEST, two)


def test_an_id_does_not_change_from_one_version_to_the_next() -> None:
    """Stores and logs outlive us."""
    task = SimulationTask("main", {"beta": 0.3}, 7, None)
    assert task_id(DIGEST, task) == "sha256:50e6630a1c3058b8f44de84a42e9307d737164b5d3b5a3eb8fbc5095abded2f8"


SIMULATIONS: dict[str, tuple[JsonValue, list[str]]] = {
    "an array": ([], ["expected an object", "an array of 0"]),
    "a number": (3, ["expected an object", "found 3"]),
    "all missing": ({}, ["entrypoint: expected", "params: expected", "seed: expected", "no such key"]),
    "empty entrypoint": ({**GOOD, "entrypoint": ""}, ["entrypoint", "non-empty"]),
    "params no object": ({**GOOD, "params": [1]}, ["params", "an array of 1"]),
    "seed true": ({**GOOD, "seed": True}, ["seed", "found true"]),
    "seed 1.0": ({**GOOD, "seed": 1.0}, ["seed", "found 1.0"]),
    "seed text": ({**GOOD, "seed": "1"}, ["seed", 'found "1"']),
    "seed negative": ({**GOOD, "seed": -1}, ["seed", "found -1"]),
    "seed 2**64": ({**GOOD, "seed": 2**64}, ["seed", "18446744073709551616"]),
    "outputs text": ({**GOOD, "outputs": "table"}, ["outputs", "distinct names"]),
    "outputs twice": ({**GOOD, "outputs": ["a", "a"]}, ["outputs", "distinct names"]),
    "env text": ({**GOOD, "env": "A=1"}, ["env: expected an object", '"A=1"']),
    "env number": ({**GOOD, "env": {"A": 1}}, ["env: expected text", "'A'", "found 1"]),
    "env NUL": ({**GOOD, "env": {"A": "\0"}}, ["env: expected text", "'A'"]),
    "env without name": ({**GOOD, "env": {"": "1"}}, ["env: expected names"]),
    "env equals": ({**GOOD, "env": {"A=B": "1"}}, ["env: expected names", "'A=B'"]),
    "env NUL in name": ({**GOOD, "env": {"A\0": "1"}}, ["env: expected names"]),
    "env PYTHONPATH": ({**GOOD, "env": {"PYTHONPATH": "."}}, ["env: expected no variable", "'PYTHONPATH'"]),
    "env PYTHONHASHSEED": ({**GOOD, "env": {"PYTHONHASHSEED": "1"}}, ["'PYTHONHASHSEED'"]),
    "env LD_PRELOAD": ({**GOOD, "env": {"LD_PRELOAD": "x.so"}}, ["'LD_PRELOAD'"]),
    "env twice wrong": ({**GOOD, "env": {"LD_AUDIT": "x", "B": None}}, ["'LD_AUDIT'", "'B'"]),
    "outputs empty name": ({**GOOD, "outputs": [""]}, ["outputs", "distinct names"]),
}


@pytest.mark.parametrize(("value", "says"), SIMULATIONS.values(), ids=SIMULATIONS)
def test_a_bad_simulation_task_names_all_its_problems(value: JsonValue, says: list[str]) -> None:
    """One round trip to a cluster, not one for each key."""
    with pytest.raises(RunnerError) as caught:
        parse_simulation(value, refuse)
    assert (caught.value.code, caught.value.phase) == (ErrorCode.TASK, Phase.TASK)
    assert all(text in caught.value.message for text in says), caught.value.message


LEFT_ALONE: dict[str, dict[str, JsonValue]] = {
    "largest seed": {**GOOD, "seed": 2**64 - 1},
    "nested params": {**GOOD, "params": {"__class__": {"self": [None]}}},
    "outputs null": {**GOOD, "outputs": None},
    "env null": {**GOOD, "env": None},
    "env": {**GOOD, "env": {"A": "", "LD_LIBRARY_PATH": "/opt/lib", "MY_PYTHON": "3", "\u2028": "é"}},
    "odd entrypoint": {**GOOD, "entrypoint": "'); import os#\0"},
}


@pytest.mark.parametrize("value", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_the_runner_has_no_opinion_on_passes(value: dict[str, JsonValue]) -> None:
    """It is the wire function that knows its parameters."""
    assert parse_simulation(value, refuse).params == value["params"]


def test_variables_of_a_task_are_no_part_of_its_id() -> None:
    """DESIGN decision 7: the id tells what is asked, not how it is run."""
    one, two = (parse_simulation({**GOOD, "env": {"THREADS": count}}, refuse) for count in ("1", "2"))
    assert one.env == {"THREADS": "1"}
    assert task_id(DIGEST, one) == task_id(DIGEST, two)


def test_variables_that_the_runner_sets_itself_are_told() -> None:
    """Whoever sets them expects their files in a place where they will not be."""
    warned: list[str] = []
    parse_simulation({**GOOD, "env": {"TMPDIR": "/scratch", "HOME": "/home/me"}}, warned.append)
    assert ["HOME" in line for line in warned] == [True, False]
    assert ["TMPDIR" in line for line in warned] == [False, True]


def test_unknown_keys_are_told_and_kept_out() -> None:
    """A typo must not pass in silence."""
    warned: list[str] = []
    parse_simulation({**GOOD, "sede": 1, "timeout": 0}, warned.append)
    assert sorted("sede" in line or "timeout" in line for line in warned) == [True, True]


def returns(**artifact: JsonValue) -> JsonValue:
    """Return an aggregation task with one output."""
    return {"target_entrypoint": "t:f", "sim_returns": [{"outputs": {}}, {"outputs": {"x": artifact}}]}


AGGREGATIONS: dict[str, tuple[JsonValue, str]] = {
    "no returns": ({"target_entrypoint": "t:f"}, "sim_returns: expected an array"),
    "no target": ({"sim_returns": []}, "target_entrypoint: expected"),
    "a return that is none": ({"target_entrypoint": "t:f", "sim_returns": [3]}, "sim_returns[0]"),
    "outputs that are none": ({"target_entrypoint": "t:f", "sim_returns": [{"outputs": 3}]}, "sim_returns[0].outputs"),
    "no data": (returns(), "sim_returns[1].outputs['x'].inline"),
    "no base64": (returns(inline="a b"), "base64 in sim_returns[1]"),
    "other size": (returns(inline="eHl6", size=4), "expected 4 bytes in sim_returns[1]"),
    "other checksum": (returns(inline="eHl6", checksum="00"), "checksum '00' in sim_returns[1]"),
    "a file that is not there": (returns(ref="/nowhere"), "readable file in sim_returns[1]"),
}


@pytest.mark.parametrize(("value", "says"), AGGREGATIONS.values(), ids=AGGREGATIONS)
def test_a_bad_aggregation_task_names_the_replicate(value: JsonValue, says: str) -> None:
    """A replicate that is dropped in silence changes the loss."""
    with pytest.raises(RunnerError) as caught:
        parse_aggregation(value, refuse)
    assert caught.value.code is ErrorCode.TASK
    assert says in caught.value.message


def test_inline_data_becomes_bytes_or_stays_text() -> None:
    """Targets get bytes; the probe also tries what today's warm runner passes."""
    value = returns(inline=base64.b64encode(b"xyz").decode(), size=3, other=True)
    found = [parse_aggregation(value, refuse, as_text=as_text).sim_returns[1] for as_text in (False, True)]
    assert [each["outputs"]["x"] for each in found] == [  # type: ignore[index]
        {"inline": b"xyz", "size": 3, "other": True},
        {"inline": "eHl6", "size": 3, "other": True},
    ]


@pytest.mark.parametrize("data", [b"", b" \n\t", b"{", b"\xff"], ids=repr)
def test_bytes_that_are_no_document_are_a_bad_task(data: bytes) -> None:
    """The same code as for a bad key: the sender erred."""
    with pytest.raises(RunnerError) as caught:
        read_task(data)
    assert caught.value.code is ErrorCode.TASK

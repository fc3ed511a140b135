"""`bundlekit doctor` as a person and as a program read it."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from project_checkout import PROJECT, Ran, run

from bundlekit.cluster.runtime_config import variables
from bundlekit.model.digest import Digest
from bundlekit.report.json_schemas import schema_texts

pytestmark = pytest.mark.process


def _doctor(directory: Path, *options: str, **env: str) -> Ran:
    unset = dict.fromkeys((name for name in os.environ if name.startswith("MODELOPS_")), "")
    command = [sys.executable, "-m", "bundlekit", "doctor", *options]
    return run(command, directory, PYTHONPATH=str(PROJECT), **unset, **env)


def _document(ran: Ran) -> Mapping[str, object]:
    document: dict[str, object] = json.loads(ran.stdout)
    Draft202012Validator(json.loads(schema_texts()["doctor.schema.json"])).validate(document)
    return document


def test_a_sound_machine_is_told_in_full(tmp_path: Path) -> None:
    """Every executor has run a task by then: a list of what ought to work is what the seeds' cluster had."""
    ran = _doctor(tmp_path, "--output", "json")
    document = json.loads(ran.stdout)
    assert _document(ran)
    assert (ran.status, document["problems"], document["passed"]) == (0, [], True)
    assert [(each["name"], each["works"]) for each in document["executors"]] == [
        ("isolated_warm", True),
        ("cold", True),
        ("direct", True),
        ("auto", True),
    ]
    assert document["executor"] == "isolated_warm"
    assert Digest.parse(document["bundlekit"]["digest"]) != Digest.parse(document["bundlekit"]["runner_digest"])
    assert document["python"]["executable"] == sys.executable
    assert document["uv"]["installer"].startswith("uv ")
    assert document["sandbox"]["level"]
    assert all(each["writable"] and each["free"] > 0 for each in document["caches"])
    names = [name for variable in variables().values() for name in variable.names]
    assert [each["name"] for each in document["variables"]] == names
    text = _doctor(tmp_path)
    assert (text.status, text.stdout.splitlines()[-1], text.stderr) == (0, "all is well", "")


def test_every_wrong_variable_is_told_and_nothing_is_assumed(tmp_path: Path) -> None:
    """The worker would not start; the doctor says all that has to be mended for it."""
    wrong = {"MODELOPS_EXECUTOR": "colt", "MODELOPS_MEM_LIMIT_BYTES": "4G"}
    ran = _doctor(tmp_path, "--output", "json", **wrong)
    document = json.loads(ran.stdout)
    assert (ran.status, document["executor"], document["passed"]) == (1, None, False)
    assert [each.partition(":")[0] for each in document["problems"]] == [*wrong]
    text = _doctor(tmp_path, **wrong)
    assert (text.status, text.stdout.splitlines()[-1]) == (1, "2 problems found")


def test_values_come_with_their_variables_and_secrets_with_neither_value(tmp_path: Path) -> None:
    """Its output is pasted into issues."""
    ran = _doctor(
        tmp_path,
        "--output",
        "json",
        MODELOPS_COLD_DEBUG="1",
        MODELOPS_BUNDLE_REGISTRY="https://me:canary1@registry.example",
        GITHUB_TOKEN="canary2",  # noqa: S106 - no token, and seen by nobody
        AZURE_STORAGE_CONNECTION_STRING="AccountKey=canary3",
    )
    document = json.loads(ran.stdout)
    assert (document["executor"], ran.status) == ("cold", 0)
    shown = {each["name"]: each["value"] for each in document["variables"] if each["value"] is not None}
    assert {name: value for name, value in shown.items() if name != "VENVS_DIR"} == {
        "MODELOPS_COLD_DEBUG": "1",
        "MODELOPS_BUNDLE_REGISTRY": "https://***@registry.example",
        "GITHUB_TOKEN": "***",
        "AZURE_STORAGE_CONNECTION_STRING": "***",
    }
    assert "canary" not in ran.output


def test_a_cache_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    """A full or read-only disk of one node fails its tasks alone, hours later."""
    (tmp_path / "taken").write_text("a file, no directory", encoding="utf-8")
    ran = _doctor(tmp_path, "--output", "json", MODELOPS_VENVS_DIR=str(tmp_path / "taken"), VENVS_DIR="")
    document = json.loads(ran.stdout)
    assert ran.status == 1
    assert f"{tmp_path / 'taken'} (environments) cannot be written to" in document["problems"]
    assert [each["works"] for each in document["executors"] if each["name"] == "cold"] == [False]


def test_a_scheduler_that_is_not_there_is_an_error_of_the_user(tmp_path: Path) -> None:
    """A typo in the address is no state of a cluster."""
    ran = _doctor(tmp_path, "--scheduler", "tcp://127.0.0.1:1", "--timeout-s", "1")
    assert ran.status == 2
    assert ran.stderr.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:1")
    assert ran.stdout == ""

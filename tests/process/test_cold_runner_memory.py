"""Payloads pass the runner without being in its memory; tests/bench/bench_payloads.py does it with a gigabyte."""

import json
from pathlib import Path

import pytest
from bench.bench_payloads import BUNDLE, peaks, returns_of
from builders.cold_runs import MODULE, SIMULATION, wire_bundle

pytestmark = pytest.mark.process

_MEGABYTES = 100
_MOST_MB = 64


@pytest.mark.parametrize("kind", ["outputs by file", "simulation returns"])
def test_a_large_payload_is_never_in_the_memory_of_the_runner(kind: str, tmp_path: Path) -> None:
    """Sixteen at once would need sixteen times as much; R: a peer took 1,018 MB for an output of 200 MB."""
    command = [*MODULE, "--bundle-path", str(wire_bundle(tmp_path, BUNDLE)), "--outputs-dir", str(tmp_path / "outputs")]
    task: dict[str, object] = {**SIMULATION, "params": {"megabytes": _MEGABYTES}}
    if kind == "simulation returns":
        command.append("--aggregation")
        task = {"target_entrypoint": "wire:target", "sim_returns": returns_of(_MEGABYTES)}
    guardian, supervisor, answer = peaks(command, json.dumps(task).encode(), tmp_path / "cache")
    assert "_fatal_error" not in answer
    assert 1 < guardian < _MOST_MB
    assert 1 < supervisor < _MOST_MB

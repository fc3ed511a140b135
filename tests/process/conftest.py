"""What several tests of processes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.cold_runs import START


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A TMPDIR for the runner; asserts afterwards that nothing was left in it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    yield scratch
    assert list(scratch.iterdir()) == []


@pytest.fixture(params=["exec", "fork"])
def start(request: pytest.FixtureRequest) -> Iterator[str]:
    """How the processes of tasks are started: the tests that use it hold for each way."""
    START[:] = ["--start", request.param]
    yield request.param
    START.clear()

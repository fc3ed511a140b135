"""Options of a grid that are refused before anything is read."""

import math
from pathlib import Path

import pytest

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.errors import UsageError

_WATCHER = GridWatcher(lambda _step: None, lambda _tally: None, lambda _warning: None)
_LEFT_TO_WORKERS: dict[str, tuple[dict[str, object], str]] = {
    "executor": ({"executor": "cold"}, "--executor cold: .*: MODELOPS_EXECUTOR_TYPE"),
    "deadline": ({"timeout_s": 5.0}, "--timeout-s 5.0: .*: MODELOPS_RPC_TIMEOUT_SECONDS"),
    "jobs": ({"jobs": 2}, "--jobs 2: .*: the threads of each `dask worker`"),
    "python": ({"python": "3.11"}, "--python 3.11: .*: the bundle's own settings"),
    "sandbox": ({"sandbox": "auto"}, "--sandbox auto: .*: the workers, which run without"),
}


@pytest.mark.parametrize(("options", "said"), _LEFT_TO_WORKERS.values(), ids=_LEFT_TO_WORKERS)
def test_what_is_for_workers_to_say_is_refused(options: dict[str, object], said: str, tmp_path: Path) -> None:
    """It would have no effect, and whoever gave it would believe that it had."""
    asked = GridOptions(tmp_path / "grid.json", scheduler="tcp://host:8786")._replace(**options)  # type: ignore[arg-type]  # columns of the table
    with pytest.raises(UsageError, match=said):
        run_grid(tmp_path, asked, _WATCHER)


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, math.inf, math.nan])
def test_a_deadline_that_is_none_is_refused(timeout_s: float, tmp_path: Path) -> None:
    """A task would end at once, or never."""
    with pytest.raises(UsageError, match="expected a number of seconds above 0"):
        run_grid(tmp_path, GridOptions(tmp_path / "grid.json", timeout_s=timeout_s), _WATCHER)

"""Rows of a grid, as tests need them."""

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity, GridOutcome, GridRow, Tally
from bundlekit.model.losses import LossRow

__all__ = ["IDENTITY", "failed", "failed_loss", "loss", "outcome", "row"]

IDENTITY = GridIdentity(Digest.of(b"bundle"), Digest.of(b"tasks"), 3)


def row(number: int, **changes: object) -> GridRow:
    """Return the row of a task that succeeded."""
    made = GridRow(
        number=number,
        task_id=Digest.of(b"%d" % number),
        entrypoint="main",
        params={"b": 0.1, "name": "caf\u00e9", "deep": [1, {"x": None}]},
        seed=2**64 - 1,
        executor="cold",
        host="node-1",
        sandbox="off",
        pid=100 + number,
        started_s=1795653943.2015636,
        seconds=0.25,
        timeout_s=60.0,
        outputs={"a": (3, "0" * 64), "b": (0, "f" * 64)},
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # each test names fields and values that fit


def failed(number: int, code: ErrorCode = ErrorCode.WIRE_RAISED, **changes: object) -> GridRow:
    """Return the row of a task that failed."""
    said = {"phase": "call", "error_type": "ValueError", "message": "no such beta", "signal": None}
    return row(number, outputs={}, error_code=code, **{**said, **changes})


def loss(number: int, **changes: object) -> LossRow:
    """Return a loss over two replicates."""
    made = LossRow(
        number=number,
        target="fit:loss",
        tasks=(0, 1),
        executor="cold",
        host="node-1",
        pid=200 + number,
        started_s=1795653943.2015636,
        seconds=0.125,
        timeout_s=60.0,
        loss=0.5,
        n_replicates=2,
        diagnostics={"deep": [1, None]},
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # each test names fields and values that fit


def failed_loss(number: int, code: ErrorCode = ErrorCode.WIRE_RAISED) -> LossRow:
    """Return what is kept of a target function that failed."""
    lacking = loss(number, loss=None, n_replicates=None, diagnostics={}, pid=None, started_s=None)
    return lacking._replace(error_code=code, phase="call", error_type="KeyError", message="no such output")


def outcome(*rows: GridRow, tasks: int | None = None, **changes: object) -> GridOutcome:
    """Return what came of a grid with these rows, of so many tasks."""
    total = len(rows) if tasks is None else tasks
    made = GridOutcome(
        label="bundle",
        name="sir",
        version="1.0",
        spec="grid.json",
        identity=IDENTITY._replace(size=total),
        executor="cold",
        jobs=2,
        rows=rows,
        tally=Tally(total, len(rows), sum(each.error_code is not None for each in rows), 0, 2.0),
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # each test names fields and values that fit

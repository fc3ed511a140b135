"""Tasks of one bundle, one after the other in one warm process that is looked at in between."""

from collections.abc import Sequence
from pathlib import Path

from builders.warm_runs import bundle_to_run

from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.executors.warm.executor import WarmOptions
from bundlekit.isolation.python_state import PythonSnapshot, PythonWatch
from bundlekit.isolation.sequences import Sequences
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridTask

__all__ = ["watched_run"]


def watched_run(
    root: Path, entrypoints: Sequence[str], *, watch: PythonWatch | None = None, looks: int = 1, **params: int
) -> list[PythonSnapshot]:
    """Return what there was before each task and after the last, as `watch` sees it; `looks` of each."""
    bundle = bundle_to_run(root)
    watch, snapshots = watch or PythonWatch(), list[PythonSnapshot]()

    def look(process: WatchedProcess) -> None:
        snapshots.extend(watch.snapshot(process) for _ in range(looks))

    with ColdExecutor(bundle, ColdOptions(), lambda _line: None) as cold:
        cold.prepare()
    tasks = [GridTask(each, params, 1) for each in entrypoints]
    with Sequences(bundle, Digest.parse(str(bundle.digest)), WarmOptions(), lambda _line: None) as sequences:
        ran = sequences.run(tasks, lambda: 60.0, look)
    assert ran.is_whole
    return snapshots

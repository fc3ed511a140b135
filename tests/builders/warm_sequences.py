"""Tasks of one bundle, one after the other in one warm process that is looked at in between."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from builders.warm_runs import bundle_to_run

from bundlekit.cold_runner.keeper import START
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.executors.warm.keeper import Keeper
from bundlekit.executors.warm.process import WarmProcess
from bundlekit.isolation.python_state import PythonSnapshot, PythonWatch

__all__ = ["Watched", "started", "watched_run"]


class Watched:
    """A process that is looked at."""

    def __init__(self, process: WarmProcess, code: Path) -> None:
        self.pid = process.pid
        self.code = code
        self._process = process

    def ask(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """Return the child's answer."""
        return self._process.call(method, params, time.monotonic() + 60)

    def run(self, entrypoint: str, **params: object) -> None:
        """Run one task; one that raises has ended too."""
        task = {"entrypoint": entrypoint, "params": params, "seed": 1}
        with contextlib.suppress(RunnerError):
            self._process.call("execute", task, time.monotonic() + 60)


@contextmanager
def started(root: Path) -> Iterator[Watched]:
    """Yield a process of the bundle in `root`, new."""
    bundle = bundle_to_run(root)
    with ColdExecutor(bundle, ColdOptions(), lambda _line: None) as cold:
        cold.prepare()
    keeper = Keeper(lambda _line: None)
    try:
        process = WarmProcess(keeper.start(_request(bundle.path, bundle.digest, bundle.files)), keeper)
        yield Watched(process, root)
        process.close()
    finally:
        keeper.close()


def watched_run(root: Path, entrypoints: Sequence[str], **params: object) -> list[PythonSnapshot]:
    """Return what was there before each task and after the last."""
    with started(root) as process:
        snapshots = [PythonWatch().snapshot(process)]
        for each in entrypoints:
            process.run(each, **params)
            snapshots.append(PythonWatch().snapshot(process))
    return snapshots


def _request(path: Path, digest: object, files: object) -> Mapping[str, object]:
    assert isinstance(files, tuple)
    listed = [[each.path, each.mode, each.size, each.sha256] for each in files]
    return {
        "verb": START,
        "bundle": {"path": str(path), "digest": str(digest), "files": listed},
        "python": None,
        "cache_dir": None,
        "timeout_s": 60.0,
        "pass_env": [],
        "env": {},
        "limits": {},
    }

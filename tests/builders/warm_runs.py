"""Bundles and tasks for the executor isolated_warm."""

from collections.abc import Mapping
from pathlib import Path

from bundlekit.cold_runner.environments.tree_digest import inventory, inventory_digest
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.warm.executor import WarmExecutor, WarmOptions
from bundlekit.executors.warm.pool import WarmLimits
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.outcome import Failure, Simulated, TaskRun

__all__ = ["bundle_to_run", "executor", "failed", "simulated", "task"]


def bundle_to_run(root: Path) -> BundleToRun:
    """Return the directory `root` as a bundle, with the digest that a manifest could have."""
    listed = inventory(str(root), lambda _line: None)
    files = tuple(ManifestFile(path=path, size=size, mode=mode, sha256=digest) for path, mode, size, digest in listed)
    return BundleToRun(root, files, Digest.parse(inventory_digest(listed)))


def executor(max_processes: int = 8, **options: object) -> WarmExecutor:
    """Return an executor; `options` are those of its pool."""
    limits = WarmLimits(max_processes)._replace(**options)  # type: ignore[arg-type]  # a test's own words
    return WarmExecutor(WarmOptions(pool=limits), lambda _line: None)


def task(entrypoint: str = "main", seed: int = 1, **more: object) -> Mapping[str, object]:
    """Return a task without parameters."""
    return {"entrypoint": entrypoint, "params": {}, "seed": seed, **more}


def simulated(run: TaskRun) -> dict[str, bytes | None]:
    """Return the outputs of a run; asserts that it succeeded."""
    assert isinstance(run.outcome, Simulated), run.outcome
    return {name: output.inline for name, output in run.outcome.outputs.items()}


def failed(run: TaskRun) -> Failure:
    """Return the failure of a run; asserts that it is one."""
    assert isinstance(run.outcome, Failure), run.outcome
    return run.outcome

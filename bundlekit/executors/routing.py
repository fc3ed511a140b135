"""Two backends as one: bundles that require a fresh process go to one, all others to the other.

It is what the first executors' documents call the hybrid: warm for safe bundles, cold for problematic ones.
"""

from collections.abc import Mapping, Sequence

from bundlekit.executors.backend import Backend, BundleToRun, RunSettings
from bundlekit.model.outcome import TaskRun

__all__ = ["RoutingBackend", "executor_for", "refusal_of_process"]


def executor_for(executor: str, settings: RunSettings) -> str:
    """Return the name of the executor that really runs tasks of a bundle with those settings."""
    if executor != "auto":
        return executor
    return "cold" if settings.requires_fresh_process else "isolated_warm"


def refusal_of_process(executor: str) -> str:
    """Return why `executor`, which runs many tasks in a process, runs none of a bundle that requires a fresh one."""
    return (
        "the bundle says requires-fresh-process: a task of it changes what the next one in the same process "
        f"computes, and {executor} runs many in one: use the executor cold, or auto, which then takes cold"
    )


class RoutingBackend:
    """Runs tasks on `fresh` where the bundle requires a fresh process, on `usual` else; both belong to it."""

    def __init__(self, usual: Backend, fresh: Backend) -> None:
        self._usual = usual
        self._fresh = fresh

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once."""
        return self._backend(bundle).simulate(bundle, task, timeout_s)

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        """Run the target function once."""
        return self._backend(bundle).aggregate(bundle, target, sim_returns, target_data, timeout_s)

    def health(self) -> Mapping[str, object]:
        """Return what both tell."""
        return {"usual": dict(self._usual.health()), "fresh": dict(self._fresh.health())}

    def close(self) -> None:
        """Close both, the second one whatever becomes of the first."""
        try:
            self._usual.close()
        finally:
            self._fresh.close()

    def _backend(self, bundle: BundleToRun) -> Backend:
        return self._fresh if bundle.settings.requires_fresh_process else self._usual

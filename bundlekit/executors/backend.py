"""The one boundary inside of the executors: what cold, isolated_warm and direct each do, and do in their own way.

What they have in common is above it (`exec_env`): contract types, identities, refusals, files for large outputs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from bundlekit.cold_runner.limits import NO_LIMITS, Limits
from bundlekit.model.declaration import Settings
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.outcome import TaskRun

__all__ = ["Backend", "BundleToRun", "RunSettings", "run_settings"]


class RunSettings(NamedTuple):
    """What a bundle's own settings say of how its tasks run; `network` counts in a sandbox only."""

    python: str | None = None
    pass_env: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    network: bool = False
    requires_fresh_process: bool = False

    def below(self, asked: "RunSettings") -> "RunSettings":
        """Return what holds when a caller has `asked` for this: his word first, and these settings where it is open."""
        return self._replace(
            python=asked.python or self.python,
            pass_env=(*asked.pass_env, *self.pass_env),
            limits=self.limits if asked.limits == NO_LIMITS else asked.limits,
            network=asked.network or self.network,
        )


def run_settings(settings: Settings) -> RunSettings:
    """Return what of a bundle's settings counts where its tasks run."""
    return RunSettings(
        python=settings.python,
        pass_env=settings.pass_env,
        limits=settings.limits,
        network=settings.network is True,
        requires_fresh_process=settings.requires_fresh_process,
    )


class BundleToRun(NamedTuple):
    """A directory, the files of it that ship, and the bundle's digest; without one the runner makes its own."""

    path: Path
    files: tuple[ManifestFile, ...]
    digest: Digest | None
    settings: RunSettings = RunSettings()


class Backend(Protocol):
    """Runs tasks of any bundle; any number of threads may call it at once.

    Whatever becomes of a task is the outcome of its :class:`TaskRun`: a failure is no exception here. An exception is a
    mistake of ours (InternalError), or says that the backend is closed (UsageError).
    """

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once, on a task with the keys entrypoint, params, seed, and perhaps outputs and env."""

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        """Run the target function once on `sim_returns`, whose inline data is base64 here and bytes for the target."""

    def health(self) -> Mapping[str, object]:
        """Return what is known of the backend's state, as JSON would hold it."""

    def close(self) -> None:
        """End everything that was started; may be called more than once."""

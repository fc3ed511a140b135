"""The direct executor as hosts make it."""

from collections.abc import Mapping
from pathlib import Path

from bundlekit.executors.direct.backend import DirectBackend
from bundlekit.executors.exec_env import DEFAULT_TIMEOUT_S, BackendExecEnv, ExecOptions, to_stderr
from bundlekit.model.contracts.ports import BundleRepository

__all__ = ["DirectExecEnv"]


class DirectExecEnv(BackendExecEnv):
    """Runs the tasks of one bundle in this process, one at a time: for tests, where nothing has to be isolated.

    Options are those of the cold executor. A deadline is noticed only once it has passed.
    """

    def __init__(
        self,
        bundle_repo: BundleRepository,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_S,
        env: Mapping[str, str] | None = None,
        storage_dir: Path | None = None,
        contracts: object = None,
    ) -> None:
        super().__init__(
            "direct",
            DirectBackend(to_stderr),
            bundle_repo,
            ExecOptions(timeout_seconds, env, storage_dir, contracts),
            gives_fresh_process=False,
        )

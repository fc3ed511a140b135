"""The cold executor as hosts make it: a fresh process for every task, to debug isolation or to be sure of it."""

from collections.abc import Mapping
from pathlib import Path

from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.cold_backend import ColdBackend
from bundlekit.executors.exec_env import DEFAULT_TIMEOUT_S, BackendExecEnv, ExecOptions, to_stderr
from bundlekit.model.contracts.ports import BundleRepository

__all__ = ["ColdDebugExecEnv", "ColdExecEnv"]


class ColdDebugExecEnv(BackendExecEnv):
    """Runs every task in a process of its own, which ends with it.

    `timeout_seconds` is the deadline of one task, `env` are variables for all of them; environments are kept in
    `venvs_dir` (the user's cache where it is None), outputs above 512 KiB in `storage_dir`. With `fresh_venv` every
    task gets an environment of its own too. `contracts` is the namespace whose result types are returned.
    """

    def __init__(
        self,
        bundle_repo: BundleRepository,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_S,
        env: Mapping[str, str] | None = None,
        venvs_dir: Path | None = None,
        storage_dir: Path | None = None,
        fresh_venv: bool = False,
        contracts: object = None,
    ) -> None:
        storage = None if storage_dir is None else Path(storage_dir)
        options = ColdOptions(
            fresh=fresh_venv,
            cache_dir=None if venvs_dir is None else Path(venvs_dir),
            outputs_dir=storage,
        )
        super().__init__(
            "cold",
            ColdBackend(options, to_stderr),
            bundle_repo,
            ExecOptions(timeout_seconds, env, storage, contracts),
            gives_fresh_process=True,
        )


ColdExecEnv = ColdDebugExecEnv
"""The name by which the deployment's documents know it."""

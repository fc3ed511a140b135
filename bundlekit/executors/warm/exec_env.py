"""The executor isolated_warm as hosts make it."""

from collections.abc import Mapping
from pathlib import Path

from bundlekit.cold_runner.limits import Limits
from bundlekit.executors.exec_env import DEFAULT_TIMEOUT_S, BackendExecEnv, ExecOptions, to_stderr
from bundlekit.executors.warm.executor import WarmExecutor, WarmOptions
from bundlekit.executors.warm.pool import WarmLimits
from bundlekit.model.contracts.ports import BundleRepository

__all__ = ["IsolatedWarmExecEnv"]

_USUAL = WarmLimits()
_MIB = 1 << 20


class IsolatedWarmExecEnv(BackendExecEnv):
    """Runs tasks in long-lived processes, which are fast and restore nothing between two tasks.

    `timeout_seconds` is the deadline of one task, `env` are variables for all of them; environments are kept in
    `venvs_dir` (the user's cache where it is None), outputs above 512 KiB in `storage_dir`. `mem_limit_bytes` holds for
    each process, in whole MiB; how long those are kept is as in WarmLimits. `contracts` is the namespace whose result
    types are returned.
    """

    def __init__(
        self,
        bundle_repo: BundleRepository,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_S,
        env: Mapping[str, str] | None = None,
        venvs_dir: Path | None = None,
        storage_dir: Path | None = None,
        max_processes: int = _USUAL.max_processes,
        max_process_reuse: int = _USUAL.max_process_reuse,
        process_ttl_seconds: float = _USUAL.process_ttl_s,
        mem_limit_bytes: int | None = None,
        contracts: object = None,
    ) -> None:
        storage = None if storage_dir is None else Path(storage_dir)
        options = WarmOptions(
            limits=Limits(memory_mib=None if mem_limit_bytes is None else max(1, mem_limit_bytes // _MIB)),
            cache_dir=None if venvs_dir is None else Path(venvs_dir),
            outputs_dir=storage,
            pool=WarmLimits(max_processes, max_process_reuse, process_ttl_seconds),
        )
        super().__init__(
            "isolated_warm",
            WarmExecutor(options, to_stderr),
            bundle_repo,
            ExecOptions(timeout_seconds, env, storage, contracts),
            gives_fresh_process=False,
        )

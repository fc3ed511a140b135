"""The executor that a configuration asks for, and the bundles that it runs: the one place that knows them all."""

import logging
from collections.abc import Callable
from functools import partial

from bundlekit.cluster.bundle_directory import BundleDirectory
from bundlekit.cluster.runtime_config import BundleSource, RuntimeConfig
from bundlekit.cold_runner.limits import Limits
from bundlekit.errors import UsageError
from bundlekit.executors.choice import execution_environment
from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.exec_env import ExecOptions
from bundlekit.executors.warm.executor import WarmExecutor, WarmOptions
from bundlekit.executors.warm.pool import WarmLimits
from bundlekit.model.contracts.ports import BundleRepository, ExecutionEnvironment
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.depots import RegistryOptions
from bundlekit.store.repositories import RegistryRepository

__all__ = ["make_environment", "make_repository"]

_LOG = logging.getLogger("bundlekit.executors")
_MIB = 1 << 20


def make_environment(
    config: RuntimeConfig, repository: BundleRepository, log: Callable[[str], None] = _LOG.info
) -> ExecutionEnvironment:
    """Return the executor that `config` asks for, over bundles of `repository`; `log` hears the lines of its processes.

    Raises:
        BundlekitError: it cannot be made here.
    """
    limits = Limits(memory_mib=None if config.mem_limit_bytes is None else -(-config.mem_limit_bytes // _MIB))
    return execution_environment(
        config.executor_type.value,
        repository,
        ExecOptions(timeout_seconds=config.task_timeout_s, storage_dir=config.storage_dir),
        cold=ColdOptions(fresh=config.force_fresh_venv, cache_dir=config.venvs_dir, limits=limits),
        warm=partial(_warm, config, limits, log),
        log=log,
    )


def _warm(config: RuntimeConfig, limits: Limits, log: Callable[[str], None]) -> WarmExecutor:
    processes = WarmLimits(config.max_warm_processes, config.max_process_reuse, config.process_ttl_s)
    options = WarmOptions(limits=limits, outputs_dir=config.storage_dir, cache_dir=config.venvs_dir, pool=processes)
    return WarmExecutor(options, log)


def make_repository(config: RuntimeConfig) -> BundleRepository:
    """Return the bundles that `config` gives a worker.

    Raises:
        UsageError: they are in a registry, and nothing says which.
    """
    if config.bundle_source is BundleSource.FILE and config.bundles_dir is not None:
        return BundleDirectory(config.bundles_dir, config.bundles_cache_dir)
    if config.bundle_registry is None:
        raise UsageError(
            "MODELOPS_BUNDLE_SOURCE is oci, and MODELOPS_BUNDLE_REGISTRY, the registry of the bundles, is not set",
            subject=config.bundle_source.value,
            hint="set it to host/repository; or set MODELOPS_BUNDLE_SOURCE=file, and MODELOPS_BUNDLES_DIR to a "
            "directory with the packed bundles",
        )
    store = BundleStore(config.bundles_cache_dir, _LOG.warning)
    options = RegistryOptions(insecure=config.bundle_insecure, log=_LOG.info)
    return RegistryRepository(store, config.bundle_registry, options)

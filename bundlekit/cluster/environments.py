"""The executor that a configuration asks for, and the bundles that it runs: the one place that knows them all."""

from bundlekit.cluster.bundle_directory import BundleDirectory
from bundlekit.cluster.runtime_config import BundleSource, Executor, RuntimeConfig
from bundlekit.errors import UsageError
from bundlekit.executors.cold_env import ColdDebugExecEnv
from bundlekit.model.contracts.ports import BundleRepository, ExecutionEnvironment

__all__ = ["make_environment", "make_repository"]


def make_environment(config: RuntimeConfig, repository: BundleRepository) -> ExecutionEnvironment:
    """Return the executor that `config` asks for, over bundles of `repository`.

    Raises:
        BundlekitError: it cannot be made here.
    """
    if config.executor_type is Executor.COLD:
        return ColdDebugExecEnv(
            repository,
            venvs_dir=config.venvs_dir,
            storage_dir=config.storage_dir,
            fresh_venv=config.force_fresh_venv,
        )
    raise UsageError(f"executor {config.executor_type} is not in this version", subject=config.executor_type)


def make_repository(config: RuntimeConfig) -> BundleRepository:
    """Return the bundles that `config` gives a worker.

    Raises:
        UsageError: they are in a registry, which this version does not fetch from.
    """
    if config.bundle_source is BundleSource.FILE and config.bundles_dir is not None:
        return BundleDirectory(config.bundles_dir, config.bundles_cache_dir)
    raise UsageError(
        "MODELOPS_BUNDLE_SOURCE is oci, and this version of bundlekit fetches no bundles from a registry",
        subject=config.bundle_registry,
        hint="set MODELOPS_BUNDLE_SOURCE=file, and MODELOPS_BUNDLES_DIR to a directory with the packed bundles",
    )

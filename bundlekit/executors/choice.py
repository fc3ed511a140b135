"""The executor of a name, over the bundles of a repository."""

from collections.abc import Callable

from bundlekit.errors import UsageError
from bundlekit.executors.backend import Backend
from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.cold_backend import ColdBackend
from bundlekit.executors.direct.backend import DirectBackend
from bundlekit.executors.exec_env import BackendExecEnv, ExecOptions, to_stderr
from bundlekit.executors.routing import RoutingBackend
from bundlekit.model.contracts.ports import BundleRepository

__all__ = ["EXECUTORS", "execution_environment"]

EXECUTORS = ("isolated_warm", "cold", "direct", "auto")
"""The names that workers know. ``auto`` is isolated_warm, and cold for bundles that require a fresh process."""


def execution_environment(
    executor: str,
    bundle_repo: BundleRepository,
    options: ExecOptions,
    *,
    cold: ColdOptions,
    warm: Callable[[], Backend],
) -> BackendExecEnv:
    """Return the executor of the name `executor`; `warm` makes the backend of long-lived processes where one is wanted.

    Raises:
        UsageError: there is no such executor.
        ContractError: `options` name a namespace without the types of results.
        FileAccessError: the directory for large outputs cannot be made.
    """
    cold = cold._replace(outputs_dir=cold.outputs_dir or options.storage_dir)
    if executor == "isolated_warm":
        return BackendExecEnv(executor, warm(), bundle_repo, options, gives_fresh_process=False)
    if executor == "cold":
        return BackendExecEnv(executor, ColdBackend(cold, to_stderr), bundle_repo, options, gives_fresh_process=True)
    if executor == "direct":
        return BackendExecEnv(executor, DirectBackend(to_stderr), bundle_repo, options, gives_fresh_process=False)
    if executor == "auto":
        both = RoutingBackend(usual=warm(), fresh=ColdBackend(cold, to_stderr))
        return BackendExecEnv(executor, both, bundle_repo, options, gives_fresh_process=True)
    msg = f"expected an executor of {', '.join(EXECUTORS)}, found {executor!r:.100}"
    raise UsageError(msg, subject=executor)

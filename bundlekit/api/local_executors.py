"""The executors of this machine, by the names that workers know, for commands that run tasks of one bundle."""

from collections.abc import Callable

from bundlekit.errors import UsageError
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.backend_pool import BackendPool, PreparingBackend
from bundlekit.executors.choice import EXECUTORS
from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.executors.direct.backend import DirectBackend
from bundlekit.executors.routing import executor_for, refusal_of_process
from bundlekit.executors.warm.executor import WarmExecutor, WarmOptions
from bundlekit.executors.warm.pool import WarmLimits

__all__ = ["checked_executor", "local_backend", "local_pool"]

_COLD, _DIRECT = "cold", "direct"


def checked_executor(executor: str, bundle: BundleToRun, options: ColdOptions) -> str:
    """Return the name of the executor that really runs tasks of `bundle` when `executor` is asked for.

    Raises:
        UsageError: there is none of that name, or it cannot do what the bundle or `options` ask for.
    """
    if executor not in EXECUTORS:
        msg = f"expected an executor of {', '.join(EXECUTORS)}, found {executor!r:.100}"
        raise UsageError(msg, subject=executor)
    real = executor_for(executor, bundle.settings)
    if real == _COLD:
        return real
    if bundle.settings.requires_fresh_process:
        raise UsageError(refusal_of_process(real), subject=executor)
    if real != _DIRECT:
        return real
    if options.sandbox != "off":
        msg = f"--sandbox {options.sandbox}: direct runs tasks in bundlekit's own process, which no sandbox holds"
        raise UsageError(msg, subject=options.sandbox, hint="use another executor, or leave the sandbox out")
    if options.python is not None:
        msg = f"--python {options.python}: direct runs tasks in bundlekit's own process, and so in its interpreter"
        raise UsageError(msg, subject=options.python, hint="use another executor, or leave the interpreter out")
    return real


def local_backend(executor: str, options: ColdOptions, size: int, log: Callable[[str], None]) -> PreparingBackend:
    """Return what runs tasks, `size` at once, for an executor that :func:`checked_executor` gave and is not cold."""
    if executor == _DIRECT:
        return DirectBackend(log, options.outputs_dir)
    warm = WarmOptions(
        python=options.python,
        limits=options.limits,
        pass_env=options.pass_env,
        outputs_dir=options.outputs_dir,
        cache_dir=options.cache_dir,
        pool=WarmLimits(max_processes=size),
        sandbox=options.sandbox,
        network=options.network,
    )
    return WarmExecutor(warm, log)


def local_pool(
    executor: str, bundle: BundleToRun, options: ColdOptions, size: int, log: Callable[[str], None]
) -> ColdPool | BackendPool:
    """Return what runs tasks of `bundle`, `size` at once, for an executor that :func:`checked_executor` gave."""
    if executor == _COLD:
        return ColdPool(bundle, options.within(bundle.settings), log, size)
    return BackendPool(local_backend(executor, options, size, log), bundle)

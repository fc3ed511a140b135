"""How a task is to run, and what is known of how it did."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from .limits import NO_LIMITS, Limits
from .phase_limits import PhaseLimits
from .sandbox.layers import NO_SANDBOX, Sandbox

if TYPE_CHECKING:
    from .environments.writes import Write

__all__ = ["Circumstances", "TaskSettings"]


class TaskSettings(NamedTuple):
    """How a task runs; `phases` say how long it may take, `outputs_dir` takes large outputs.

    `resources` are the limits of each of its processes, `sandbox` is what holds all of them.
    With `preserve` the task's files, its HOME and its TMPDIR stay, in a new directory that the log names. With
    `layered` the environment can be written to, and nothing of that stays. With `forks` the process is forked, where
    the bundle allows it, from a zygote that has imported the modules `preload` alone. `hash_seed` is PYTHONHASHSEED:
    any but 0 is for who asks whether results hang on the order of sets. With `measured` its memory is measured.
    """

    phases: PhaseLimits
    pass_env: tuple[str, ...] = ()
    task_env: Mapping[str, str] = {}
    outputs_dir: str | None = None
    tells_writes: bool = False
    preserve: bool = False
    resources: Limits = NO_LIMITS
    sandbox: Sandbox = NO_SANDBOX
    layered: bool = False
    forks: bool = False
    preload: tuple[str, ...] = ()
    hash_seed: int = 0
    measured: bool = False


class Circumstances:
    """What is known of a run whether it succeeds or fails; filled in as it goes. `started_s` is unix time.

    `start` is how the process was really started, ``exec`` or ``fork``; `preload` what was loaded before the fork;
    `is_layered` whether the environment was fresh by way of a throw-away layer. `memory` is what
    :meth:`~.memory_use.MemoryWatch.document` says.
    """

    def __init__(self) -> None:
        self.pid: int | None = None
        self.started_s: float | None = None
        self.is_layered = False
        self.memory: dict[str, int] | None = None
        self.start = "exec"
        self.preload: tuple[str, ...] = ()
        self.writes: tuple[Write, ...] = ()
        self.tree = ""
        self.sandbox = NO_SANDBOX

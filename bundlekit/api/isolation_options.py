"""How the isolation experiment is asked for, and how it is asked for again."""

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import UsageError

__all__ = ["IsolationOptions", "IsolationWatcher", "check_options", "command_of"]


class IsolationWatcher(NamedTuple):
    """Who is told of each step, and of what there is to warn of."""

    step: Callable[[str], None]
    warn: Callable[[str], None]


class IsolationOptions(NamedTuple):
    """How the experiment runs: `spec` is the grid (None: the smoke tasks of the bundle's settings).

    `jobs` is how many processes run at once, None for one per processor. `seed` is that of the shuffled order. It ends
    after `max_tasks` executions, or `max_seconds`. With a `sequence` that alone is run, and the last of its tasks held
    against what it gives cold. `resume` is a file that keeps what was observed.
    """

    spec: Path | None = None
    seed: int = 0
    max_tasks: int = 400
    max_seconds: float = 300.0
    jobs: int | None = None
    timeout_s: float = 600.0
    sequence: tuple[int, ...] = ()
    resume: Path | None = None
    python: str | None = None
    sandbox: str = "auto"


def command_of(label: str, options: IsolationOptions) -> Callable[[tuple[int, ...]], str]:
    """Return what gives, for a sequence of tasks of the bundle `label`, the command that runs it alone."""
    words = ["bundlekit", "isolation", label]
    if options.spec is not None:
        words += ["--grid-spec", str(options.spec)]
    if options.python is not None:
        words += ["--python", options.python]
    if options.sandbox != IsolationOptions._field_defaults["sandbox"]:
        words += ["--sandbox", options.sandbox]
    if options.timeout_s != IsolationOptions._field_defaults["timeout_s"]:
        words += ["--timeout-s", f"{options.timeout_s:g}"]

    def command(sequence: tuple[int, ...]) -> str:
        return shlex.join([*words, "--sequence", ",".join(map(str, sequence))])

    return command


def check_options(options: IsolationOptions) -> None:
    """Refuse options that cannot be used.

    Raises:
        UsageError: a number is out of its range.
    """
    for name, value, least in (
        ("--max-tasks", options.max_tasks, 1),
        ("--jobs", 1 if options.jobs is None else options.jobs, 1),
    ):
        if value < least:
            msg = f"{name} {value}: expected at least {least}"
            raise UsageError(msg, subject=value)
    for name, seconds in (("--max-seconds", options.max_seconds), ("--timeout-s", options.timeout_s)):
        if not 0 < seconds < math.inf:
            msg = f"{name} {seconds}: expected a number of seconds above 0"
            raise UsageError(msg, subject=seconds)

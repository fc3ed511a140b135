"""How the process of a task is started: what can be done ahead, and what holds it from its first instruction on."""

from collections.abc import Callable, Mapping, Sequence

from .child.starting import Plan
from .environments.bundle_code import Prepared
from .task_settings import TaskSettings

__all__ = ["holder_of", "plan_of"]

_AT_START = ("LD_", "LANG", "LC_", "TZ", "GLIBC_", "MALLOC_", "DYLD_")
"""Variables that count while a program starts: with others than the plan's, a child of it cannot be used."""


def plan_of(prepared: Prepared, settings: TaskSettings, environment: Mapping[str, str]) -> Plan:
    """Return how the child for a task is started: what tasks of one bundle have in common, so that it can be ahead.

    In `environment` HOME and TMPDIR are those of nobody: code that runs before there is a job must not find the user's.
    """
    # A library that is preloaded reads its variables then: all count.
    brought = () if settings.forks and settings.preload else settings.task_env
    own = {name for name in brought if not name.startswith(_AT_START)} - {"HOME", "TMPDIR"}
    common = {name: value for name, value in environment.items() if name not in own}
    return Plan(
        prepared.python,
        prepared.interpreter_version,
        tuple(sorted(common.items())),
        forks=settings.forks and not prepared.shadows_standard_modules,
        preload=settings.preload if settings.forks else (),
    )


def holder_of(
    prepared: Prepared, settings: TaskSettings, environment: Mapping[str, str], own: Sequence[str]
) -> Callable[[], None] | None:
    """Return what puts a process into the sandbox of `settings`, with the directories `own` to write; None for none."""
    if settings.sandbox.layers is None:
        return None
    from .sandbox.confinement import holder  # noqa: PLC0415 - most tasks run without a sandbox

    # What a task brings itself must not open what the sandbox keeps shut.
    passed = {name: value for name, value in environment.items() if name not in settings.task_env}
    return holder(settings.sandbox.layers, prepared.python, prepared.dependency_site, passed, own)

"""The machine that a bundle is judged for: which Pythons it may have, and which platform."""

import re
from typing import NamedTuple

from bundlekit.check.conditions import Runtime
from bundlekit.cold_runner.environments.requires_python import admits
from bundlekit.model.project import Project

__all__ = [
    "NEWEST_MINOR",
    "OLDEST_MINOR",
    "Worker",
    "admits_minor",
    "admits_version",
    "admitted_minors",
    "python_minor",
    "worker_of",
]

OLDEST_MINOR, NEWEST_MINOR = 8, 14
_FLOOR_MINOR = 11
_MICROS = (99, *range(31))
_VERSION = re.compile(r"3\.(\d{1,3})(?:\.\d{1,3})?", re.ASCII)
_MACOS = re.compile(r"macos|darwin")
_ARM = re.compile(r"aarch64|arm64|^macos$")


class Worker(NamedTuple):
    """`minors` are the Pythons 3.x that may run the bundle; the platform is spelled as `sys` and `platform` do."""

    minors: tuple[int, ...]
    sys_platform: str = "linux"
    machine: str = "x86_64"

    @property
    def runtime(self) -> Runtime:
        """What conditions in the code are judged by."""
        return Runtime(oldest=(3, self.minors[0]), newest=(3, self.minors[-1]), platform=self.sys_platform)

    def __str__(self) -> str:
        """What a message calls it."""
        python = f"Python 3.{self.minors[0]} on " if len(self.minors) == 1 else ""
        return f"{python}{self.sys_platform} {self.machine}"


def worker_of(project: Project) -> Worker:
    """Return the worker of [tool.bundlekit.worker]: else Linux on x86_64, with the Pythons of requires-python.

    Without requires-python, they are those that runners have.
    """
    stated, platform = project.settings.worker.python, (project.settings.worker.platform or "").lower()
    minor = python_minor(stated) if stated else None
    admitted = admitted_minors(project.requires_python)
    minors = (minor,) if minor is not None else admitted or (NEWEST_MINOR,)
    system = "win32" if "windows" in platform else "darwin" if _MACOS.search(platform) else "linux"
    return Worker(minors, system, "aarch64" if _ARM.search(platform) else "x86_64")


def python_minor(version: str) -> int | None:
    """Return the 12 of "3.12" or "3.12.4", None for what is no such version."""
    match = _VERSION.fullmatch(version.strip())
    return int(match[1]) if match else None


def admitted_minors(specifier: str | None) -> tuple[int, ...]:
    """Return the minors of the known Pythons that `specifier` admits; those of runners where it is None or invalid."""
    floor = tuple(range(_FLOOR_MINOR, NEWEST_MINOR + 1))
    if specifier is None:
        return floor
    try:
        return tuple(minor for minor in range(OLDEST_MINOR, NEWEST_MINOR + 1) if admits_minor(specifier, minor))
    except ValueError:
        return floor


def admits_version(specifier: str, version: str) -> bool:
    """Whether `specifier` admits the Python `version`; "3.12" stands for any release of it.

    Raises:
        ValueError: the specifier is none.
    """
    numbers = tuple(int(part) for part in version.split("."))
    return admits_minor(specifier, numbers[1]) if len(numbers) == 2 else admits(specifier, numbers)  # noqa: PLR2004 - major and minor


def admits_minor(specifier: str, minor: int) -> bool:
    """Whether some release of Python 3.`minor` is admitted.

    Raises:
        ValueError: the specifier is none.
    """
    return any(admits(specifier, (3, minor, micro)) for micro in _MICROS)

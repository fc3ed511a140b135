"""What a bundle declares: its wire, targets, smoke tasks, dependencies and settings, each with its place."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from bundlekit.cold_runner.limits import NO_LIMITS, Limits
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Severity
from bundlekit.model.place import Place
from bundlekit.model.policy import PerFileIgnore

__all__ = [
    "Dependencies",
    "Lock",
    "ReferencedFile",
    "Requirement",
    "Settings",
    "SmokeTask",
    "TargetDeclaration",
    "WireDeclaration",
    "WireSource",
    "WorkerSettings",
]


class WireSource(StrEnum):
    """Where the wire function is declared, in the order in which runners look (CONTRACT section 2, warm)."""

    ENTRY_POINT = "entry-point"
    MANIFEST_JSON = "manifest.json"
    MODELOPS_TOML = "modelops.toml"
    WIRE_PY = "wire.py"


class WireDeclaration(NamedTuple):
    """One declaration of the wire.

    `name` is the entry point's name, or ``wire``; `value` is `module:object`, or `path.py:object` outside entry points.
    """

    source: WireSource
    name: str
    value: str
    place: Place


class TargetDeclaration(NamedTuple):
    """One target function, `module:object`, and where it is named (settings, registry or job specification)."""

    value: str
    place: Place


class ReferencedFile(NamedTuple):
    """A file that code, a target or the registry names; it must ship. `path` is relative to the bundle's root."""

    path: str
    place: Place
    why: str


class Requirement(NamedTuple):
    """One declared requirement as written, and where; what judges it is a rule, not the reader."""

    value: str
    place: Place


class Lock(NamedTuple):
    """A lock file that ships with the bundle, by content."""

    path: str
    sha256: Digest


class Dependencies(NamedTuple):
    """Declared requirements as written, the lock if there is one, and the lexical hash (DESIGN decision 3)."""

    declared: tuple[str, ...]
    lock: Lock | None
    hash: Digest


class SmokeTask(NamedTuple):
    """A task to smoke-run. `timeout_s` is its deadline in seconds; `place` is where it is asked for."""

    entrypoint: str
    params: Mapping[str, object]
    seed: int
    timeout_s: float
    place: Place | None


class WorkerSettings(NamedTuple):
    """The worker's Python version (`3.12`) and platform (`x86_64-manylinux_2_28`), where the settings state them."""

    python: str | None = None
    platform: str | None = None
    python_place: Place | None = None
    platform_place: Place | None = None

    @property
    def is_open(self) -> bool:
        """Whether the settings say nothing of the worker."""
        return self.python is None and self.platform is None


class Settings(NamedTuple):
    """The table [tool.bundlekit] (kebab-case there); `python` is an interpreter's path or version.

    `network` is None where nothing is said of it; False keeps bundlekit from asking a package index about the worker.
    `baseline` is a path from the bundle's root; `named_codes` are all codes and prefixes that the settings name.
    With `copy_symlinks`, a link that stays inside the bundle ships as what it leads to; `allow_secrets` are gitignore
    patterns of files that may look like credentials; a bundle above `large_bundle_bytes` is warned of.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    targets: tuple[TargetDeclaration, ...] = ()
    smoke: tuple[SmokeTask, ...] = ()
    requires_fresh_process: bool = False
    network: bool | None = None
    pass_env: tuple[str, ...] = ()
    python: str | None = None
    worker: WorkerSettings = WorkerSettings()
    python_place: Place | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()
    baseline: str | None = None
    named_codes: tuple[tuple[str, Place], ...] = ()
    limits: Limits = NO_LIMITS
    copy_symlinks: bool = False
    allow_secrets: tuple[str, ...] = ()
    large_bundle_bytes: int = 1_000_000_000

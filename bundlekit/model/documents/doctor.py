"""The documents of ``doctor``: one machine as it is, and the workers of a cluster side by side.

Workers send the first one to whoever asks, as JSON, so that two versions of bundlekit can still talk.
"""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.texts import DigestText

__all__ = [
    "CacheRoomDocument",
    "ClusterDocument",
    "DifferenceOfWorkersDocument",
    "DoctorDocument",
    "ExecutorDocument",
    "InstallerDocument",
    "MachineDocument",
    "Purpose",
    "PythonDocument",
    "SandboxDocument",
    "ToolDocument",
    "VariableDocument",
    "WorkerDocument",
]


class MachineDocument(TypedDict):
    """Which machine, of how many processors."""

    host: str
    platform: str
    cpus: int


class PythonDocument(TypedDict):
    """The interpreter that bundlekit runs under."""

    executable: str
    implementation: str
    version: str


class ToolDocument(TypedDict):
    """bundlekit: its version, and the digests of its sources and of the runner that `runner export` writes."""

    version: str
    digest: DigestText
    runner_digest: DigestText


class InstallerDocument(TypedDict):
    """The uv that bundlekit brings, and what builds environments (``uv 0.9``); `problem` tells why none can be."""

    path: str | None
    installer: str | None
    problem: str | None


class SandboxDocument(TypedDict):
    """What holds untrusted code with ``--sandbox auto``; `missing` tells which layers do not work and why."""

    level: str | None
    network: str | None
    missing: list[str]
    problem: str | None


Purpose = Literal["environments", "bundles", "results", "scratch"]


class CacheRoomDocument(TypedDict):
    """A directory that is written to, and the bytes that are free there."""

    purpose: Purpose
    path: str
    free: int | None
    writable: bool


class ExecutorDocument(TypedDict):
    """An executor, and what came of making one and running a task of a small bundle in it; `seconds` for both."""

    name: Literal["isolated_warm", "cold", "direct", "auto"]
    works: bool
    seconds: float
    problem: str | None


class VariableDocument(TypedDict):
    """A variable that is read: its value unless it is secret, None where it is not set or empty."""

    name: str
    value: str | None
    setting: str
    is_used: bool
    description: str


class DoctorDocument(TypedDict):
    """What `doctor` tells of one machine; `executor` is what its variables ask for, None if they cannot be read.

    `problems` are what must be mended before tasks can run here, `notes` what should be known.
    """

    schema: Literal["bundlekit/doctor/1"]
    passed: bool
    machine: MachineDocument
    python: PythonDocument
    bundlekit: ToolDocument
    uv: InstallerDocument
    sandbox: SandboxDocument
    caches: list[CacheRoomDocument]
    executor: str | None
    executors: list[ExecutorDocument]
    bundle_source: str | None
    variables: list[VariableDocument]
    problems: list[str]
    notes: list[str]


class WorkerDocument(TypedDict):
    """One worker: the executor that its plugin has made, if that is registered, and the machine as it sees it."""

    address: str
    name: str
    runtime: str | None
    problem: str | None
    diagnosis: DoctorDocument | None


class DifferenceOfWorkersDocument(TypedDict):
    """Something that workers should have in common and do not: the workers' addresses by what each has."""

    what: str
    values: dict[str, list[str]]


class ClusterDocument(TypedDict):
    """What `doctor --scheduler` tells."""

    schema: Literal["bundlekit/doctor-cluster/1"]
    passed: bool
    scheduler: str
    workers: list[WorkerDocument]
    differences: list[DifferenceOfWorkersDocument]
    problems: list[str]

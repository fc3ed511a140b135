"""What the dynamic stages saw, as data for the rules."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from bundlekit.model.declaration import SmokeTask, TargetDeclaration
from bundlekit.model.isolation import IsolationOutcome
from bundlekit.model.outcome import Failure, Imported, Prepared, TaskRun
from bundlekit.model.place import Place
from bundlekit.model.project import Project
from bundlekit.model.signature import Signature, Unknown
from bundlekit.read.built_variables import BuiltVariable

__all__ = [
    "BuiltLibrary",
    "Evidence",
    "ImportProbe",
    "Rehearsal",
    "Resolution",
    "Resolved",
    "Role",
    "SmokeRun",
    "StaticSignatures",
]


class Role(StrEnum):
    """What an imported object is to the bundle."""

    WIRE = "wire"
    TARGET = "target"


class ImportProbe(NamedTuple):
    """One object imported in a child, beside what the static stage said of it."""

    role: Role
    reference: str
    place: Place | None
    static: Signature | Unknown | None
    outcome: Imported | Failure


class SmokeRun(NamedTuple):
    """One smoke task that was run; `is_default` when nobody vouched for the task."""

    task: SmokeTask
    is_default: bool
    run: TaskRun


class Rehearsal(NamedTuple):
    """One target on the smoke run's real outputs, met as bytes and, where the style takes them, as base64 text."""

    target: TargetDeclaration
    with_bytes: TaskRun
    with_text: TaskRun | None


class BuiltLibrary(NamedTuple):
    """A library of the bundle's own, by its path from where it is installed, and what it may keep between calls."""

    path: str
    variables: tuple[BuiltVariable, ...]


class Resolved(StrEnum):
    """Whether the requirements can be met on the worker.

    `FORBIDDEN`: the settings allow no network; `NOT_ASKED`: no index could be reached.
    """

    YES = "yes"
    NO = "no"
    BAD_SETTING = "bad-setting"
    FORBIDDEN = "forbidden"
    NOT_ASKED = "not-asked"


class Resolution(NamedTuple):
    """What resolving for the worker gave; `worker` names it, `said` is what uv said last.

    `setting` is the key of [tool.bundlekit.worker] whose value uv does not know.
    """

    resolved: Resolved
    worker: str
    said: str = ""
    setting: str | None = None


StaticSignatures = Mapping[str, Signature | Unknown | None]
"""What the static stage said of each reference that is to be imported."""


class Evidence(NamedTuple):
    """Everything that the dynamic stages have seen so far; `prepared` is None before the environment stage."""

    project: Project
    static: StaticSignatures
    prepared: Prepared | Failure | None = None
    imports: tuple[ImportProbe, ...] = ()
    smoke: tuple[SmokeRun, ...] = ()
    rehearsals: tuple[Rehearsal, ...] = ()
    resolution: Resolution | None = None
    libraries: tuple[BuiltLibrary, ...] = ()
    isolation: IsolationOutcome | None = None

    def failures(self) -> Iterator[Failure]:
        """Yield every failure seen, of whatever stage."""
        runs = [each.run.outcome for each in self.smoke]
        runs += [run.outcome for each in self.rehearsals for run in (each.with_bytes, each.with_text) if run]
        for outcome in (self.prepared, *(each.outcome for each in self.imports), *runs):
            if isinstance(outcome, Failure):
                yield outcome

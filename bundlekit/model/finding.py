"""What a check found, and the report that gathers it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode
from bundlekit.model.digest import Digest
from bundlekit.model.edit import Edit

if TYPE_CHECKING:
    from bundlekit.model.envelope import Envelope
    from bundlekit.model.isolation import IsolationOutcome

__all__ = [
    "Finding",
    "Fixed",
    "Level",
    "Obstacle",
    "Report",
    "Severity",
    "Stage",
    "StageName",
    "StageStatus",
    "Unfixed",
]


class Severity(StrEnum):
    """How much a finding matters: an error fails the bundle, the others never do."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Level(StrEnum):
    """How far validation goes; each level includes those before it."""

    STATIC = "static"
    IMPORT = "import"
    SMOKE = "smoke"
    ISOLATION = "isolation"


class StageName(StrEnum):
    """The stages of validation, in their order."""

    STATIC = "static"
    ENVIRONMENT = "environment"
    IMPORT = "import"
    SMOKE = "smoke"
    ISOLATION = "isolation"


class StageStatus(StrEnum):
    """How a stage ended. UNPROVED: it ran, but only a default smoke task was there and it failed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNPROVED = "unproved"


class Finding(NamedTuple):
    """One thing that a rule found.

    `path` is relative to the bundle's root, in POSIX form; `line` and `column` count from 1; `entity` names what the
    finding is about (an entry point, a target, a requirement) where the place alone does not tell; `edit` is what would
    mend it.
    """

    code: str
    severity: Severity
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    entity: str | None = None
    edit: Edit | None = None


class Fixed(NamedTuple):
    """A finding that was mended, or would be, and the file that was changed for it."""

    finding: Finding
    path: str


class Unfixed(NamedTuple):
    """A finding whose edit was not made; `reason` is a clause about the file at `path`."""

    finding: Finding
    path: str
    reason: str


class Stage(NamedTuple):
    """One stage of validation; `seconds` is wall time, `detail` what it stands on (an interpreter, a count)."""

    name: StageName
    status: StageStatus
    seconds: float
    detail: str | None = None


class Obstacle(NamedTuple):
    """What kept validation from an answer and is not the bundle's fault: no index, a full disk, our own bug."""

    code: ErrorCode
    message: str
    hint: str | None = None


class Report(NamedTuple):
    """The outcome of validating one bundle. `digest` is None when only the static level ran.

    `sandbox` is the level that held while bundle code ran, `network` what the network was to it (closed, no-tcp, open);
    both are ``none`` where nothing ran.
    `suppressed` counts the findings that do not count, by what keeps them from it; `reweighed` those that do and have
    another severity than their rule gave them; `gone` what a baseline knows and was not found any more. `fixed` and
    `unfixed` are what a fix has done, and `findings` what is left after it; with a `difference`, a unified diff,
    nothing was written yet. `envelope` is what the smoke tasks took, None where none succeeded. `isolation` is there
    where that stage ran.
    """

    path: str
    name: str | None
    version: str | None
    digest: Digest | None
    deps_hash: Digest | None
    level: Level
    sandbox: str
    stages: tuple[Stage, ...]
    findings: tuple[Finding, ...]
    obstacle: Obstacle | None = None
    suppressed: Mapping[str, int] = MappingProxyType({})
    reweighed: int = 0
    gone: int = 0
    network: str = "none"
    fixed: tuple[Fixed, ...] = ()
    unfixed: tuple[Unfixed, ...] = ()
    difference: str | None = None
    envelope: "Envelope | None" = None
    isolation: "IsolationOutcome | None" = None

    @property
    def passed(self) -> bool:
        """Whether nothing stood in the way and nothing failed; an unproved stage passes here, and not in `pack`."""
        return (
            self.obstacle is None
            and not any(finding.severity is Severity.ERROR for finding in self.findings)
            and not any(stage.status is StageStatus.FAILED for stage in self.stages)
        )

    @property
    def exit_status(self) -> int:
        """0 when passed, 1 for error findings or something to fix, else the obstacle's status (DESIGN decision 9)."""
        if self.obstacle is not None:
            return EXIT_STATUS[self.obstacle.code]
        return 0 if self.passed and not self.difference else 1

    @property
    def unproved(self) -> bool:
        """Whether the smoke stage had no task that anyone vouched for, and its default task failed."""
        return any(stage.status is StageStatus.UNPROVED for stage in self.stages)

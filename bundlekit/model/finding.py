"""What a check found, and the report that gathers it."""

from enum import StrEnum
from typing import NamedTuple

from bundlekit.model.digest import Digest

__all__ = ["Finding", "Level", "Report", "Severity", "Stage", "StageStatus"]


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


class StageStatus(StrEnum):
    """How a stage ended. UNPROVED: it ran, but only a default smoke task was there and it failed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNPROVED = "unproved"


class Finding(NamedTuple):
    """One thing that a rule found.

    `path` is relative to the bundle's root, in POSIX form; `line` and `column` count from 1; `entity` names what the
    finding is about (an entry point, a target, a requirement) where the place alone does not tell.
    """

    code: str
    severity: Severity
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    entity: str | None = None


class Stage(NamedTuple):
    """One stage of validation: `static`, `environment`, `import`, `smoke` or `isolation`; `seconds` is wall time."""

    name: str
    status: StageStatus
    seconds: float


class Report(NamedTuple):
    """The outcome of validating one bundle. `digest` is None when only the static level ran."""

    path: str
    name: str | None
    version: str | None
    digest: Digest | None
    deps_hash: Digest | None
    level: Level
    sandbox: str
    stages: tuple[Stage, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no finding is an error and no stage failed; an unproved stage passes here, and not in `pack`."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings) and not any(
            stage.status is StageStatus.FAILED for stage in self.stages
        )

    @property
    def unproved(self) -> bool:
        """Whether the smoke stage had no task that anyone vouched for, and its default task failed."""
        return any(stage.status is StageStatus.UNPROVED for stage in self.stages)

"""The documents of ``validate``, ``rules`` and ``explain``."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.errors import ErrorDocument
from bundlekit.model.documents.isolation import IsolationDocument
from bundlekit.model.documents.texts import ChecksumText, CodeText, DigestText

__all__ = [
    "BaselineDocument",
    "BundleDocument",
    "EnvelopeDocument",
    "FindingDocument",
    "FixDocument",
    "KnownFindingDocument",
    "ReportDocument",
    "ReportsDocument",
    "RuleDocument",
    "StageDocument",
    "TaskEnvelopeDocument",
    "UnfixedDocument",
    "WorkerDocument",
]


class StageDocument(TypedDict):
    """One stage of validation; `seconds` is wall time, `detail` what it stands on, for people."""

    name: Literal["static", "environment", "import", "smoke", "isolation"]
    status: Literal["passed", "failed", "skipped", "unproved"]
    seconds: float
    detail: str | None


class FindingDocument(TypedDict):
    """One finding; line and column count from 1. `fixable`: `validate --fix` can mend it, unless it is found unsafe."""

    code: CodeText
    severity: Literal["error", "warning", "info"]
    message: str
    path: str | None
    line: int | None
    column: int | None
    hint: str | None
    entity: str | None
    fixable: bool


class FixDocument(TypedDict):
    """A finding that was mended, and the change that was made to the file at `path`."""

    code: CodeText
    message: str
    path: str
    change: str


class UnfixedDocument(FixDocument):
    """A finding that was not mended, and why."""

    reason: str


class BundleDocument(TypedDict):
    """Which bundle was validated; `digest` is null when nothing was hashed (level static)."""

    path: str
    name: str | None
    version: str | None
    digest: DigestText | None
    deps_hash: DigestText | None


class TaskEnvelopeDocument(TypedDict):
    """What one smoke task took; `seconds` is wall time.

    The memory is that of all its processes, and `processes` how many there were at most at one time: with more than one
    the peak is a floor. Both are null where nothing could be seen.
    """

    entrypoint: str
    seed: int
    peak_memory_bytes: int | None
    processes: int | None
    seconds: float
    output_bytes: int


class WorkerDocument(TypedDict):
    """What to give a Dask worker that runs one task at a time, and how that follows from the peak."""

    memory_limit_bytes: int
    rule: str


class EnvelopeDocument(TypedDict):
    """The most that any of the smoke tasks took, and each of them; only those that succeeded count."""

    peak_memory_bytes: int | None
    processes: int | None
    seconds: float
    output_bytes: int
    worker: WorkerDocument | None
    tasks: list[TaskEnvelopeDocument]


class ReportDocument(TypedDict):
    """The report of one bundle; `suppressed` counts the findings that do not count, by what keeps them from it.

    `reweighed` counts the findings to which the settings give another severity, `gone` those of the baseline that were
    looked for and not found any more. `sandbox` is the level that held while bundle code ran, `network` what the
    network was to it (closed, no-tcp, open); both are "none" where nothing ran. `fixed` and `unfixed` tell what `--fix`
    did, and `findings` what is left; with `--diff`, `difference` is a unified diff, and `fixed` what it would do.
    `envelope` is null where no smoke task succeeded.
    `isolation` is null where that stage did not run.
    """

    schema: Literal["bundlekit/report/1"]
    tool: str
    bundle: BundleDocument
    level: Literal["static", "import", "smoke", "isolation"]
    passed: bool
    sandbox: str
    network: str
    stages: list[StageDocument]
    findings: list[FindingDocument]
    error: ErrorDocument | None
    suppressed: dict[Literal["select", "ignore", "per-file-ignores", "comment", "baseline"], int]
    reweighed: int
    gone: int
    fixed: list[FixDocument]
    unfixed: list[UnfixedDocument]
    difference: str | None
    envelope: EnvelopeDocument | None
    isolation: IsolationDocument | None


class ReportsDocument(TypedDict):
    """The reports of several bundles of one repository."""

    reports: list[ReportDocument]


class KnownFindingDocument(TypedDict):
    """One known finding; only its fingerprint and code are compared, the rest is for people."""

    fingerprint: ChecksumText
    code: CodeText
    path: str | None
    message: str


class BaselineDocument(TypedDict):
    """Known findings, by the bundle's path from the file."""

    schema: Literal["bundlekit/baseline/1"]
    bundles: dict[str, list[KnownFindingDocument]]


class RuleDocument(TypedDict):
    """One rule of the catalogue; the examples are bundles, path to text. `fixable`: --fix mends what it finds there."""

    code: CodeText
    severity: Literal["error", "warning", "info"]
    title: str
    why: str
    fixable: bool
    good: dict[str, str]
    bad: dict[str, str]

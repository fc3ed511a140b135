"""The JSON documents that bundlekit writes and reads, as TypedDicts; schemas/ is generated from these.

A document's keys are the interface of other programs: adding one is a minor change, renaming one needs a new schema
number.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, NotRequired, Protocol

# pydantic, which writes the schemas, reads only this TypedDict on Python 3.11; so import this module for types alone.
from typing_extensions import TypedDict

__all__ = [
    "REPORT_SCHEMA",
    "AggregationResultDocument",
    "AggregationTaskDocument",
    "DifferenceDocument",
    "ErrorDocument",
    "FailureResultDocument",
    "FatalErrorDocument",
    "FindingDocument",
    "InspectionDocument",
    "ManifestDocument",
    "PackDocument",
    "PackReportDocument",
    "ReportDocument",
    "ReportsDocument",
    "ResultDocument",
    "RuleDocument",
    "SettingsDocument",
    "SimulationResultDocument",
    "SimulationTaskDocument",
    "StageDocument",
    "TaskDocument",
    "TextPattern",
    "UnpackDocument",
]

REPORT_SCHEMA = "bundlekit/report/1"


class TextPattern(NamedTuple):
    """The regular expression that a text of the document matches, for the JSON Schema alone."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: object, handler: "_SchemaHandler") -> dict[str, object]:
        """Add the pattern to the schema of the annotated text."""
        return {**handler(core_schema), "pattern": self.pattern}


class _SchemaHandler(Protocol):
    """What pydantic hands to the hook above: a call from a core schema to its JSON Schema."""

    def __call__(self, core_schema: object, /) -> Mapping[str, object]: ...


DigestText = Annotated[str, TextPattern("^sha256:[0-9a-f]{64}$")]
ChecksumText = Annotated[str, TextPattern("^[0-9a-f]{64}$")]
CodeText = Annotated[str, TextPattern("^BK[0-9]{3}$")]


class StageDocument(TypedDict):
    """One stage of validation; `seconds` is wall time."""

    name: Literal["static", "environment", "import", "smoke", "isolation"]
    status: Literal["passed", "failed", "skipped", "unproved"]
    seconds: float


class FindingDocument(TypedDict):
    """One finding; line and column count from 1."""

    code: CodeText
    severity: Literal["error", "warning", "info"]
    message: str
    path: str | None
    line: int | None
    column: int | None
    hint: str | None
    entity: str | None


class BundleDocument(TypedDict):
    """Which bundle was validated; `digest` is null when nothing was hashed (level static)."""

    path: str
    name: str | None
    version: str | None
    digest: DigestText | None
    deps_hash: DigestText | None


class ErrorDocument(TypedDict):
    """Why a command came to nothing; `code` is its exit status."""

    code: int
    error_code: str
    message: str
    hint: str | None


class ReportDocument(TypedDict):
    """The report of one bundle."""

    schema: Literal["bundlekit/report/1"]
    tool: str
    bundle: BundleDocument
    level: Literal["static", "import", "smoke", "isolation"]
    passed: bool
    sandbox: str
    stages: list[StageDocument]
    findings: list[FindingDocument]
    error: ErrorDocument | None


class ReportsDocument(TypedDict):
    """The reports of several bundles of one repository."""

    reports: list[ReportDocument]


class ManifestWireDocument(TypedDict):
    """The wire function as declared."""

    source: Literal["entry-point", "manifest.json", "modelops.toml", "wire.py"]
    name: str
    value: str


class LockDocument(TypedDict):
    """A lock file that ships, by content."""

    path: str
    sha256: DigestText


class DependenciesDocument(TypedDict):
    """Declared requirements, the lock and the lexical hash of both."""

    declared: list[str]
    lock: LockDocument | None
    hash: DigestText


class FileDocument(TypedDict):
    """One file that ships."""

    path: str
    size: int
    mode: Literal["0644", "0755"]
    sha256: DigestText


class ManifestDocument(TypedDict):
    """The manifest; the sha256 of its canonical JSON is the bundle's digest."""

    schema: Literal["bundlekit/manifest/1"]
    name: str
    version: str
    requires_python: str | None
    wire: ManifestWireDocument
    targets: list[str]
    dependencies: DependenciesDocument
    requires_fresh_process: bool
    files: list[FileDocument]


class LeftOutDocument(TypedDict):
    """A file or directory that was left out of the archive, and the pattern that did it."""

    path: str
    pattern: str


class PackDocument(TypedDict):
    """What `pack` made; `report` is the path of the report beside the archive; sizes are in bytes."""

    archive: str
    size: int
    digest: DigestText
    deps_hash: DigestText
    name: str
    version: str
    files: int
    left_out: list[LeftOutDocument]
    report: str


class PackReportDocument(TypedDict):
    """The report beside an archive: what was packed, what was proved about it, what was left out."""

    schema: Literal["bundlekit/pack-report/1"]
    tool: str
    digest: DigestText
    archive_sha256: DigestText
    validation: ReportDocument | None
    left_out: list[LeftOutDocument]


class InspectionDocument(TypedDict):
    """What `inspect` and `verify` tell about an archive."""

    archive: str
    digest: DigestText
    deps_hash: DigestText
    name: str
    version: str
    verified: bool
    files: list[FileDocument]
    manifest: ManifestDocument


class UnpackDocument(TypedDict):
    """Where an archive was unpacked."""

    destination: str
    digest: DigestText
    files: int


class ChangedFileDocument(TypedDict):
    """A file that both sides have and that differs in content or mode."""

    path: str
    before: FileDocument
    after: FileDocument


class ChangedDeclarationDocument(TypedDict):
    """A declaration of the manifest that differs, each side as JSON text."""

    key: str
    before: str
    after: str


class DifferenceDocument(TypedDict):
    """What `diff A B` found; equal digests mean that nothing below is filled."""

    a: DigestText
    b: DigestText
    same: bool
    added: list[FileDocument]
    removed: list[FileDocument]
    changed: list[ChangedFileDocument]
    declarations: list[ChangedDeclarationDocument]


class OutputDocument(TypedDict):
    """One output; `inline` is base64, `ref` a file's path in the outputs directory: exactly one of the two is there."""

    size: int
    checksum: ChecksumText
    inline: NotRequired[str]
    ref: NotRequired[str]


class SimulationResultDocument(TypedDict):
    """The runner's line for a simulation that succeeded."""

    task_id: DigestText
    outputs: dict[str, OutputDocument]


class AggregationResultDocument(TypedDict):
    """The runner's line for an aggregation that succeeded; `loss` is finite."""

    loss: float
    diagnostics: dict[str, object]
    n_replicates: int


class FatalErrorDocument(TypedDict):
    """How a task failed; the same keys as :class:`bundlekit.cold_runner.runner_error.FatalError`, held so by a test."""

    code: int
    error_code: str
    phase: str
    type: str | None
    message: str
    signal: str | None
    retryable: bool
    stderr_tail: str
    log_path: str | None


class FailureResultDocument(TypedDict):
    """The runner's line for a task that failed."""

    _fatal_error: FatalErrorDocument


ResultDocument = SimulationResultDocument | AggregationResultDocument | FailureResultDocument


class SimulationTaskDocument(TypedDict):
    """A task for the wire function; `seed` is in [0, 2**64)."""

    entrypoint: str
    params: dict[str, object]
    seed: int
    outputs: NotRequired[list[str] | None]


class ReplicateDocument(TypedDict):
    """One simulation's result as an aggregation takes it in."""

    task_id: NotRequired[str]
    outputs: dict[str, OutputDocument]


class AggregationTaskDocument(TypedDict):
    """A task for a target function."""

    target_entrypoint: str
    sim_returns: list[ReplicateDocument]
    target_data: NotRequired[object]


TaskDocument = SimulationTaskDocument | AggregationTaskDocument

SmokeDocument = TypedDict(
    "SmokeDocument",
    {
        "entrypoint": NotRequired[str],
        "params": NotRequired[dict[str, object]],
        "seed": NotRequired[int],
        "timeout-s": NotRequired[float],
    },
)


class WorkerDocument(TypedDict, total=False):
    """The worker's Python version and platform."""

    python: str
    platform: str


SettingsDocument = TypedDict(
    "SettingsDocument",
    {
        "include": list[str],
        "exclude": list[str],
        "targets": list[str],
        "requires-fresh-process": bool,
        "network": bool,
        "pass-env": list[str],
        "python": str,
        "smoke": list[SmokeDocument],
        "worker": WorkerDocument,
    },
    total=False,
)


class RuleDocument(TypedDict):
    """One rule of the catalogue; the examples are bundles, path to text."""

    code: CodeText
    severity: Literal["error", "warning", "info"]
    title: str
    why: str
    good: dict[str, str]
    bad: dict[str, str]

"""Rules of the import stage: do the wire and the targets import, and are they what the source promised?"""

import re
from collections.abc import Iterator

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.outcome import Failure, Imported, Prepared
from bundlekit.model.rule import Rule
from bundlekit.model.signature import CallableKind, Signature
from bundlekit.probe.evidence import Evidence, ImportProbe, Role
from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.probe.rule_type import EvidenceCheck
from bundlekit.probe.sandbox_hints import failure_hint
from bundlekit.probe.traceback_place import place_of_traceback

__all__ = ["IMPORT_RULES"]

_WIRE_ARGUMENTS = 3
_TREE = "tree"
_MISSING_MODULE = re.compile(r"No module named '(?P<name>[^']+)'")


def _discovery(evidence: Evidence) -> Iterator[Finding]:
    prepared = evidence.prepared
    if isinstance(prepared, Prepared) and prepared.wire_error is not None:
        yield Finding(
            "BK603",
            Severity.ERROR,
            f"the runner finds no single wire function: {prepared.wire_error}",
            path="pyproject.toml",
            hint="keep exactly one entry point in the group modelops.wire, the dependencies' included",
        )
    for probe in _failed(evidence, Role.WIRE):
        yield _import_failure("BK603", probe, evidence)


def _targets(evidence: Evidence) -> Iterator[Finding]:
    for probe in _failed(evidence, Role.TARGET):
        yield _import_failure("BK604", probe, evidence)


def _failed(evidence: Evidence, role: Role) -> Iterator[ImportProbe]:
    for probe in evidence.imports:
        if probe.role is role and (isinstance(probe.outcome, Failure) or not probe.outcome.is_callable):
            yield probe


def _import_failure(code: str, probe: ImportProbe, evidence: Evidence) -> Finding:
    outcome, project = probe.outcome, evidence.project
    if isinstance(outcome, Imported):
        message = f"{probe.role.value} {probe.reference!r} is there and cannot be called"
        return _at(probe, Finding(code, Severity.ERROR, message, hint="name a function", entity=probe.reference))
    message = f"{probe.role.value} {probe.reference!r} cannot be imported: {outcome}"
    hint = _missing_module_hint(outcome) or failure_hint(outcome, evidence)
    place = place_of_traceback(outcome.stderr_tail, project.sources, project.source_roots) or probe.place
    return _at(probe._replace(place=place), Finding(code, Severity.ERROR, message, hint=hint, entity=probe.reference))


def _missing_module_hint(failure: Failure) -> str | None:
    missing = _MISSING_MODULE.search(failure.message) if failure.type_name == "ModuleNotFoundError" else None
    if missing is None:
        return None
    name = missing["name"].partition(".")[0]
    return f"add the distribution that provides {name!r} to [project] dependencies, or ship the file that defines it"


def _signatures(evidence: Evidence) -> Iterator[Finding]:
    for probe in evidence.imports:
        if not isinstance(probe.outcome, Imported) or probe.outcome.signature is None:
            continue
        running = probe.outcome.signature
        unusable = _unusable(probe, running)
        if unusable is not None:
            yield unusable
        elif isinstance(probe.static, Signature) and probe.static != running:
            message = (
                f"{probe.role.value} {probe.reference!r} reads as {probe.static} in the source "
                f"and is {running} when imported"
            )
            yield _at(probe, Finding("BK605", Severity.WARNING, message, entity=probe.reference))


def _unusable(probe: ImportProbe, running: Signature) -> Finding | None:
    if probe.role is Role.WIRE and not running.accepts_positional(_WIRE_ARGUMENTS):
        message = f"wire {probe.reference!r} is {running} when imported: (entrypoint, params, seed) does not fit"
    elif running.kind is not CallableKind.PLAIN:
        message = f"{probe.role.value} {probe.reference!r} is a {running.kind.value} function: a call gives no result"
    else:
        return None
    hint = "take three positional arguments and return a dict of name to bytes" if probe.role is Role.WIRE else None
    return _at(probe, Finding("BK605", Severity.ERROR, message, hint=hint, entity=probe.reference))


def _left_out_by_the_build(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.project.build.is_installed:
        return
    for probe in evidence.imports:
        if isinstance(probe.outcome, Imported) and probe.outcome.origin == _TREE:
            message = (
                f"{probe.role.value} {probe.reference!r} was imported from {probe.outcome.relative_path} in the tree: "
                f"the build leaves that module out"
            )
            hint = "add the module to what the build backend packages; a runner without the tree would not find it"
            yield _at(probe, Finding("BK606", Severity.WARNING, message, hint=hint, entity=probe.reference))


def _at(probe: ImportProbe, finding: Finding) -> Finding:
    if probe.place is None:
        return finding
    return finding._replace(path=probe.place.path, line=probe.place.line, column=probe.place.column)


_LOSS = "def loss(sim_returns, target_data=None):\n    return {'loss': 0.0}\n"

IMPORT_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK603",
        title="The wire function cannot be imported",
        why="Every task starts with this import: all of them would fail, each on its own worker.",
        severity=Severity.ERROR,
        check=_discovery,
        good=SOUND,
        bad=varied(("import base64", 'import base64\nimport os\n\nSITE = os.environ["MODEL_SITE"]')),
    ),
    Rule(
        code="BK604",
        title="A target function cannot be imported",
        why="Targets run after the simulations: the mistake would show when the hours are already spent.",
        severity=Severity.ERROR,
        check=_targets,
        good=SOUND,
        bad=varied(
            ("tiny.model:loss", "tiny.scores:loss"),
            more={"tiny/scores.py": 'import os\n\nSITE = os.environ["MODEL_SITE"]\n\n\n' + _LOSS},
        ),
    ),
    Rule(
        code="BK605",
        title="The imported function is not what the source promised",
        why="A decorator or a later assignment changed the signature: the runner calls what is there when it runs.",
        severity=Severity.ERROR,
        check=_signatures,
        good=SOUND,
        bad=varied(("def loss", "globals()['wire'] = lambda entrypoint: {'raw': b''}\n\n\ndef loss")),
    ),
    Rule(
        code="BK606",
        title="The build leaves out a module that the bundle needs",
        why="It is found only because the tree is at hand; where just the installed package is, the import fails.",
        severity=Severity.WARNING,
        check=_left_out_by_the_build,
        good=SOUND,
        bad=varied(("tiny.model:loss", "scores.fit:loss"), more={"scores/__init__.py": "", "scores/fit.py": _LOSS}),
    ),
)

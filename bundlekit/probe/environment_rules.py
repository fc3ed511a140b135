"""Rules of the environment stage: can the dependencies be installed and the bundle's own code be built?"""

from collections.abc import Iterator

from bundlekit.cold_runner.dependency_hash import requirement_name
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.outcome import Failure
from bundlekit.model.place import Place
from bundlekit.model.project import Project
from bundlekit.model.rule import Rule
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.probe.rule_type import EvidenceCheck, last_lines

__all__ = ["ENVIRONMENT_RULES", "INTERPRETER_ERROR"]

_BUILD = "BuildError"
INTERPRETER_ERROR = "InterpreterError"
"""The type of a failure to find an interpreter, as the runner names it."""


def _environment(evidence: Evidence) -> Iterator[Finding]:
    failure = evidence.prepared
    if isinstance(failure, Failure) and failure.type_name not in {_BUILD, INTERPRETER_ERROR}:
        place = _place_of_requirement(evidence.project, failure.stderr_tail)
        yield Finding(
            "BK601",
            Severity.ERROR,
            f"the declared dependencies cannot be installed: {_without_output(failure)}",
            path=place.path,
            line=place.line,
            column=place.column,
            hint=last_lines(failure.stderr_tail) or "check each requirement's name and version against the index",
        )


def _build(evidence: Evidence) -> Iterator[Finding]:
    failure = evidence.prepared
    if isinstance(failure, Failure) and failure.type_name == _BUILD:
        yield Finding(
            "BK602",
            Severity.ERROR,
            f"the bundle's own code cannot be built: {_without_output(failure)}",
            path="pyproject.toml",
            hint=last_lines(failure.stderr_tail)
            or "run `python -m build --wheel` in the bundle to see the whole output",
        )


def _place_of_requirement(project: Project, said: str) -> Place:
    """Return where the requirement stands that the installer speaks of, else where the first one does."""
    places = [each.place for each in project.requirements if (requirement_name(each.value) or each.value) in said]
    places += [each.place for each in project.requirements]
    return places[0] if places else Place("pyproject.toml")


def _without_output(failure: Failure) -> str:
    """Return the message up to where it quotes the tool: the hint quotes its last lines."""
    return failure.headline.partition(" It said: ")[0]


def _interpreter(evidence: Evidence) -> Iterator[Finding]:
    failure = evidence.prepared
    if isinstance(failure, Failure) and failure.type_name == INTERPRETER_ERROR:
        yield Finding(
            "BK503",
            Severity.ERROR,
            failure.headline,
            path="pyproject.toml",
            hint="install such a Python, name one with --python, or widen requires-python",
            entity=evidence.project.requires_python,
        )


ENVIRONMENT_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK503",
        title="No installed Python satisfies requires-python",
        why="A worker with another Python refuses to install the bundle, after the job was queued.",
        severity=Severity.ERROR,
        check=_interpreter,
        good=SOUND,
        bad=varied(("[project]", '[project]\nrequires-python = ">=3.99"')),
    ),
    Rule(
        code="BK601",
        title="The dependencies cannot be installed",
        why="The same installation runs on every worker; a name or version that does not exist fails there too.",
        severity=Severity.ERROR,
        check=_environment,
        good=SOUND,
        bad=varied(("dependencies = []", 'dependencies = ["six==0.0.0.1"]')),
    ),
    Rule(
        code="BK602",
        title="The bundle's own code cannot be built",
        why="Workers install the bundle with its build backend; a build that fails here fails there.",
        severity=Severity.ERROR,
        check=_build,
        good=SOUND,
        bad=varied(('packages = ["tiny"]', 'packages = ["tiny", "not_there"]')),
    ),
)

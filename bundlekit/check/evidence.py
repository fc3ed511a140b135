"""What rules ask: the project, and for each reference in it one verdict, worked out once."""

from functools import cached_property
from typing import NamedTuple

from bundlekit.check.resolver import Resolver
from bundlekit.check.suggestions import Suggestions
from bundlekit.check.survey import Survey, survey
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.target_forms import slash_form
from bundlekit.check.trees import Trees
from bundlekit.check.values import Constant, External, Function, ModuleValue, Value
from bundlekit.cold_runner.entry_point import Reference, parse_file_reference, parse_reference
from bundlekit.model.declaration import TargetDeclaration, WireDeclaration, WireSource
from bundlekit.model.place import Text
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Evidence", "Judged", "Malformed", "Verdict"]


class Malformed(NamedTuple):
    """A reference that is none; `reason` is a whole sentence."""

    reason: str


Verdict = Value | Malformed


class Judged(NamedTuple):
    """A declared wire, target or model, the reference that it is, and what that turned out to name."""

    declaration: WireDeclaration | TargetDeclaration | Text
    reference: Reference | None
    verdict: Verdict


class Evidence:
    """A project and everything that rules derive from it, each thing when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.trees = Trees(project)
        self.resolver = Resolver(project, self.trees)

    @cached_property
    def entry_points(self) -> tuple[WireDeclaration, ...]:
        """The entry points among the declared wires."""
        return tuple(wire for wire in self.project.wires if wire.source is WireSource.ENTRY_POINT)

    @cached_property
    def wires(self) -> tuple[Judged, ...]:
        """The wires in effect: every entry point where there are any, else the first of the other declarations."""
        return tuple(self.judged_wire(wire) for wire in self.entry_points or self.project.wires[:1])

    @cached_property
    def targets(self) -> tuple[Judged, ...]:
        """Every declared target."""
        return tuple(self.judged_target(target) for target in self.project.targets)

    @cached_property
    def models(self) -> tuple[Judged, ...]:
        """Every registered model that states an entrypoint; a class is one here, not the call of it."""
        models = self.project.registry.models if self.project.registry else ()
        return tuple(self._judged_model(model.entrypoint) for model in models if model.entrypoint)

    @cached_property
    def suggestions(self) -> Suggestions:
        """What else the bundle has, for hints."""
        return Suggestions(self.project)

    @cached_property
    def survey(self) -> Survey:
        """What one pass over all sources found."""
        return survey(self.project)

    @cached_property
    def followed(self) -> dict[str, SyntaxFailure | None]:
        """The sources that wire, targets and models lead to, and why they cannot be imported if they cannot."""
        _ = self.wires, self.targets, self.models
        return self.trees.followed()

    def judged_wire(self, declaration: WireDeclaration) -> Judged:
        """Return the verdict on one wire; outside of entry points its module may be a file."""
        is_entry_point = declaration.source is WireSource.ENTRY_POINT
        return Judged(declaration, *self._judged(declaration.value, files=not is_entry_point))

    def judged_target(self, declaration: TargetDeclaration) -> Judged:
        """Return the verdict on one target; a job may name it in the slash form that the warm runner takes."""
        value = declaration.value
        if self.project.job is not None and declaration.place.path == self.project.job.path:
            value = slash_form(value, self.resolver.index) or value
        return Judged(declaration, *self._judged(value, files=False))

    def _judged_model(self, declaration: Text) -> Judged:
        try:
            reference = parse_reference(declaration.value)
        except ValueError as error:
            return Judged(declaration, None, Malformed(str(error)))
        try:
            found = self.resolver.module(reference.module or "")
            for attribute in reference.attributes:
                found = self.resolver.attribute(found, attribute)
        except RecursionError:  # pragma: no cover - the parser gives up before
            found = Unknown("its definition is nested too deeply to be followed")
        if isinstance(found, External):
            found = Unknown(f"{found.dotted} was not looked at: {found.why}")
        return Judged(declaration, reference, found)

    def _judged(self, value: str, *, files: bool) -> tuple[Reference | None, Verdict]:
        try:
            reference = parse_file_reference(value) if files else parse_reference(value)
        except ValueError as error:
            return None, Malformed(str(error))
        found = self.resolver.resolve(reference)
        if isinstance(found, ModuleValue):
            path = getattr(found.module, "path", "") or found.module.name
            return reference, Constant(f"the module {found.module.name}", path, 1)
        if isinstance(found, Function) and b"__signature__" in self.project.sources[found.path].data:
            return reference, Unknown(f"{found.path} sets a __signature__")
        return reference, found

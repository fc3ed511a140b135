"""What rules ask: the project, and for each reference in it one verdict, worked out once."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from bundlekit.check.files import is_outside
from bundlekit.check.foreign import ForeignImport, foreign_imports, foreign_references
from bundlekit.check.module_index import MissingModule
from bundlekit.check.namespace import ImportedModule
from bundlekit.check.reach import is_own, reach, roots_of
from bundlekit.check.resolver import Resolver
from bundlekit.check.stdlib_versions import is_standard
from bundlekit.check.suggestions import Suggestions
from bundlekit.check.supply import Supply
from bundlekit.check.survey import Survey, survey
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.target_forms import slash_form
from bundlekit.check.values import Constant, External, Function, ImportFails, MissingName, ModuleValue, Value
from bundlekit.check.worker import Worker, worker_of
from bundlekit.cold_runner.entry_point import Reference, parse_file_reference, parse_reference
from bundlekit.model.declaration import TargetDeclaration, WireDeclaration, WireSource
from bundlekit.model.place import Text
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Evidence", "FailedImport", "Judged", "Malformed", "Verdict"]

_TOO_DEEP = "its definition is nested too deeply to be followed"


class Malformed(NamedTuple):
    """A reference that is none; `reason` is a whole sentence."""

    reason: str


Verdict = Value | Malformed


class Judged(NamedTuple):
    """A declared wire, target or model, the reference that it is, and what that turned out to name."""

    declaration: WireDeclaration | TargetDeclaration | Text
    reference: Reference | None
    verdict: Verdict


class FailedImport(NamedTuple):
    """An import that certainly runs and certainly fails, in a module of the bundle that `needed_by` leads to."""

    importer: str
    statement: ImportedModule
    value: MissingModule | MissingName
    needed_by: str


class Evidence:
    """A project and everything that rules derive from it, each thing when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.resolver = Resolver(project)
        self._failed_by_module: dict[str, tuple[FailedImport, ...]] = {}

    @cached_property
    def entry_points(self) -> tuple[WireDeclaration, ...]:
        """The entry points among the declared wires."""
        return tuple(wire for wire in self.project.wires if wire.source is WireSource.ENTRY_POINT)

    @cached_property
    def wires(self) -> tuple[Judged, ...]:
        """The wires in effect: every entry point where there are any, else the first of the other declarations."""
        return tuple(self.judged(wire) for wire in self.entry_points or self.project.wires[:1])

    @cached_property
    def targets(self) -> tuple[Judged, ...]:
        """Every declared target."""
        return tuple(self.judged(target) for target in self.project.targets)

    @cached_property
    def failed_imports(self) -> tuple[FailedImport, ...]:
        """The bundle's imports that keep the wire and the targets from being imported, each once."""
        declared: list[WireDeclaration | TargetDeclaration] = [*(self.entry_points or self.project.wires[:1])]
        declared += self.project.targets
        found: dict[tuple[str, ImportedModule], FailedImport] = {}
        for declaration in declared:
            reference = self._reference(declaration)
            if isinstance(reference, Reference) and reference.module is not None:
                for failed in self._failed(reference.module):
                    found.setdefault((failed.importer, failed.statement), failed)
        return tuple(found.values())

    def _brought(self, reference: Reference, found: Function | Constant) -> Unknown:
        """Return that an object is not the bundle's own, and what brings it."""
        module = reference.module or ""
        if is_own(module, self.resolver.index):
            # The bundle's module only passes it on.
            module = found.frame.module.name if isinstance(found, Function) and found.frame else ""
        shown = f"{found.name}{found.signature}" if isinstance(found, Function) else found.what
        return Unknown(f"it comes from {self._whose(module)}, where it is {shown}", is_there=True)

    def _whose(self, module: str) -> str:
        top = module.partition(".")[0]
        if not top:
            return "outside of the bundle"
        if is_standard(top):
            return f"the module {top!r} of Python's standard library"
        provider = self.supply.provider(module)
        return f"the dependency {provider!r}" if provider else f"the module {top!r} from outside of the bundle"

    def _failed(self, module: str) -> tuple[FailedImport, ...]:
        if module not in self._failed_by_module:
            self._failed_by_module[module] = tuple(
                FailedImport(importer.path, statement, value, module)
                for importer, statement, value in self.resolver.imports_of(module)
                if isinstance(value, MissingModule | MissingName)
            )
        return self._failed_by_module[module]

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
        return survey(self.project, self.worker)

    @cached_property
    def worker(self) -> Worker:
        """The machine that the bundle is judged for."""
        return worker_of(self.project)

    @cached_property
    def supply(self) -> Supply:
        """What the declared dependencies bring."""
        return Supply(self.project, self.worker)

    @cached_property
    def foreign_imports(self) -> tuple[ForeignImport, ...]:
        """Every import that leads out of the bundle.

        Where a lock or an environment tells what there is, the modules that wire and targets name are among them; one
        that is missing anyhow is left to the rules of wire and target.
        """
        judged, index, imports = (*self.wires, *self.targets), self.resolver.index, self.survey.imports
        roots = roots_of((one.reference for one in judged), self.project, index)
        verdicts = (one.verdict for one in judged)
        called = frozenset((found.path, found.line) for found in verdicts if isinstance(found, Function))
        found = foreign_imports(self.project, imports, index, reach(roots, imports, index), called)
        if self.project.lock is None and self.project.environment is None:
            return found
        there = (one for one in judged if not isinstance(one.verdict, MissingModule))
        named = ((one.reference.module, one.declaration.place) for one in there if one.reference)
        return (*found, *foreign_references(((module, place) for module, place in named if module), index))

    @cached_property
    def followed(self) -> dict[str, SyntaxFailure | None]:
        """The sources that wire, targets and models lead to, and why they cannot be imported if they cannot."""
        _ = self.wires, self.targets, self.models
        return self.resolver.trees.followed()

    def judged(self, declaration: WireDeclaration | TargetDeclaration) -> Judged:
        """Return the verdict on one wire or target.

        Outside of entry points a wire's module may be a file; a job may name a target in the slash form that the warm
        runner takes.
        """
        reference = self._reference(declaration)
        if isinstance(reference, Malformed):
            return Judged(declaration, None, reference)
        try:
            return Judged(declaration, reference, self._verdict(reference))
        except RecursionError:
            return Judged(declaration, reference, Unknown(_TOO_DEEP))

    def _reference(self, declaration: WireDeclaration | TargetDeclaration) -> Reference | Malformed:
        value = declaration.value
        if isinstance(declaration, WireDeclaration):
            is_file = declaration.source is not WireSource.ENTRY_POINT
            return _parsed(value, parse_file_reference if is_file else parse_reference)
        if self.project.job is not None and declaration.place.path == self.project.job.path:
            value = slash_form(value, self.resolver.index) or value
        return _parsed(value, parse_reference)

    def _judged_model(self, declaration: Text) -> Judged:
        reference = _parsed(declaration.value, parse_reference)
        if isinstance(reference, Malformed):
            return Judged(declaration, None, reference)
        try:
            found = self.resolver.named(reference)
        except RecursionError:  # pragma: no cover - the parser gives up before
            found = Unknown(_TOO_DEEP)
        if isinstance(found, External):
            found = Unknown(f"{found.dotted} was not looked at: {found.why}")
        return Judged(declaration, reference, found)

    def _verdict(self, reference: Reference) -> Verdict:
        failed = self._failed(reference.module) if reference.module is not None else ()
        if failed:
            place, missing = failed[0].statement, failed[0].value.name
            return ImportFails(failed[0].importer, place.line, place.column, missing)
        found = self.resolver.resolve(reference)
        if isinstance(found, ModuleValue):
            path = getattr(found.module, "path", "") or found.module.name
            return Constant(f"the module {found.module.name}", path, 1)
        if isinstance(found, Function | Constant) and is_outside(found.path):
            return self._brought(reference, found)
        if isinstance(found, Function):
            source = self.project.sources.get(found.path)
            if source is not None and b"__signature__" in source.data:
                return Unknown(f"{found.path} sets a __signature__", is_there=True)
            if not found.is_exact:
                where = f"line {found.line} of {found.path}"
                reason = f"{found.name!r} ({where}) is wrapped by a function with parameters of its own"
                return Unknown(reason, is_there=True)
        return found


def _parsed(value: str, parse: Callable[[str], Reference]) -> Reference | Malformed:
    try:
        return parse(value)
    except ValueError as error:
        return Malformed(str(error))

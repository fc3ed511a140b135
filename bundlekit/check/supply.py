"""What the declared dependencies bring: answers, for an imported module, which of them provides it.

An answer "nothing does" needs a closure that is known: nothing is declared at all, a lock lists every distribution, or
an environment has every declared distribution installed. Else a dependency may bring the module along, and the answer
is "not known".
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.check.closure import InstalledClosure, installed_closure, locked_closure
from bundlekit.check.import_names import known_modules, may_be_provided_by, providers
from bundlekit.check.markers import holds
from bundlekit.check.requirement_text import name_of_source, taken_apart
from bundlekit.check.worker import Worker
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.project import Project, ProjectTable

if TYPE_CHECKING:
    from bundlekit.model.declaration import Requirement

__all__ = ["Provision", "Status", "Supply"]


class Status(StrEnum):
    """How the provider of a module is declared. `EXCLUDED`: its marker does not hold on the worker."""

    DECLARED = "declared"
    EXCLUDED = "excluded"
    OPTIONAL = "optional"
    INDIRECT = "indirect"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Provision(NamedTuple):
    """The answer for one module: `distribution` provides it, if that is known; `installed` is its version here."""

    status: Status
    distribution: str | None = None
    installed: str | None = None


class Supply:
    """The declared dependencies of one project, on one worker."""

    def __init__(self, project: Project, worker: Worker) -> None:
        self._project = project
        self._own = normalised_name(project.name or "")
        self.declared: dict[str, Requirement] = {}
        self.excluded: dict[str, Requirement] = {}
        self._by_source: set[str] = set()
        self.has_nameless = False
        for requirement in project.requirements:
            parts = taken_apart(requirement.value)
            if parts.name is None:
                self.has_nameless = True
                source = name_of_source(parts.url)
                self._by_source |= {source} if source else set()
            elif holds(parts.marker, worker):
                self.declared.setdefault(parts.name, requirement)
            else:
                self.excluded.setdefault(parts.name, requirement)

    @cached_property
    def is_told(self) -> bool:
        """Whether the documents that were read say all that is declared: no build adds to it, and all are readable."""
        project = self._project
        if project.table is ProjectTable.UNREADABLE or (not project.requirements and self._is_dynamic):
            return False
        if project.table is ProjectTable.PRESENT:
            return True
        paths = {member.path for member in project.members}
        return project.build_backend is None and not paths & {"setup.py", "setup.cfg"}

    @property
    def _is_dynamic(self) -> bool:
        return "dependencies" in self._project.build.dynamic

    @property
    def declares_nothing(self) -> bool:
        """Whether it is known that no dependency is declared, in whatever way."""
        return self.is_told and not self._project.requirements and not self._project.dependencies.lock

    @cached_property
    def installed(self) -> InstalledClosure | None:
        """The closure within the environment that is named, None where none is."""
        environment = self._project.environment
        if environment is None:
            return None
        return installed_closure(environment, [one.value for one in self.declared.values()])

    @cached_property
    def _locked(self) -> frozenset[str] | None:
        lock = self._project.lock
        return None if lock is None else locked_closure(lock.distributions, self.declared, self._own)

    def provision(self, dotted: str) -> Provision:
        """Return which distribution provides the module `dotted`, and how it is declared."""
        found = self._from_environment(dotted) or self._by_name(dotted)
        if found is not None:
            comes_along = found.status is not Status.DECLARED and normalised_name(found.distribution or "") in (
                self._locked or ()
            )
            return found._replace(status=Status.INDIRECT) if comes_along else found
        usual = next(iter(providers(dotted)), None)
        names = {normalised_name(name) for name in providers(dotted)} or {
            normalised_name(dotted.split(".", maxsplit=1)[0])
        }
        if self.declares_nothing:
            return Provision(Status.ABSENT, usual)
        if self.installed is not None and self.installed.is_complete and self.is_told and not self.has_nameless:
            return Provision(Status.ABSENT, usual)
        if self._locked is None:
            return Provision(Status.UNKNOWN, usual)
        if indirect := names & self._locked:
            return Provision(Status.INDIRECT, usual or min(indirect))
        # A distribution that nothing is known of may provide modules of any name.
        is_known = usual is not None or all(known_modules(name) is not None for name in self._locked)
        return Provision(Status.ABSENT if is_known and not self.has_nameless else Status.UNKNOWN, usual)

    def provider(self, dotted: str) -> str | None:
        """Return the distribution that provides the module, is declared or comes with one that is; None if unknown.

        With its version where an environment says it.
        """
        found = self.provision(dotted)
        if found.status not in {Status.DECLARED, Status.INDIRECT} or found.distribution is None:
            return None
        return f"{found.distribution} {found.installed}" if found.installed else found.distribution

    def _from_environment(self, dotted: str) -> Provision | None:
        if self.installed is None:
            return None
        holders = self.installed.holders(dotted)
        statuses = {name: self._declared_as(name) for name in holders}
        for name in self.installed.reached & holders.keys():
            if statuses[name] is not Status.DECLARED:
                statuses[name] = Status.INDIRECT
        for wanted in (Status.DECLARED, Status.INDIRECT, Status.EXCLUDED, Status.OPTIONAL):
            for name, status in statuses.items():
                if status is wanted:
                    return Provision(status, self._spelt(name), holders[name])
        if holders and self.installed.is_complete and self.is_told and not self.has_nameless:
            name, version = next(iter(holders.items()))
            return Provision(Status.ABSENT, self._spelt(name), version)
        return None

    def _by_name(self, dotted: str) -> Provision | None:
        for name in self._candidates(dotted):
            declared = self._declared_as(name)
            if declared is not None:
                return Provision(declared, self._spelt(name))
        return None

    def _candidates(self, dotted: str) -> Iterator[str]:
        known = providers(dotted)
        yield from (normalised_name(name) for name in known)
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            yield normalised_name("-".join(parts[:length]))
        if not known:
            everything = (*self.declared, *self._by_source, *self.excluded, *self._project.optional_requirements)
            yield from (name for name in everything if known_modules(name) is None and may_be_provided_by(name, dotted))

    def _declared_as(self, name: str) -> Status | None:
        if name in self.declared or name in self._by_source or name == self._own:
            return Status.DECLARED
        if name in self._project.optional_requirements:
            return Status.OPTIONAL
        return Status.EXCLUDED if name in self.excluded else None

    def _spelt(self, name: str) -> str:
        known = {normalised_name(one): one for module in known_modules(name) or () for one in providers(module)}
        return known.get(name, name)

"""What the declared dependencies bring, as far as it is known: by an environment, a lock, or by their names alone."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bundlekit.check.distributions import providers, provides
from bundlekit.cold_runner.dependency_hash import normalised_name, requirement_name
from bundlekit.model.installed import InstalledDistribution
from bundlekit.model.project import Project

__all__ = ["Closure", "closure_of"]


class Closure(NamedTuple):
    """Distributions by normalised name. `is_known`: nothing else will be installed.

    `modules` are the import names of each, None where no environment says so.
    """

    names: frozenset[str]
    is_known: bool
    modules: Mapping[str, frozenset[str]] | None = None

    def provides(self, name: str) -> bool:
        """Whether one of them provides the top-level module `name`."""
        if self.modules is not None:
            return any(name in self.modules.get(each, frozenset()) for each in self.names)
        return any(provides(each, name) for each in self.names)

    def imported_by(self, distribution: str, imported: Iterable[str]) -> bool:
        """Whether one of the `imported` names is that of `distribution`."""
        if self.modules is not None:
            return any(name in self.modules.get(distribution, frozenset()) for name in imported)
        return any(provides(distribution, name) for name in imported)

    def provider(self, name: str) -> str | None:
        """Return the distribution that provides the top-level module `name`, None where none does."""
        known = [each for each in sorted(self.names) if self.modules and name in self.modules.get(each, frozenset())]
        usual = [each for each in providers(name) if each in self.names]
        return next(iter([*known, *usual]), None)

    @staticmethod
    def declared_name(requirement: str) -> str | None:
        """Return the normalised name in a requirement, None where it has none."""
        name = requirement_name(requirement)
        return None if name is None else normalised_name(name)


def closure_of(project: Project) -> Closure:
    """Return what is installed with the bundle: the closure of its dependencies, or no more than their names."""
    declared = {name for each in project.dependencies.declared if (name := Closure.declared_name(each)) is not None}
    optional = {name for each in project.optional_requirements if (name := Closure.declared_name(each)) is not None}
    if project.environment is not None:
        installed = {each.name: each for each in project.environment}
        names = _reached(declared | optional, installed)
        return Closure(
            frozenset(names), is_known=True, modules={name: each.modules for name, each in installed.items()}
        )
    if project.lock is not None and project.lock.versions:
        return Closure(frozenset(project.lock.versions) | declared | optional, is_known=True)
    return Closure(frozenset(declared | optional), is_known=not project.dependencies.declared)


def _reached(wanted: Iterable[str], installed: Mapping[str, InstalledDistribution]) -> set[str]:
    reached: set[str] = set()
    pending = list(wanted)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(installed[name].requires if name in installed else ())
    return reached

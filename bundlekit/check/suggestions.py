"""What a reference that leads nowhere was probably meant to name, and which functions a module has instead.

Asks a resolver of its own, so that what is only looked at for a hint does not count as what the bundle needs.
"""

import ast
import re
from collections.abc import Iterator

from bundlekit.check.module_index import ModuleFile
from bundlekit.check.namespace import Defined
from bundlekit.check.resolver import Resolver
from bundlekit.check.values import Function, Value
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["Suggestions"]

_TESTS = re.compile(r"(?:^|/)(?:tests?/|test_|conftest\.py)")


class Suggestions:
    """Answers for hints about one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._resolver = Resolver(project)

    def elsewhere(self, wanted: Reference) -> tuple[Reference, Function] | None:
        """Return the function of that name in another module, the nearest one first; None where there is none."""
        parent = (wanted.module or "").rpartition(".")[0]
        found: list[tuple[bool, str, Reference, Function]] = []
        for reference in self._same_object(wanted):
            value = self._resolver.resolve(reference)
            if isinstance(value, Function) and reference.module is not None:
                found.append((reference.module.rpartition(".")[0] != parent, reference.module, reference, value))
        return min(found)[2:] if found else None

    def same_name(self, wanted: Reference) -> list[Reference]:
        """Return the objects of that name that other modules of the bundle define."""
        return list(self._same_object(wanted))

    def value(self, reference: Reference, *, as_class: bool = False) -> Value:
        """Return what `reference` names: the function that calling it runs, or a class as itself."""
        if not as_class:
            return self._resolver.resolve(reference)
        try:
            return self._resolver.named(reference)
        except RecursionError:  # pragma: no cover - the parser gives up before
            return Unknown("its definition is nested too deeply to be followed")

    def functions(self, path: str) -> list[str]:
        """Return the public functions that the source at `path` certainly defines, in their order."""
        bindings = self._resolver.names_of(ModuleFile("", path, None)).by_name
        return [
            name
            for name, found in bindings.items()
            if not name.startswith("_")
            and found[-1].certain
            and isinstance(found[-1].bound, Defined)
            and not isinstance(found[-1].bound.node, ast.ClassDef)
        ]

    def module(self, path: str) -> str | None:
        """Return the dotted name under which the source at `path` is imported, None where no root leads to it."""
        for root in self._project.source_roots:
            inside = path.removeprefix(f"{root}/") if root else path
            dotted = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if not all(part.isidentifier() for part in dotted.split(".")):
                continue
            found = self._resolver.index.find(dotted)
            if isinstance(found, ModuleFile) and found.path == path:
                return dotted
        return None

    def _same_object(self, wanted: Reference) -> Iterator[Reference]:
        name = re.escape(wanted.attributes[0]).encode()
        pattern = re.compile(
            rb"^(?:(?:async[ \t]+)?def|class)[ \t]+" + name + rb"\b|^" + name + rb"[ \t]*[:=]", re.MULTILINE
        )
        for path, source in self._project.sources.items():
            if pattern.search(source.data) and not _TESTS.search(path):
                module = self.module(path)
                if module is not None and module != wanted.module:
                    yield Reference(module, None, wanted.attributes)

"""Follows imports through the bundle's own modules, from those that runners load.

Roots are the modules of the wire and the targets, and those that smoke tasks and the registry's models name, because a
wire imports the latter by name when such a task comes. A module that they import always is loaded by every
task, one that they import in a function perhaps; one whose import is guarded may fail to load without harm.
"""

import re
from collections.abc import Iterable, Iterator

from bundlekit.check.files import is_outside
from bundlekit.check.module_index import ModuleFile, ModuleIndex, Namespace, absolute_name
from bundlekit.check.source_imports import SourceImport, When
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.project import Project

__all__ = ["is_own", "named_modules", "reach", "roots_of"]


def reach(
    roots: Iterable[tuple[ModuleFile, When]], imports: dict[str, tuple[SourceImport, ...]], index: ModuleIndex
) -> dict[str, When]:
    """Return the sources that the roots lead to, each with when it is loaded at the most."""
    found: dict[str, When] = {}
    waiting: dict[When, list[ModuleFile]] = {when: [] for when in When}
    for module, when in roots:
        waiting[when].append(module)
    for when in (When.ALWAYS, When.PERHAPS, When.GUARDED):
        while waiting[when]:
            module = waiting[when].pop()
            if module.path in found:
                continue
            found[module.path] = when
            for one in imports.get(module.path, ()):
                for imported in _loaded(one, module, index):
                    waiting[max(when, one.when)].append(imported)
    return found


def roots_of(
    references: Iterable[Reference | None], project: Project, index: ModuleIndex
) -> Iterator[tuple[ModuleFile, When]]:
    """Yield the modules that runners load, and when; `references` are those of the wire and the targets."""
    for reference in references:
        if reference is not None and reference.path is not None:
            file = index.file(reference.path)
            yield from ((file, When.ALWAYS),) if file else ()
        elif reference is not None and reference.module is not None:
            yield from ((module, When.ALWAYS) for module in named_modules(reference.module, index))
    for task in project.smoke:
        dotted = re.split(r"[/:]", task.entrypoint, maxsplit=1)[0]
        # A bare word, as "main", is the name of a scenario rather than of a module.
        if "." in dotted:
            yield from ((module, When.ALWAYS) for module in named_modules(dotted, index))
    for named in project.references:
        module = index.file(named.path) if named.path.endswith(".py") else None
        yield from ((module, When.PERHAPS),) if module else ()


def is_own(dotted: str, index: ModuleIndex) -> bool:
    """Whether the top-level package or module of `dotted` is one of the bundle's."""
    match index.find(dotted.partition(".")[0]):
        case ModuleFile(path=path):
            return not is_outside(path)
        case Namespace(directories=directories):
            return not all(is_outside(directory) for directory in directories)
        case _:
            return False


def named_modules(dotted: str, index: ModuleIndex) -> Iterator[ModuleFile]:
    """Yield the modules of the bundle that importing `dotted`, or a thing inside of it, loads: packages first."""
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        found = index.find(".".join(parts[:length]))
        if isinstance(found, ModuleFile) and not is_outside(found.path):
            yield found
        elif not isinstance(found, Namespace):
            return


def _loaded(one: SourceImport, importer: ModuleFile, index: ModuleIndex) -> Iterator[ModuleFile]:
    base = absolute_name(importer, one.module, one.level)
    if base is None or not is_own(base, index):
        return
    yield from named_modules(base, index)
    for name in one.names:
        # A name of a package may be a submodule.
        found = index.find(f"{base}.{name}") if name != "*" else None
        if isinstance(found, ModuleFile) and not is_outside(found.path):
            yield found

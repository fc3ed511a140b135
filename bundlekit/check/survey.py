"""One pass over every source that ships: each is parsed once and its tree dropped again."""

from collections.abc import Iterator
from typing import NamedTuple

from bundlekit.check.named_files import NamedFile, named_files
from bundlekit.check.native_state import NativeVariable, Unsearched, native_variables
from bundlekit.check.source_imports import SourceImport, imports_of
from bundlekit.check.state_facts import ModuleState, module_state, runs_tasks
from bundlekit.check.syntax import SyntaxFailure, parse
from bundlekit.check.worker import Worker
from bundlekit.model.project import Project

__all__ = ["Survey", "survey"]


class Survey(NamedTuple):
    """What the pass found: sources that are no Python, syntax warnings (path, message, line), files named, imports.

    `states` and `native` are of the sources that tasks run, none where each task has a process of its own.
    """

    failures: dict[str, SyntaxFailure]
    warnings: tuple[tuple[str, str, int], ...]
    named: tuple[NamedFile, ...]
    imports: dict[str, tuple[SourceImport, ...]]
    states: tuple[ModuleState, ...] = ()
    native: tuple[NativeVariable | Unsearched, ...] = ()


def survey(project: Project, worker: Worker) -> Survey:
    """Return what is to be known about all sources of the project; conditions are those of `worker`."""
    failures: dict[str, SyntaxFailure] = {}
    warnings: list[tuple[str, str, int]] = []
    named: list[NamedFile] = []
    imports: dict[str, tuple[SourceImport, ...]] = {}
    states: list[ModuleState] = []
    for path, source in project.sources.items():
        parsed = parse(source.data, path)
        if isinstance(parsed, SyntaxFailure):
            failures[path] = parsed
            continue
        warnings.extend((path, message, line) for message, line in parsed.warnings)
        imports[path] = imports_of(parsed.tree, source.data, worker.runtime)
        named.extend(named_files(parsed.tree, source.data, path))
        if runs_tasks(path) and not project.settings.requires_fresh_process:
            states.append(module_state(parsed.tree, source.data, path))
    native = () if project.settings.requires_fresh_process else tuple(_native(project))
    return Survey(failures, tuple(warnings), tuple(named), imports, tuple(states), native)


def _native(project: Project) -> Iterator[NativeVariable | Unsearched]:
    for path, source in project.native_sources.items():
        if runs_tasks(path):
            yield from native_variables(source.data, path)

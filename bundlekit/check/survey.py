"""One pass over every source that ships: each is parsed once and its tree dropped again."""

from typing import NamedTuple

from bundlekit.check.named_files import NamedFile, may_name_files, named_files
from bundlekit.check.source_imports import SourceImport, imports_of
from bundlekit.check.syntax import SyntaxFailure, parse
from bundlekit.check.worker import Worker
from bundlekit.model.project import Project

__all__ = ["Survey", "survey"]


class Survey(NamedTuple):
    """What the pass found: sources that are no Python, syntax warnings (path, message, line), files named, imports."""

    failures: dict[str, SyntaxFailure]
    warnings: tuple[tuple[str, str, int], ...]
    named: tuple[NamedFile, ...]
    imports: dict[str, tuple[SourceImport, ...]]


def survey(project: Project, worker: Worker) -> Survey:
    """Return what is to be known about all sources of the project; conditions are those of `worker`."""
    failures: dict[str, SyntaxFailure] = {}
    warnings: list[tuple[str, str, int]] = []
    named: list[NamedFile] = []
    imports: dict[str, tuple[SourceImport, ...]] = {}
    for path, source in project.sources.items():
        parsed = parse(source.data, path)
        if isinstance(parsed, SyntaxFailure):
            failures[path] = parsed
            continue
        warnings.extend((path, message, line) for message, line in parsed.warnings)
        imports[path] = imports_of(parsed.tree, source.data, worker.runtime)
        if may_name_files(source.data):
            named.extend(named_files(parsed.tree, path))
    return Survey(failures, tuple(warnings), tuple(named), imports)

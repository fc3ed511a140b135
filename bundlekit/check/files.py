"""The files that modules are looked for among: a bundle's members by relative paths, a library's by absolute ones."""

from collections import defaultdict

from bundlekit.model.library import Entries
from bundlekit.model.project import Project

__all__ = ["Files", "is_outside"]


class Files:
    """Listings and sources of one project and of what lies around it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._library = project.library
        names: dict[str, set[str]] = defaultdict(set)
        directories: dict[str, set[str]] = defaultdict(set)
        for member in project.members:
            directory, _, name = member.path.rpartition("/")
            names[directory].add(name)
            while directory:
                parent, _, own = directory.rpartition("/")
                if own in directories[parent]:
                    break
                directories[parent].add(own)
                directory = parent
        self._listed = {
            each: Entries(frozenset(names.get(each, ())), frozenset(directories.get(each, ())))
            for each in {"", *names, *directories}
        }

    def entries(self, directory: str) -> Entries:
        """Return the names in `directory`."""
        if is_outside(directory):
            return self._library.entries(directory)
        return self._listed.get(directory, Entries())

    def source(self, path: str) -> bytes | None:
        """Return the source at `path`, None where it was not read or cannot be."""
        if is_outside(path):
            return self._library.source(path)
        source = self._project.sources.get(path)
        return None if source is None else source.data


def is_outside(path: str) -> bool:
    """Whether `path` is none of the bundle's own."""
    return path.startswith("/")

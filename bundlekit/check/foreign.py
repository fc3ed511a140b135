"""The imports that lead out of the bundle, each with how it is reached from what runners load."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bundlekit.check.import_names import is_namespace, providers
from bundlekit.check.module_index import ModuleIndex
from bundlekit.check.reach import is_own
from bundlekit.check.source_imports import SourceImport, When
from bundlekit.model.place import Place
from bundlekit.model.project import Project

__all__ = ["ForeignImport", "Role", "foreign_imports", "foreign_references"]

_SUPPORT_FOLDERS = frozenset(
    [
        "asv_bench",
        "benchmark",
        "benchmarks",
        "ci",
        "doc",
        "docs",
        "example",
        "examples",
        "notebooks",
        "scripts",
        "test",
        "testing",
        "tests",
        "tools",
    ]
)
_SUPPORT_FILES = frozenset(
    f"{stem}.py" for stem in ("conftest", "fabfile", "manage", "noxfile", "setup", "tasks", "versioneer")
)
_BINARIES = (".so", ".pyd", ".pyx", ".c", ".cpp")


class Role(NamedTuple):
    """What a source is: `loaded` is when runners load it, None if nothing leads to it; `is_support`: a test, a tool."""

    loaded: When | None
    is_support: bool


class ForeignImport(NamedTuple):
    """One module from outside that a source imports; `when` joins when the import is run and when its source is.

    A wire or a target of a dependency counts too: runners import it first of all.
    """

    dotted: str
    place: Place
    when: When
    role: Role

    @property
    def verb(self) -> str:
        """What the place does with the module, for messages."""
        return "imports" if self.place.path.endswith(".py") else "names"


def foreign_imports(
    project: Project,
    imports: Mapping[str, tuple[SourceImport, ...]],
    index: ModuleIndex,
    loaded: Mapping[str, When],
    called: frozenset[tuple[str, int]],
) -> tuple[ForeignImport, ...]:
    """Return every import of a module that the bundle does not have itself, by the place of the source.

    `loaded` says which sources runners load; `called` are functions that every task calls, by path and line.
    """
    loose = _loose_modules(project)
    found: list[ForeignImport] = []
    for path, ones in imports.items():
        role = Role(loaded.get(path), _is_support(path))
        for one in ones:
            top = one.module.partition(".")[0]
            if one.level or top == "__future__" or is_own(top, index) or (top in loose and not _is_known(top)):
                continue
            is_called = one.function is not None and (path, one.function) in called and one.when is When.PERHAPS
            when = max(When.ALWAYS if is_called else one.when, role.loaded or When.ALWAYS)
            place = Place(path, one.line, one.column)
            found.extend(ForeignImport(dotted, place, when, role) for dotted in _dotted(one))
    return tuple(found)


def foreign_references(named: Iterable[tuple[str, Place]], index: ModuleIndex) -> Iterator[ForeignImport]:
    """Yield the modules among those that wire and targets name which are not the bundle's own."""
    for dotted, place in named:
        if not is_own(dotted, index):
            yield ForeignImport(dotted, place, When.ALWAYS, Role(When.ALWAYS, is_support=False))


def _is_support(path: str) -> bool:
    *folders, name = path.split("/")
    if any(folder in _SUPPORT_FOLDERS or folder.startswith(".") for folder in folders):
        return True
    return name in _SUPPORT_FILES or name.startswith("test_") or name.endswith("_test.py")


def _dotted(one: SourceImport) -> Iterator[str]:
    """Yield the modules that an import needs: of a namespace package, each part that is named."""
    if is_namespace(one.module.partition(".")[0]) and one.names and one.names != ("*",) and not _is_known(one.module):
        yield from (f"{one.module}.{name}" for name in one.names)
    else:
        yield one.module


def _is_known(dotted: str) -> bool:
    return bool(providers(dotted))


def _loose_modules(project: Project) -> frozenset[str]:
    """Return names of files anywhere in the tree that code which changes its import path may mean.

    Those that do not ship count as well: that they are left out is not a missing requirement.
    """
    paths = (*(member.path for member in project.members), *project.unshipped)
    stems = {path.rpartition("/")[2].partition(".")[0] for path in paths if path.endswith((".py", *_BINARIES))}
    packages = {path.rsplit("/", 2)[-2] for path in paths if path.endswith("/__init__.py")}
    return frozenset(stems | packages)

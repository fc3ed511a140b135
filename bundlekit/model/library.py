"""Sources outside of a bundle that its code may mean: Python's standard library, and what an environment holds."""

from typing import NamedTuple, Protocol

__all__ = ["NO_LIBRARY", "Entries", "Library", "NoLibrary"]


class Entries(NamedTuple):
    """The names in one directory."""

    files: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()


class Library(Protocol):
    """Directories of modules, looked into when a question leads there; nothing of them is ever run.

    Roots and the paths that begin with them are absolute, so that none is mistaken for a file of the bundle.
    """

    @property
    def stdlib_roots(self) -> tuple[str, ...]:
        """Where the standard library lies; empty where nothing is known of it."""

    @property
    def site_roots(self) -> tuple[str, ...]:
        """Where the environment's distributions lie, in the order of the import path."""

    @property
    def is_complete(self) -> bool:
        """Whether an environment is known, so that a module that no root has is certainly not installed."""

    @property
    def version(self) -> tuple[int, int] | None:
        """The Python of that environment, None where it is not known which will run the bundle."""

    def entries(self, directory: str) -> Entries:
        """Return what is in `directory`, nothing where it cannot be listed."""

    def source(self, path: str) -> bytes | None:
        """Return the file at `path`, None where it cannot be read or is too large to be looked at."""


class NoLibrary(NamedTuple):
    """Knows of nothing outside of the bundle."""

    stdlib_roots: tuple[str, ...] = ()
    site_roots: tuple[str, ...] = ()
    is_complete: bool = False
    version: tuple[int, int] | None = None

    def entries(self, directory: str) -> Entries:  # noqa: ARG002 - the protocol asks for it
        """Return nothing."""
        return Entries()

    def source(self, path: str) -> bytes | None:  # noqa: ARG002 - the protocol asks for it
        """Return nothing."""
        return None


NO_LIBRARY = NoLibrary()

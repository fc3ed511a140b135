"""Where a command ran, as far as reports for other programs need it: they name files from the repository's root."""

import posixpath
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from bundlekit.model.rule import Rule

__all__ = ["Surroundings"]


class Surroundings(NamedTuple):
    """The directory of the command and the root of the repository around it, both absolute and in POSIX form.

    `rules` is the catalogue, for the formats that describe the rules they name; `has_summary` tells whether what GitHub
    does not show as annotations is in the step's summary. `sources` are texts of files in which something was found, by
    bundle and path, for the format that shows lines of them.
    """

    directory: str = "/"
    root: str = "/"
    rules: Sequence[Rule[object]] = ()
    has_summary: bool = False
    sources: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    def path(self, bundle: str, path: str | None) -> str:
        """Return the place `path` of the bundle at `bundle` from the root of the repository.

        It is absolute where it lies outside, and the bundle's own directory where `path` is None.
        """
        absolute = posixpath.normpath(posixpath.join(self.directory, bundle, path or ""))
        inside = posixpath.relpath(absolute, self.root)
        return absolute if inside == ".." or inside.startswith("../") else inside

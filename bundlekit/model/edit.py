"""What would mend a finding, as data: a rule proposes one of these, and `fix` makes it a change of text.

Only what is safe is proposed: an edit never takes anything away that a scientist wrote, and says all that it adds.
"""

from typing import NamedTuple

from bundlekit.model.place import Place

__all__ = ["AddEntryPoint", "AddParameter", "AddRequirement", "AddSmokeTask", "CreateFile", "Edit", "ReplaceText"]


class CreateFile(NamedTuple):
    """Write `text` to a file that does not exist yet; `path` is relative to the bundle's root, in POSIX form."""

    path: str
    text: str = ""


class AddRequirement(NamedTuple):
    """Add `requirement` (PEP 508) to the dependencies that the bundle declares."""

    requirement: str


class AddEntryPoint(NamedTuple):
    """Declare the entry point `name` = `value` in `group` of pyproject.toml."""

    group: str
    name: str
    value: str


class ReplaceText(NamedTuple):
    """Replace `old`, which stands in the line of `place` once at or after its column, by `new`."""

    place: Place
    old: str
    new: str


class AddParameter(NamedTuple):
    """Add a parameter with a default at the end of the positional ones of the function that `place` is the line of."""

    place: Place
    function: str
    parameter: str
    default: str


class AddSmokeTask(NamedTuple):
    """Write a table [[tool.bundlekit.smoke]] for `entrypoint`, without parameters and with seed 0."""

    entrypoint: str


Edit = CreateFile | AddRequirement | AddEntryPoint | ReplaceText | AddParameter | AddSmokeTask

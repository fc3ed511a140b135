"""What would mend a finding, as data: a rule proposes one of these, and `fix` makes it a change of text.

Only what is safe is proposed: an edit never takes anything away that a scientist wrote, and says all that it adds.
"""

from typing import NamedTuple

from bundlekit.model.place import Place

__all__ = [
    "AddEntryPoint",
    "AddParameter",
    "AddRequirement",
    "AddSmokeTask",
    "CreateFile",
    "Edit",
    "RenameKey",
    "ReplaceText",
    "RequireFreshProcess",
    "is_editable",
    "summary",
]

_EDITABLE = (".toml", ".json", ".yaml", ".yml", ".py", ".txt")


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
    """Replace the string `old`, whose value starts at `place`, by `new`."""

    place: Place
    old: str
    new: str


class RenameKey(NamedTuple):
    """Rename the last of `keys` in the TOML document at `path`, wherever the document names that key."""

    path: str
    keys: tuple[str | int, ...]
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


class RequireFreshProcess(NamedTuple):
    """Set requires-fresh-process = true in [tool.bundlekit]; `why` is what was seen, for the comment above it."""

    why: str


Edit = (
    CreateFile
    | AddRequirement
    | AddEntryPoint
    | ReplaceText
    | RenameKey
    | AddParameter
    | AddSmokeTask
    | RequireFreshProcess
)


def is_editable(path: str) -> bool:
    """Whether text in the file at `path` can be replaced: its format is one that is known."""
    return path.endswith(_EDITABLE)


def summary(edit: Edit) -> str:
    """Return what the edit does, as a sentence in the imperative without its object's file."""
    match edit:
        case CreateFile():
            return "create the file"
        case AddRequirement(requirement=requirement):
            return f"declare the dependency {requirement!r}"
        case AddEntryPoint(group=group, name=name, value=value):
            return f"declare the entry point {name} = {value!r} in the group {group!r}"
        case ReplaceText(old=old, new=new):
            return f"replace {old!r} by {new!r}"
        case RenameKey(keys=keys, new=new):
            return f"rename the key {keys[-1]!r} to {new!r}"
        case AddParameter(function=function, parameter=parameter, default=default):
            return f"add the parameter {parameter}={default} to {function}()"
        case AddSmokeTask(entrypoint=entrypoint):
            return f"describe the smoke task {entrypoint!r}"
        case RequireFreshProcess():  # pragma: no branch - mypy holds it to be exhaustive
            return "set requires-fresh-process = true"

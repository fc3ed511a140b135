"""Additions to pyproject.toml that keep everything else in it as it is written: comments, order and style.

See: tomlkit, which keeps the document's own form.
"""

import tomllib
from collections.abc import Callable

from bundlekit.model.edit import AddEntryPoint, AddRequirement, AddSmokeTask

__all__ = ["UnsafeEditError", "edited_pyproject"]

_ONE_LINE = 100


class UnsafeEditError(ValueError):
    """The edit would change something else, or cannot be made here; the text says why."""


def edited_pyproject(text: str, edit: AddRequirement | AddEntryPoint | AddSmokeTask) -> str:
    """Return `text` with the addition that `edit` asks for; what is there already is not added again.

    Raises:
        UnsafeEditError: the document has no place for it, or more than that would change.
    """
    match edit:
        case AddRequirement(requirement=requirement):
            return _checked(
                text, _with_requirement(text, requirement), lambda values: _add_requirement(values, requirement)
            )
        case AddEntryPoint():
            return _checked(text, _with_entry_point(text, edit), lambda values: _add_entry_point(values, edit))
        case AddSmokeTask(entrypoint=entrypoint):  # pragma: no branch - mypy holds the match to be exhaustive
            return _checked(
                text, _with_smoke_task(text, entrypoint), lambda values: _add_smoke_task(values, entrypoint)
            )


def _checked(before: str, after: str, add: Callable[[dict[str, object]], None]) -> str:
    """Return `after` if parsing it gives the values of `before` with the addition, and nothing else."""
    wanted = tomllib.loads(before)
    add(wanted)
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise UnsafeEditError(f"pyproject.toml would no longer be valid TOML: {error}") from error
    if found != wanted:
        raise UnsafeEditError("more of pyproject.toml would change than the addition")
    return after


def _table(values: dict[str, object], *keys: str) -> dict[str, object]:
    for key in keys:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise UnsafeEditError(f"{key} of pyproject.toml is no table")
        values = inner
    return values


def _add_requirement(values: dict[str, object], requirement: str) -> None:
    listed = _table(values, "project").setdefault("dependencies", [])
    if isinstance(listed, list) and requirement not in listed:
        listed.append(requirement)


def _add_entry_point(values: dict[str, object], edit: AddEntryPoint) -> None:
    _table(values, "project", "entry-points", edit.group)[edit.name] = edit.value


def _add_smoke_task(values: dict[str, object], entrypoint: str) -> None:
    tasks = _table(values, "tool", "bundlekit").setdefault("smoke", [])
    if isinstance(tasks, list):
        tasks.append({"entrypoint": entrypoint, "params": {}, "seed": 0})


def _with_requirement(text: str, requirement: str) -> str:
    import tomlkit  # noqa: PLC0415 - only a fix pays for it
    from tomlkit.items import Array, Table  # noqa: PLC0415 - as above

    document = tomlkit.parse(text)
    project = document.get("project")
    if not isinstance(project, Table):
        raise UnsafeEditError("pyproject.toml has no table [project] to declare a dependency in")
    if "dependencies" in (project.get("dynamic") or []):
        raise UnsafeEditError("[project] says that the build backend fills in the dependencies")
    listed = project.get("dependencies")
    if listed is None:
        project.add("dependencies", tomlkit.array(f'["{requirement}"]'))
    elif isinstance(listed, Array):
        if requirement not in listed:
            _append(listed, requirement)
    else:
        raise UnsafeEditError("[project] dependencies is no array")
    return tomlkit.dumps(document)


def _append(array: object, requirement: str) -> None:
    """Append to a tomlkit array in the form that it has: on its one line, or on a line of its own."""
    from tomlkit.items import Array  # noqa: PLC0415 - as above

    if isinstance(array, Array):
        is_long = "\n" in array.as_string()
        array.add_line(requirement, indent=_indent(array.as_string())) if is_long else array.append(requirement)


def _indent(text: str) -> str:
    lines = [line for line in text.split("\n")[1:] if line.strip().startswith(('"', "'"))]
    return lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())] if lines else "    "


def _with_entry_point(text: str, edit: AddEntryPoint) -> str:
    import tomlkit  # noqa: PLC0415 - as above
    from tomlkit.items import Table  # noqa: PLC0415 - as above

    document = tomlkit.parse(text)
    project = document.get("project")
    if not isinstance(project, Table):
        raise UnsafeEditError("pyproject.toml has no table [project] to declare an entry point in")
    groups = project.get("entry-points")
    if groups is None:
        groups = tomlkit.table(is_super_table=True)
        project.add("entry-points", groups)
    group = groups.get(edit.group)
    if group is None:
        group = tomlkit.table()
        groups.add(edit.group, group)
    if group.get(edit.name) not in {None, edit.value}:
        raise UnsafeEditError(f"the entry point {edit.name!r} is declared already")
    group[edit.name] = edit.value
    return tomlkit.dumps(document)


def _with_smoke_task(text: str, entrypoint: str) -> str:
    # An array of tables may stand at the end of the document whatever is above it, in the plainest form.
    table = f'[[tool.bundlekit.smoke]]\nentrypoint = "{entrypoint}"\nparams = {{}}\nseed = 0\n'
    end = "" if text.endswith("\n") else "\n"
    return f"{text}{end}\n{table}"

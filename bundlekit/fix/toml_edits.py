"""Changes of pyproject.toml that keep everything else in it as it is written: comments, order, style and line ends.

New lines go behind the last value of the section they belong to. Arrays are left to tomlkit, which knows their styles.
"""

import re
import tomllib

from bundlekit.cold_runner.dependency_hash import requirement_name
from bundlekit.fix.differences import ABSENT, Difference, Keys, added, differences
from bundlekit.fix.unsafe import UnsafeEditError
from bundlekit.model.edit import AddEntryPoint, AddSmokeTask, RenameKey, RequireFreshProcess
from bundlekit.model.toml_text import Section, TomlText

__all__ = [
    "declares_project",
    "with_entry_point",
    "with_fresh_process",
    "with_new_key",
    "with_requirement",
    "with_smoke",
]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PLAIN_LINE = re.compile(r"[\x00-\x1f\x7f]+")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\"'\\]*")
_DEPENDENCIES = ("project", "dependencies")
_ENTRY_POINTS = ("project", "entry-points")
_ON = True
_SETTINGS = ("tool", "bundlekit")
_SMOKE = (*_SETTINGS, "smoke")
_FRESH = (*_SETTINGS, "requires-fresh-process")


def declares_project(text: str) -> bool:
    """Whether the document has a table [project].

    Raises:
        UnsafeEditError: it is no TOML.
    """
    return "project" in _values(text)


def with_requirement(text: str, requirement: str) -> str:
    """Return `text` with the requirement at the end of [project] dependencies.

    Raises:
        UnsafeEditError: a build backend fills them in, the name is declared already, or more than that would change.
    """
    values = _values(text)
    project = _table(values, "project")
    if "dependencies" in _list(project.get("dynamic", [])):
        raise UnsafeEditError("[project] says that the build backend fills in the dependencies")
    declared = _list(project.get("dependencies", []))
    name = requirement_name(requirement)
    if name in {requirement_name(str(each).strip()) for each in declared}:
        raise UnsafeEditError(f"{name!r} is declared already")
    scanned = TomlText(text)
    span = scanned.value_span(_DEPENDENCIES)
    if span is None:
        line = f"dependencies = [{_string(requirement)}]"
        after = _with_line(text, _section(scanned, ("project",)), line)
        return _checked(values, after, added(values, _DEPENDENCIES, [requirement]))
    after = f"{text[: span.start]}{_longer(text[span.start : span.end], requirement)}{text[span.end :]}"
    return _checked(values, after, Difference((*_DEPENDENCIES, len(declared)), ABSENT, requirement))


def with_entry_point(text: str, edit: AddEntryPoint) -> str:
    """Return `text` with the entry point, in the table of its group or in a new one behind [project].

    Raises:
        UnsafeEditError: a build backend fills them in, the group has that name already, or more would change.
    """
    values = _values(text)
    project = _table(values, "project")
    if "entry-points" in _list(project.get("dynamic", [])):
        raise UnsafeEditError("[project] says that the build backend fills in the entry points")
    if edit.name in _table(_table(project, "entry-points"), edit.group):
        raise UnsafeEditError(f"the entry point {edit.name!r} is declared already")
    scanned = TomlText(text)
    path, line = (*_ENTRY_POINTS, edit.group), f"{_key(edit.name)} = {_string(edit.value)}"
    group = next((each for each in scanned.sections() if each.path == path), None)
    if group is not None:
        after = _with_line(text, group, line)
    else:
        sections = [each for each in scanned.sections() if each.path[:1] == ("project",)]
        if not sections:
            raise UnsafeEditError("[project] is not written as a table of its own")
        after = _with_block(text, sections[-1], [f"[project.entry-points.{_key(edit.group)}]", line])
    return _checked(values, after, added(values, (*path, edit.name), edit.value))


def with_smoke(text: str, edit: AddSmokeTask) -> str:
    """Return `text` with one more smoke task, behind the other settings of bundlekit or at its end.

    Raises:
        UnsafeEditError: the settings are written in a form that takes no further table.
    """
    values = _values(text)
    tasks = _list(_table(_table(values, "tool"), "bundlekit").get("smoke", []))
    sections = TomlText(text).sections()
    own = [each for each in sections if each.path[:2] == _SMOKE[:2]]
    lines = ["[[tool.bundlekit.smoke]]", f"entrypoint = {_string(edit.entrypoint)}", "params = {}", "seed = 0"]
    after = _with_block(text, (own or sections)[-1], lines)
    task = {"entrypoint": edit.entrypoint, "params": {}, "seed": 0}
    new = Difference((*_SMOKE, len(tasks)), ABSENT, task) if tasks else added(values, _SMOKE, [task])
    return _checked(values, after, new)


def with_fresh_process(text: str, edit: RequireFreshProcess) -> str:
    """Return `text` with the setting, in [tool.bundlekit] or in a new table of that name.

    Raises:
        UnsafeEditError: the setting is there, and somebody meant what it says; or as :func:`with_smoke`.
    """
    values = _values(text)
    if _value_at(values, _FRESH) is not ABSENT:
        raise UnsafeEditError("it says already whether a fresh process is required")
    sections = TomlText(text).sections()
    own = next((each for each in sections if each.path == _SETTINGS), None)
    comment, line = f"# {_PLAIN_LINE.sub(' ', edit.why)}", "requires-fresh-process = true"
    if own is not None:
        after = _with_line(_with_line(text, own, line), own, comment)
    else:
        around = [each for each in sections if each.path[:2] == _SETTINGS]
        place = sections[sections.index(around[0]) - 1] if around else sections[-1]
        after = _with_block(text, place, ["[tool.bundlekit]", comment, line])
    return _checked(values, after, added(values, _FRESH, _ON))


def with_new_key(text: str, edit: RenameKey) -> str:
    """Return `text` with the key called by its new name, in every header and dotted key that names it.

    Raises:
        UnsafeEditError: there is no such key, its table has the new name already, or more than that would change.
    """
    values = _values(text)
    value = _value_at(values, edit.keys)
    spans = TomlText(text).key_spans(edit.keys)
    if value is ABSENT or not spans:
        raise UnsafeEditError(f"{'.'.join(map(str, edit.keys))} is not there any more")
    after = text
    for span in sorted(spans, reverse=True):
        quote = text[span.start] if text[span.start] in "\"'" and _PLAIN.fullmatch(edit.new) else ""
        spelled = f"{quote}{edit.new}{quote}" if quote else _key(edit.new)
        after = f"{after[: span.start]}{spelled}{after[span.end :]}"
    new = Difference((*edit.keys[:-1], edit.new), ABSENT, value)
    return _checked(values, after, Difference(edit.keys, value, ABSENT), new)


def _values(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnsafeEditError(f"it is not valid TOML: {error}") from error


def _checked(before: object, after: str, *wanted: Difference) -> str:
    """Return `after` if its values differ from `before` in what is wanted and in nothing else."""
    try:
        found = list(differences(before, tomllib.loads(after)))
    except tomllib.TOMLDecodeError as error:
        raise UnsafeEditError(f"it is written in a form that does not take the addition ({error})") from error
    if found != list(wanted):  # pragma: no cover - a mistake of ours or tomlkit's
        raise UnsafeEditError("more than that would change")
    return after


def _value_at(value: object, keys: Keys) -> object:
    for key in keys:
        known: object = dict(enumerate(value)) if isinstance(value, list) else value
        value = known.get(key, ABSENT) if isinstance(known, dict) else ABSENT
    return value


def _table(values: dict[str, object], key: str) -> dict[str, object]:
    value = values.get(key, {})
    if not isinstance(value, dict):
        raise UnsafeEditError(f"{key} is no table")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnsafeEditError("an array is expected where something else stands")
    return value


def _section(scanned: TomlText, path: tuple[str, ...]) -> Section:
    for section in scanned.sections():
        if section.path == path:
            return section
    raise UnsafeEditError(f"[{'.'.join(path)}] is not written as a table of its own")


def _line_end(text: str) -> str:
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _with_line(text: str, section: Section, line: str) -> str:
    """Return `text` with a line behind the last value of the section, indented as that one is."""
    before = text[text.rfind("\n", 0, section.last) + 1 : section.last]
    line, newline = f"{'' if before.strip() else before}{line}", _line_end(text)
    behind = text.find("\n", section.end) + 1
    return f"{text[:behind]}{line}{newline}{text[behind:]}" if behind else f"{text}{newline}{line}"


def _with_block(text: str, section: Section, lines: list[str]) -> str:
    """Return `text` with a table behind the section; comments that belong to the next table stay with that."""
    newline = _line_end(text)
    block = newline.join(lines)
    if not text.strip():
        return f"{text}{block}{newline}"
    behind = _behind(text, section.end)
    if not text[:behind].endswith("\n"):
        return f"{text}{newline}{newline}{block}"
    rest = text[behind:]
    gap = newline if rest and not rest.startswith(("\n", "\r\n")) else ""
    return f"{text[:behind]}{newline}{block}{newline}{gap}{rest}"


def _behind(text: str, end: int) -> int:
    """Return where the line behind `end` starts, past comments that hang on it and on nothing below them."""
    behind = text.find("\n", end) + 1
    if not behind:
        return len(text)
    comments = re.compile(r"(?:[ \t]*#[^\n]*(?:\n|$))+").match(text, behind)
    if comments and re.match(r"[ \t\r]*(?:\n|$)", text[comments.end() :]):
        return comments.end()
    return behind


def _longer(array: str, requirement: str) -> str:
    """Return the text of an array of strings with one more, in the style that it has."""
    import tomlkit  # noqa: PLC0415 - only a fix pays for it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above
    from tomlkit.items import Array  # noqa: PLC0415 - as above

    # An array with line ends of both kinds keeps them, as far as its editor does.
    has_returns = "\r\n" in array and "\n" not in array.replace("\r\n", "")
    plain = array.replace("\r\n", "\n") if has_returns else array
    end, has_comma = _last_value(plain)
    if re.search(r"\n[ \t]*#", plain[end:]):
        # tomlkit would put the comma into the comment that follows.
        plain = _with_last_comma(plain)
    try:
        document = tomlkit.parse(f"x = {plain}")
    except TOMLKitError as error:  # pragma: no cover - a difference between two parsers of TOML
        raise UnsafeEditError(f"the dependencies cannot be rewritten: {error}") from error
    is_literal = "'" in plain and '"' not in plain and _PLAIN.fullmatch(requirement) is not None
    listed = document.get("x")
    if isinstance(listed, Array):  # pragma: no branch - of what is none, nothing more would be there
        listed.append(tomlkit.string(requirement, literal=is_literal or _is_quoted(requirement)))
    longer = tomlkit.dumps(document).removeprefix("x = ")
    longer = _with_last_comma(longer) if has_comma else longer
    return longer.replace("\n", "\r\n") if has_returns else longer


def _last_value(array: str) -> tuple[int, bool]:
    """Return where the last value of the array ends, 0 if it has none, and whether a comma stands behind it."""
    scanned = TomlText(f"x = {array}")
    end, count = 0, 0
    while (span := scanned.value_span(("x", count))) is not None:
        end, count = span.end - len("x = "), count + 1
    return end, re.match(r"(?:\s|#[^\n]*\n)*,", array[end:]) is not None


def _with_last_comma(array: str) -> str:
    end, has_comma = _last_value(array)
    return array if has_comma or not end else f"{array[:end]},{array[end:]}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    import tomlkit  # noqa: PLC0415 - as above

    return tomlkit.string(text, literal=_is_quoted(text)).as_string()


def _is_quoted(text: str) -> bool:
    """Whether double quotes would have to be escaped and single ones are not in the way."""
    return '"' in text and _PLAIN.fullmatch(text.replace('"', "")) is not None

"""Fixes of generated pyproject.toml files: the wanted value is there, and every line of before still is."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from bundlekit.fix.edits import applied
from bundlekit.model.edit import AddEntryPoint, AddRequirement, AddSmokeTask, Edit

_PATH = "pyproject.toml"
_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_GAPS = st.lists(st.sampled_from(["", "# note = [1]", "  # indented", "#"]), max_size=3)


@st.composite
def _arrays(draw: st.DrawFn) -> str:
    """Return an array of requirements in one of the styles that people write."""
    names = draw(st.lists(_NAMES, max_size=4, unique=True))
    quote = draw(st.sampled_from(['"', "'"]))
    items = [f"{quote}{name}{quote}" for name in names]
    if draw(st.booleans()):
        space = draw(st.sampled_from(["", " "]))
        return f"[{space}{', '.join(items)}{draw(st.sampled_from(['', ',']) if items else st.just(''))}{space}]"
    indent = draw(st.sampled_from(["  ", "    ", "\t", ""]))
    lines = []
    for number, item in enumerate(items):
        comma = "," if number < len(items) - 1 or draw(st.booleans()) else ""
        lines.append(f"{indent}{item}{comma}{draw(st.sampled_from(['', '  # why ]', ' #']))}")
        lines.extend(draw(st.lists(st.just(f"{indent}# more"), max_size=1)))
    return "\n".join(["[", *lines, "]"])


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Return a pyproject.toml with its tables in any order, with or without what is to be added beside."""
    project = ['name = "m"  # [tool]', 'description = """\n[project]\nname = 1\n"""', "keywords = ['a',\n'b']"]
    array = draw(st.none() | _arrays())
    project += [f"dependencies = {array}"] if array is not None else []
    project = draw(st.permutations(project))
    tables = [
        "\n".join(["[project]", *(line for key in project for line in (key, *draw(_GAPS)))]),
        '[project.scripts]\nm = "m:main"',
        "[tool.x]\ny = [1,  2] # odd",
        "[tool.bundlekit]\nnetwork=true",
        '[[tool.other]]\na = {b = "[project]"}\n[[tool.other]]',
    ]
    kept = [tables[0], *(table for table in tables[1:] if draw(st.booleans()))]
    text = ""
    for table in draw(st.permutations(kept)):
        text += "".join(f"{line}\n" for line in (table, *draw(_GAPS)))
    text = text if draw(st.booleans()) else text.rstrip("\n")
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return draw(st.sampled_from(["", "\ufeff"])) + text


def _has(values: dict[str, dict[str, object]], edit: Edit) -> bool:
    match edit:
        case AddRequirement(requirement=requirement):
            return requirement in values["project"]["dependencies"]
        case AddEntryPoint(group=group, name=name, value=value):
            return values["project"]["entry-points"][group] == {name: value}
        case _:
            return values["tool"]["bundlekit"]["smoke"] == [{"entrypoint": "main", "params": {}, "seed": 0}]


_WIRE = AddEntryPoint("modelops.wire", "execute", "m.wire:wire")
_EDITS = st.one_of(_NAMES.map(lambda name: AddRequirement(f"zz{name}")), st.just(_WIRE), st.just(AddSmokeTask("main")))


@given(text=_documents(), edit=_EDITS)
def test_an_addition_keeps_every_line(text: str, edit: Edit) -> None:
    """Only a comma may be added to a line that is there; line ends, their absence and a mark stay."""
    found = applied({_PATH: text}, [edit])
    assert dict(found.refused) == {}
    after = found.texts[_PATH]
    assert _has(tomllib.loads(after.removeprefix("\ufeff")), edit)
    new = iter(after.split("\n"))
    assert all(any(_is_kept(line, other) for other in new) for line in text.split("\n"))
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    assert after.endswith("\n") == text.endswith("\n")
    assert "\r\n" not in text or "\n" not in after.replace("\r\n", "")


def _is_kept(line: str, other: str) -> bool:
    characters = iter(other)
    is_within = all(character in characters for character in line)
    is_comma = len(other) == len(line) + 1
    return line == other or (is_within and (is_comma or "zz" in other))


@given(text=_documents(), edits=st.lists(_EDITS, max_size=4))
def test_fixing_twice_changes_nothing_more(text: str, edits: list[Edit]) -> None:
    """A hook runs it at each commit."""
    once = applied({_PATH: text}, edits)
    again = applied({_PATH: text} | dict(once.texts), [each for each in edits if not isinstance(each, AddSmokeTask)])
    assert dict(again.texts) == {}

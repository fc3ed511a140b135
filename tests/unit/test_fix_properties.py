"""Fixes of generated documents and sources: what is wanted is there, and everything of before still is."""

import ast
import json
import tomllib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bundlekit.fix.edits import applied
from bundlekit.model.edit import AddEntryPoint, AddParameter, AddRequirement, AddSmokeTask, Edit, RenameKey, ReplaceText
from bundlekit.model.place import Place

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


def _keys(value: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every key in the tables of a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(key, str):
            yield (*above, key)
        yield from _keys(inner, (*above, key))


@given(text=_documents(), data=st.data())
def test_a_key_is_renamed_wherever_it_is_written_and_back(text: str, data: st.DataObject) -> None:
    """Nothing else changes: not its value, not the same word in another table, a string or a comment."""
    keys = data.draw(st.sampled_from(list(_keys(tomllib.loads(text.removeprefix("\ufeff"))))))
    there = applied({_PATH: text}, [RenameKey(_PATH, keys, "zz")])
    assert dict(there.refused) == {}
    values = list(_keys(tomllib.loads(there.texts[_PATH].removeprefix("\ufeff"))))
    assert (*keys[:-1], "zz") in values
    assert keys not in values
    back = applied(there.texts, [RenameKey(_PATH, (*keys[:-1], "zz"), str(keys[-1]))])
    assert back.texts[_PATH] == text


_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\r\n\\'\"\x7f", exclude_categories=["Cc", "Cs"])
_STRINGS = st.text(_CHARACTERS, min_size=1, max_size=6)
_REFERENCES = st.from_regex(r"[a-z]{1,3}\.[a-z]{1,3}:[a-z]{1,3}", fullmatch=True)


@given(before=st.lists(_STRINGS | _REFERENCES, max_size=3), old=_REFERENCES, new=_REFERENCES, comment=_STRINGS)
def test_a_replacement_changes_one_string_of_any_document(before: list[str], old: str, new: str, comment: str) -> None:
    """Whatever stands before it on its line, and wherever else the same text is."""
    listed = [*before, old, f"{old}s", old]
    documents = {
        "a.toml": ("x = [", "]  # " + comment),
        "a.json": ("[", "]"),
        "a.yaml": ("x: [", "]  # " + comment),
        "a.py": ("x = [", "]  # " + comment),
    }
    for path, (start, end) in documents.items():
        text = f"{start}{', '.join(json.dumps(each, ensure_ascii=False) for each in listed)}{end}\n"
        column = len(f"{start}{''.join(f'{json.dumps(each, ensure_ascii=False)}, ' for each in before)}") + 1
        if path == "a.py":
            column = len(text[: column - 1].encode()) + 1
        found = applied({path: text}, [ReplaceText(Place(path, 1, column), old, new)])
        if path == "a.yaml" and not found.made:
            # Not every character may stand in a YAML document.
            continue
        offset = len(text) - len(end) - 1 - len(f'"{old}s", "{old}"') - len(f'"{old}", ') + 1
        assert found.texts.get(path, text) == f"{text[:offset]}{new}{text[offset + len(old) :]}"


_PARAMETER = st.sampled_from(
    ["a", "a: int", "a=1", "a , ", "a,", "\n    a\n", "\n    a,  # one\n    ", "\n\ta\n,", "a, /", "a, *, b"]
)


@given(
    parameter=_PARAMETER,
    before=st.sampled_from(["", "import os\n\n\n", "class A:\n  def loss(a): ...\n", "x = (1,\n 2)\n", "\f\n"]),
    body=st.sampled_from([" ...", "\n    return a", "\n\treturn  {'loss': a ,}# b", "\n\n    # c\n    pass"]),
    end=st.sampled_from(["", "\n", "\n\nx = 1 ;y=2\n", "\n# last"]),
    has_returns=st.booleans(),
)
def test_a_parameter_takes_nothing_away(*, parameter: str, before: str, body: str, end: str, has_returns: bool) -> None:
    """However the function is written, only characters of the new parameter and white space come in."""
    text = f"{before}def loss({parameter}):{body}{end}"
    text = text.replace("\n", "\r\n") if has_returns else text
    line = text[: text.index("\ndef loss") + 1 if "\ndef loss" in text else 0].count("\n") + 1
    edit = AddParameter(Place("f.py", line), "loss", "target_data", "None")
    found = applied({"f.py": text}, [edit])
    assert dict(found.refused) == {}
    after = found.texts["f.py"]
    characters = iter(after)
    assert all(character in characters for character in text)
    assert ast.unparse(ast.parse(after)).count("target_data=None") == 1
    assert len("".join(after.split())) - len("".join(text.split())) <= len(",target_data=None,")
    assert "\r\n" not in text or "\n" not in after.replace("\r\n", "")

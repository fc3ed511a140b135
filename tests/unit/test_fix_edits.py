"""Edits of a bundle's files: what each adds or replaces, that nothing else changes, and when it is left out."""

import pytest

from bundlekit.fix.edits import applied, files_of
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    RenameKey,
    ReplaceText,
    RequireFreshProcess,
    is_editable,
    summary,
)
from bundlekit.model.place import Place

_PROJECT = '[project]\nname = "m"\n'
_GROUP = '[project.entry-points."modelops.wire"]\n'
_SMOKE = '[[tool.bundlekit.smoke]]\nentrypoint = "main"\nparams = {}\nseed = 0\n'
_NUMPY = AddRequirement("numpy")
_WIRE = AddEntryPoint("modelops.wire", "execute", "m.wire:wire")


def made(text: str | None, edit: Edit, path: str | None = None) -> str:
    """Return the text of the file after `edit`, which must have been made."""
    path = path or files_of(edit)[0]
    found = applied({} if text is None else {path: text}, [edit])
    assert dict(found.refused) == {}
    assert list(found.made) == [edit]
    (changed,) = found.texts.values()
    return changed


_REQUIREMENTS: dict[str, tuple[str, str]] = {
    "no-key": (_PROJECT, f'{_PROJECT}dependencies = ["numpy"]\n'),
    "no-key-before-a-table": (
        f"{_PROJECT}\n# about x\n[tool.x]\ny = 1\n",
        f'{_PROJECT}dependencies = ["numpy"]\n\n# about x\n[tool.x]\ny = 1\n',
    ),
    "no-key-behind-lines": (
        '[project]\nname = "m"\nkeywords = [\n  "a", # [b]\n]  # c\n[tool]\n',
        '[project]\nname = "m"\nkeywords = [\n  "a", # [b]\n]  # c\ndependencies = ["numpy"]\n[tool]\n',
    ),
    "no-key-indented": ('[project]\n  name = "m"\n', '[project]\n  name = "m"\n  dependencies = ["numpy"]\n'),
    "no-key-in-an-empty-table": ("[project]\n[tool.x]\n", '[project]\ndependencies = ["numpy"]\n[tool.x]\n'),
    "no-key-and-no-line-end": ('[project]\nname = "m"', '[project]\nname = "m"\ndependencies = ["numpy"]'),
    "empty": (f"{_PROJECT}dependencies = []\n", f'{_PROJECT}dependencies = ["numpy"]\n'),
    "one-line": (
        f'{_PROJECT}dependencies = ["scipy"]  # two\n[tool.x]\ny = 1\n',
        f'{_PROJECT}dependencies = ["scipy", "numpy"]  # two\n[tool.x]\ny = 1\n',
    ),
    "spaced": (f'{_PROJECT}dependencies=[ "a" ]\n', f'{_PROJECT}dependencies=[ "a", "numpy" ]\n'),
    "literal": (f"{_PROJECT}dependencies = ['a']\n", f"{_PROJECT}dependencies = ['a', 'numpy']\n"),
    "lines": (
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n]\n',
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n  "numpy",\n]\n',
    ),
    "lines-without-a-last-comma": (
        f'{_PROJECT}dependencies = [\n\t"scipy"  # solvers\n]\n',
        f'{_PROJECT}dependencies = [\n\t"scipy",  # solvers\n\t"numpy"\n]\n',
    ),
    "lines-with-a-last-comma-and-comments": (
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n  # end\n]\n',
        f'{_PROJECT}dependencies = [\n  "scipy",  # solvers\n  # end\n  "numpy",\n]\n',
    ),
    "one-line-with-a-last-comma": (f'{_PROJECT}dependencies = ["a",]\n', f'{_PROJECT}dependencies = ["a", "numpy",]\n'),
    "lines-with-nothing-yet": (
        f"{_PROJECT}dependencies = [\n    # nothing yet\n]\n",
        f'{_PROJECT}dependencies = [\n    # nothing yet\n    "numpy"\n]\n',
    ),
    "line-ends": (
        '[project]\r\ndependencies = [\r\n  "scipy",\r\n]\r\n',
        '[project]\r\ndependencies = [\r\n  "scipy",\r\n  "numpy",\r\n]\r\n',
    ),
    "line-ends-of-both-kinds": (
        '# a\n[project]\r\nname = "m"\r\ndescription = """\na\r\n"""\r\n',
        '# a\n[project]\r\nname = "m"\r\ndescription = """\na\r\n"""\r\ndependencies = ["numpy"]\r\n',
    ),
    "byte-order-mark": (f"\ufeff{_PROJECT}", f'\ufeff{_PROJECT}dependencies = ["numpy"]\n'),
    "dotted": (
        'project.name = "m"\nproject.dependencies = []\n',
        'project.name = "m"\nproject.dependencies = ["numpy"]\n',
    ),
    "inline": (
        'project = {name = "m", dependencies = ["a"]}\n',
        'project = {name = "m", dependencies = ["a", "numpy"]}\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), _REQUIREMENTS.values(), ids=_REQUIREMENTS)
def test_a_requirement_is_added_in_the_style_that_is_there(before: str, after: str) -> None:
    """A diff of one line is read; one that moves comments or quotes is not."""
    assert made(before, _NUMPY) == after


def test_a_requirement_with_quotes_is_written_without_escapes() -> None:
    """Markers have quotes of their own."""
    edit = AddRequirement('numpy>=2; python_version >= "3.12"')
    assert made(_PROJECT, edit) == f"{_PROJECT}dependencies = ['numpy>=2; python_version >= \"3.12\"']\n"
    assert made(f'{_PROJECT}dependencies = ["a"]\n', edit).endswith('["a", \'numpy>=2; python_version >= "3.12"\']\n')


_FILES: dict[str, tuple[dict[str, str], str]] = {
    "no-project": ({"pyproject.toml": "[tool.x]\n", "requirements.txt": "scipy\n"}, "scipy\nnumpy\n"),
    "no-pyproject": ({"requirements.txt": "scipy  # solvers"}, "scipy  # solvers\nnumpy"),
    "no-file-yet": ({"pyproject.toml": "[tool.x]\n"}, "numpy\n"),
    "line-ends": ({"requirements.txt": "scipy\r\n"}, "scipy\r\nnumpy\r\n"),
    "empty": ({"requirements.txt": ""}, "numpy\n"),
}


@pytest.mark.parametrize(("texts", "after"), _FILES.values(), ids=_FILES)
def test_a_bundle_without_a_project_table_has_its_requirements_in_a_file(texts: dict[str, str], after: str) -> None:
    """That is where runners read them."""
    found = applied(texts, [_NUMPY])
    assert dict(found.texts) == {"requirements.txt": after}
    assert dict(found.made) == {_NUMPY: "requirements.txt"}


_TABLES: dict[str, tuple[str, Edit, str]] = {
    "entry-point": (_PROJECT, _WIRE, f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"\n'),
    "entry-point-before-a-table": (
        f"{_PROJECT}# of m\n\n# about x\n[tool.x]\ny = 1\n",
        _WIRE,
        f'{_PROJECT}# of m\n\n{_GROUP}execute = "m.wire:wire"\n\n# about x\n[tool.x]\ny = 1\n',
    ),
    "entry-point-before-a-table-at-once": (
        f"{_PROJECT}# about x\n[tool.x]\ny = 1\n",
        _WIRE,
        f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"\n\n# about x\n[tool.x]\ny = 1\n',
    ),
    "entry-point-behind-others": (
        f'{_PROJECT}\n[project.entry-points.other]\na = "b:c"\n\n[tool.x]\n',
        _WIRE,
        f'{_PROJECT}\n[project.entry-points.other]\na = "b:c"\n\n{_GROUP}execute = "m.wire:wire"\n\n[tool.x]\n',
    ),
    "entry-point-in-its-group": (
        f"{_PROJECT}\n{_GROUP}# none\n",
        _WIRE,
        f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"\n# none\n',
    ),
    "entry-point-without-a-line-end": ('[project]\nname = "m"', _WIRE, f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"'),
    "entry-point-with-returns": (
        '[project]\r\nname = "m"\r\n',
        _WIRE,
        f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"\n'.replace("\n", "\r\n"),
    ),
    "entry-point-of-an-odd-name": (
        _PROJECT,
        _WIRE._replace(name="a b"),
        f'{_PROJECT}\n{_GROUP}"a b" = "m.wire:wire"\n',
    ),
    "entry-point-behind-dotted-keys": (
        '[project]\nentry-points.other.a = "b:c"\n',
        _WIRE,
        f'[project]\nentry-points.other.a = "b:c"\n\n{_GROUP}execute = "m.wire:wire"\n',
    ),
    "smoke-task": (_PROJECT, AddSmokeTask("main"), f"{_PROJECT}\n{_SMOKE}"),
    "smoke-task-behind-the-settings": (
        f"{_PROJECT}[tool.bundlekit]\nnetwork = true\n[tool.x]\n",
        AddSmokeTask("main"),
        f"{_PROJECT}[tool.bundlekit]\nnetwork = true\n\n{_SMOKE}\n[tool.x]\n",
    ),
    "smoke-task-behind-another": (
        _SMOKE.replace("main", "first"),
        AddSmokeTask("main"),
        f"{_SMOKE.replace('main', 'first')}\n{_SMOKE}",
    ),
    "smoke-task-alone": ("", AddSmokeTask("main"), _SMOKE),
    "fresh-process": (
        f"{_PROJECT}[tool.bundlekit]\nnetwork = true # on\n\n[tool.x]\n",
        RequireFreshProcess("task 3\nchanges"),
        (
            f"{_PROJECT}[tool.bundlekit]\nnetwork = true # on\n# task 3 changes\nrequires-fresh-process = true\n\n"
            "[tool.x]\n"
        ),
    ),
    "fresh-process-in-a-new-table": (
        f"{_PROJECT}\n{_SMOKE}",
        RequireFreshProcess("why"),
        f"{_PROJECT}\n[tool.bundlekit]\n# why\nrequires-fresh-process = true\n\n{_SMOKE}",
    ),
    "fresh-process-alone": (
        _PROJECT,
        RequireFreshProcess("why"),
        f"{_PROJECT}\n[tool.bundlekit]\n# why\nrequires-fresh-process = true\n",
    ),
    "key": (
        "[tool.bundlekit]\nnetwrok = true # on\n",
        RenameKey("pyproject.toml", ("tool", "bundlekit", "netwrok"), "network"),
        "[tool.bundlekit]\nnetwork = true # on\n",
    ),
    "key-of-headers": (
        "[[tool.bundlekit.smok]]\nseed = 1\n[tool.bundlekit.smok.params]\nb = 1\n[[ tool.bundlekit . smok ]]\n",
        RenameKey("pyproject.toml", ("tool", "bundlekit", "smok"), "smoke"),
        "[[tool.bundlekit.smoke]]\nseed = 1\n[tool.bundlekit.smoke.params]\nb = 1\n[[ tool.bundlekit . smoke ]]\n",
    ),
    "key-in-quotes": (
        _GROUP.replace(".wire", "-wire") + 'a = "b:c"\n',
        RenameKey("pyproject.toml", ("project", "entry-points", "modelops-wire"), "modelops.wire"),
        f'{_GROUP}a = "b:c"\n',
    ),
    "key-that-now-needs-quotes": (
        '[project.entry-points.modelops-wire]\na = "b:c"\n',
        RenameKey("pyproject.toml", ("project", "entry-points", "modelops-wire"), "modelops.wire"),
        f'{_GROUP}a = "b:c"\n',
    ),
    "key-in-an-inline-table": (
        "tool = {bundlekit = {netwrok = true}}\n",
        RenameKey("pyproject.toml", ("tool", "bundlekit", "netwrok"), "network"),
        "tool = {bundlekit = {network = true}}\n",
    ),
}


@pytest.mark.parametrize(("before", "edit", "after"), _TABLES.values(), ids=_TABLES)
def test_tables_and_keys_are_written_beside_what_is_there(before: str, edit: Edit, after: str) -> None:
    """Comments stay with the table that they are about."""
    assert made(before, edit) == after


_REPLACED: dict[str, tuple[str, str, ReplaceText, str]] = {
    "toml": (
        "p.toml",
        't = ["a:b", "m.fit:los"]  # m.fit:los\n',
        ReplaceText(Place("p.toml", 1, 13), "m.fit:los", "m.fit:loss"),
        't = ["a:b", "m.fit:loss"]  # m.fit:los\n',
    ),
    "toml-beside-one-that-begins-alike": (
        "p.toml",
        't = ["a:b", "a:bc"]\n',
        ReplaceText(Place("p.toml", 1, 6), "a:b", "a:d"),
        't = ["a:d", "a:bc"]\n',
    ),
    "toml-literal": ("p.toml", "t = 'a:b'", ReplaceText(Place("p.toml", 1, 5), "a:b", "a:c"), "t = 'a:c'"),
    "toml-three-quotes": (
        "p.toml",
        't = """a:b"""\r\n',
        ReplaceText(Place("p.toml", 1, 5), "a:b", "a:c"),
        't = """a:c"""\r\n',
    ),
    "toml-behind-a-mark": (
        "p.toml",
        "\ufefft = 'a'\n",
        ReplaceText(Place("p.toml", 1, 5), "a", "b"),
        "\ufefft = 'b'\n",
    ),
    "json": (
        "j.json",
        '{"a:b": "a:b", "t": ["a:b"]}',
        ReplaceText(Place("j.json", 1, 9), "a:b", "a:c"),
        '{"a:b": "a:c", "t": ["a:b"]}',
    ),
    "yaml-plain": (
        "r.yaml",
        "t:\n  e: a:b  # a:b\n  f: a:bc\n",
        ReplaceText(Place("r.yaml", 2, 6), "a:b", "a:d"),
        "t:\n  e: a:d  # a:b\n  f: a:bc\n",
    ),
    "yaml-quoted": ("r.yml", "e: 'a:b'\n", ReplaceText(Place("r.yml", 1, 4), "a:b", "a:d"), "e: 'a:d'\n"),
    "python": (
        "f.py",
        "x = 'é', \"data/a.csv\"  # data/a.csv\n",
        ReplaceText(Place("f.py", 1, 11), "data/a.csv", "data/b.csv"),
        "x = 'é', \"data/b.csv\"  # data/a.csv\n",
    ),
    "requirements": (
        "r.txt",
        "scipy\nnumpy => 2  # n\n",
        ReplaceText(Place("r.txt", 2, 1), "numpy => 2", "numpy >= 2"),
        "scipy\nnumpy >= 2  # n\n",
    ),
}


@pytest.mark.parametrize(("path", "before", "edit", "after"), _REPLACED.values(), ids=_REPLACED)
def test_one_string_is_replaced_where_it_stands(path: str, before: str, edit: ReplaceText, after: str) -> None:
    """The same text in a comment, a key or another value is not that string."""
    assert made(before, edit, path) == after


def test_several_strings_of_one_file_are_replaced_together() -> None:
    """Their places are those of the text before, whatever is replaced first."""
    edits = [
        ReplaceText(Place("p.toml", 1, 6), "a", "aaa"),
        ReplaceText(Place("p.toml", 1, 11), "b", "bbb"),
        ReplaceText(Place("p.toml", 2, 5), "c", "ccc"),
    ]
    found = applied({"p.toml": 't = ["a", "b"]\nu = "c"\n'}, edits)
    assert dict(found.texts) == {"p.toml": 't = ["aaa", "bbb"]\nu = "ccc"\n'}
    assert set(found.made) == set(edits)


def _parameter(function: str = "loss", line: int = 1) -> AddParameter:
    return AddParameter(Place("fit.py", line), function, "target_data", "None")


_PARAMETERS: dict[str, tuple[str, str]] = {
    "plain": ("(sims):  # one", "(sims, target_data=None):  # one"),
    "annotated": ("(sims: list) -> dict:", "(sims: list, target_data=None) -> dict:"),
    "last-comma": ("(sims,):", "(sims, target_data=None,):"),
    "keyword-behind": ("(sims, *, weight=1):", "(sims, target_data=None, *, weight=1):"),
    "positional-only": ("(sims, /):", "(sims, /, target_data=None):"),
    "default": ("(sims=()):", "(sims=(), target_data=None):"),
    "lines": ("(\n    sims,\n):", "(\n    sims,\n    target_data=None,\n):"),
    "lines-without-a-last-comma": ("(\n    sims\n):", "(\n    sims,\n    target_data=None\n):"),
    "lines-with-a-comment": ("(\n    sims,  # all\n):", "(\n    sims,  # all\n    target_data=None,\n):"),
    "returns": ("(sims):\r", "(sims, target_data=None):\r"),
}


@pytest.mark.parametrize(("before", "after"), _PARAMETERS.values(), ids=_PARAMETERS)
def test_a_parameter_is_added_in_the_style_that_is_there(before: str, after: str) -> None:
    """Everything else of the source is what it was, to the last space."""
    source = "def loss{}\n    return {{'loss':  1.0}} # x\n\n\nclass A:\n\tx = 1 ;y=2\n"
    assert made(source.format(before), _parameter()) == source.format(after)


def test_the_right_one_of_two_functions_of_a_name_is_changed() -> None:
    """The last definition is the one that counts, and the finding's line tells it."""
    source = "def loss(a): ...\ndef loss(a): ...\n"
    assert made(source, _parameter(line=2)) == "def loss(a): ...\ndef loss(a, target_data=None): ...\n"


def test_a_file_that_is_missing_is_created() -> None:
    """Empty, as a package's own module may be."""
    assert made(None, CreateFile("m/__init__.py")) == ""


_AT = Place("a.toml", 1, 5)
_REFUSED: dict[str, tuple[dict[str, str], Edit, str]] = {
    "file-is-there": ({"m.py": "x"}, CreateFile("m.py"), "exists already"),
    "no-document": ({}, AddSmokeTask("main"), "does not exist"),
    "no-toml": ({"pyproject.toml": "[project\n"}, _NUMPY, "not valid TOML"),
    "no-toml-for-a-task": ({"pyproject.toml": "[project\n"}, AddSmokeTask("main"), "not valid TOML"),
    "nested-too-deeply": ({"pyproject.toml": f"a = {'[' * 5000}{']' * 5000}\n"}, _NUMPY, "nested too deeply"),
    "no-project-for-a-wire": ({"pyproject.toml": ""}, _WIRE, "not written as a table of its own"),
    "project-inline": ({"pyproject.toml": 'project = {name = "m"}\n'}, _NUMPY, "not written as a table of its own"),
    "project-inline-for-a-wire": ({"pyproject.toml": 'project = {name = "m"}\n'}, _WIRE, "not written as a table"),
    "project-no-table": ({"pyproject.toml": "project = 1\n"}, _NUMPY, "project is no table"),
    "declared": ({"pyproject.toml": '[project]\ndependencies = ["NumPy>=1"]\n'}, _NUMPY, "'numpy' is declared already"),
    "declared-in-a-list": ({"requirements.txt": "numpy==2\n"}, _NUMPY, "'numpy' is declared already"),
    "hashes": ({"requirements.txt": "scipy==1 --hash=sha256:00\n"}, _NUMPY, "pins its requirements by hashes"),
    "line-goes-on": ({"requirements.txt": "scipy \\"}, _NUMPY, "last line goes on"),
    "dynamic": ({"pyproject.toml": '[project]\ndynamic = ["dependencies"]\n'}, _NUMPY, "fills in the dependencies"),
    "dynamic-wire": ({"pyproject.toml": '[project]\ndynamic = ["entry-points"]\n'}, _WIRE, "fills in the entry points"),
    "no-array": (
        {"pyproject.toml": '[project]\ndependencies = "numpy"\n'},
        AddRequirement("scipy"),
        "array is expected",
    ),
    "settings-inline": (
        {"pyproject.toml": "[project]\nname = 'm'\n[tool]\nbundlekit = {network = true}\n"},
        AddSmokeTask("main"),
        "does not take the addition",
    ),
    "fresh-process-said": (
        {"pyproject.toml": "[tool.bundlekit]\nrequires-fresh-process = false\n"},
        RequireFreshProcess("why"),
        "says already",
    ),
    "smoke-inline": ({"pyproject.toml": "[tool.bundlekit]\nsmoke = []\n"}, AddSmokeTask("main"), "does not take"),
    "groups-inline": (
        {"pyproject.toml": '[project]\nentry-points = {other = {a = "b:c"}}\n'},
        _WIRE,
        "does not take the addition",
    ),
    "other-entry-point": (
        {"pyproject.toml": f'{_GROUP}execute = "x:y"\n'},
        _WIRE,
        "declared already",
    ),
    "key-gone": ({"p.toml": "[a]\nb = 1\n"}, RenameKey("p.toml", ("a", "c"), "d"), "a.c is not there any more"),
    "key-taken": ({"p.toml": "[a]\nb = 1\nc = 2\n"}, RenameKey("p.toml", ("a", "b"), "c"), "does not take"),
    "line-gone": ({"a.toml": "x = 'a'"}, ReplaceText(Place("a.toml", 9, 1), "a", "b"), "no line 9"),
    "no-line": ({"a.toml": "x = 'a'"}, ReplaceText(Place("a.toml"), "a", "b"), "no line 0"),
    "column-gone": ({"a.toml": "x = 'a'"}, ReplaceText(Place("a.toml", 1, 99), "a", "b"), "does not stand in line 1"),
    "text-gone": ({"a.toml": "x = 'z'"}, ReplaceText(_AT, "a", "b"), "'a' does not stand in line 1, column 5"),
    "text-goes-on": ({"a.toml": "x = 'ab'"}, ReplaceText(_AT, "a", "b"), "does not stand in line 1"),
    "text-escaped": ({"a.toml": 'x = "\\u0061"'}, ReplaceText(_AT, "a", "b"), "does not stand in line 1"),
    "text-in-a-comment": ({"a.toml": "# x 'a'"}, ReplaceText(_AT, "a", "b"), "more than that would change"),
    "quotes-in-the-new": ({"a.toml": "x = 'a'"}, ReplaceText(_AT, "a", "b'c"), "cannot be written in the quotes"),
    "lines-in-the-new": ({"a.yaml": "x:  a"}, ReplaceText(Place("a.yaml", 1, 5), "a", "b\nc"), "cannot be written"),
    "not-toml": ({"a.toml": "x = 'a' ="}, ReplaceText(_AT, "a", "b"), "could not be read"),
    "not-yaml": ({"a.yaml": "x:  a\n\ty: ["}, ReplaceText(Place("a.yaml", 1, 5), "a", "b"), "could not be read"),
    "yaml-goes-on": ({"a.yaml": "x:  ab\n"}, ReplaceText(Place("a.yaml", 1, 5), "a", "b"), "more than that would"),
    "yaml-another-meaning": (
        {"a.yaml": "x:  a\n"},
        ReplaceText(Place("a.yaml", 1, 5), "a", "b: c"),
        "could not be read",
    ),
    "yaml-a-comment": ({"a.yaml": "x:  a\n"}, ReplaceText(Place("a.yaml", 1, 5), "a", "b # c"), "more than that"),
    "json-key": (
        {"a.json": '{   "a": 1}'},
        ReplaceText(Place("a.json", 1, 5), "a", "b"),
        "more than that would change",
    ),
    "not-json": ({"a.json": '[   "a"'}, ReplaceText(Place("a.json", 1, 5), "a", "b"), "could not be read"),
    "python-number": ({"a.py": "x = 1\n"}, ReplaceText(Place("a.py", 1, 5), "1", "2"), "does not stand in line 1"),
    "python-parts": ({"a.py": "x = 'a' 'b'\n"}, ReplaceText(Place("a.py", 1, 5), "a", "c"), "more than that"),
    "requirement-goes-on": ({"a.txt": "ab\n"}, ReplaceText(Place("a.txt", 1, 1), "a", "b"), "more than that would"),
    "unknown-format": ({"setup.cfg": "a"}, ReplaceText(Place("setup.cfg", 1, 1), "a", "b"), "such files cannot"),
    "encoding": ({"a.py": "# coding: latin-1\nx = 'a'\n"}, ReplaceText(Place("a.py", 2, 5), "a", "b"), "latin-1"),
    "function-moved": ({"fit.py": "\ndef loss(a): ...\n"}, _parameter(), "no function 'loss' begins in line 1"),
    "function-inside": ({"fit.py": "if 1:\n def loss(a): ...\n"}, _parameter(line=2), "no function 'loss'"),
    "function-async": ({"fit.py": "async def loss(a): ...\n"}, _parameter(), "no function 'loss'"),
    "function-decorated": ({"fit.py": "@x\ndef loss(a): ...\n"}, _parameter(line=2), "is decorated"),
    "function-of-any-number": ({"fit.py": "def loss(a, **k): ...\n"}, _parameter(), "any number of arguments"),
    "parameter-is-there": ({"fit.py": "def loss(a, *, target_data): ...\n"}, _parameter(), "uses the name"),
    "name-is-used": ({"fit.py": "def loss(a):\n    return target_data\n"}, _parameter(), "uses the name"),
    "name-is-imported": ({"fit.py": "def loss(a):\n    import target_data\n"}, _parameter(), "uses the name"),
    "name-is-global": ({"fit.py": "def loss(a):\n    global target_data\n"}, _parameter(), "uses the name"),
    "line-ends-of-old": ({"fit.py": "x = 1\rdef loss(a): ...\r"}, _parameter(line=2), "there would be lost"),
    "no-python": ({"fit.py": "def loss(\n"}, _parameter(), "not valid Python"),
}


@pytest.mark.parametrize(("texts", "edit", "said"), _REFUSED.values(), ids=_REFUSED)
def test_an_edit_that_is_not_safe_is_left_out(texts: dict[str, str], edit: Edit, said: str) -> None:
    """Nothing is changed, and the reason is told."""
    found = applied(texts, [edit])
    assert (dict(found.texts), dict(found.made)) == ({}, {})
    path, reason = found.refused[edit]
    assert path in {*texts, *files_of(edit)}
    assert said in reason


@pytest.mark.parametrize("path", ["a.toml", "a.json", "a.yaml", "a.yml", "a.py", "a.txt", "setup.cfg", "a", "toml"])
def test_what_rules_take_for_editable_is_what_can_be_edited(path: str) -> None:
    """A finding that is called fixable and never is would be a broken promise."""
    found = applied({path: ""}, [ReplaceText(Place(path, 1, 1), "a", "b")])
    ((_, reason),) = found.refused.values()
    assert is_editable(path) is (reason != "strings of such files cannot be replaced")


_CONTRADICTING: dict[str, tuple[dict[str, str], Edit, Edit, str]] = {
    "two-texts-for-one": (
        {"a.toml": "x = 'a'\n"},
        ReplaceText(_AT, "a", "b"),
        ReplaceText(_AT, "a", "c"),
        "x = 'b'\n",
    ),
    "one-within-the-other": (
        {"a.toml": "x = 'a'\n"},
        ReplaceText(_AT, "a", "b"),
        ReplaceText(Place("a.toml", 1, 6), "a", "c"),
        "x = 'b'\n",
    ),
    "two-names-for-a-key": (
        {"a.toml": "x = 'a'\n"},
        RenameKey("a.toml", ("x",), "y"),
        RenameKey("a.toml", ("x",), "z"),
        "y = 'a'\n",
    ),
    "one-name-for-two-keys": (
        {"a.toml": "x = 'a'\nz = 1\n"},
        RenameKey("a.toml", ("x",), "y"),
        RenameKey("a.toml", ("z",), "y"),
        "y = 'a'\nz = 1\n",
    ),
    "two-versions-of-a-requirement": (
        {"pyproject.toml": _PROJECT},
        _NUMPY,
        AddRequirement("NumPy>=2"),
        f'{_PROJECT}dependencies = ["numpy"]\n',
    ),
    "two-wires-of-a-name": (
        {"pyproject.toml": _PROJECT},
        _WIRE,
        _WIRE._replace(value="other:wire"),
        f'{_PROJECT}\n{_GROUP}execute = "m.wire:wire"\n',
    ),
    "one-parameter-twice": (
        {"fit.py": "def loss(a): ...\n"},
        _parameter(),
        _parameter()._replace(default="()"),
        "def loss(a, target_data=None): ...\n",
    ),
    "two-contents-of-a-file": ({}, CreateFile("a.py"), CreateFile("a.py", "x = 1\n"), ""),
}


@pytest.mark.parametrize(("texts", "first", "second", "after"), _CONTRADICTING.values(), ids=_CONTRADICTING)
def test_of_edits_that_contradict_each_other_one_is_made(
    texts: dict[str, str], first: Edit, second: Edit, after: str
) -> None:
    """The other one is about a text that is no longer there, and is told as not made."""
    found = applied(texts, [first, second])
    assert list(found.texts.values()) == [after]
    assert (set(found.made), set(found.refused)) == ({first}, {second})


def test_a_file_that_may_not_be_changed_is_left_alone() -> None:
    """The reason is that of whoever read it."""
    found = applied({}, [_NUMPY, CreateFile("a")], {"pyproject.toml": "it is not UTF-8", "a": "it is a link"})
    assert dict(found.texts) == {}
    assert dict(found.refused) == {
        _NUMPY: ("pyproject.toml", "it is not UTF-8"),
        CreateFile("a"): ("a", "it is a link"),
    }


_EDITS: dict[str, tuple[Edit, str]] = {
    "create": (CreateFile("a"), "create the file"),
    "requirement": (_NUMPY, "declare the dependency 'numpy'"),
    "wire": (_WIRE, "declare the entry point execute = 'm.wire:wire' in the group 'modelops.wire'"),
    "text": (ReplaceText(_AT, "a", "b"), "replace 'a' by 'b'"),
    "key": (RenameKey("p.toml", ("a", "b"), "c"), "rename the key 'b' to 'c'"),
    "parameter": (_parameter(), "add the parameter target_data=None to loss()"),
    "task": (AddSmokeTask("main"), "describe the smoke task 'main'"),
    "fresh": (RequireFreshProcess("why"), "set requires-fresh-process = true"),
}


@pytest.mark.parametrize(("edit", "said"), _EDITS.values(), ids=_EDITS)
def test_an_edit_says_what_it_does(edit: Edit, said: str) -> None:
    """The report tells it after the name of the file."""
    assert summary(edit) == said

"""Values of the wrong type: the hint is what to write, and there is none where it would be a guess."""

from pathlib import Path

import pytest
from builders.bundles import make_bundle

from bundlekit.read.project import read_project

_PROJECT = '[project]\nname = "model"\nversion = "1.0"\n'
_SETTINGS = f"{_PROJECT}[tool.bundlekit]\n"

_FORMS: dict[str, tuple[str, str]] = {
    "requires-python": (f"{_PROJECT}requires-python = 3.10\n", 'such as ">=3.11"'),
    "version": ("[project]\nname = 'model'\nversion = 1.0\n", 'such as "1.0"'),
    "text-in-brackets": (f'{_PROJECT}description = ["x"]\n', 'without brackets: "x"'),
    "one-dependency": (f'{_PROJECT}dependencies = "numpy"\n', 'as an array: ["numpy"]'),
    "dependencies": (f'{_PROJECT}dependencies = "numpy>=2,<3, pandas,"\n', '["numpy>=2,<3", "pandas"]'),
    "dependencies-by-name": (f'{_PROJECT}[project.dependencies]\nnumpy = "1"\n', "an array of texts"),
    "group-without-quotes": (f'{_PROJECT}[project.entry-points.modelops.wire]\nx = "a:b"\n', '"modelops.wire"]'),
    "flag": (f'{_SETTINGS}network = "True"\n', "without quotes: true"),
    "seed": (f'{_SETTINGS}smoke = [{{seed = "3"}}]\n', "without quotes: 3"),
    "one-smoke-table": (f"{_SETTINGS}[tool.bundlekit.smoke]\n", "two brackets: [[tool.bundlekit.smoke]]"),
    "settings-twice": (f"{_PROJECT}[[tool.bundlekit]]\n", "one bracket: [tool.bundlekit]"),
}


@pytest.mark.parametrize(("text", "hint"), _FORMS.values(), ids=_FORMS)
def test_the_hint_is_the_right_form(text: str, hint: str, tmp_path: Path) -> None:
    """What to write is worth more than what was wrong."""
    make_bundle(tmp_path, {"pyproject.toml": text})
    (found,) = [problem for problem in read_project(tmp_path).problems if problem.code == "BK104"]
    assert hint in (found.hint or "")


_NO_FORMS = {
    "quote-inside": f"{_PROJECT}keywords = 'a\"b'\n",
    "long": f'{_PROJECT}keywords = "{"a" * 300}"\n',
    "date": f"{_PROJECT}description = 1979-05-27\n",
    "no-boolean": f'{_SETTINGS}network = "perhaps"\n',
    "array-for-table": f'{_PROJECT}urls = ["x"]\n',
    "quote-in-brackets": f"{_PROJECT}description = ['a\"b']\n",
}


@pytest.mark.parametrize("text", _NO_FORMS.values(), ids=_NO_FORMS)
def test_there_is_no_hint_where_it_would_be_a_guess(text: str, tmp_path: Path) -> None:
    """A form that does not parse either would cost another round."""
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert [problem.hint for problem in read_project(tmp_path).problems if problem.code == "BK104"] == [None]


def test_wire_groups_are_placed(tmp_path: Path) -> None:
    """An editor opens at the header that is misspelt."""
    text = f'{_PROJECT}\n[project.entry-points.modelops-wire]\nexecute = "model.wire:wire"\n'
    make_bundle(tmp_path, {"pyproject.toml": text})
    (place,) = read_project(tmp_path).entry_point_groups.values()
    assert (place.line, place.column) == (5, 1)

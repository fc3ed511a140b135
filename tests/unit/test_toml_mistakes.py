"""pyproject.toml that is no TOML: common mistakes in plain words, each at the place to mend."""

from pathlib import Path

import pytest

from bundlekit.model.finding import Finding
from bundlekit.read.project import read_project


def _problem(root: Path, text: str) -> Finding:
    (root / "pyproject.toml").write_bytes(text.encode())
    (found,) = read_project(root).problems
    return found


_MISTAKES: dict[str, tuple[str, tuple[int, int], str, str]] = {
    "open-quote": ('version = "1.0\n', (2, 11), 'its second " is missing', 'write " at the end'),
    "open-single-quote": ("version = '1.0\nx = 1\n", (2, 11), "its second ' is missing", "write ' at the end"),
    "open-quote-at-the-end": ('version = "1.0', (2, 11), 'its second " is missing', 'write " at the end'),
    "open-three-quotes": ('x = """a\n', (2, 5), 'its second """ is missing', 'write """ at the end'),
    "open-quote-in-array": ('x = [\n  "numpy,\n  "pandas",\n]\n', (3, 3), 'second " is missing', 'write "'),
    "quote-in-the-middle": ('x = ["numpy, "pandas"]\n', (2, 15), 'one " is missing in this line', "two quotes"),
    "only-a-closing-quote": ('version = 1.0"\n', (2, 14), 'one " is missing in this line', "two quotes"),
    "open-quote-in-header": ('[project.entry-points."a.b]\n', (2, 23), 'second " is missing', 'write "'),
    "no-quotes": ("version = abc\n", (2, 11), "no quotes", 'write version = "abc"'),
    "version-of-three-parts": ("version = 1.0.0 # now\n", (2, 11), "no quotes", 'write version = "1.0.0"'),
    "curly-quotes": ("version = “1.0”\n", (2, 11), "curly quote", "plain quotes"),
    "no-value": ("version =\n", (2, 10), "the key version has no value", 'write version = "..."'),
    "long-text": (f"version = {'a' * 99}\n", (2, 11), "no quotes", 'write version = "..."'),
    "no-comma": ('x = ["numpy" "pandas"]\n', (2, 14), "a comma is missing", "between any two"),
    "no-comma-over-lines": ('x = [\n  "numpy" # a "comma"\n  "pandas"\n]\n', (4, 3), "a comma is missing", "between"),
    "no-comma-in-table": ("x = {a = 1 b = 2}\n", (2, 12), "a comma is missing", "between any two"),
    "open-array": ('x = ["numpy",\ny = 1\n', (2, 5), "its ] is missing", "write ]"),
    "open-array-before-table": ('x = ["[",\n\n[tool.x]\n', (2, 5), "its ] is missing", "write ]"),
    "open-array-at-the-end": ('x = [["a"]\n', (2, 5), "its ] is missing", "write ]"),
    "open-header": ("[tool\nx = 1\n", (2, 6), "header of a table is not closed", "write ]"),
    "open-array-header": ("[[tool]\nx = 1\n", (2, 7), "header of a table is not closed", "write ]"),
    "inline-table-over-lines": ("x = {a = 1,\n b = 2}\n", (2, 5), "does not end in the line", "in one line"),
    "comma-in-inline-table": ("x = {a = 1,}\n", (2, 12), "a comma stands before the }", "delete that comma"),
    "parenthesis": ('x = ("a", "b")\n', (2, 5), "a parenthesis starts no value", "[...]"),
    "key-twice": ('a = 1\nb = """\nx"""\na = [\n1]\n', (5, 1), "the key a is there twice", "the first is in line 2"),
    "key-with-a-quote-twice": (
        '"\\"" = 1\n"\\"" = 2\n',
        (3, 1),
        'the key "\\"" is there twice',
        "the first is in line 2",
    ),
    "key-is-no-table": ("a = 1\na.b = 2\n", (3, 1), "the key a.b is there twice", "keep one"),
    "table-twice": ("a = 1\n[x]\n[project]\n", (4, 1), "the table [project] is there twice", "is in line 1"),
    "colon": ('version: "1.0"\n', (2, 8), "a colon follows the key", "key = value"),
    "dictionary": ('x = {"a": 1}\n', (2, 9), "a colon follows the key", "key = value"),
    "key-with-a-space": ("my key = 1\n", (2, 4), "no = follows the key", "needs quotes"),
    "trailing-comma": ('version = "1",\n', (2, 14), "a , ends the line", "delete it"),
    "semicolon": ("x = 1;\n", (2, 6), "a ; ends the line", "delete it"),
    "two-values": ('x = "1" "2"\n', (2, 9), "something follows in the same line", "a new line"),
    "capital-boolean": ("x = True\n", (2, 5), "True is no value", "true and false"),
    "no-null": ("x = None\n", (2, 5), "None is no value", "leave the key out"),
    "backslash": ('x = "C:\\data"\n', (2, 10), "starts an escape", "single quotes"),
    "conflict": ("<<<<<<< HEAD\n", (2, 1), "a merge conflict", "delete its markers"),
    "slashes": ("// x\n", (2, 1), "a line starts with //", "comments start with #"),
}


@pytest.mark.parametrize(("lines", "place", "what", "hint"), _MISTAKES.values(), ids=_MISTAKES)
def test_a_common_mistake_is_said_in_plain_words(
    lines: str, place: tuple[int, int], what: str, hint: str, tmp_path: Path
) -> None:
    """A scientist knows what a quote is; the parser's "Illegal character" helps only those who write parsers."""
    found = _problem(tmp_path, f"[project]\n{lines}")
    assert (found.line, found.column) == place
    assert what in found.message
    assert hint in (found.hint or "")


_NOT_EXPLAINED = {
    "control-character": 'x = "\x01"\n',
    "no-key": ".x = 1\n",
    "date": "x = [1979-99-99]\n",
    "comma-without-value": "x = [, 1]\n",
    "inline-key-twice": "x = {a = 1, a = 2}\n",
    "after": "[x] y\n",
}


@pytest.mark.parametrize("lines", _NOT_EXPLAINED.values(), ids=_NOT_EXPLAINED)
def test_an_uncommon_mistake_keeps_the_words_of_the_parser(lines: str, tmp_path: Path) -> None:
    """A guess would mislead; the place and the parser's words are true."""
    found = _problem(tmp_path, f"[project]\n{lines}")
    assert found.message.startswith("pyproject.toml is not valid TOML: ")
    assert found.line == 2


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_places_do_not_depend_on_the_ends_of_lines(newline: str, tmp_path: Path) -> None:
    """An editor of another system counts the same lines."""
    found = _problem(tmp_path, newline.join(["[project]", "x = 1", 'name = "a', ""]))
    assert (found.code, found.line, found.column) == ("BK103", 3, 8)

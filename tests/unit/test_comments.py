"""Comments of the formats that have them behind a number sign, told from what only looks so."""

import time

import pytest

from bundlekit.read.comments import comments_of

_COMMENTS: dict[str, tuple[str, bytes, list[tuple[str, int, int, bool]]]] = {
    "python": ("a.py", b"x = '# no'  # yes\n# alone\n", [("# yes", 1, 13, False), ("# alone", 2, 1, True)]),
    "python-encoding": ("a.py", "# coding: latin-1\né = 1  # à\n".encode("latin-1"), [("# à", 2, 8, False)]),
    "toml": (
        "a.toml",
        b"# alone\r\na = 'it''s' # yes\r\n\tb = [ # two\r\n]",
        [("# alone\r", 1, 1, True), ("# yes\r", 2, 13, False), ("# two\r", 3, 8, False)],
    ),
    "toml-strings": (
        "a.toml",
        b'''a = "# no \\" # no"\nb = """\n# no "" # no\n\\"""# no"""""\nc = \'\'\'\n# no\'\'\'\'\' # yes\n''',
        [("# yes", 6, 11, False)],
    ),
    "yaml": (
        "a.yaml",
        b"a: it's # yes\nb: 'it''s # no'\nc: x#no\n# alone\nd: \"# no\"\n",
        [("# yes", 1, 9, False), ("# alone", 4, 1, True)],
    ),
    "yaml-block": (
        "a.yml",
        b"a: |  # yes\n  # no\n  text # no\n# alone\nb: >-\n  # no\n\nc: 1 # last\n",
        [("# yes", 1, 7, False), ("# alone", 4, 1, True), ("# last", 8, 6, False)],
    ),
    "yaml-plain-over-lines": ("a.yaml", b"a: one\n  two#no\n  three # yes\n", [("# yes", 3, 9, False)]),
    "requirements": (
        "requirements.txt",
        b"\xef\xbb\xbfa @ https://x/a.zip#egg=a # yes\n  # alone\n",
        [("# yes", 1, 27, False), ("# alone", 2, 3, True)],
    ),
}


@pytest.mark.parametrize(("path", "data", "comments"), _COMMENTS.values(), ids=_COMMENTS)
def test_real_comments_are_found_with_their_places(
    path: str, data: bytes, comments: list[tuple[str, int, int, bool]]
) -> None:
    """Each format has its own idea of where a comment begins."""
    found = [(each.text, each.line, each.column, each.is_alone) for each in comments_of(path, data)]
    assert [each for each in found if "coding" not in each[0]] == comments


_NONE: dict[str, tuple[str, bytes]] = {
    "python-open-string": ("a.py", b"# one\nx = '''# two\n"),
    "python-indent": ("a.py", b"if x:\n        # one\n        y\n    z\n"),
    "python-encoding": ("a.py", b"# coding: nonsense\n# one\n"),
    "python-bytes": ("a.py", b"# one \xff\n"),
    "toml-open-string": ("a.toml", b'a = "# one'),
    "toml-open-literal": ("a.toml", b"a = '# one"),
    "toml-open-block": ("a.toml", b'a = """\n# one\n# two "'),
    "yaml-broken": ("a.yaml", b"# one\n\tb: '"),
}


@pytest.mark.parametrize(("path", "data"), _NONE.values(), ids=_NONE)
def test_a_file_that_is_not_what_its_name_says_has_none(path: str, data: bytes) -> None:
    """What is found in it is told then; nothing in it decides that it is not."""
    assert comments_of(path, data) == []


_LARGE: dict[str, tuple[str, bytes]] = {
    "signs": ("a.py", b"x = 1 " + b"#" * 1_000_000),
    "docstring": ("a.py", b'"""\n' + b"# bundlekit: ignore\n" * 50_000 + b'"""\n'),
    "toml-quotes": ("a.toml", b'a = """' + b'""\\"' * 250_000),
    "toml-apostrophes": ("a.toml", b"a = " + b"'" * 1_000_000),
    "requirements": ("requirements.txt", b" #" * 500_000),
}


@pytest.mark.parametrize(("path", "data"), _LARGE.values(), ids=_LARGE)
def test_a_large_file_takes_time_in_proportion(path: str, data: bytes) -> None:
    """A source may be anything, and the hook waits for it."""
    started = time.monotonic()
    comments_of(path, data)
    assert time.monotonic() - started < 10

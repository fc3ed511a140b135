"""pyproject.toml as it comes (HOSTILE_CORPUS D): every problem at once, each with its place, and never a crash."""

import os
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, make_bundle, pyproject

from bundlekit.model.finding import Finding
from bundlekit.model.project import Project, ProjectTable
from bundlekit.model.toml_text import TomlText
from bundlekit.read.document import MAX_DOCUMENT_BYTES
from bundlekit.read.project import read_project


def _read(root: Path, text: str | bytes) -> Project:
    make_bundle(root, {"pyproject.toml": text})
    return read_project(root)


def _at(finding: Finding) -> tuple[str, int | None, int | None]:
    return (finding.code, finding.line, finding.column)


_UNPARSABLE: dict[str, tuple[bytes, tuple[str, int | None, int | None]]] = {
    "syntax": (b"[project]\nname == 3\n", ("BK103", 2, 7)),
    "end-of-document": (b"[project]\nname = [", ("BK103", 2, 8)),
    "nul": (b'[project]\nname = "a\0"\n', ("BK103", 2, 10)),
    "latin-1": (b'[project]\nname = "caf\xe9"\n', ("BK103", 2, 12)),
    "utf-16": ("[project]\n".encode("utf-16"), ("BK103", 1, 1)),
    "deep-arrays": (b"x = " + b"[" * 10_000 + b"]" * 10_000, ("BK103", None, None)),
    "huge-integer": (b"x = " + b"1" * 5000, ("BK103", None, None)),
    "duplicate-key": (b'[project]\nname = "a"\nname = "b"\n', ("BK103", 3, 1)),
}


@pytest.mark.parametrize(("text", "place"), _UNPARSABLE.values(), ids=_UNPARSABLE)
def test_what_is_no_toml_is_one_finding_with_its_place(
    text: bytes, place: tuple[str, int | None, int | None], tmp_path: Path
) -> None:
    """The first thing to mend; nothing else can be said about the document."""
    project = _read(tmp_path, text)
    assert project.table is ProjectTable.UNREADABLE
    assert [_at(problem) for problem in project.problems] == [place]


def test_a_byte_order_mark_is_found_and_the_rest_read(tmp_path: Path) -> None:
    """Installers refuse it; editors of some systems write it."""
    project = _read(tmp_path, b"\xef\xbb\xbf" + GOOD_PYPROJECT.encode())
    assert [_at(problem) for problem in project.problems] == [("BK103", 1, 1)]
    assert project.name == "model"


def test_a_document_over_the_limit_is_not_parsed(tmp_path: Path) -> None:
    """Parsing takes a hundred times the size in memory."""
    project = _read(tmp_path, b"#" * (MAX_DOCUMENT_BYTES + 1))
    assert [problem.code for problem in project.problems] == ["BK103"]


def test_a_deep_key_is_read(tmp_path: Path) -> None:
    """Deep is not wrong by itself."""
    assert _read(tmp_path, GOOD_PYPROJECT + "[x]\n" + ".".join("a" * 30) + " = 1\n").name == "model"


def test_a_directory_in_its_place_counts_as_missing(tmp_path: Path) -> None:
    """Nothing to read, nothing to crash on."""
    (tmp_path / "pyproject.toml").mkdir()
    assert read_project(tmp_path).table is ProjectTable.MISSING


def test_a_fifo_is_unreadable_and_never_blocks(tmp_path: Path) -> None:
    """Opening it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pyproject.toml")
    assert read_project(tmp_path).table is ProjectTable.UNREADABLE


def test_a_link_to_nowhere_is_unreadable(tmp_path: Path) -> None:
    """It is there and cannot be read: not the same as missing."""
    (tmp_path / "pyproject.toml").symlink_to("nowhere")
    assert read_project(tmp_path).table is ProjectTable.UNREADABLE


_WRONG_TYPES: dict[str, tuple[str, list[tuple[int, int]]]] = {
    "project-is-a-number": ("project = 3\n", [(1, 11)]),
    "project-is-an-array": ("[[project]]\nname = 'x'\n", [(1, 1)]),
    "dependency-is-a-number": ("[project]\nname='x'\nversion='1'\ndependencies=[1, 'a', 2]\n", [(4, 15), (4, 23)]),
    "dependencies-is-a-string": ('[project]\nname="x"\nversion="1"\ndependencies="abc"\n', [(4, 14)]),
    "entry-points-is-an-array": ('[project]\nname="x"\nversion="1"\nentry-points=[]\n', [(4, 14)]),
    "entry-point-is-a-number": (
        '[project]\nname="x"\nversion="1"\n[project.entry-points."modelops.wire"]\nexecute = 1\n',
        [(5, 11)],
    ),
    "group-is-a-string": ('[project]\nname="x"\nversion="1"\nentry-points.g = "x"\n', [(4, 18)]),
    "several": (
        "[project]\nname=1\nversion=true\nrequires-python=3.11\nkeywords={}\n",
        [(2, 6), (3, 9), (4, 17), (5, 10)],
    ),
    "build-system": ('[build-system]\nrequires="x"\nbuild-backend=[]\n', [(2, 10), (3, 15)]),
    "tool": ("tool = 1\n", [(1, 8)]),
    "optional": ('[project]\nname="x"\nversion="1"\noptional-dependencies.a = [\n  1,\n  # no\n  "b",\n]\n', [(5, 3)]),
    "inline": ('project = {name = "x", version = "1", dependencies = ["a", {b = 1}]}\n', [(1, 60)]),
    "date": ("[project]\nname='x'\nversion = 1979-05-27 07:32:00\n", [(3, 11)]),
}


@pytest.mark.parametrize(("text", "places"), _WRONG_TYPES.values(), ids=_WRONG_TYPES)
def test_every_wrong_type_is_found_at_its_place(text: str, places: list[tuple[int, int]], tmp_path: Path) -> None:
    """All at once: one round of mending, not one for each problem."""
    found = [problem for problem in _read(tmp_path, text).problems if problem.code == "BK104"]
    assert [(problem.line, problem.column) for problem in found] == places


_SETTINGS: dict[str, tuple[str, list[str]]] = {
    "good": (
        (
            'include = ["a"]\nexclude = ["b"]\ntargets = ["m:f"]\nnetwork = true\npass-env = ["A"]\npython = "3.12"\n'
            'requires-fresh-process = true\n[tool.bundlekit.worker]\npython = "3.12"\nplatform = "x"\n'
        ),
        [],
    ),
    "shipping": ("symlinks = 'copy'\nallow-secrets = ['a/*.pem']\nlarge-bundle-bytes = 5\n", []),
    "symlinks-word": ("symlinks = 'follow'\n", ["BK104"]),
    "symlinks-true": ("symlinks = true\n", ["BK104"]),
    "secrets-text": ("allow-secrets = 'a'\n", ["BK104"]),
    "secrets-no-pattern": ("allow-secrets = ['!', 'a']\n", ["BK104"]),
    "large-zero": ("large-bundle-bytes = 0\n", ["BK104"]),
    "large-fraction": ("large-bundle-bytes = 1.5\n", ["BK104"]),
    "large-text": ("large-bundle-bytes = '1 GB'\n", ["BK104"]),
    "unknown": ("targtes = []\nzzz = 1\n", ["BK107", "BK107"]),
    "unknown-in-smoke": ("[[tool.bundlekit.smoke]]\nentry = 'x'\n", ["BK107"]),
    "unknown-in-limits": ("[tool.bundlekit.limits]\nmemory = 1\n", ["BK107"]),
    "limit-zero": ("limits = {cpu-s = 0}\n", ["BK104"]),
    "limit-text": ("limits = {memory-mib = '4 GB'}\n", ["BK104"]),
    "limit-true": ("limits = {open-files = true}\n", ["BK104"]),
    "limit-huge": ("limits = {file-size-mib = 1099511627776}\n", ["BK104"]),
    "unknown-in-worker": ("[tool.bundlekit.worker]\npyton = 'x'\n", ["BK107"]),
    "wrong-types": ("include = 'a'\nnetwork = 1\npython = 3\nsmoke = {}\nworker = 1\n", ["BK104"] * 5),
    "smoke-item": ("smoke = [1]\n", ["BK104"]),
    "seed-negative": ("smoke = [{seed = -1}]\n", ["BK104"]),
    "seed-text": ("smoke = [{seed = '1'}]\n", ["BK104"]),
    "seed-too-large": ("smoke = [{seed = 18446744073709551616}]\n", ["BK104"]),
    "timeout-zero": ("smoke = [{timeout-s = 0}]\n", ["BK104"]),
    "timeout-nan": ("smoke = [{timeout-s = nan}]\n", ["BK104"]),
    "timeout-text": ("smoke = [{timeout-s = '1'}]\n", ["BK104"]),
    "params-date": ("smoke = [{params = {a = 1979-05-27}}]\n", ["BK104"]),
    "params-nan": ("smoke = [{params = {a = [{b = inf}]}}]\n", ["BK104"]),
    "params-deep": (f"smoke = [{{params = {{a = {'[' * 120}{']' * 120}}}}}]\n", ["BK104"]),
}


@pytest.mark.parametrize(("lines", "codes"), _SETTINGS.values(), ids=_SETTINGS)
def test_settings_are_read_by_type(lines: str, codes: list[str], tmp_path: Path) -> None:
    """A setting that has no effect, or a wrong one, is never silent."""
    project = _read(tmp_path, pyproject(after=f"[tool.bundlekit]\n{lines}"))
    assert [problem.code for problem in project.problems] == codes


_SMOKE_PROBLEMS: dict[str, tuple[str, list[str]]] = {
    "types": (
        "entrypoint = 3\nseed = 'x'\nparams = []\n",
        [
            "entrypoint must be a string, found an integer (3)",
            "seed must be an integer from 0 to 2**64 - 1, found a string ('x')",
            "params must be a table, found an array",
        ],
    ),
    "ranges": (
        f"seed = -1\ntimeout-s = -5\n[[tool.bundlekit.smoke]]\ntimeout-s = 1{'0' * 400}\n",
        [
            "seed must be an integer from 0 to 2**64 - 1, found an integer (-1)",
            "timeout-s must be a positive number of seconds, found an integer (-5)",
            "tool.bundlekit.smoke item 2.timeout-s must be a positive number of seconds, found an integer",
        ],
    ),
    "parameters": (
        f"params = {{a = nan, b = 1979-05-27, c = [1, {{d = [-inf, inf]}}], e = {'[' * 120}{']' * 120}}}\n",
        [
            "params.a must be a number that JSON has, found a number (nan)",
            "params.b must be a value that JSON has, found a value of type date",
            "params.c item 2.d item 1 must be a number that JSON has, found a number (-inf)",
            "params.e must be nested at most 100 levels deep, found an array",
        ],
    ),
    "key": ("sed = 1\n", ["[tool.bundlekit.smoke item 1] has no key 'sed', so it has no effect"]),
}


@pytest.mark.parametrize(("lines", "messages"), _SMOKE_PROBLEMS.values(), ids=_SMOKE_PROBLEMS)
def test_everything_wrong_in_a_smoke_task_is_found_at_once(lines: str, messages: list[str], tmp_path: Path) -> None:
    """One round of mending, and each message says which key it means and what it found there."""
    project = _read(tmp_path, pyproject(after=f"[[tool.bundlekit.smoke]]\n{lines}"))
    found = [problem.message.removeprefix("tool.bundlekit.smoke item 1.") for problem in project.problems]
    assert sorted(found) == sorted(messages)
    assert all(problem.line is not None and problem.column is not None for problem in project.problems)


def test_settings_have_their_values(tmp_path: Path) -> None:
    """What is written is what is read."""
    lines = (
        'include = ["a"]\nexclude = ["b"]\ntargets = ["m:f"]\nnetwork = true\npass-env = ["A"]\npython = "3.12"\n'
        "[tool.bundlekit.worker]\npython = '3.13'\nplatform = 'p'\n[[tool.bundlekit.smoke]]\nentrypoint = 'e/x'\n"
        "params = {b = 0.3, c = [{d = 'x'}]}\nseed = 18446744073709551615\ntimeout-s = 1.5\n[[tool.bundlekit.smoke]]\n"
        "[tool.modelops]\nrequires-fresh-process = true\n"
    )
    settings = _read(tmp_path, pyproject(after=f"[tool.bundlekit]\n{lines}")).settings
    assert (settings.include, settings.exclude, settings.pass_env) == (("a",), ("b",), ("A",))
    assert (settings.network, settings.python, settings.requires_fresh_process) == (True, "3.12", True)
    assert (settings.worker.python, settings.worker.platform) == ("3.13", "p")
    first, second = settings.smoke
    assert (first.entrypoint, first.params, first.seed, first.timeout_s) == (
        "e/x",
        {"b": 0.3, "c": [{"d": "x"}]},
        2**64 - 1,
        1.5,
    )
    assert (second.entrypoint, second.params, second.seed, second.timeout_s) == ("main", {}, 0, 60.0)
    assert second.place is not None
    assert second.place.line == 22


_PLACES: dict[str, tuple[str, tuple[str | int, ...], tuple[int, int] | None]] = {
    "bare": ("a = 1\n", ("a",), (1, 5)),
    "quoted": ('"a.b" = 1\n', ("a.b",), (1, 9)),
    "escaped": ('"a\\u0062" = 1\n', ("ab",), (1, 13)),
    "literal": ("'a\\b' = 1\n", ("a\\b",), (1, 9)),
    "dotted": ("a . b.c = 1\n", ("a", "b", "c"), (1, 11)),
    "table": ("\n  [a.b] # x\n", ("a", "b"), (2, 3)),
    "in-table": ("[a]\r\nb = 1\r\n", ("a", "b"), (2, 5)),
    "array-of-tables": ("[[a]]\n[[a]]\nb = 1\n[a.c]\nd = 2\n", ("a", 1, "c", "d"), (5, 5)),
    "multi-line-string": ('a = """\nx = 1\n"" \\""" """\nb = 2\n', ("b",), (4, 5)),
    "quotes-at-the-end": ('a = """x"""""\nb = 2\n', ("b",), (2, 5)),
    "multi-line-literal": ("a = '''\nx = 1\n'''\nb = 2\n", ("b",), (4, 5)),
    "array": ("a = [ # c\n 1,\n [2, 'x]'], ]\nb = 1\n", ("a", 1, 1), (3, 6)),
    "inline": ("a = {b = {c = [1, {d = 2}]}}\n", ("a", "b", "c", 1, "d"), (1, 24)),
    "parent": ("[a]\nb = 1\n", ("a", "z"), (1, 1)),
    "nothing": ("a = 1\n", ("z",), None),
}


@pytest.mark.parametrize(("text", "path", "place"), _PLACES.values(), ids=_PLACES)
def test_a_key_path_is_mapped_to_its_place(
    text: str, path: tuple[str | int, ...], place: tuple[int, int] | None
) -> None:
    """Line and column are what an editor jumps to."""
    assert TomlText(text.replace("\r\n", "\n")).value(path) == place


_NOT_SCANNED: dict[str, str] = {
    "deeper-than-the-stack": "b = " + "[" * 5000 + "]" * 5000 + "\n",
    "keys-of-another-syntax": "été = 1\n",
    "cut-off": "b = [1,",
}


@pytest.mark.parametrize("rest", _NOT_SCANNED.values(), ids=_NOT_SCANNED)
def test_what_cannot_be_scanned_keeps_the_places_before_it(rest: str) -> None:
    """Places are a courtesy: they must never be the reason of a crash, whatever a newer TOML may allow."""
    assert TomlText(f"a = 1\n{rest}").value(("a",)) == (1, 5)

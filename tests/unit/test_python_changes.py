"""What changed between snapshots of Python state, and how it behaves over the tasks A A B A."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bundlekit.isolation.python_state import Group, Piece, PythonSnapshot, PythonWatch
from bundlekit.model.isolation import Behaviour, PythonChange

_KEY = ("module-global", "model.n")
_AABA = (3, 3, 5, 3)


def _snapshots(values: str, group: str = "model", mark: int = 0) -> list[PythonSnapshot]:
    """Return one snapshot for each letter of `values`: "-" is absent, "?" a module that is not there."""
    found = []
    for value in values:
        pieces = {} if value == "-" else {_KEY: Piece(value, f"text {value}", mark)}
        found.append(PythonSnapshot({} if value == "?" else {group: Group(is_own=True, pieces=pieces)}))
    return found


def _changes(values: str, tasks: tuple[int, ...]) -> list[tuple[str, str, int, Behaviour]]:
    found = PythonWatch().changes(_snapshots(values), tasks)
    assert all((each.kind, each.name, each.is_own) == (*_KEY, True) for each in found)
    return [(each.before, each.after, each.task, each.behaviour) for each in found]


_BEHAVIOURS = {
    "nothing": ("00000", _AABA, []),
    "made once, by the only task": ("01111", (3, 3, 3, 3), []),
    "accumulates, with one task": ("01234", (3, 3, 3, 3), [("text 0", "text 4", 3, Behaviour.ACCUMULATES)]),
    "made once": ("01111", _AABA, []),
    "made once, from nothing": ("-1111", _AABA, []),
    "accumulates": ("01234", _AABA, [("text 0", "text 4", 3, Behaviour.ACCUMULATES)]),
    "accumulates, from nothing": ("-1234", _AABA, [("absent", "text 4", 3, Behaviour.ACCUMULATES)]),
    "accumulates once": ("01222", _AABA, [("text 0", "text 2", 3, Behaviour.ACCUMULATES)]),
    "goes to and fro": ("01010", _AABA, [("text 1", "text 0", 3, Behaviour.ACCUMULATES)]),
    "sticks": ("01122", _AABA, [("text 1", "text 2", 5, Behaviour.PATH_DEPENDENT)]),
    "was removed": ("011--", _AABA, [("text 1", "absent", 5, Behaviour.PATH_DEPENDENT)]),
    "returns to what it was at first": ("01100", _AABA, [("text 1", "text 0", 5, Behaviour.PATH_DEPENDENT)]),
    "of the last task": ("01121", _AABA, [("text 1", "text 2", 5, Behaviour.LAST_TASK)]),
    "other tasks, changed": ("011", (3, 5), [("text 0", "text 1", 3, Behaviour.CHANGED)]),
    "other tasks, changed by the second": ("001", (3, 5), [("text 0", "text 1", 5, Behaviour.CHANGED)]),
    "other tasks, changed and back": ("010", (3, 5), [("text 0", "text 1", 3, Behaviour.CHANGED)]),
    "a process that died": ("012", _AABA, [("text 0", "text 2", 3, Behaviour.CHANGED)]),
    "imported by the first task": ("?1111", _AABA, []),
    "imported by the second": ("???11", _AABA, []),
    "imported late, accumulates": ("?1234", _AABA, [("text 1", "text 4", 3, Behaviour.ACCUMULATES)]),
    "forgotten by the interpreter": ("011?1", _AABA, []),
}


@pytest.mark.parametrize(("values", "tasks", "expected"), _BEHAVIOURS.values(), ids=_BEHAVIOURS)
def test_a_piece_behaves_as_its_values_say(
    values: str, tasks: tuple[int, ...], expected: list[tuple[str, str, int, Behaviour]]
) -> None:
    """What is made once and stays is no leak; what grows, or hangs on the tasks before, is one."""
    assert _changes(values, tasks) == expected


def test_one_object_of_several_modules_is_told_once_by_the_module_that_made_it() -> None:
    """`from model import cache` in the wire module is no second cache."""
    snapshots = []
    for value in "01234":
        piece = Piece(value, value, 77)
        groups = {
            "wire": Group(is_own=True, pieces={("module-global", "wire.cache"): piece}),
            "model": Group(is_own=True, pieces={("module-global", "model.cache"): piece}),
        }
        snapshots.append(PythonSnapshot(groups))
    assert [each.name for each in PythonWatch().changes(snapshots, _AABA)] == ["model.cache"]


def test_own_state_comes_first_and_then_what_accumulates() -> None:
    """A report is read from the top."""
    rows = (("numpy.x", False, "01234"), ("a.sticks", True, "01122"), ("a.grows", True, "01234"))
    snapshots = []
    for at in range(5):
        groups = {name: Group(own, {("other", name): Piece(values[at], values[at], 0)}) for name, own, values in rows}
        snapshots.append(PythonSnapshot(groups))
    assert [each.name for each in PythonWatch().changes(snapshots, _AABA)] == ["a.grows", "a.sticks", "numpy.x"]


def test_what_shows_the_same_text_is_told_to_have_other_content() -> None:
    """Texts are short; two large tables look alike."""
    pieces = [{_KEY: Piece(value, "dict of 3", 0)} for value in "01234"]
    snapshots = [PythonSnapshot({"model": Group(is_own=True, pieces=each)}) for each in pieces]
    assert PythonWatch().changes(snapshots, _AABA) == [
        PythonChange(*_KEY, "dict of 3", "dict of 3 (other content)", 3, Behaviour.ACCUMULATES, is_own=True)
    ]


@pytest.mark.parametrize("name", ["HOME/.cache/fontconfig/x", "/dev/urandom", "HOME/.config/matplotlib/"])
def test_files_that_libraries_make_for_themselves_are_not_the_bundles_own(name: str) -> None:
    """They come with any use of the library."""
    pieces = [{("file", name): Piece(value, value, 0)} for value in "01234"]
    snapshots = [PythonSnapshot({"<files>": Group(is_own=True, pieces=each)}) for each in pieces]
    assert [each.is_own for each in PythonWatch().changes(snapshots, _AABA)] == [False]


_CACHES = {
    "grows": (["", "a", "a", "ab", "ab"], []),
    "has another value": (["", "a", "a", "Ab", "Ab"], [Behaviour.PATH_DEPENDENT]),
    "was emptied": (["", "a", "a", "", ""], [Behaviour.PATH_DEPENDENT]),
    "grows with each task": (["", "a", "ab", "abc", "abcd"], [Behaviour.ACCUMULATES]),
}


@pytest.mark.parametrize(("entries", "expected"), _CACHES.values(), ids=_CACHES)
def test_a_cache_that_another_task_only_adds_to_is_no_change(entries: list[str], expected: list[Behaviour]) -> None:
    """A memo that is keyed well does just that; one that is not is told where an output differs."""
    snapshots = []
    for each in entries:
        piece = Piece(each, f"dict of {len(each)}", 5, frozenset(each))
        snapshots.append(PythonSnapshot({"model": Group(is_own=True, pieces={_KEY: piece})}))
    assert [each.behaviour for each in PythonWatch().changes(snapshots, _AABA)] == expected
    assert len(PythonWatch().changes([snapshots[0], snapshots[4]], [3])) == (entries[4] != entries[0])


def _with_imports(values: str, imported: str, name: str) -> list[PythonSnapshot]:
    """Return a snapshot for each letter of `values`; those of `imported` are the modules there were."""
    found = []
    for at, value in enumerate(values):
        groups = {name: Group(is_own=True, pieces={("other", "x"): Piece(value, value, 0)})}
        found.append(PythonSnapshot(groups, frozenset(imported[: at + 1].replace("-", ""))))
    return found


_IMPORTS = {
    "as a library was imported": ("01122", "---a-", "<warnings>", False),
    "with no import": ("01122", "-----", "<warnings>", True),
    "with an import before": ("01122", "-a---", "<warnings>", True),
    "in a module of its own": ("01122", "---a-", "model", True),
    "as a library was imported, and before": ("01233", "---a-", "<warnings>", True),
}


@pytest.mark.parametrize(("values", "imported", "name", "is_own"), _IMPORTS.values(), ids=_IMPORTS)
def test_what_a_library_sets_as_it_is_imported_is_not_the_bundles_own(
    values: str, imported: str, name: str, *, is_own: bool
) -> None:
    """The first task that needs numpy adds its warnings filters."""
    changes = PythonWatch().changes(_with_imports(values, imported, name), _AABA)
    assert [each.is_own for each in changes] == [is_own]


def test_names_are_such_as_can_be_written_on_a_terminal() -> None:
    """A bundle chooses the names of its files."""

    class Process:
        pid = 0
        code = tree = Path("/nowhere")

        def ask(self, _method: str, _params: Mapping[str, object]) -> Mapping[str, object]:
            items = [["file", "\x1b[2J", "1", "a\nb", 0, []], ["no piece"], None]
            return {"groups": [["<files>", 1, items], "no group"], "foreign": None}

    snapshot = PythonWatch().snapshot(Process())
    assert snapshot.groups == {"<files>": Group(is_own=True, pieces={("file", "\\x1b[2J"): Piece("1", "a\\nb", 0)})}

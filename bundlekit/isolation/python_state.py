"""Python state that tasks change and leave in a warm process: the process tells what there is, and this what changed.

See: `cold_runner/child/state` for what is looked at, and how.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bundlekit.isolation.extension_memory import dicts_among, pointers_in_extensions
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.model.isolation import Behaviour, PythonChange

__all__ = ["Group", "Piece", "PythonSnapshot", "PythonWatch"]

_METHOD = "python_state"
_ABSENT = "absent"
_WIRE = "bundle_wire"
"""What the runner calls a wire module that is given as a file."""
_MAX_TEXT = 200
_MAX_CHANGES = 200
_OF_THE_PROCESS = "<"
"""How the names of groups begin that are no module."""
_BY_NO_IMPORT = frozenset({"random", "numpy", "cwd", "locale", "module-global", "class-attribute"})
"""Kinds of state that no library changes as it is imported."""
_OF_LIBRARIES = ("HOME/.cache/", "HOME/.config/", "HOME/.local/", "/dev/", "anon_inode", "socket", "/usr/", "/etc/")
"""Files that libraries make or open for themselves, however they are used."""
_ORDER = (Behaviour.ACCUMULATES, Behaviour.PATH_DEPENDENT, Behaviour.CHANGED, Behaviour.LAST_TASK)


class Piece(NamedTuple):
    """One piece of state: a fingerprint that equal values share, a short text, and which object it is (0: a scalar).

    `entries` are fingerprints of what a dict, set or cache has, none where it is none of these, empty, or large.
    """

    fingerprint: str
    text: str
    mark: int
    entries: frozenset[str] = frozenset()


class Group(NamedTuple):
    """What a module holds, or a part of the process, by kind and name. It has no place before it was imported."""

    is_own: bool
    pieces: Mapping[tuple[str, str], Piece]


class PythonSnapshot(NamedTuple):
    """All groups of one moment, in the order of their imports; `foreign` are the modules that are not the bundle's."""

    groups: Mapping[str, Group]
    foreign: frozenset[str] = frozenset()


class PythonWatch:
    """A :class:`Watch` that sees Python state; has the child look at itself."""

    unseen: tuple[str, ...] = ()

    def snapshot(self, process: WatchedProcess) -> PythonSnapshot:
        """Return what there is now."""
        answer = process.ask(_METHOD, {})
        wire = str(answer.get("wire") or _WIRE)
        groups = dict(_groups(answer, {}, wire))
        places = pointers_in_extensions(process.pid, (process.code, process.tree))
        if places:
            dicts = dicts_among(process.pid, list(places), answer.get("dict_type"))
            natives = process.ask(_METHOD, {"addresses": list(places), "dicts": dicts})
            groups.update(_groups(natives, places, wire))
        cut = answer.get("cut")
        is_cut = isinstance(cut, int) and cut > 0
        self.unseen = (f"of Python values, only the beginning of {cut}, which are large",) if is_cut else ()
        foreign = answer.get("foreign")
        return PythonSnapshot(groups, frozenset(map(str, foreign if isinstance(foreign, list) else ())))

    def changes(self, snapshots: Sequence[PythonSnapshot], tasks: Sequence[int]) -> Sequence[PythonChange]:
        """Return what tasks changed and left, the bundle's own state first.

        Of the tasks A A B A it is told how each piece behaves, and nothing of what the first one made and none changed
        after it, nor of a cache to which B only added: whether it is keyed well, its state cannot tell. Of any other
        sequence all is told that is not as it was at first: CHANGED.
        """
        found = list[PythonChange]()
        for history in _without_aliases(_histories(snapshots), snapshots):
            change = _change(history, snapshots, tasks)
            if change is not None:
                found.append(change)
        found.sort(key=lambda each: (not each.is_own, _ORDER.index(each.behaviour)))
        return found[:_MAX_CHANGES]


_History = tuple[str, tuple[str, str], list[Piece | None]]


def _histories(snapshots: Sequence[PythonSnapshot]) -> Iterator[_History]:
    """Yield what became of each piece, None where it was absent; before its group was imported it was as found then."""
    names = dict.fromkeys(name for snapshot in snapshots for name in snapshot.groups)
    for name in names:
        groups = [snapshot.groups.get(name) for snapshot in snapshots]
        filled = _filled(groups)
        for key in dict.fromkeys(key for group in filled for key in group.pieces):
            pieces = [group.pieces.get(key) for group in filled]
            if len(set(map(_print, pieces))) > 1:
                yield name, key, pieces


def _filled(groups: Sequence[Group | None]) -> list[Group]:
    known = [group for group in groups if group is not None]
    found, last = list[Group](), known[0]
    for group in groups:
        last = last if group is None else group
        found.append(last)
    return found


def _without_aliases(histories: Iterator[_History], snapshots: Sequence[PythonSnapshot]) -> list[_History]:
    """Leave out other names of one object: of several modules that have it, the one imported last has made it."""
    order = {name: place for place, name in enumerate(dict.fromkeys(each for one in snapshots for each in one.groups))}
    kept = dict[object, _History]()
    for history in histories:
        name, key, pieces = history
        marks = tuple(0 if piece is None else piece.mark for piece in pieces)
        identity: object = marks if any(marks) and key[0] == "module-global" else (name, key)
        if identity not in kept or order[name] > order[kept[identity][0]]:
            kept[identity] = history
    return list(kept.values())


def _is_own(history: _History, snapshots: Sequence[PythonSnapshot], before: int, after: int) -> bool:
    """Whether the bundle itself did what happened from `before` to `after`, as far as can be told.

    What is of the process alone may be the work of a library: when it changed only as one was imported, it was.
    """
    name, (kind, place), pieces = history
    if not all(each.groups[name].is_own for each in snapshots if name in each.groups):
        return False
    if not name.startswith(_OF_THE_PROCESS) or kind in _BY_NO_IMPORT:
        return True
    if kind in {"file", "open-file"} and place.startswith(_OF_LIBRARIES):
        return False
    steps = range(before + 1, after + 1)
    changed = [at for at in steps if _print(pieces[at]) != _print(pieces[at - 1])]
    return any(not snapshots[at].foreign - snapshots[at - 1].foreign for at in changed)


def _print(piece: Piece | None) -> str:
    return _ABSENT if piece is None else piece.fingerprint


def _change(history: _History, snapshots: Sequence[PythonSnapshot], tasks: Sequence[int]) -> PythonChange | None:
    _, key, pieces = history
    prints = [_print(piece) for piece in pieces]
    behaviour, before, after = _behaviour(prints, tasks)
    if behaviour is None or (behaviour is Behaviour.PATH_DEPENDENT and _has_only_grown(pieces[before], pieces[after])):
        return None
    first = next(at for at in range(before, len(prints)) if prints[at] != prints[before])
    texts = [_ABSENT if piece is None else piece.text for piece in (pieces[before], pieces[after])]
    if texts[0] == texts[1]:
        texts[1] += " (other content)"
    is_own = _is_own(history, snapshots, before, after)
    return PythonChange(*key, texts[0], texts[1], tasks[first - 1], behaviour, is_own)


def _behaviour(prints: Sequence[str], tasks: Sequence[int]) -> tuple[Behaviour | None, int, int]:
    """Return how a piece with these fingerprints behaves, and which two moments show that."""
    last = len(prints) - 1
    if not _is_aaba(tasks) or len(prints) <= len(tasks):
        changed = next((at for at in range(last, 0, -1) if prints[at] != prints[0]), None)
        return (None, 0, 0) if changed is None else (Behaviour.CHANGED, 0, changed)
    _, first, again, other, back = prints
    if first != again:
        return Behaviour.ACCUMULATES, 0 if prints[0] != back else 1, last if prints[0] != back else 2
    if first != back:
        return Behaviour.PATH_DEPENDENT, 1, last
    if first != other:
        return Behaviour.LAST_TASK, 1, 3
    return None, 0, 0


def _has_only_grown(before: Piece | None, after: Piece | None) -> bool:
    return before is not None and after is not None and bool(before.entries) and before.entries <= after.entries


def _is_aaba(tasks: Sequence[int]) -> bool:
    """Whether this is A A B A; where there is but one task, B is A."""
    return len(tasks) == 4 and tasks[0] == tasks[1] == tasks[3]  # noqa: PLR2004 - A A B A


def _groups(answer: Mapping[str, object], places: Mapping[int, str], wire: str) -> Iterator[tuple[str, Group]]:
    """Yield the groups in what a process says, which holds bundle code: what is none is passed over."""
    groups = answer.get("groups")
    for each in groups if isinstance(groups, list) else ():
        match each:
            case [str(name), int(is_own), list(items)]:
                yield name, Group(bool(is_own), dict(_pieces(items, places, wire)))
            case _:
                continue


def _pieces(items: Sequence[object], places: Mapping[int, str], wire: str) -> Iterator[tuple[tuple[str, str], Piece]]:
    for each in items:
        match each:
            case [str(kind), str(name), str(fingerprint), str(text), int(mark), list(entries)]:
                if name.isdecimal() and int(name) in places:
                    name = f"{places[int(name)]} (Python object)"
                name, text = (_shown(part.replace(f"{_WIRE}.", f"{wire}.")) for part in (name, text))
                yield (kind, name), Piece(fingerprint, text, mark, frozenset(map(str, entries)))
            case _:
                continue


def _shown(text: str) -> str:
    """Return `text` as it can be written on a terminal."""
    return text[:_MAX_TEXT] if text.isprintable() else ascii(text[:_MAX_TEXT])[1:-1][:_MAX_TEXT]

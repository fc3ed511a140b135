"""Overlay mounts over a bundle's files: writable at once, whatever their number, and gone without a trace.

See: DESIGN decision 4.
"""

import contextlib
import os
import stat
from collections.abc import Callable

from ..mounts import enter_mount_namespace, mount_overlay, mount_scratch, unmount
from .tree_removal import discard_tree
from .writes import Write, same_content, states_below

__all__ = ["OverlayLayer", "Overlays"]


class Overlays:
    """Makes overlays in the directory `room`, which is this process's own; the first use finds out whether it can.

    Children from before that first use see none of them: `before_entering` is called to end those that wait.
    Mounting is done at once; taking a mount away waits for all processors of the machine, so it is left to
    :meth:`tidy`, when nobody waits for an answer.
    """

    def __init__(self, room: str, before_entering: Callable[[], None] = lambda: None) -> None:
        self._room = os.path.join(room, "overlays")
        self._before_entering = before_entering
        self._possible: bool | None = None
        self._mounted: list[tuple[str, list[str]]] = []

    def over(self, below: str, directory: str, rubbish: str | None = None) -> str | None:
        """Show `below` in `directory`, writable; return where what is written goes, None where that cannot be had.

        When the overlay goes, so does the directory `rubbish`.
        """
        if not self.possible:
            return None
        own = os.path.join(self._room, os.urandom(8).hex())
        upper, work = os.path.join(own, "upper"), os.path.join(own, "work")
        for each in (own, upper, work):
            os.mkdir(each, 0o755)
        if not mount_overlay(below, upper, work, directory):
            discard_tree(own)
            return None
        self._mounted.append((directory, [own] if rubbish is None else [own, rubbish]))
        return upper

    def tidy(self) -> None:
        """Take all overlays away, with what was written; nothing may run in them any more."""
        while self._mounted:
            directory, rubbish = self._mounted.pop()
            unmount(directory)
            for each in rubbish:
                discard_tree(each)

    @property
    def possible(self) -> bool:
        """Whether an overlay can be had at all."""
        if self._possible is None:
            os.makedirs(self._room, 0o700)
            self._before_entering()
            size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
            self._possible = enter_mount_namespace() and mount_scratch(self._room, size)
        return self._possible

    def take_away(self, directory: str) -> None:
        """Take away what lies over `directory`, if anything does; nothing may run in it any more."""
        for mounted, rubbish in self._mounted:
            if mounted == directory:
                self._mounted.remove((mounted, rubbish))
                unmount(directory)
                for each in rubbish:
                    discard_tree(each)
                return

    def close(self) -> None:
        """Take everything away, and let go of the memory."""
        self.tidy()
        if self._possible:
            unmount(self._room)
            self._possible = False


class OverlayLayer:
    """The bundle's files themselves, with what is written over them in `upper`."""

    def __init__(self, tree: str, path: str, upper: str) -> None:
        self.path = path
        self._tree = tree
        self._upper = upper

    def writes(self) -> tuple[Write, ...]:
        """Return what a look at what was written finds: the kernel notes deletions there as devices of number 0."""
        found: list[Write] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            names = set()
            with contextlib.suppress(OSError), os.scandir(os.path.join(self._upper, folder)) as entries:
                for entry in entries:
                    names.add(entry.name)
                    self._add(folder + entry.name, entry.stat(follow_symlinks=False), found, folders)
            if folder and not names and not os.path.isdir(os.path.join(self._tree, folder)):
                found.append(Write(folder, "created"))
            if folder and self._hides_what_is_below(folder):
                found += [Write(path, "deleted") for path in self._files_below(folder) if not self._is_there(path)]
        return tuple(sorted(found))

    def _add(self, path: str, state: os.stat_result, found: list[Write], folders: list[str]) -> None:
        below = os.path.join(self._tree, path)
        if stat.S_ISCHR(state.st_mode) and state.st_rdev == 0:
            gone = self._files_below(path + "/") if os.path.isdir(below) and not os.path.islink(below) else [path]
            found += [Write(each, "deleted") for each in gone]
        elif stat.S_ISDIR(state.st_mode):
            folders.append(path + "/")
            if os.path.lexists(below) and not os.path.isdir(below):
                found.append(Write(path, "deleted"))
        elif not os.path.lexists(below):
            found.append(Write(path, "created"))
        elif os.path.isdir(below):
            found += [Write(each, "deleted") for each in self._files_below(path + "/")]
            found.append(Write(path, "created"))
        else:
            before = os.lstat(below)
            same = (before.st_mode, before.st_size) == (state.st_mode, state.st_size)
            if not same or not same_content(below, os.path.join(self._upper, path)):
                found.append(Write(path, "modified"))

    def _hides_what_is_below(self, folder: str) -> bool:
        try:
            return os.getxattr(os.path.join(self._upper, folder), "trusted.overlay.opaque") == b"y"
        except (OSError, AttributeError):
            return False

    def _is_there(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._upper, path))

    def _files_below(self, folder: str) -> list[str]:
        states = states_below(os.path.join(self._tree, folder))
        return [folder + path for path in states if not path.endswith("/")]

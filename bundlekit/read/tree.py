"""The walk over a bundle's directory: what ships, what is left out and why, what cannot ship.

Nothing is opened but directories and ``.modelopsignore``, and no link is followed, so a FIFO, a device or a link to
somewhere else in the tree can neither block nor leak.

See: DESIGN decision 2; CONTRACT section 5; HOSTILE_CORPUS B.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.exclusions import excluded_by_default, is_virtual_environment
from bundlekit.errors import FileAccessError, LimitExceededError, UsageError
from bundlekit.model.member import colliding_paths, is_git_name, is_reserved_name, path_error, path_limit_error
from bundlekit.model.project import NOT_TRACKED, Excluded, Member, RefusedEntry
from bundlekit.read.links import copies_of
from bundlekit.read.shipping_rules import ShippingRules, read_rules

__all__ = ["MAX_MEMBERS", "MAX_MEMBER_BYTES", "MAX_TOTAL_BYTES", "UNFINISHED", "Walk", "walk"]

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 0o77777777777
"""8 GiB - 1, what the size field of a ustar header holds."""

MAX_TOTAL_BYTES = 64 << 30

_SHOWN_LARGEST = 3
_ARCHIVE = ".tar.zst"
_REPORT = ".report.json"
UNFINISHED = re.compile(r"\.bundlekit-\w+\.(?:pack|unpack)")
"""Names of what is being written, or was by a process that was killed."""

_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a character device",
    stat.S_IFBLK: "is a block device",
}


class Walk(NamedTuple):
    """What a directory holds, each part sorted by the UTF-8 bytes of the paths."""

    members: tuple[Member, ...]
    excluded: tuple[Excluded, ...]
    refused: tuple[RefusedEntry, ...]
    empty_directories: tuple[str, ...]


def walk(
    root: Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    tracked: Collection[str] | None = None,
    copy_symlinks: bool = False,
) -> Walk:
    """Return what of the directory `root` ships: all but the default exclusions, ``.modelopsignore`` and `exclude`.

    `include` and `exclude` are gitignore patterns from the settings. The last pattern that matches decides, in the
    order default exclusions, ``.modelopsignore``, `include`, `exclude`; a directory that is left out is entered only
    where a pattern brings back something in it by its path. ``.git`` and ``.bundlekit`` stay out whatever is said.
    Where there is a list of `tracked` files, no others ship but those that `include` names. With `copy_symlinks`, a
    link to what ships is a copy of it; otherwise no link ships.

    Raises:
        UsageError: `root` is not a directory.
        FileAccessError: a directory cannot be listed.
        LimitExceededError: more files or bytes than an archive may hold.
    """
    if not root.is_dir():
        message = f"{root} is not a directory"
        raise UsageError(message, subject=str(root), hint="name the directory that holds the bundle's pyproject.toml")
    rules, problems = read_rules(root, include, exclude)
    walker = _Walker(root, rules, None if tracked is None else _with_directories(tracked), copy_symlinks=copy_symlinks)
    walker.visit("", excluded_as=None)
    walker.refused.extend(problems)
    return walker.result()


class _Entry(NamedTuple):
    path: str
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


class _Walker:
    """Collects while it descends; the lists become one frozen :class:`Walk`."""

    def __init__(
        self, root: Path, rules: ShippingRules, tracked: Collection[str] | None = None, *, copy_symlinks: bool = False
    ) -> None:
        self.root = os.fsencode(root)
        self.rules = rules
        self.tracked = tracked
        self.links: list[str] | None = [] if copy_symlinks else None
        self.members: list[Member] = []
        self.excluded: list[Excluded] = []
        self.refused: list[RefusedEntry] = []
        self.empty: list[str] = []
        self.total_bytes = 0

    def visit(self, directory: str, *, excluded_as: str | None) -> None:
        """Sort the entries of `directory`, which the pattern `excluded_as` leaves out unless they are brought back."""
        entries = list(_entries(self.root, directory))
        paths = frozenset(entry.path for entry in entries)
        for entry in entries:
            reason = self._reason_to_exclude(entry, excluded_as, paths)
            if entry.is_directory:
                self._enter(entry.path, reason)
            elif reason is not None:
                self.excluded.append(Excluded(entry.path, reason))
            else:
                self._admit(entry)
        if not entries and directory and excluded_as is None:
            self.empty.append(directory)

    def _reason_to_exclude(self, entry: _Entry, inherited: str | None, siblings: frozenset[str]) -> str | None:
        name = entry.path.rpartition("/")[2]
        if is_git_name(name) or (name == ".gitmodules" and entry.is_link):
            return "git's own (never ships)"
        if is_reserved_name(name):
            return "reserved (never ships)"
        # A link may stand for a directory (.venv often does), so both kinds of pattern leave it out.
        kinds = (False, True) if entry.is_link else (entry.is_directory,)
        for is_directory in kinds:
            default = excluded_by_default(entry.path, is_directory=is_directory) or _product(entry.path, siblings)
            if default is None and entry.is_directory and is_virtual_environment(self._location(entry.path)):
                default = "a virtual environment"
            reason = self.rules.decide(entry.path, is_directory=is_directory, default=default, inherited=inherited)
            if reason is not None:
                return reason
        is_tracked = self.tracked is None or entry.path in self.tracked
        if is_tracked or self.rules.is_included(entry.path, is_directory=entry.is_directory):
            return None
        return NOT_TRACKED

    def _location(self, path: str) -> str:
        return f"{os.fsdecode(self.root)}/{path}"

    def _enter(self, path: str, reason: str | None) -> None:
        if reason is not None and not self.rules.reaches_into(path):
            self.excluded.append(Excluded(path + "/", reason))
            return
        problem = path_error(path) or path_limit_error(path)
        if problem is not None:
            self.refused.append(RefusedEntry(path, problem))
            return
        self.visit(path, excluded_as=reason)

    def _admit(self, entry: _Entry) -> None:
        may_be_copied = entry.is_link and self.links is not None
        problem = None if may_be_copied else _KINDS.get(stat.S_IFMT(entry.status.st_mode))
        problem = problem or path_error(entry.path) or path_limit_error(entry.path)
        if problem is not None:
            self.refused.append(RefusedEntry(entry.path, problem))
        elif entry.is_link and self.links is not None:
            self.links.append(entry.path)
        else:
            self._add(Member(entry.path, entry.status.st_size, bool(entry.status.st_mode & stat.S_IXUSR)))

    def _add(self, member: Member) -> None:
        self.total_bytes += member.size
        self.members.append(member)
        if member.size > MAX_MEMBER_BYTES or self.total_bytes > MAX_TOTAL_BYTES:
            message = f"{member.path} has {member.size:,} bytes, and a bundle at most {MAX_MEMBER_BYTES:,} a file"
            message += f" and {MAX_TOTAL_BYTES:,} in all; the largest so far are {_largest(self.members)}"
            raise LimitExceededError(message, subject=member.path, hint="keep large data out with .modelopsignore")
        if len(self.members) > MAX_MEMBERS:
            message = f"the bundle has more than {MAX_MEMBERS:,} files; {member.path} is one too many"
            raise LimitExceededError(message, subject=member.path, hint="leave directories out with .modelopsignore")

    def result(self) -> Walk:
        """Return what was collected, links as copies, with colliding names moved from the members to the refused."""
        for copy in copies_of(Path(os.fsdecode(self.root)), self.links or (), self.members):
            if isinstance(copy, RefusedEntry):
                self.refused.append(copy)
            else:
                self._add(copy)
        collisions = colliding_paths(member.path for member in self.members)
        collided = {path for pair in collisions for path in pair}
        for first, second in collisions:
            # Escaped, since the two look the same on most screens.
            for path, other in ((first, second), (second, first)):
                reason = f"is, written {path!a}, the same name as {other!a} after Unicode normalisation (NFC)"
                self.refused.append(RefusedEntry(path, reason))
        return Walk(
            tuple(sorted((m for m in self.members if not _within(m.path, collided)), key=lambda m: _order(m.path))),
            tuple(Excluded(_speakable(e.path), e.pattern) for e in sorted(self.excluded, key=lambda e: _order(e.path))),
            tuple(
                RefusedEntry(_speakable(r.path), r.reason) for r in sorted(self.refused, key=lambda r: _order(r.path))
            ),
            tuple(sorted(self.empty, key=_order)),
        )


def _product(path: str, siblings: frozenset[str]) -> str | None:
    """Return what says that `path` is an archive that `pack` left here, its report, or what a killed command left.

    Packing a bundle twice from within its own directory must give the same digest.
    """
    if path.endswith(_ARCHIVE) and path + _REPORT in siblings:
        return "an archive with its report beside it"
    if path.endswith(_ARCHIVE + _REPORT) and path.removesuffix(_REPORT) in siblings:
        return "the report of an archive"
    return "left by an interrupted command" if UNFINISHED.fullmatch(path.rpartition("/")[2]) else None


def _with_directories(paths: Collection[str]) -> Collection[str]:
    """Return `paths` and all directories that hold one of them."""
    found = set(paths)
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _largest(members: Sequence[Member]) -> str:
    largest = sorted(members, key=lambda member: -member.size)[:_SHOWN_LARGEST]
    return ", ".join(f"{member.path} ({member.size:,})" for member in largest)


def _within(path: str, collided: set[str]) -> bool:
    return bool(collided) and any(path == other or path.startswith(other + "/") for other in collided)


def _speakable(path: str) -> str:
    r"""Return the path with bytes that are not UTF-8 as ``\xff``: reports are JSON, which cannot hold them."""
    return _order(path).decode("utf-8", "backslashreplace")


def _order(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _entries(root: bytes, directory: str) -> Iterator[_Entry]:
    """Yield the entries of a directory; names are read as UTF-8 whatever the locale says."""
    here = root + b"/" + os.fsencode(directory) if directory else root
    prefix = directory + "/" if directory else ""
    try:
        with os.scandir(here) as listing:
            for entry in listing:
                name = entry.name.decode("utf-8", "surrogateescape")
                yield _Entry(prefix + name, entry.stat(follow_symlinks=False))
    except OSError as error:
        message = f"cannot list {directory or '.'}: {error.strerror}"
        raise FileAccessError(message, subject=directory or ".") from error

"""Symbolic links as copies of what they lead to: only where that stays inside the bundle and ships by itself.

What a link leads to is looked up among the members, so nothing comes in by a link that would not without it, no file is
opened, and no link is followed into another one's directory: there is no loop to run into.

See: HOSTILE_CORPUS A08, N11, N12.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from bundlekit.model.member import path_limit_error
from bundlekit.model.project import Member, RefusedEntry

__all__ = ["copies_of"]


def copies_of(root: Path, links: Sequence[str], members: Sequence[Member]) -> Iterator[Member | RefusedEntry]:
    """Yield for each of the `links` the members that it stands for, or why it cannot ship.

    `members` are the regular files that ship; they may grow by what is yielded. Links to directories can ask for very
    many copies, so the caller counts them as they come.
    """
    # As bytes: under the locale C, a name with an accent is no text that the system could look up.
    top = os.path.realpath(os.fsencode(root))
    ordered = sorted(members, key=lambda member: member.path)
    paths, holding = [member.path for member in ordered], sorted(links)
    for link in holding:
        target = _target(top, link)
        if isinstance(target, RefusedEntry):
            yield target
            continue
        at = bisect_left(paths, target)
        if at < len(paths) and paths[at] == target:
            yield ordered[at]._replace(path=link, source=target)
            continue
        inside = target + "/"
        if _holds_below(holding, inside):
            yield RefusedEntry(link, f"is a symbolic link to {target!a}, a directory that holds links itself")
            continue
        if not _holds_below(paths, inside):
            yield RefusedEntry(link, f"is a symbolic link to {target!a}, which does not ship")
        for member in ordered[bisect_left(paths, inside) :]:
            if not member.path.startswith(inside):
                break
            yield _below(link, member, inside)


def _holds_below(ordered: Sequence[str], inside: str) -> bool:
    at = bisect_left(ordered, inside)
    return at < len(ordered) and ordered[at].startswith(inside)


def _target(top: bytes, link: str) -> str | RefusedEntry:
    """Return the path, from the bundle's root, that a link leads to in the end."""
    try:
        real = os.path.realpath(top + b"/" + link.encode(), strict=True)
    except OSError as error:
        return RefusedEntry(link, f"is a symbolic link that leads nowhere ({error.strerror})")
    target = os.path.relpath(real, top).decode("utf-8", "surrogateescape")
    if target == os.pardir or target.startswith(os.pardir + os.sep):
        return RefusedEntry(link, "is a symbolic link that leads out of the bundle")
    if target == os.curdir:
        return RefusedEntry(link, "is a symbolic link to the bundle itself")
    return target


def _below(link: str, member: Member, inside: str) -> Member | RefusedEntry:
    path = f"{link}/{member.path.removeprefix(inside)}"
    problem = path_limit_error(path)
    return RefusedEntry(path, problem) if problem is not None else member._replace(path=path, source=member.path)

"""Which files a bundle's own patterns leave out or bring back: ``.modelopsignore`` and the settings, as gitignore does.

See: CONTRACT section 5; https://git-scm.com/docs/gitignore (the patterns).
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.errors import FileAccessError, LimitExceededError
from bundlekit.model.project import RefusedEntry

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

__all__ = ["IGNORE_FILE", "MAX_IGNORE_BYTES", "ShippingRules", "read_rules"]

IGNORE_FILE = ".modelopsignore"
_INCLUDE = "include"
MAX_IGNORE_BYTES = 1 << 20
_MAX_PATTERNS = 5_000
"""Each takes a tenth of a millisecond to read, and is held against each path."""

_MAX_DOUBLE_STARS = 5
"""Matching takes a power of a path's depth, one higher for each."""

_MAX_STARS = 4
"""Of those that may have to be tried at every place, see below."""

_STARS = re.compile(r"(?:\[\^/\]\*){2,}")
_TWO_STARS = re.compile(
    r"\[\^/\]\*((?:\\.|\[\^/\](?!\*)|\[[^\]\\/^\-]+\]|[^\\\[\]().*+?{}|^$/])++)(?=\[\^/\]\*)", re.DOTALL
)
_STAR = re.compile(r"\[\^/\]\*(?!\?)")
"""In what pathspec makes of a pattern: a star, single characters that are no slash, and the star after them."""


class _Line(NamedTuple):
    """One pattern, and the name of the file or setting that it comes from."""

    pattern: str
    origin: str


class ShippingRules:
    """The patterns of one bundle, in order; the last one that matches decides."""

    def __init__(self, lines: Sequence[_Line] = (), spec: "GitIgnoreSpec | None" = None) -> None:
        self._lines = lines
        self._spec = spec
        self._returning = tuple(_literal_start(line.pattern) for line in lines if line.pattern.startswith("!"))

    def decide(self, path: str, *, is_directory: bool, default: str | None, inherited: str | None) -> str | None:
        """Return what keeps `path` out, or None when it ships.

        `default` is the default exclusion that fits its name, `inherited` what keeps out the directory that holds it.
        """
        reason = f"{default} (default)" if default is not None else inherited
        if self._spec is None:
            return reason
        verdict = self._spec.check_file(path + "/" if is_directory else path)
        if verdict.include is None or verdict.index is None:
            return reason
        line = self._lines[verdict.index]
        if verdict.include:
            return f"{line.pattern} ({line.origin})"
        return reason if default is not None and self._comes_from_above(path, verdict.index) else None

    def _comes_from_above(self, path: str, index: int) -> bool:
        """Whether the pattern already matched the directory that holds `path`.

        So that including ``build/`` brings back what is in it, but not the ``__pycache__/`` in there.
        """
        parent = path.rpartition("/")[0]
        return bool(parent) and self._spec is not None and self._spec.check_file(parent + "/").index == index

    def is_included(self, path: str, *, is_directory: bool) -> bool:
        """Whether the pattern that decides about `path` is one of ``include``."""
        if self._spec is None:
            return False
        index = self._spec.check_file(path + "/" if is_directory else path).index
        return index is not None and self._lines[index].origin == _INCLUDE

    def reaches_into(self, directory: str) -> bool:
        """Whether a pattern names something in this directory, so that it must be entered although it is left out."""
        inside = directory + "/"
        return any(start.startswith(inside) or inside.startswith(start) for start in self._returning if start)


def read_rules(
    root: Path, include: Sequence[str], exclude: Sequence[str]
) -> tuple[ShippingRules, tuple[RefusedEntry, ...]]:
    """Return the rules of the bundle at `root`, and the patterns that cannot be read, which are then without effect.

    Raises:
        LimitExceededError: there are more patterns, or they are longer, than anyone writes.
        FileAccessError: the file of patterns cannot be read.
    """
    lines = [_Line(text, IGNORE_FILE) for text in _ignore_lines(root)]
    lines += [_Line("!" + text, _INCLUDE) for text in include]
    lines += [_Line(text, "exclude") for text in exclude]
    if not lines:
        return ShippingRules(), ()
    if len(lines) > _MAX_PATTERNS:
        message = f"{len(lines):,} patterns decide what ships, more than the limit of {_MAX_PATTERNS:,}"
        raise LimitExceededError(message, subject=IGNORE_FILE)
    # Here and not above: pathspec costs several milliseconds, and most bundles have no patterns of their own.
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    good: list[_Line] = []
    patterns: list[GitIgnoreSpecPattern] = []
    problems: list[RefusedEntry] = []
    for line in lines:
        try:
            read = [_without_backtracking(pattern) for pattern in GitIgnoreSpec.from_lines([line.pattern]).patterns]
        except ValueError:
            problems.append(_refused(line, "which is not a gitignore pattern"))
            continue
        if line.pattern.count("**") > _MAX_DOUBLE_STARS or any(_has_many_stars(pattern) for pattern in read):
            problems.append(_refused(line, "whose many stars would take too long to match"))
            continue
        # An empty line gives no pattern, so it must not be counted either.
        good.extend(line for _ in read)
        patterns.extend(read)
    return ShippingRules(good, GitIgnoreSpec(patterns)), tuple(problems)


def _refused(line: _Line, why: str) -> RefusedEntry:
    place = IGNORE_FILE if line.origin == IGNORE_FILE else "pyproject.toml"
    return RefusedEntry(place, f"has the pattern {line.pattern!r:.80}, {why}")


def _without_backtracking(pattern: "GitIgnoreSpecPattern") -> "GitIgnoreSpecPattern":
    """Return `pattern` with a regular expression that takes a time in proportion to the length of a name.

    Where single characters stand between two stars, their first place is always a good one, and what was tried once
    need not be tried again. As written, ``a*a*a*a*b`` takes the fourth power of the length of a name full of a.
    """
    if pattern.regex is None:
        return pattern
    before = str(pattern.regex.pattern)
    after = _TWO_STARS.sub(r"(?>[^/]*?\1)", _STARS.sub("[^/]*", before))
    return pattern if after == before else type(pattern)(re.compile(after), pattern.include)


def _has_many_stars(pattern: "GitIgnoreSpecPattern") -> bool:
    return pattern.regex is not None and len(_STAR.findall(str(pattern.regex.pattern))) > _MAX_STARS


def _literal_start(pattern: str) -> str:
    """Return the part of a negated pattern before its first wildcard, when it is anchored by a slash, else ""."""
    text = pattern.removeprefix("!").removeprefix("/")
    if "/" not in text.rstrip("/"):
        return text.rstrip("/") + "/" if pattern.startswith("!/") and not _has_wildcard(text) else ""
    start = text
    for wildcard in "*?[\\":
        start = start.partition(wildcard)[0]
    return start


def _has_wildcard(text: str) -> bool:
    return any(wildcard in text for wildcard in "*?[\\")


def _ignore_lines(root: Path) -> list[str]:
    """Return the lines of ``.modelopsignore``; a link or a FIFO of that name is refused by the walk and not read."""
    path = root / IGNORE_FILE
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return []
        # What took its place since that look must neither block nor be followed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
            data = file.read(MAX_IGNORE_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"cannot read {IGNORE_FILE}: {error.strerror}"
        raise FileAccessError(message, subject=IGNORE_FILE) from error
    if len(data) > MAX_IGNORE_BYTES:
        message = f"{IGNORE_FILE} is longer than {MAX_IGNORE_BYTES:,} bytes"
        raise LimitExceededError(message, subject=IGNORE_FILE)
    # Today's tool strips each line; gitignore takes off only what follows a pattern, which its parser does.
    return [line.lstrip() for line in data.decode("utf-8-sig", "surrogateescape").splitlines()]

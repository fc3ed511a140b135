"""Which modules the standard library of which Python has: those that came or went since 3.8, and all others.

See: "What's New in Python" 3.9 to 3.14, sections on new and removed modules; PEP 594 (dead batteries).
"""

import re
import sys

__all__ = ["exists_in", "pythons_without"]

_REMOVED: dict[str, int] = {
    "dummy_threading": 9,
    "formatter": 10,
    "parser": 10,
    "symbol": 10,
    "macpath": 8,
    "binhex": 11,
    "asynchat": 12,
    "asyncore": 12,
    "distutils": 12,
    "imp": 12,
    "smtpd": 12,
    "aifc": 13,
    "audioop": 13,
    "cgi": 13,
    "cgitb": 13,
    "chunk": 13,
    "crypt": 13,
    "imghdr": 13,
    "mailcap": 13,
    "msilib": 13,
    "nis": 13,
    "nntplib": 13,
    "ossaudiodev": 13,
    "pipes": 13,
    "sndhdr": 13,
    "spwd": 13,
    "sunau": 13,
    "telnetlib": 13,
    "uu": 13,
    "xdrlib": 13,
    "lib2to3": 13,
}
_ADDED: dict[str, int] = {"zoneinfo": 9, "graphlib": 9, "tomllib": 11, "compression": 14, "annotationlib": 14}
_FIRST, _LAST = 8, 14
_ADMITTED = (11, 12, 13)
"""Minor versions that runners use, and so those that requires-python is asked about."""


def exists_in(name: str, minor: int | None) -> bool | None:
    """Return whether Python 3.`minor` has the standard module `name`, None for what is none in any version.

    Without `minor`, whether some version has it.
    """
    if name in _REMOVED or name in _ADDED:
        first, gone = _ADDED.get(name, _FIRST), _REMOVED.get(name, _LAST + 1)
        return minor is None or first <= minor < gone
    return True if name in sys.stdlib_module_names or name in sys.builtin_module_names else None


def pythons_without(name: str, requires_python: str | None, worker: str | None) -> list[str]:
    """Return which of the Pythons that may run the bundle lack the standard module `name`."""
    if name not in _REMOVED and name not in _ADDED:
        return []
    match = re.fullmatch(r"3\.(\d+)(?:\.\d+)?", worker or "", re.ASCII)
    if match:
        return [] if exists_in(name, int(match[1])) else [f"3.{match[1]}"]
    return [f"3.{minor}" for minor in _ADMITTED if _admits(requires_python, minor) and not exists_in(name, minor)]


def _admits(requires_python: str | None, minor: int) -> bool:
    if requires_python is None:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only who imports such a module pays

    try:
        return SpecifierSet(requires_python).contains(f"3.{minor}.99")
    except InvalidSpecifier:
        return True

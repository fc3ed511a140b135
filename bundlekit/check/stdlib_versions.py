"""Which modules the standard library has in which Python, from 3.8 to 3.14, and on which platform."""

import sys

from bundlekit.check.worker import Worker

__all__ = ["absent_minors", "is_standard", "lifetime", "only_platform"]

_ADDED = {
    "annotationlib": 14,
    "compression": 14,
    "concurrent.interpreters": 14,
    "graphlib": 9,
    "importlib.readers": 10,
    "importlib.resources.abc": 11,
    "pathlib.types": 14,
    "string.templatelib": 14,
    "tomllib": 11,
    "wsgiref.types": 11,
    "zoneinfo": 9,
}
"""The first minor that has the module; what is not here was there in 3.8."""

_OF_PYTHON_2 = (
    "BaseHTTPServer ConfigParser Cookie HTMLParser Queue SimpleHTTPServer SocketServer StringIO Tkinter __builtin__ "
    "cPickle cStringIO cookielib copy_reg httplib md5 sha tkMessageBox urllib2 urlparse"
)
_REMOVED = {
    **dict.fromkeys(_OF_PYTHON_2.split(), 0),
    **dict.fromkeys(("_dummy_thread", "dummy_threading", "xml.etree.cElementTree"), 9),
    **dict.fromkeys(("formatter", "parser", "symbol"), 10),
    "binhex": 11,
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), 12),
    **dict.fromkeys(
        [
            "aifc",
            "audioop",
            "cgi",
            "cgitb",
            "chunk",
            "crypt",
            "imghdr",
            "lib2to3",
            "mailcap",
            "msilib",
            "nis",
            "nntplib",
            "ossaudiodev",
            "pipes",
            "sndhdr",
            "spwd",
            "sunau",
            "telnetlib",
            "uu",
            "xdrlib",
        ],
        13,
    ),
}
"""The first minor of Python 3 that does not have the module, or no longer."""

_WINDOWS = frozenset({"_winapi", "_winreg", "msilib", "msvcrt", "nt", "winreg", "winsound"})
_ALWAYS, _NEVER = 0, 1000


def is_standard(top: str) -> bool:
    """Whether a top-level module is, or was, one of the standard library."""
    # Python has its own tests installed, and does not count them; the main program is always there.
    return top in {"__main__", "test"} or any(top in names for names in (sys.stdlib_module_names, _ADDED, _REMOVED))


def lifetime(dotted: str) -> tuple[str, int, int]:
    """Return the module that decides when `dotted` is there, its first minor, and the first that lacks it again."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in _ADDED or name in _REMOVED:
            return name, _ADDED.get(name, _ALWAYS), _REMOVED.get(name, _NEVER)
    return parts[0], _ALWAYS, _NEVER


def absent_minors(dotted: str, worker: Worker) -> tuple[int, ...]:
    """Return the Pythons of the worker that do not have the standard module `dotted`."""
    _, first, end = lifetime(dotted)
    return tuple(minor for minor in worker.minors if not first <= minor < end)


def only_platform(top: str) -> str | None:
    """Return the one value of sys.platform on which the standard module is there, None where it is everywhere."""
    return "win32" if top in _WINDOWS else None

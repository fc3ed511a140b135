"""Which files a task needs: the system's, its interpreter's, its environment's, and what passed variables name.

The lists are of places that hold programs, libraries and public settings. Nothing of the user's home is among them but
what the task runs from, and of /etc nothing that holds keys.
"""

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

__all__ = ["SYSTEM_GROUNDS", "Grounds", "task_grounds"]

_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store")
_KERNEL = ("/proc", "/sys")
_SETTINGS = tuple(
    f"/etc/{name}"
    for name in (
        "OpenCL",
        "alternatives",
        "ca-certificates",
        "crypto-policies",
        "debian_version",
        "fonts",
        "gai.conf",
        "group",
        "host.conf",
        "hosts",
        "inputrc",
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "locale.alias",
        "locale.conf",
        "localtime",
        "lsb-release",
        "magic",
        "mime.types",
        "networks",
        "nsswitch.conf",
        "os-release",
        "passwd",
        "pki/ca-trust",
        "pki/tls/certs",
        "pki/tls/openssl.cnf",
        "profile",
        "protocols",
        "resolv.conf",
        "services",
        "ssl/certs",
        "ssl/openssl.cnf",
        "terminfo",
        "timezone",
        "vulkan",
    )
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "ptmx", "pts", "tty", "dri", "kfd", "shm")
_EMPTY = ("/run",)
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - these are made private, not used
_NO_PATHS = frozenset({"LANG", "TZ"})
_LEVELS_TO_VENV = 3
"""From lib/python3.12/site-packages, and from venv/bin/python to a cache entry."""


class Grounds(NamedTuple):
    """What may be read and run, written, and used of /dev.

    Where files are hidden, the places `empty` and `temporary` hold nothing else, and `temporary` ones can be written.
    """

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    devices: tuple[str, ...]
    empty: tuple[str, ...]
    temporary: tuple[str, ...]


SYSTEM_GROUNDS = Grounds(
    readable=(*_PROGRAMS, *_KERNEL, *_SETTINGS),
    writable=_TEMPORARY,
    devices=tuple(f"/dev/{name}" for name in _DEVICES),
    empty=_EMPTY,
    temporary=_TEMPORARY,
)
"""What every process needs, where temporary places are the process's own."""


def task_grounds(python: str, site: str, environment: Mapping[str, str], *, own: Iterable[str], hides: bool) -> Grounds:
    """Return the grounds of a task.

    `python` is the interpreter in the bundle's venv, `site` the directory of its dependencies, `environment` its
    variables, `own` the directories that it may write. Unless the view of files `hides` the common temporary
    directories, they are not the task's, save for the shared memory that locks between processes are made of.
    """
    homes = _homes()
    entries = (_above(python, _LEVELS_TO_VENV), _above(site, _LEVELS_TO_VENV), *_prefix(python, homes))
    named = (path for name, value in environment.items() if name not in _NO_PATHS for path in value.split(os.pathsep))
    allowed = (path for path in named if _is_place(path, homes))
    readable = (*SYSTEM_GROUNDS.readable, *_resolver(), *(path for path in entries if path), *allowed)
    shared = _TEMPORARY if hides else ("/dev/shm",)  # noqa: S108 - as above
    gpus = (f"/dev/{name}" for name in os.listdir("/dev") if name.startswith("nvidia"))
    return SYSTEM_GROUNDS._replace(
        readable=tuple(dict.fromkeys(readable)),
        writable=(*own, *shared),
        devices=(*SYSTEM_GROUNDS.devices, *gpus),
        empty=(*_EMPTY, *(home for home in homes if _holds_no_system(home))),
    )


def _above(path: str, levels: int) -> str:
    for _ in range(levels):
        path = os.path.dirname(path)
    return path if path != "/" else ""


def _homes() -> tuple[str, ...]:
    """Return the homes of the user, by the variable and by the system's own list."""
    homes = [os.path.realpath(os.path.expanduser("~"))]
    with suppress(KeyError):
        homes.append(os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir))
    return tuple(dict.fromkeys(homes))


def _prefix(python: str, homes: tuple[str, ...]) -> Iterator[str]:
    """Yield where the base interpreter of `python` keeps its files."""
    base = os.path.realpath(python)
    prefix = _above(base, 2)
    if not prefix or any(_contains(prefix, home) for home in homes):
        # An interpreter right in /bin or in the home's own bin: what is beside it is not its own.
        yield from (os.path.dirname(base), os.path.join(prefix or "/", "lib"))
    else:
        yield prefix


def _resolver() -> Iterator[str]:
    # Often a link into /run. Harmless without a network, and nothing works without it where there is one.
    real = os.path.realpath("/etc/resolv.conf")
    if real != "/etc/resolv.conf":
        yield real


def _is_place(path: str, homes: tuple[str, ...]) -> bool:
    """Whether a variable that names `path` can have meant to show it: not the root, not the whole home."""
    if not os.path.isabs(path) or not os.path.exists(path):
        return False
    real = os.path.realpath(path)
    return real != "/" and not any(_contains(real, home) for home in homes)


def _contains(directory: str, path: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _holds_no_system(home: str) -> bool:
    return not any(_contains(home, path) for path in (*_PROGRAMS, *_KERNEL, "/etc", "/dev"))

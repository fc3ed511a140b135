"""What the user has set for uv and pip, made to hold for whichever of the two installs.

The installer runs in a directory of its own, so paths that were meant from the user's become absolute. Where the user
has told pip alone where packages come from, uv is told the same: an institute's index must not be passed over for the
public one. Values may hold credentials: none is ever logged.
See: "Configuration" in pip's documentation, "Environment variables" in uv's.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping

__all__ = ["for_pip", "for_uv", "is_offline", "limits_hash"]

_TOLD_TO_BOTH = {
    # pip's option: pip's variable is PIP_ and its name
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "constraint": "UV_CONSTRAINT",
}
_SOURCES_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")
_FORMER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
_COMMA_SEPARATED = frozenset({"UV_FIND_LINKS"})

_PATHS = (
    *("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_LOG", "REQUESTS_CA_BUNDLE"),
    *("UV_CACHE_DIR", "UV_CONFIG_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "NETRC"),
)
_PATH_LISTS = ("PIP_CONSTRAINT", "PIP_FIND_LINKS", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE")
_LIMITING_FILES = ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE")
_LIMITING_VALUES = ("PIP_PRE", "UV_PRERELEASE", "UV_RESOLUTION", "UV_EXCLUDE_NEWER", "UV_NO_BINARY", "UV_NO_BUILD")
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})


def for_uv(environ: Mapping[str, str], log: Callable[[str], None]) -> dict[str, str]:
    """Return `environ` for uv: with the sources and constraints of pip's settings where uv has none of its own.

    What was taken over is logged by its names.
    """
    found = _with_absolute_paths(environ)
    has_sources = any(environ.get(name) for name in _SOURCES_OF_UV) or _has_uv_configuration(environ)
    taken = []
    for option, value in _pip_options(found).items():
        name = _TOLD_TO_BOTH[option]
        if found.get(name) or (has_sources and option != "constraint"):
            continue
        if option == "no-index" and value.lower() not in _TRUE:
            continue
        words = value.split()
        found[name] = "true" if option == "no-index" else ("," if name in _COMMA_SEPARATED else " ").join(words)
        taken.append(option)
    if taken:
        log(f"uv has no sources of its own in its settings: it gets pip's {', '.join(taken)}")
    return found


def for_pip(environ: Mapping[str, str], log: Callable[[str], None]) -> dict[str, str]:
    """Return `environ` for pip: with the sources and constraints of uv's variables where pip has none of its own.

    uv's configuration files are not read. UV_OFFLINE keeps pip from the network too.
    """
    found = _with_absolute_paths(environ)
    own = _pip_options(found)
    has_sources = bool(own.keys() - {"constraint"})
    taken = []
    for option, uv_name in _TOLD_TO_BOTH.items():
        value = found.get(uv_name) or found.get(_FORMER_NAMES.get(uv_name, ""), "")
        if value and option not in own and (option == "constraint" or not has_sources):
            words = value.split("," if uv_name in _COMMA_SEPARATED else None)
            found[_pip_name(option)] = " ".join(_without_name(word) for word in words)
            taken.append(option)
    if is_offline(found):
        found["PIP_NO_INDEX"] = "1"
    if taken:
        log(f"pip gets the {', '.join(taken)} of uv's variables")
    return found


def is_offline(environ: Mapping[str, str]) -> bool:
    """Return whether the user wants nothing to be downloaded: UV_OFFLINE, which counts for pip too."""
    return environ.get("UV_OFFLINE", "").lower() in _TRUE


def limits_hash(environ: Mapping[str, str]) -> str:
    """Return a hash of what the user's variables say about which versions may be installed, empty if nothing.

    Files count by content. What stands in configuration files alone is not looked at: they change with credentials.
    """
    said = [(name, value) for name in _LIMITING_VALUES if (value := environ.get(name))]
    for name in _LIMITING_FILES:
        said += [(name, _content(path)) for path in environ.get(name, "").split()]
    return hashlib.sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest() if said else ""


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return path  # an address; or the installer says that it is not there


def _with_absolute_paths(environ: Mapping[str, str]) -> dict[str, str]:
    found = dict(environ)
    for name in _PATHS:
        if found.get(name):
            found[name] = os.path.abspath(found[name])
    for name in _PATH_LISTS:
        if found.get(name):
            found[name] = " ".join(_absolute(word) for word in found[name].split())
    if found.get("UV_FIND_LINKS"):
        found["UV_FIND_LINKS"] = ",".join(_absolute(word) for word in found["UV_FIND_LINKS"].split(","))
    return found


def _absolute(word: str) -> str:
    return word if "://" in word or not word else os.path.abspath(word)


def _has_uv_configuration(environ: Mapping[str, str]) -> bool:
    if environ.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return False
    places = [os.path.join(folder, "uv", "uv.toml") for folder in _configuration_folders(environ)]
    return bool(environ.get("UV_CONFIG_FILE")) or any(os.path.isfile(path) for path in [*places, "/etc/uv/uv.toml"])


def _configuration_folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where a program's machine-wide and personal settings are, the weightiest last."""
    yield from reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep))
    home = environ.get("HOME", "")
    if environ.get("XDG_CONFIG_HOME"):
        yield environ["XDG_CONFIG_HOME"]
    elif home:
        yield os.path.join(home, ".config")


def _pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options that uv can be told too, from its variables, else from its configuration files."""
    found: dict[str, str] = {}
    for path in _pip_files(environ):
        found.update(_options_in(path))
    for option in _TOLD_TO_BOTH:
        value = environ.get(_pip_name(option))
        if value:
            found[option] = value
    return {option: value for option, value in found.items() if value.strip()}


def _pip_name(option: str) -> str:
    return "PIP_" + option.upper().replace("-", "_")


def _pip_files(environ: Mapping[str, str]) -> Iterator[str]:
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    *machine, personal = [os.path.join(folder, "pip", "pip.conf") for folder in _configuration_folders(environ)]
    yield from machine
    yield "/etc/pip.conf"
    if environ.get("HOME"):
        yield os.path.join(environ["HOME"], ".pip", "pip.conf")
    yield personal
    if named:
        yield named


def _options_in(path: str) -> dict[str, str]:
    import configparser  # noqa: PLC0415 - only an environment that is built comes here

    # pip takes % and = as they stand: a password may hold either.
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, ValueError, configparser.Error):
        return {}  # pip, if it is asked, says what is wrong
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return {option: value for option, value in found.items() if option in _TOLD_TO_BOTH}


def _without_name(word: str) -> str:
    name, equals, rest = word.partition("=")
    return rest if equals and "/" not in name and "://" in rest else word

"""Reads what setup.cfg says to setuptools: the wire's entry points, and where packages lie.

See: setuptools "Configuring setuptools using setup.cfg files".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.declaration import WireDeclaration, WireSource
from bundlekit.model.place import Place
from bundlekit.read.document import is_file, read_document

__all__ = ["SetupCfg", "read_setup_cfg"]

_SETUP_CFG = "setup.cfg"


class SetupCfg(NamedTuple):
    """`has_metadata` tells a file that makes a distribution from one that only holds settings of linters."""

    has_metadata: bool = False
    wires: tuple[WireDeclaration, ...] = ()
    source_roots: tuple[str, ...] = ()


def read_setup_cfg(root: Path, group: str) -> SetupCfg:
    """Return what the setup.cfg in `root` says, nothing where there is none that can be read.

    `group` is that of the wire's entry points.
    """
    if not is_file(root / _SETUP_CFG):
        return SetupCfg()
    # What is wrong with it is not told: most hold settings of linters alone.
    data = read_document(root / _SETUP_CFG, _SETUP_CFG, "BK106", [])
    if data is None or not (b"[metadata" in data or b"[options" in data):
        return SetupCfg()
    from configparser import ConfigParser, Error  # noqa: PLC0415 - only a bundle with such a setup.cfg pays for it

    text = data.decode("utf-8", "replace")
    has_metadata = any(line.strip() == "[metadata]" for line in text.splitlines())
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except Error:
        return SetupCfg(has_metadata)
    directories = _pairs(parser.get("options", "package_dir", fallback="").replace(",", "\n"))
    roots = [directory for package, directory in directories if not package]
    where = parser.get("options.packages.find", "where", fallback="").replace(",", "\n").split("\n")
    return SetupCfg(
        has_metadata,
        tuple(_wires(parser.get("options.entry_points", group, fallback=""), text)),
        tuple(root for root in (*roots, *(line.strip() for line in where)) if root),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if equals:
            yield key, value


def _wires(section: str, text: str) -> Iterator[WireDeclaration]:
    numbered = text.splitlines()
    for line in section.splitlines():
        for name, value in _pairs(line):
            number = next((index for index, whole in enumerate(numbered, 1) if whole.strip() == line.strip()), None)
            yield WireDeclaration(WireSource.ENTRY_POINT, name, value, Place(_SETUP_CFG, number))

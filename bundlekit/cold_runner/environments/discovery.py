"""Finds the wire function of a prepared bundle, in the order of the warm runner, without importing anything of it.

Entry points are read by scanning ``entry_points.txt``: ``importlib.metadata`` alone costs four interpreter starts.
See: CONTRACT section 2; the entry points specification of PyPA.
"""

import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..dependency_hash import normalised_name
from ..entry_point import parse_file_reference, parse_reference

__all__ = ["GROUP", "Wire", "discover"]

GROUP = "modelops.wire"


class Wire(NamedTuple):
    """The wire function. `source` is ``entry-point``, ``manifest.json``, ``modelops.toml`` or ``wire.py``.

    `value` is `module:object`, or `path.py:object` outside entry points; `distribution` brought the entry point.
    """

    source: str
    name: str
    value: str
    distribution: str | None


def discover(tree: str, sites: Sequence[str]) -> tuple[Wire | None, str | None]:
    """Return the wire function of the bundle copy `tree` installed into `sites`, or None and a sentence why not."""
    found = list(_entry_points(sites))
    if len(found) > 1:
        named = "; ".join(f"{wire.name} = {wire.value} (from {wire.distribution})" for wire in found)
        return None, f"expected one entry point in the group {GROUP}, found {len(found)}: {named}; keep one"
    try:
        wire = found[0] if found else _declared_in_files(tree)
        if wire is None:
            places = ".modelops/manifest.json, .modelops/modelops.toml and wire.py"
            return None, f"the bundle has no wire function: no entry point in the group {GROUP}, none in {places}"
        if wire.source == "entry-point":
            parse_reference(wire.value)
        else:
            parse_file_reference(wire.value)
    except ValueError as error:
        return None, f"the wire function is declared but malformed: {error}"
    return wire, None


def _declared_in_files(tree: str) -> Wire | None:
    manifest = _json_object(os.path.join(tree, ".modelops", "manifest.json"))
    if "wire" in manifest:
        return _declared("manifest.json", manifest["wire"])
    settings = _toml_table(os.path.join(tree, ".modelops", "modelops.toml"), "modelops")
    if "wire" in settings:
        return _declared("modelops.toml", settings["wire"])
    if os.path.isfile(os.path.join(tree, "wire.py")):
        return Wire("wire.py", "wire", "wire.py:wire", None)
    return None


def _declared(source: str, value: object) -> Wire:
    if not isinstance(value, str):
        # One kind of problem for the caller: a reference that is none.
        raise ValueError(f"expected text in the key 'wire' of {source}, found {value!r:.100}")  # noqa: TRY004
    return Wire(source, "wire", value, None)


def _json_object(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _toml_table(path: str, key: str) -> dict[str, object]:
    if not os.path.isfile(path):
        return {}
    import tomllib  # noqa: PLC0415 - costs more than an interpreter's start, and few bundles have this file

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file).get(key)
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _entry_points(sites: Sequence[str]) -> Iterator[Wire]:
    seen: set[str] = set()
    for site in sites:
        for folder, distribution in sorted(_distributions(site)):
            # The first on the path wins, as for an import.
            if normalised_name(distribution) in seen:
                continue
            seen.add(normalised_name(distribution))
            for name, value in _group(os.path.join(folder, "entry_points.txt")):
                yield Wire("entry-point", name, value, distribution)


def _distributions(site: str) -> Iterator[tuple[str, str]]:
    try:
        entries = os.scandir(site)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.name.endswith(".dist-info"):
                yield entry.path, entry.name.removesuffix(".dist-info").partition("-")[0]


def _group(path: str) -> Iterator[tuple[str, str]]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file]
    except OSError:
        return
    group = ""
    for line in lines:
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif group == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()

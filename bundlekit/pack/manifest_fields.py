"""The fields of a manifest document: each checked for its type, all problems gathered before one is raised.

A field that is wrong gets a stand-in value, so that reading goes on to the next; the caller raises when there are
problems, and no stand-in ever leaves it.
"""

import re
from collections.abc import Iterable, Mapping

from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.model.declaration import Dependencies, Lock, WireSource
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile, ManifestWire

__all__ = ["Fields", "dependencies_of", "files_of", "wire_of"]

_MODES = frozenset({"0644", "0755"})
_FILE_KEYS = frozenset(ManifestFile._fields)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_NO_DIGEST = Digest("sha256:" + "0" * 64)


class Fields:
    """One object of the document and, shared with the objects in it, the list of what is wrong."""

    def __init__(self, where: str, values: Mapping[str, JsonValue], problems: list[str] | None = None) -> None:
        self.where = where
        self.values = values
        self.problems: list[str] = [] if problems is None else problems

    def check_keys(self, expected: Iterable[str]) -> None:
        """Note the keys that are missing and those that have no meaning."""
        wanted = frozenset(expected)
        self.problems += [f"{self.where}{key} is missing" for key in sorted(wanted - self.values.keys())]
        self.problems += [f"{self.where}{key:.100} is unknown" for key in sorted(self.values.keys() - wanted)]

    def text(self, key: str) -> str:
        """Return a string that is not empty."""
        value = self.values.get(key)
        if isinstance(value, str) and value:
            return value
        self._wrong(key, "a string that is not empty")
        return ""

    def text_or_none(self, key: str) -> str | None:
        """Return a string or null."""
        return None if self.values.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self.values.get(key)
        if isinstance(value, list):
            found = tuple(item for item in value if isinstance(item, str))
            if len(found) == len(value):
                return found
        self._wrong(key, "a list of strings")
        return ()

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return value
        self._wrong(key, "true or false")
        return False

    def digest(self, key: str) -> Digest:
        """Return a digest in its canonical form."""
        value = self.values.get(key)
        if isinstance(value, str) and _DIGEST.fullmatch(value):
            return Digest(value)
        self._wrong(key, "'sha256:' and 64 lower-case hex digits")
        return _NO_DIGEST

    def object(self, key: str, keys: Iterable[str]) -> "Fields":
        """Return the object below `key`, which has just these keys."""
        value = self.values.get(key)
        where = f"{self.where}{key}."
        if isinstance(value, dict):
            fields = Fields(where, value, self.problems)
            fields.check_keys(keys)
            return fields
        self._wrong(key, "an object")
        return Fields(where, {}, [])

    def _wrong(self, key: str, expected: str) -> None:
        """Note a wrong value; a missing one was noted with the keys."""
        if key in self.values:
            self.problems.append(f"{self.where}{key}: expected {expected}, found {self.values[key]!a:.100}")


def wire_of(fields: Fields) -> ManifestWire:
    """Return the manifest's wire."""
    wire = fields.object("wire", ManifestWire._fields)
    source = wire.text("source")
    if source not in frozenset(WireSource):
        if source:
            wire.problems.append(f"wire.source: expected one of {', '.join(WireSource)}, found {source!a:.100}")
        source = WireSource.ENTRY_POINT
    return ManifestWire(WireSource(source), wire.text("name"), wire.text("value"))


def dependencies_of(fields: Fields) -> Dependencies:
    """Return the manifest's dependencies."""
    dependencies = fields.object("dependencies", Dependencies._fields)
    lock = None
    if dependencies.values.get("lock") is not None:
        found = dependencies.object("lock", Lock._fields)
        lock = Lock(found.text("path"), found.digest("sha256"))
    return Dependencies(dependencies.texts("declared"), lock, dependencies.digest("hash"))


def files_of(fields: Fields) -> tuple[ManifestFile, ...]:
    """Return the manifest's files as they are listed; paths are judged when the whole list is known."""
    value = fields.values.get("files")
    if not isinstance(value, list):
        fields.problems += ["files: expected a list of objects"] if "files" in fields.values else []
        return ()
    files = []
    for index, item in enumerate(value):
        # One branch for a good line: there may be 200,000 of them.
        file = _file(item)
        if file is None:
            fields.problems.append(f"files[{index}]: {_file_problem(item)}")
        else:
            files.append(file)
    return tuple(files)


def _file(item: JsonValue) -> ManifestFile | None:
    if not isinstance(item, dict) or item.keys() != _FILE_KEYS:
        return None
    path, size, mode, sha256 = item["path"], item["size"], item["mode"], item["sha256"]
    if not (isinstance(path, str) and path and isinstance(mode, str) and mode in _MODES):
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        return None
    return ManifestFile(path, size, mode, Digest(sha256))


def _file_problem(item: JsonValue) -> str:
    return (
        "expected an object with path (a string), size (a whole number from 0), mode ('0644' or '0755') and"
        f" sha256 ('sha256:' and 64 lower-case hex digits), found {item!a:.200}"
    )

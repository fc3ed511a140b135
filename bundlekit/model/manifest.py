"""The manifest: what a bundle declares and what ships. Its canonical JSON is what the bundle's digest covers."""

from typing import NamedTuple

from bundlekit.model.declaration import Dependencies, WireSource
from bundlekit.model.digest import Digest

__all__ = ["MANIFEST_SCHEMA", "Manifest", "ManifestFile", "ManifestWire"]

MANIFEST_SCHEMA = "bundlekit/manifest/1"


class ManifestWire(NamedTuple):
    """The wire function as declared: where, under which name, and its value."""

    source: WireSource
    name: str
    value: str


class ManifestFile(NamedTuple):
    """One file that ships. `size` is in bytes; `mode` is ``0644`` or ``0755``."""

    path: str
    size: int
    mode: str
    sha256: Digest


class Manifest(NamedTuple):
    """See DESIGN, "Shapes". `files` are sorted by the UTF-8 bytes of their paths."""

    name: str
    version: str
    requires_python: str | None
    wire: ManifestWire
    targets: tuple[str, ...]
    dependencies: Dependencies
    requires_fresh_process: bool
    files: tuple[ManifestFile, ...]

"""The documents of a bundle in a registry, written and read: OCI manifests of two layouts, and what they list. Pure.

``bundlekit``: the canonical manifest as config, so that the config's digest is the bundle's, and the archive as the
one layer, titled, so that `oras pull` writes it to a file. ``modelops``: what ModelOps' workers pull; an index as
config and each file as a raw layer. Both depend on nothing but the bundle, and the former on the archive's compression:
the digest under which a registry will have them is known before they are pushed.

See: OCI image specification 1.1, "Image manifest" and "Guidelines for artifact usage"; CONTRACT section 5.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from bundlekit.cold_runner.strict_json import JsonValue, StrictJsonError, dumps, loads
from bundlekit.errors import LimitExceededError, ManifestError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.pack.manifest_inventory import check_files
from bundlekit.pack.manifest_json import manifest_digest, manifest_json, parse_manifest

__all__ = [
    "INDEX_TYPE",
    "MANIFEST_TYPE",
    "MAX_CONFIG_BYTES",
    "MAX_OCI_MANIFEST_BYTES",
    "REF_NAME",
    "Descriptor",
    "Layout",
    "OciManifest",
    "WrittenManifest",
    "archive_manifest",
    "listed_files",
    "modelops_manifest",
    "parse_oci_manifest",
]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"

MAX_OCI_MANIFEST_BYTES = 4 << 20
"""What registries accept at least, and most of them at most."""

MAX_CONFIG_BYTES = 40 << 20

_MOST_VALUES = 1 << 20
"""Commas in a document, counted before it is parsed: a value takes up to twenty times its text in memory."""

_TITLE = "org.opencontainers.image.title"
_VERSION = "org.opencontainers.image.version"
_BUNDLE_TYPE = "application/vnd.bundlekit.bundle.v1"
_BUNDLE_CONFIG = "application/vnd.bundlekit.manifest.v1+json"
_ARCHIVE_LAYER = "application/vnd.bundlekit.archive.v1.tar+zstd"
_MODELOPS_CONFIG = "application/vnd.modelops.bundle.index.v1+json"
_MODELOPS_LAYER = "application/vnd.oci.image.layer.v1.tar"
_NO_TIME = "1970-01-01T00:00:00Z"
"""`created` must be there; a time of now would give the same bundle another digest each time."""

_OUR_DIGEST = "bundlekit.digest"
_OUR_MANIFEST = "bundlekit.manifest"


class Layout(StrEnum):
    """How a bundle lies in a registry."""

    BUNDLEKIT = "bundlekit"
    MODELOPS = "modelops"


class Descriptor(NamedTuple):
    """A blob that a manifest lists: `size` in bytes, `title` the path that it is for."""

    digest: Digest
    size: int
    media_type: str
    title: str | None = None


class OciManifest(NamedTuple):
    """A manifest in a registry, as far as it is a bundle's."""

    layout: Layout
    config: Descriptor
    layers: tuple[Descriptor, ...]


class WrittenManifest(NamedTuple):
    """A manifest to push: its bytes, whose digest the registry will have, and the config that it lists."""

    document: bytes
    config: bytes
    manifest: OciManifest

    @property
    def digest(self) -> Digest:
        """The digest in the registry."""
        return Digest.of(self.document)


def archive_manifest(manifest: Manifest, archive: Digest, size: int) -> WrittenManifest:
    """Return the manifest of layout ``bundlekit`` for an archive of `size` bytes with the digest `archive`."""
    config = manifest_json(manifest)
    title = f"{manifest.name}-{manifest.version}"
    layer = Descriptor(archive, size, _ARCHIVE_LAYER, f"{title}.tar.zst")
    found = OciManifest(Layout.BUNDLEKIT, Descriptor(Digest.of(config), len(config), _BUNDLE_CONFIG), (layer,))
    annotations: dict[str, JsonValue] = {_TITLE: manifest.name, _VERSION: manifest.version}
    return _written(found, config, {"artifactType": _BUNDLE_TYPE, "annotations": annotations})


def modelops_manifest(manifest: Manifest) -> WrittenManifest:
    """Return the manifest of layout ``modelops``.

    Raises:
        LimitExceededError: it would be longer than registries take: a layer for each of so many files.
    """
    files = {
        file.path: {
            "path": file.path,
            "digest": file.sha256,
            "size": file.size,
            "storage": "oci",
            "mediaType": None,
            "blobRef": None,
        }
        for file in manifest.files
    }
    text = manifest_json(manifest).decode()
    index = {
        "version": "1.0",
        "created": _NO_TIME,
        "tool": {"name": "bundlekit"},
        "files": files,
        # Texts alone may stand here. Their reader passes over these; ours learns modes and declarations from them.
        "metadata": {_OUR_DIGEST: manifest_digest(manifest), _OUR_MANIFEST: text},
    }
    config = json.dumps(index, sort_keys=True, indent=2).encode()
    layers = tuple(Descriptor(file.sha256, file.size, _MODELOPS_LAYER, file.path) for file in manifest.files)
    found = OciManifest(Layout.MODELOPS, Descriptor(Digest.of(config), len(config), _MODELOPS_CONFIG), layers)
    return _written(found, config, {"annotations": {}})


def parse_oci_manifest(data: bytes) -> OciManifest:
    """Return the bundle's manifest in `data`, which a registry sent.

    Raises:
        LimitExceededError: it is too long.
        ManifestError: it is none of a bundle, or lists what cannot be.
    """
    document = _object(data, "the OCI manifest", MAX_OCI_MANIFEST_BYTES)
    kind = document.get("mediaType", MANIFEST_TYPE)
    if document.get("schemaVersion") != 2 or kind != MANIFEST_TYPE:  # noqa: PLR2004 - the one that there is
        message = f"expected an OCI image manifest, found schema {document.get('schemaVersion')!r:.20} of {kind!r:.100}"
        raise ManifestError(message, subject=kind)
    config = _descriptor(document.get("config"))
    layers = document.get("layers")
    if not isinstance(layers, list):
        message = "the OCI manifest has no list of layers"
        raise ManifestError(message)
    found = tuple(_descriptor(layer) for layer in layers)
    if config.media_type == _MODELOPS_CONFIG:
        return OciManifest(Layout.MODELOPS, config, found)
    if config.media_type == _BUNDLE_CONFIG and [layer.media_type for layer in found] == [_ARCHIVE_LAYER]:
        return OciManifest(Layout.BUNDLEKIT, config, found)
    message = f"this is no bundle: its config is {config.media_type!r:.100}, with {len(found)} layers"
    hint = f"a bundle has {_BUNDLE_CONFIG} and one archive, or {_MODELOPS_CONFIG}"
    raise ManifestError(message, subject=config.media_type, hint=hint)


def listed_files(found: OciManifest, config: bytes) -> tuple[Manifest | None, tuple[ManifestFile, ...]]:
    """Return the bundle's manifest, where `config` has it, and the files that ship; with it, both are one.

    Raises:
        ManifestError: the config is not what its kind wants, or contradicts the layers or itself.
        ArchiveUnsafeError, LimitExceededError: its files cannot be a directory.
    """
    if found.layout is Layout.BUNDLEKIT:
        ours = parse_manifest(config)
        return ours, ours.files
    index = _object(config, "the bundle's index", MAX_CONFIG_BYTES)
    entries = index.get("files")
    if not isinstance(entries, dict):
        message = "the bundle's index has no table of files"
        raise ManifestError(message)
    files = tuple(sorted((_file(path, entries[path]) for path in entries), key=lambda file: file.path.encode()))
    check_files(files)
    _check_layers(found.layers, files)
    manifest = _own_manifest(index.get("metadata"))
    if manifest is None:
        return None, files
    if [(each.path, each.size, each.sha256) for each in manifest.files] != [
        (each.path, each.size, each.sha256) for each in files
    ]:
        message = "the bundle's index lists other files than the manifest in its metadata"
        raise ManifestError(message)
    return manifest, manifest.files


def _written(found: OciManifest, config: bytes, more: Mapping[str, JsonValue]) -> WrittenManifest:
    document = dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _document_of(found.config),
            "layers": [_document_of(layer) for layer in found.layers],
            **more,
        }
    ).encode()
    if len(document) > MAX_OCI_MANIFEST_BYTES:
        message = f"{len(found.layers):,} files make an OCI manifest of {len(document):,} bytes"
        message += f", and registries take {MAX_OCI_MANIFEST_BYTES:,}"
        raise LimitExceededError(message, subject=len(document), hint="push without --layout modelops")
    return WrittenManifest(document, config, found)


def _document_of(blob: Descriptor) -> JsonValue:
    document: dict[str, JsonValue] = {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
    if blob.title is not None:
        document["annotations"] = {_TITLE: blob.title}
    return document


def _object(data: bytes, what: str, limit: int) -> dict[str, JsonValue]:
    if len(data) > limit or data.count(b",") > _MOST_VALUES:
        message = f"{what} has {len(data):,} bytes, more than {limit:,}, or more than {_MOST_VALUES:,} values"
        raise LimitExceededError(message, subject=len(data))
    try:
        document = loads(data)
    except StrictJsonError as error:
        message = f"{what} is not strict JSON: {error}"
        raise ManifestError(message) from error
    if not isinstance(document, dict):
        message = f"{what} is not a JSON object but {type(document).__name__}"
        raise ManifestError(message)
    return document


def _descriptor(value: JsonValue) -> Descriptor:
    if not isinstance(value, dict):
        message = f"the OCI manifest lists {value!r:.100}, which describes no blob"
        raise ManifestError(message)
    size, kind, annotations = value.get("size"), value.get("mediaType"), value.get("annotations") or {}
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(kind, str):
        message = f"the OCI manifest lists a blob of {size!r:.40} bytes and the type {kind!r:.100}"
        raise ManifestError(message)
    title = annotations.get(_TITLE) if isinstance(annotations, dict) else None
    return Descriptor(_digest(value.get("digest")), size, kind, title if isinstance(title, str) else None)


def _file(path: str, entry: JsonValue) -> ManifestFile:
    if not isinstance(entry, dict) or entry.get("path") != path:
        # DEFECTS 28: shown under one name, and written under another.
        message = f"the bundle's index lists {path!a:.200} with another path in its entry"
        raise ManifestError(message, subject=path)
    size, storage = entry.get("size"), entry.get("storage")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        message = f"the bundle's index gives {path!a:.200} the size {size!r:.40}"
        raise ManifestError(message, subject=path)
    if storage != "oci":
        message = f"{path!a:.200} is not in the registry but in the storage {storage!r:.40}, which is not read here"
        raise ManifestError(message, subject=path)
    return ManifestFile(path, size, "0644", _digest(entry.get("digest")))


def _check_layers(layers: Sequence[Descriptor], files: Sequence[ManifestFile]) -> None:
    there = {(layer.title, layer.digest, layer.size) for layer in layers}
    for file in files:
        if (file.path, file.sha256, file.size) not in there:
            message = f"the bundle's index lists {file.path!a}, and no layer has that path, digest and size"
            raise ManifestError(message, subject=file.path)


def _own_manifest(metadata: JsonValue) -> Manifest | None:
    text = metadata.get(_OUR_MANIFEST) if isinstance(metadata, dict) else None
    return parse_manifest(text.encode()) if isinstance(text, str) else None


def _digest(value: JsonValue) -> Digest:
    try:
        return Digest.parse(value)
    except ValueError as error:
        message = f"the bundle's documents give a digest that is none: {error}"
        raise ManifestError(message, subject=value) from error

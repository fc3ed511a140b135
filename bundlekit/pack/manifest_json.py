"""The manifest as canonical JSON, and its strict reading: one manifest, one text, one digest.

See: DESIGN decision 1 and "Shapes"; HOSTILE_CORPUS C (M01-M07); RFC 8259.
"""

from collections.abc import Sequence

from bundlekit.cold_runner.strict_json import JsonValue, StrictJsonError, dumps, loads
from bundlekit.errors import LimitExceededError, ManifestError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import MANIFEST_SCHEMA, Manifest
from bundlekit.pack.limits import MAX_MANIFEST_BYTES, MAX_MANIFEST_ITEMS
from bundlekit.pack.manifest_fields import Fields, dependencies_of, files_of, wire_of
from bundlekit.pack.manifest_inventory import check_inventory

__all__ = ["check_size", "declarations_json", "manifest_digest", "manifest_json", "parse_manifest"]

_SHOWN = 10
_KEYS = (
    "schema",
    "name",
    "version",
    "requires_python",
    "wire",
    "targets",
    "dependencies",
    "requires_fresh_process",
    "files",
)


def manifest_json(manifest: Manifest) -> bytes:
    """Return the canonical JSON of `manifest`: sorted keys, no spaces, UTF-8. Its SHA-256 is the bundle's digest."""
    return dumps(_declarations(manifest) | {"files": [file._asdict() for file in manifest.files]}).encode()


def manifest_digest(manifest: Manifest) -> Digest:
    """Return the bundle's digest: that of its manifest's canonical JSON."""
    return Digest.of(manifest_json(manifest))


def declarations_json(manifest: Manifest) -> dict[str, str]:
    """Return each key of the manifest but `files` with its value as canonical JSON, in the order of the keys."""
    return {key: dumps(value) for key, value in sorted(_declarations(manifest).items())}


def _declarations(manifest: Manifest) -> dict[str, JsonValue]:
    lock = manifest.dependencies.lock
    return {
        "schema": MANIFEST_SCHEMA,
        "name": manifest.name,
        "version": manifest.version,
        "requires_python": manifest.requires_python,
        "wire": {"source": manifest.wire.source.value, "name": manifest.wire.name, "value": manifest.wire.value},
        "targets": list(manifest.targets),
        "dependencies": {
            "declared": list(manifest.dependencies.declared),
            "lock": None if lock is None else {"path": lock.path, "sha256": lock.sha256},
            "hash": manifest.dependencies.hash,
        },
        "requires_fresh_process": manifest.requires_fresh_process,
    }


def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest that `data` is the canonical JSON of.

    Raises:
        ManifestError: not strict JSON, of another schema, with wrong fields (all are named), or not canonical.
        ArchiveUnsafeError: a path that must not be unpacked.
        LimitExceededError: more files or bytes, or longer paths, than an archive may hold.
        DigestMismatchError: the lock is not among the files, or not with that digest.
    """
    # What was parsed is let go before the text is made again: either is many times as large as the manifest.
    manifest = _read(data)
    check_inventory(manifest)
    if manifest_json(manifest) != data:
        message = (
            "the manifest is not canonical JSON: expected sorted keys, no spaces, UTF-8 and no escapes beyond need"
        )
        raise ManifestError(message)
    return manifest


def _read(data: bytes) -> Manifest:
    document = _object(data)
    _check_schema(document.get("schema"))
    fields = Fields("", document)
    fields.check_keys(_KEYS)
    manifest = Manifest(
        name=fields.text("name"),
        version=fields.text("version"),
        requires_python=fields.text_or_none("requires_python"),
        wire=wire_of(fields),
        targets=fields.texts("targets"),
        dependencies=dependencies_of(fields),
        requires_fresh_process=fields.flag("requires_fresh_process"),
        files=files_of(fields),
    )
    _raise_problems(fields.problems)
    return manifest


def check_size(data: bytes) -> None:
    """Check that a manifest is not too long to be read; nothing is parsed for that.

    Raises:
        LimitExceededError: too many bytes or values.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        message = f"the manifest has {len(data):,} bytes, more than {MAX_MANIFEST_BYTES:,}"
        raise LimitExceededError(message, subject=len(data), hint="leave directories out with .modelopsignore")
    if data.count(b",") > MAX_MANIFEST_ITEMS:
        message = f"the manifest holds more than {MAX_MANIFEST_ITEMS:,} values"
        raise LimitExceededError(message, hint="leave directories out with .modelopsignore")


def _object(data: bytes) -> dict[str, JsonValue]:
    check_size(data)
    try:
        document = loads(data)
    except StrictJsonError as error:
        message = f"the manifest is not strict JSON: {error}"
        raise ManifestError(message) from error
    if not isinstance(document, dict):
        message = f"the manifest is not a JSON object but {type(document).__name__}"
        raise ManifestError(message)
    return document


def _check_schema(schema: JsonValue) -> None:
    if schema != MANIFEST_SCHEMA:
        message = f"the manifest's schema is {schema!r:.100}; this version of bundlekit reads {MANIFEST_SCHEMA!r} only"
        raise ManifestError(message, subject=schema, hint="use the version of bundlekit that packed the archive")


def _raise_problems(problems: Sequence[str]) -> None:
    if not problems:
        return
    shown = list(problems[:_SHOWN])
    if len(problems) > _SHOWN:
        shown.append(f"and {len(problems) - _SHOWN} more")
    message = f"the manifest has {len(problems)} wrong fields: {'; '.join(shown)}"
    raise ManifestError(message, subject=tuple(problems))

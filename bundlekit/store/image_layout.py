"""An OCI image layout: a directory that other tools carry, with the documents and blobs that a registry would have.

Blobs come first, each by a rename; ``index.json``, which lists what is there, last and in the same way.

See: OCI image specification 1.1, "Image Layout".
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bundlekit.cold_runner.strict_json import JsonValue, StrictJsonError, loads
from bundlekit.errors import (
    BundleNotFoundError,
    DigestMismatchError,
    FileAccessError,
    LimitExceededError,
    ManifestError,
    UsageError,
)
from bundlekit.model.digest import Digest
from bundlekit.store.copies import copy_file, sync_directory
from bundlekit.store.depot import BlobContent, Moved
from bundlekit.store.oci_documents import INDEX_TYPE, MANIFEST_TYPE, MAX_OCI_MANIFEST_BYTES, REF_NAME, Descriptor

__all__ = ["ImageLayout"]

_MARK = "oci-layout"
_INDEX = "index.json"
_VERSION = "1.0.0"


class ImageLayout:
    """The layout in `directory`; with `create` it is made there, in a directory that is new or empty.

    Raises:
        UsageError: there is none, or the directory holds something else.
        FileAccessError: it cannot be read or made.
    """

    def __init__(self, directory: Path, *, create: bool = False) -> None:
        self.name = str(directory)
        self._directory = directory
        self._blobs = directory / "blobs" / "sha256"
        with self._told():
            if create and not (directory / _MARK).exists():
                self._create()
            self._check()

    def close(self) -> None:
        """Nothing is held."""

    def digest_of(self, tag: str) -> Digest | None:
        """Return the digest of the manifest that `tag` stands for now; of the only one there is when it is empty.

        Raises:
            UsageError: no tag was given, and there are several.
        """
        entries = self._entries()
        if tag:
            return next((digest for digest, name in entries if name == tag), None)
        if len({digest for digest, _ in entries}) > 1:
            names = ", ".join(sorted(name for _, name in entries if name)) or "none has a tag"
            message = f"{self.name} holds several manifests: {names}"
            raise UsageError(message, subject=self.name, hint="name one: oci-layout:DIRECTORY:TAG")
        return entries[0][0] if entries else None

    def read_manifest(self, wanted: str) -> bytes:
        """Return the manifest with the digest or tag `wanted`."""
        digest = Digest.parse(wanted) if wanted.startswith("sha256:") else self.digest_of(wanted)
        if digest is None or not self._path(digest).exists():
            message = f"{self.name} has no {wanted or 'manifest'}"
            raise BundleNotFoundError(message, subject=wanted)
        return self._read(digest, MAX_OCI_MANIFEST_BYTES)

    def read_blob(self, blob: Descriptor, limit: int) -> bytes:
        """Return a blob of at most `limit` bytes."""
        return self._read(blob.digest, limit)

    def fetch_blob(self, blob: Descriptor, destination: Path, moved: Moved) -> None:
        """Copy the blob to the file `destination`."""
        with self._told():
            destination.unlink(missing_ok=True)
            copy_file(self._path(blob.digest), destination)
            with destination.open("rb") as file:
                found = Digest.from_hex(hashlib.file_digest(file, "sha256").hexdigest())
                size = os.fstat(file.fileno()).st_size
            if (found, size) != (blob.digest, blob.size):
                destination.unlink()
                message = f"{self._path(blob.digest)} holds {size:,} bytes with the digest {found}"
                raise DigestMismatchError(message, subject=blob.digest)
        moved(blob.size)

    def has_blob(self, blob: Descriptor) -> bool:
        """Return whether the blob is there already, by its name and size."""
        with suppress(FileNotFoundError):
            return self._path(blob.digest).stat().st_size == blob.size
        return False

    def put_blob(self, blob: Descriptor, content: BlobContent, moved: Moved) -> None:
        """Put a blob there."""
        with self._told():
            self._put(blob.digest, content)
        moved(blob.size)

    def put_manifest(self, document: bytes, tag: str | None) -> None:
        """Put a manifest there, listed under `tag` if there is one."""
        digest = Digest.of(document)
        with self._told():
            self._put(digest, document)
            if tag is None:
                return
            with self._locked():
                index = self._index()
                entry: dict[str, JsonValue] = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(document)}
                entry["annotations"] = {REF_NAME: tag}
                others = [each for each in _manifests(index, self.name) if _named(each) != tag]
                self._write_index(index | {"manifests": [*others, entry]})

    def _create(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if any(self._directory.iterdir()):
            message = f"{self.name} is neither empty nor an OCI image layout"
            raise UsageError(message, subject=self.name, hint="name a directory that does not exist yet")
        self._blobs.mkdir(parents=True)
        self._write_index({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []})
        self._publish(self._directory / _MARK, json.dumps({"imageLayoutVersion": _VERSION}).encode())

    def _check(self) -> None:
        try:
            mark = loads((self._directory / _MARK).read_bytes(), max_bytes=4096)
        except (FileNotFoundError, NotADirectoryError, StrictJsonError):
            mark = None
        if not isinstance(mark, dict) or mark.get("imageLayoutVersion") != _VERSION:
            message = f"{self.name} is no OCI image layout: expected a file {_MARK} of version {_VERSION} in it"
            raise UsageError(message, subject=self.name)

    def _path(self, digest: Digest) -> Path:
        return self._blobs / digest.hex

    def _read(self, digest: Digest, limit: int) -> bytes:
        with self._told(), self._path(digest).open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            message = f"{self._path(digest)} has more than {limit:,} bytes"
            raise LimitExceededError(message, subject=limit)
        if Digest.of(data) != digest:
            message = f"{self._path(digest)} holds bytes with the digest {Digest.of(data)}"
            raise DigestMismatchError(message, subject=digest)
        return data

    def _put(self, digest: Digest, content: BlobContent) -> None:
        if self._path(digest).exists():
            return
        if isinstance(content, bytes):
            self._publish(self._path(digest), content)
            return
        staged = self._blobs / f".{os.urandom(8).hex()}"
        try:
            copy_file(content, staged)
            staged.rename(self._path(digest))
            sync_directory(self._blobs)
        finally:
            staged.unlink(missing_ok=True)

    def _index(self) -> dict[str, JsonValue]:
        try:
            index = loads((self._directory / _INDEX).read_bytes(), max_bytes=MAX_OCI_MANIFEST_BYTES)
        except StrictJsonError as error:
            message = f"{self._directory / _INDEX} is not strict JSON: {error}"
            raise ManifestError(message, subject=self.name) from error
        if not isinstance(index, dict):
            message = f"{self._directory / _INDEX} is not a JSON object"
            raise ManifestError(message, subject=self.name)
        return index

    def _entries(self) -> list[tuple[Digest, str | None]]:
        with self._told():
            entries = _manifests(self._index(), self.name)
        try:
            return [(Digest.parse(each.get("digest")), _named(each)) for each in entries]
        except ValueError as error:
            message = f"{self._directory / _INDEX} lists a manifest without a digest: {error}"
            raise ManifestError(message, subject=self.name) from error

    def _write_index(self, index: dict[str, JsonValue]) -> None:
        self._publish(self._directory / _INDEX, json.dumps(index, sort_keys=True, indent=2).encode())

    def _publish(self, path: Path, data: bytes) -> None:
        staged = path.with_name(f".{os.urandom(8).hex()}")
        try:
            with staged.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(path)
            sync_directory(path.parent)
        finally:
            staged.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let two that push at once each see the other's entry in the index."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the image layout {self.name} cannot be used: {error.strerror}: {error.filename}"
            raise FileAccessError(message, subject=self.name) from error


def _manifests(index: dict[str, JsonValue], name: str) -> list[dict[str, JsonValue]]:
    manifests = index.get("manifests")
    if not isinstance(manifests, list):
        message = f"{name}: {_INDEX} has no list of manifests"
        raise ManifestError(message, subject=name)
    return [each for each in manifests if isinstance(each, dict)]


def _named(entry: dict[str, JsonValue]) -> str | None:
    annotations = entry.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else None

"""A repository of a registry: what it sends is believed once its digest is right, what it is sent is asked for first.

See: OCI distribution specification 1.1, "Pull", "Push" and "Resuming".
"""

import re
from collections.abc import Mapping
from pathlib import Path

from bundlekit.errors import (
    BundleNotFoundError,
    DigestMismatchError,
    FileAccessError,
    LimitExceededError,
    RegistryError,
)
from bundlekit.model.digest import Digest
from bundlekit.model.reference import OciReference
from bundlekit.store.depot import BlobContent, Moved
from bundlekit.store.http_answer import Answer, Interrupted
from bundlekit.store.http_transport import Transport
from bundlekit.store.incoming import Incoming
from bundlekit.store.oci_documents import INDEX_TYPE, MANIFEST_TYPE, MAX_OCI_MANIFEST_BYTES, Descriptor
from bundlekit.store.upload import Upload

__all__ = ["Registry"]

_OK, _CREATED, _ACCEPTED, _PARTIAL, _NOT_FOUND, _BAD_RANGE = 200, 201, 202, 206, 404, 416
_ACCEPT = f"{MANIFEST_TYPE}, {INDEX_TYPE}, application/vnd.docker.distribution.manifest.v2+json"
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII)
_MOST_TRANSFERS = 100
"""A blob may come in so many pieces, each with some progress."""


class Registry:
    """The repository of `reference` in its registry, over `transport`; any number of threads may use it."""

    def __init__(self, reference: OciReference, transport: Transport) -> None:
        self.name = reference.name
        self._base = f"/v2/{reference.repository}"
        self._transport = transport

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def digest_of(self, tag: str) -> Digest | None:
        """Return the digest of the manifest that `tag` stands for now, by its bytes; None when there is no such tag."""
        found = self._manifest(tag)
        return None if found is None else Digest.of(found)

    def read_manifest(self, wanted: str) -> bytes:
        """Return the manifest with the digest or tag `wanted`."""
        data = self._manifest(wanted)
        if data is None:
            message = f"{self.name} has no {wanted}"
            raise BundleNotFoundError(
                message, subject=wanted, hint="look at the tag, and at who may read the repository"
            )
        return data

    def read_blob(self, blob: Descriptor, limit: int) -> bytes:
        """Return a blob of at most `limit` bytes."""
        if blob.size > limit:
            message = f"{self.name} lists a document of {blob.size:,} bytes, more than {limit:,}"
            raise LimitExceededError(message, subject=blob.size)
        data = self._read(f"{self._base}/blobs/{blob.digest}", {}, blob.size, f"the blob {blob.digest}")
        if data is None:
            raise self._lost(blob)
        if len(data) != blob.size or Digest.of(data) != blob.digest:
            message = f"{self.name} was asked for the blob {blob.digest} of {blob.size:,} bytes"
            message += f" and sent {len(data):,} bytes with the digest {Digest.of(data)}"
            raise DigestMismatchError(message, subject=blob.digest)
        return data

    def fetch_blob(self, blob: Descriptor, destination: Path, moved: Moved) -> None:
        """Have the blob in the file `destination`, going on where a transfer before has stopped."""
        try:
            with Incoming(blob, destination) as incoming:
                moved(incoming.size)
                try:
                    self._receive(blob, incoming, moved)
                    incoming.finish()
                except DigestMismatchError:
                    # Perhaps what an earlier transfer left was wrong, or a cache on the way is.
                    moved(-incoming.size)
                    incoming.start_again()
                    self._receive(blob, incoming, moved)
                    incoming.finish()
        except DigestMismatchError as error:
            destination.unlink(missing_ok=True)
            raise DigestMismatchError(f"{self.name}: {error.message}", subject=blob.digest) from error
        except OSError as error:
            message = f"cannot write {destination}: {error.strerror}"
            raise FileAccessError(message, subject=str(destination)) from error

    def has_blob(self, blob: Descriptor) -> bool:
        """Return whether the blob is there already."""
        with self._transport.ask("HEAD", f"{self._base}/blobs/{blob.digest}") as answer:
            if answer.status not in {_OK, _NOT_FOUND}:
                raise self._transport.refusal(answer, f"the question for the blob {blob.digest}")
            return answer.status == _OK

    def put_blob(self, blob: Descriptor, content: BlobContent, moved: Moved) -> None:
        """Put a blob there: in one piece, or in several that can be sent again one by one."""
        Upload(self._transport, self._base, blob).send(content, moved)

    def put_manifest(self, document: bytes, tag: str | None) -> None:
        """Put a manifest there, whose blobs are, under its digest and perhaps a tag."""
        digest = Digest.of(document)
        place = f"{self._base}/manifests/{tag or digest}"
        with self._transport.ask("PUT", place, headers={"Content-Type": MANIFEST_TYPE}, body=document) as answer:
            if answer.status not in {_OK, _CREATED, _ACCEPTED}:
                raise self._transport.refusal(answer, f"the manifest for {tag or digest}")
            claimed = answer.headers.get("Docker-Content-Digest", digest)
        if claimed != digest:
            message = f"{self.name} was sent the manifest {digest} and says that it has {claimed:.100}"
            raise DigestMismatchError(message, subject=claimed)

    def _manifest(self, wanted: str) -> bytes | None:
        place, what = f"{self._base}/manifests/{wanted}", f"the manifest of {wanted}"
        data = self._read(place, {"Accept": _ACCEPT}, MAX_OCI_MANIFEST_BYTES, what)
        if data is not None and wanted.startswith("sha256:") and Digest.of(data) != wanted:
            message = f"{self.name} was asked for the manifest {wanted} and sent {Digest.of(data)}"
            raise DigestMismatchError(message, subject=wanted)
        return data

    def _read(self, place: str, headers: Mapping[str, str], limit: int, what: str) -> bytes | None:
        """Return a document, read again when it breaks off; None when there is none."""
        reason = ""
        for _ in range(self._transport.patience.tries):
            with self._transport.ask("GET", place, headers=headers) as answer:
                if answer.status == _NOT_FOUND:
                    return None
                if answer.status != _OK:
                    raise self._transport.refusal(answer, what)
                try:
                    return answer.body(limit, f"{self.name}: {what}")
                except Interrupted as broken:
                    reason = str(broken)
        message = f"{self.name}: {what} breaks off each time: {reason}"
        raise RegistryError(message, subject=self.name)

    def _receive(self, blob: Descriptor, incoming: Incoming, moved: Moved) -> None:
        left = self._transport.patience.tries
        reason = ""
        for _ in range(_MOST_TRANSFERS):
            before = incoming.size
            if incoming.is_whole:
                return
            try:
                self._receive_some(blob, incoming, moved)
            except Interrupted as broken:
                reason = str(broken)
            left = self._transport.patience.tries if incoming.size > before else left - 1
            if not left:
                break
        if not incoming.is_whole:
            message = f"{self.name}: the blob {blob.digest} breaks off after {incoming.size:,} bytes: {reason}"
            raise RegistryError(message, subject=blob.digest, hint="the same command goes on from there")

    def _receive_some(self, blob: Descriptor, incoming: Incoming, moved: Moved) -> None:
        headers = {"Range": f"bytes={incoming.size}-{blob.size - 1}"} if incoming.size else {}
        with self._transport.ask("GET", f"{self._base}/blobs/{blob.digest}", headers=headers) as answer:
            if answer.status == _NOT_FOUND:
                raise self._lost(blob)
            if answer.status not in {_OK, _PARTIAL, _BAD_RANGE}:
                raise self._transport.refusal(answer, f"the blob {blob.digest}")
            if not _goes_on(answer, incoming.size, blob.size):
                moved(-incoming.size)
                incoming.start_again()
                if answer.status != _OK:
                    return
            _check_length(answer, blob.size - incoming.size, blob)
            for chunk in answer.chunks():
                incoming.take(chunk)
                moved(len(chunk))

    def _lost(self, blob: Descriptor) -> RegistryError:
        message = f"{self.name} lists the blob {blob.digest} and does not have it"
        return RegistryError(message, subject=blob.digest, hint="push the bundle again", status=_NOT_FOUND)


def _goes_on(answer: Answer, have: int, size: int) -> bool:
    """Return whether the body starts at the byte `have` of a blob of `size` bytes."""
    if answer.status != _PARTIAL:
        return have == 0 and answer.status == _OK
    told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return told is not None and int(told[1]) == have and told[3] in {str(size), "*"}


def _check_length(answer: Answer, expected: int, blob: Descriptor) -> None:
    told = answer.headers.get("Content-Length")
    if told is not None and told != str(expected):
        message = f"the blob {blob.digest} has {expected:,} bytes left to send, and {told:.40} are announced"
        raise DigestMismatchError(message, subject=blob.digest)

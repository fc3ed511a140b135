"""One blob on its way to a registry: in one piece, or in several that go on from where the last one stopped.

See: OCI distribution specification 1.1, "Pushing a blob monolithically" and "Pushing a blob in chunks".
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urljoin

from bundlekit.errors import DigestMismatchError, FileAccessError, RegistryError
from bundlekit.store.depot import BlobContent, Moved
from bundlekit.store.http_answer import Interrupted
from bundlekit.store.http_transport import Transport
from bundlekit.store.oci_documents import Descriptor

__all__ = ["PIECE_BYTES", "Upload"]

PIECE_BYTES = 16 << 20
_MOST_PIECE_BYTES = 256 << 20
_OK, _CREATED, _ACCEPTED, _NO_CONTENT, _NOT_FOUND, _BAD_RANGE = 200, 201, 202, 204, 404, 416
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)", re.ASCII)
_Read = Callable[[int, int], bytes]
"""Gives so many bytes of the blob at an offset."""


class Upload:
    """Sends `blob` to the repository at the path `base`."""

    def __init__(self, transport: Transport, base: str, blob: Descriptor) -> None:
        self._transport = transport
        self._base = base
        self._blob = blob
        self._name = blob.title or blob.digest
        self._place = ""
        self._piece_bytes = PIECE_BYTES

    def send(self, content: BlobContent, moved: Moved) -> None:
        """Send all of it, again from the start where the registry has forgotten what it got.

        Raises:
            RegistryError: it breaks off each time.
            FileAccessError: the file cannot be read, or is shorter by now.
        """
        if isinstance(content, Path):
            try:
                file = content.open("rb")
            except OSError as error:
                message = f"cannot read {content}: {error.strerror}"
                raise FileAccessError(message, subject=str(content)) from error
            with file:
                self._send(lambda count, offset: os.pread(file.fileno(), count, offset), moved)
        else:
            self._send(lambda count, offset: content[offset : offset + count], moved)

    def _send(self, read: _Read, moved: Moved) -> None:
        reason = ""
        for _ in range(self._transport.patience.tries):
            sent = _Sent(moved)
            try:
                self._begin()
                self._send_pieces(read, sent)
            except Interrupted as broken:
                reason = str(broken)
            else:
                return
            if self._arrived():
                moved(self._blob.size - sent.bytes)
                return
            sent.set(0)
        message = f"the upload of {self._name} to {self._transport.host} breaks off each time: {reason}"
        raise RegistryError(message, subject=self._blob.digest, hint="try again later")

    def _begin(self) -> None:
        with self._transport.ask("POST", f"{self._base}/blobs/uploads/", headers={"Content-Length": "0"}) as answer:
            place = answer.headers.get("Location")
            if answer.status != _ACCEPTED or not place:
                raise self._transport.refusal(answer, f"the upload of {self._name}")
            self._go_to(place)
            wanted = answer.headers.get("OCI-Chunk-Min-Length", "")
            if wanted.isascii() and wanted.isdigit():
                self._piece_bytes = max(PIECE_BYTES, min(int(wanted[:12]), _MOST_PIECE_BYTES))

    def _send_pieces(self, read: _Read, sent: "_Sent") -> None:
        if self._blob.size <= self._piece_bytes:
            self._end(self._read(read, self._blob.size, 0))
            sent.set(self._blob.size)
            return
        left = self._transport.patience.tries
        while (before := sent.bytes) < self._blob.size:
            size = min(self._piece_bytes, self._blob.size - before)
            self._send_piece(self._read(read, size, before), sent)
            left = self._transport.patience.tries if sent.bytes > before else left - 1
            if not left:
                msg = f"no more is taken after {sent.bytes:,} bytes"
                raise Interrupted(msg)
        # An empty end, as Docker's own client sends it: not every registry takes a last piece there.
        self._end(b"")

    def _send_piece(self, piece: bytes, sent: "_Sent") -> None:
        start = sent.bytes
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{start}-{start + len(piece) - 1}"}
        try:
            with self._transport.ask("PATCH", self._place, headers=headers, body=piece, once=True) as answer:
                if answer.status == _ACCEPTED:
                    self._go_to(answer.headers.get("Location", self._place))
                    sent.set(start + len(piece))
                    return
                if answer.status not in {_BAD_RANGE, _NOT_FOUND}:
                    raise self._transport.refusal(answer, f"a piece of {self._name}")
        except Interrupted:
            pass
        sent.set(self._taken())

    def _taken(self) -> int:
        """Return how many bytes the registry has of an upload that broke off.

        Raises:
            Interrupted: it does not know any more.
        """
        with self._transport.ask("GET", self._place) as answer:
            told = _RANGE.fullmatch(answer.headers.get("Range", ""))
            if answer.status != _NO_CONTENT or told is None:
                msg = f"status {answer.status} to the question how much arrived"
                raise Interrupted(msg)
            self._go_to(answer.headers.get("Location", self._place))
        # Nothing yet is told as "0-0", like one byte: the piece from 0 on is then refused, and all begins anew.
        taken = int(told[1]) + 1 if int(told[1]) else 0
        if taken > self._blob.size:
            msg = f"{taken:,} bytes are there, more than were sent"
            raise Interrupted(msg)
        return taken

    def _end(self, rest: bytes) -> None:
        place = f"{self._place}{'&' if '?' in self._place else '?'}digest={quote(self._blob.digest)}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(rest))}
        with self._transport.ask("PUT", place, headers=headers, body=rest, once=True) as answer:
            if answer.status == _NOT_FOUND:
                raise Interrupted("the registry has forgotten the upload")
            if answer.status not in {_OK, _CREATED}:
                raise self._transport.refusal(answer, f"the end of {self._name}")
            claimed = answer.headers.get("Docker-Content-Digest", self._blob.digest)
        if claimed != self._blob.digest:
            message = f"{self._transport.host} was sent {self._blob.digest} and says that it has {claimed:.100}"
            raise DigestMismatchError(message, subject=claimed)

    def _arrived(self) -> bool:
        """Return whether an upload whose last answer was lost is there all the same."""
        with suppress(RegistryError), self._transport.ask("HEAD", f"{self._base}/blobs/{self._blob.digest}") as answer:
            return answer.status == _OK
        return False

    def _go_to(self, place: str) -> None:
        self._place = urljoin(urljoin(self._transport.origin, self._place), place)

    def _read(self, read: _Read, count: int, offset: int) -> bytes:
        try:
            data = read(count, offset)
        except OSError as error:
            message = f"cannot read {self._name}: {error.strerror}"
            raise FileAccessError(message, subject=self._blob.title) from error
        if len(data) != count:
            message = f"{self._name} became shorter while it was sent"
            raise FileAccessError(message, subject=self._blob.title)
        return data


class _Sent:
    """How much of a blob the registry has; whoever watches hears each change."""

    def __init__(self, moved: Moved) -> None:
        self.bytes = 0
        self._moved = moved

    def set(self, count: int) -> None:
        self._moved(count - self.bytes)
        self.bytes = count

"""Reads a JSON document whose base64 strings may be larger than memory should be: they go into a file as they come.

In the document a mark takes the place of each. Afterwards a mark is put back as the text it stands for, but where the
data is wanted itself: there it becomes a LongText, which knows where its text is in the file.
"""

import binascii
import hashlib
import os
import re
from collections.abc import Callable, Iterator

from .strict_json import JsonValue

__all__ = ["KEPT_IN_FILE", "LongText", "LongTexts"]

_THRESHOLD = 1 << 16
_CHUNK = 3 << 20
"""A multiple of 4, so that each piece of base64 can be decoded by itself."""
KEPT_IN_FILE = ("sim_returns", None, "outputs", None, "inline")
"""Where large data of an aggregation stays in its file until the child reads it."""
_BEGINNING = re.compile(rb'"[A-Za-z0-9+/=]{%d}' % _THRESHOLD)
_END = re.compile(rb"[^A-Za-z0-9+/=]")


class LongText(str):
    """The mark of a text in the file `path`: `size` characters of base64 from `start`."""

    __slots__ = ("path", "size", "start")
    path: str
    start: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        """Yield the text, in pieces of a multiple of four characters and a rest."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            left = self.size
            while left and (piece := file.read(min(left, _CHUNK))):
                yield piece
                left -= len(piece)

    def measured(self) -> tuple[int, str]:
        """Return size and BLAKE2b-256 of the data.

        Raises:
            ValueError: the text is no base64.
        """
        digest, size, is_padded = hashlib.blake2b(digest_size=32), 0, False
        for piece in self.pieces():
            if is_padded:
                raise ValueError("excess data after padding")
            data = binascii.a2b_base64(piece, strict_mode=True)
            is_padded = piece.endswith(b"=")
            digest.update(data)
            size += len(data)
        return size, digest.hexdigest()


class LongTexts:
    """Grows with :meth:`feed`; `document` is what is left. `make_path` gives the file's path when one is needed."""

    def __init__(self, make_path: Callable[[], str]) -> None:
        self.document = bytearray()
        self._make_path = make_path
        self._path = ""
        self._file = -1
        self._mark = f"bundlekit-text-{os.urandom(16).hex()}-"
        self._starts: list[int] = []
        self._end = 0
        self._searched = 0
        self._is_inside = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the document."""
        while data:
            if self._is_inside:
                data = self._inside(data)
                continue
            self.document += data
            found = _BEGINNING.search(self.document, self._searched)
            if found is None:
                self._searched = max(self._searched, len(self.document) - _THRESHOLD - 1)
                return
            start = found.start() + 1
            data = bytes(self.document[start:])
            del self.document[start:]
            self.document += f"{self._mark}{len(self._starts)}.".encode()
            self._searched = len(self.document)
            self._starts.append(self._end)
            self._is_inside = True

    def close(self) -> None:
        """Let go of the file, which stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self.close()
        if self._path:
            os.unlink(self._path)
            self._path = ""

    def restored(self, value: JsonValue, kept: tuple[str | None, ...] | None) -> JsonValue:
        """Return `value` with the texts in the places of their marks; below `kept` (None is any key) as LongText."""
        if not self._starts:
            return value
        if isinstance(value, dict):
            return {self._text(key): self.restored(each, _below(kept, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.restored(each, _below(kept, None)) for each in value]
        if isinstance(value, str) and self._mark in value:
            is_whole = value.startswith(self._mark) and value.endswith(".") and value.count(self._mark) == 1
            return self._long(value) if is_whole and kept == () else self._text(value)
        return value

    @property
    def path(self) -> str | None:
        """The file, if there is one by now."""
        return self._path or None

    def expanded(self, document: str) -> Iterator[str]:
        """Yield `document` in pieces, with the texts in the places of their marks."""
        done = 0
        for found in re.finditer(re.escape(self._mark) + r"\d+\.", document) if self._starts else ():
            yield document[done : found.start()]
            yield from (piece.decode("ascii") for piece in self._long(found[0]).pieces())
            done = found.end()
        yield document[done:]

    def _inside(self, data: bytes) -> bytes:
        """Take the rest of a text from `data` and return what comes after it."""
        found = _END.search(data)
        end = len(data) if found is None else found.start()
        self._append(data[:end])
        self._is_inside = found is None
        return data[end:]

    def _append(self, data: bytes) -> None:
        if self._file < 0:
            self._path = self._make_path()
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._end += len(data)

    def _long(self, mark: str) -> LongText:
        number = int(mark.removeprefix(self._mark).removesuffix("."))
        text = LongText(mark)
        text.path, text.start = self._path, self._starts[number]
        text.size = (self._starts[number + 1] if number + 1 < len(self._starts) else self._end) - text.start
        return text

    def _text(self, text: str) -> str:
        return "".join(self.expanded(text))


def _below(kept: tuple[str | None, ...] | None, key: str | None) -> tuple[str | None, ...] | None:
    return kept[1:] if kept and kept[0] in {None, key} else None

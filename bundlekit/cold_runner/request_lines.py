"""Requests of the server form, one line each, without what is too large for memory."""

import os
from collections.abc import Callable, Iterator

from .codes import ErrorCode, Phase
from .long_texts import LongTexts
from .runner_error import RunnerError
from .task import MAX_TASK_BYTES

__all__ = ["request_lines"]


def request_lines(descriptor: int, make_path: Callable[[str], str]) -> Iterator[tuple[bytearray, LongTexts]]:
    """Yield each line that `descriptor` gives until its end, with the texts of which it holds marks.

    They are in a file at the path that `make_path` gives for a name, until the next line is asked for.

    Raises:
        RunnerError: E_LIMIT for a line beyond MAX_TASK_BYTES.
    """
    texts, size = _texts(make_path), 0
    while data := os.read(descriptor, 1 << 20):
        *lines, rest = data.split(b"\n")
        for line in lines:
            texts.feed(line)
            if texts.document.strip():
                yield texts.document, texts
            texts.remove()
            texts, size = _texts(make_path), 0
        texts.feed(rest)
        size += len(rest)
        if size > MAX_TASK_BYTES:
            raise RunnerError(ErrorCode.LIMIT, Phase.TASK, f"expected requests of at most {MAX_TASK_BYTES} bytes")


def _texts(make_path: Callable[[str], str]) -> LongTexts:
    return LongTexts(lambda: make_path(f"texts-{os.urandom(8).hex()}"))

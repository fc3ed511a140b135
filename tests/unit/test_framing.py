"""Frames between a pool and its processes: what is taken, what is refused, and that nothing is waited for in vain."""

import pytest

from bundlekit.cold_runner.child.framing import MAX_FRAME_BYTES, FrameLimitError, Frames, FramingError, framed

_TAKEN = {
    "crlf": (b"Content-Length: 2\r\n\r\n{}", [b"{}"]),
    "lf": (b"Content-Length: 2\n\n{}", [b"{}"]),
    "no-space": (b"Content-Length:2\n\n{}", [b"{}"]),
    "other-case": (b"content-LENGTH: 2\r\n\r\n{}", [b"{}"]),
    "other-headers": (b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "empty-body": (b"Content-Length: 0\r\n\r\n", [b""]),
    "two": (framed(b"[1]") + framed(b"[2]"), [b"[1]", b"[2]"]),
    "newlines-in-the-body": (framed(b"\n\n\r\n\r\n"), [b"\n\n\r\n\r\n"]),
    "half": (framed(b"[1]") + b"Content-Length: 5\r\n\r\n[1", [b"[1]"]),
    "half-a-head": (b"Content-Len", []),
}


@pytest.mark.parametrize("pace", [1, 3, 4096])
@pytest.mark.parametrize(("data", "bodies"), _TAKEN.values(), ids=_TAKEN)
def test_frames_are_taken_however_they_arrive(data: bytes, bodies: list[bytes], pace: int) -> None:
    """Both ends of a line are in use, and a read ends anywhere."""
    frames = Frames()
    found = []
    for start in range(0, len(data), pace):
        frames.feed(data[start : start + pace])
        while (body := frames.take()) is not None:
            found.append(body)
    assert found == bodies


_REFUSED = {
    "negative": b"Content-Length: -5\r\n\r\n",
    "no-number": b"Content-Length: two\r\n\r\n",
    "a-fraction": b"Content-Length: 2.5\r\n\r\n",
    "digits-of-another-script": "Content-Length: ٢\r\n\r\n".encode(),
    "thousands-of-digits": b"Content-Length: " + b"9" * 3000 + b"\r\n\r\n",
    "no-length": b"Content-Type: text\r\n\r\n",
    "two-lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
    "print": b"Welcome to mylib\n",
    "print-without-newline": b"\x1b[31m",
    "no-colon-in-a-line": b"Content-Length: 2\r\nWelcome\r\n\r\n",
    "endless-headers": b"A: b\r\n" * 1000,
    "endless-line": b"x" * 5000,
}


@pytest.mark.parametrize("data", _REFUSED.values(), ids=_REFUSED)
def test_what_is_no_frame_is_refused_at_once(data: bytes) -> None:
    """Whoever waited for the rest of it would wait until the deadline."""
    frames = Frames()
    frames.feed(data)
    with pytest.raises(FramingError, match="expected"):
        frames.take()


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 1 << 32])
def test_a_frame_that_is_too_long_is_refused_by_its_head(length: int) -> None:
    """Four gigabytes are not read to find out that they are too many."""
    frames = Frames()
    frames.feed(b"Content-Length: %d\r\n\r\n" % length)
    with pytest.raises(FrameLimitError, match=f"found one of {length}"):
        frames.take()


def test_what_lacks_is_known() -> None:
    """A reader takes large pieces only of what is large."""
    frames = Frames()
    assert frames.lacking == 0
    frames.feed(b"Content-Length: 10\r\n\r\n1234")
    assert frames.take() is None
    assert frames.lacking == 6
    assert not frames.is_empty

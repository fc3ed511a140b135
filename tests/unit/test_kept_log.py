import random
from pathlib import Path

import pytest

from bundlekit.cold_runner import kept_log
from bundlekit.cold_runner.kept_log import MAX_LOG_BYTES, KeptLog

HEAD, TAIL = 2048, 6144


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep files of the log where the test can see that none has a name."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def ends(data: bytes, head: int, tail: int) -> str:
    """Return what must be kept of `data`."""
    if len(data) <= head + tail:
        return data.decode()
    return f"{data[:head].decode()}\n[... {len(data) - head - tail} bytes left out ...]\n{data[-tail:].decode()}"


@pytest.mark.parametrize("seed", range(20))
def test_both_ends_are_kept_however_the_bytes_come(seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is lost must be the middle, and be counted; small limits stand for megabytes."""
    for name, value in (("MAX_LOG_BYTES", 2000), ("_HALF", 1000), ("_MEMORY_BYTES", 100)):
        monkeypatch.setattr(kept_log, name, value)
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    for _ in range(20):
        log, data = KeptLog(), b""
        for _ in range(dice.randint(0, 9)):
            piece = bytes(dice.choices(b"abc\n", k=dice.choice([0, 1, 50, 999, 1000, 1001, 3000, 9000])))
            log.add(piece)
            data += piece
        assert "".join(log.text()) == ends(data, 1000, 1000)
        assert log.tail() == ends(data, HEAD, TAIL)
        log.close()
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_utf_8_are_replaced_and_characters_are_not_torn() -> None:
    """Logs are for reading; a chunk may end inside a character."""
    log = KeptLog()
    data = b"\xff" + "é".encode() * 600_000 + b"\x00 end"
    for start in range(0, len(data), 65_537):
        log.add(data[start : start + 65_537])
    text = "".join(log.text())
    assert text.count("\ufffd") == 1
    assert text.count("é") == 600_000
    assert text.endswith("\x00 end")
    assert log.tail().endswith("\x00 end")
    log.close()


def test_the_file_never_exceeds_the_limit() -> None:
    """A flood must not fill the disk."""
    log = KeptLog()
    for _ in range(40):
        log.add(b"x" * (1 << 20))
    log.add(b"END")
    text = "".join(log.text())
    assert MAX_LOG_BYTES < len(text) < MAX_LOG_BYTES + 100
    assert text.endswith("END")
    log.close()


def test_a_log_that_cannot_be_written_is_kept_in_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full or absent disk takes the log, not the task."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    log = KeptLog()
    log.add(b"first\n" + b"x" * 100_000)
    log.add(b"\nlast")
    assert "".join(log.text()) == log.tail() == ends(b"first\n" + b"x" * 100_000 + b"\nlast", HEAD, TAIL)

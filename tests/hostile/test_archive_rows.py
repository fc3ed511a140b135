"""Rows of HOSTILE_CORPUS A, B and C beyond those of test_archives; the six invariants hold after each."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from builders.archives import (
    FILES,
    TarHeader,
    archive,
    bomb_frame,
    file_member,
    manifest_of_files,
    member,
    pax_member,
    tar,
)
from builders.inventory import inventory
from builders.mutants import good_archive, mutants, skippable
from builders.projects import bundle_project, write_tree

from bundlekit.errors import ArchiveCorruptError, ArchiveUnsafeError, BundlekitError, FileAccessError, UsageError
from bundlekit.model.manifest import ManifestFile
from bundlekit.pack.archive_reader import read_archive
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.ustar import pax_record
from bundlekit.pack.verify import verify_archive
from bundlekit.pack.zstd_frames import Frame, compress_frame, seek_table
from bundlekit.read.tree import walk

_MOST_SECONDS = 10.0
_CANARY = "CANARY_6f1d"

Unpack = Callable[[bytes], BundlekitError | None]


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Unpack]:
    """Unpack the bytes of an archive, return the refusal, and hold what every row must keep.

    I1: nothing is printed by the reader, and its message is one line of characters that no terminal obeys. I2: no other
    exception, no hang. I3: home, temporary directory and what lies beside the destination are as they were. I4: no
    process is started. I5: no secret of the environment is told. I6: the next good archive is unpacked.
    """
    outer, home, scratch = (tmp_path / name for name in ("outer", "home", "scratch"))
    for directory in (outer, home, scratch):
        directory.mkdir()
    (outer / "victim").write_bytes(b"CANARY")
    (outer / "victim").chmod(0o600)
    for name, value in {"HOME": str(home), "TMPDIR": str(scratch), "GITHUB_TOKEN": _CANARY}.items():
        monkeypatch.setenv(name, value)

    def act(data: bytes) -> BundlekitError | None:
        path = tmp_path / "row.tar.zst"
        path.write_bytes(data)
        before = {directory: inventory(directory) for directory in (outer, home, scratch)}
        started = time.monotonic()
        error = None
        try:
            unpack_archive(path, outer / "out")
        except BundlekitError as refusal:
            error = refusal
            assert all(character.isprintable() for character in error.message)
            assert _CANARY not in error.message
            assert {directory: inventory(directory) for directory in before} == before
        assert time.monotonic() - started < _MOST_SECONDS
        assert capfd.readouterr() == ("", "")
        assert not _children()
        return error

    yield act
    (tmp_path / "good.tar.zst").write_bytes(archive(tar()))
    assert unpack_archive(tmp_path / "good.tar.zst", outer / "next").digest


def _children() -> list[str]:
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]


def _link(name: str, target: str, kind: bytes = b"2") -> bytes:
    return member(TarHeader(name.encode(), kind=kind, link=target.encode()[:100]))


_LONG = "d" * 247


def _chain() -> list[bytes]:
    """Return the members of CVE-2025-4517: links whose resolved path is longer than PATH_MAX, then one that climbs."""
    members, path = [], ""
    for letter in "abcdefghijklmnop":
        members += [_link(f"{path}{letter}", _LONG)]
        path += f"{letter}/"
    return [*members, _link(f"{path}{'l' * 20}", "../" * 16), _link("escape", f"{path}l/../../outer")]


_GOOD = [file_member(path, data) for path, data in FILES.items()]
_UNSAFE: dict[str, tuple[Callable[[], list[bytes]], str]] = {
    "A04-chain-of-links": (_chain, "'a' is a symbolic link"),
    "A05-hard-link-to-a-link": (
        lambda: [_link("l", "../victim"), _link("h", "l", b"1")],
        "'l' is a symbolic link",
    ),
    "A06-absolute-hard-link": (lambda: [_link("h", "/etc/passwd", b"1")], "'h' is a hard link"),
    "A06-hard-link-from-the-working-directory": (lambda: [_link("h", "victim", b"1")], "'h' is a hard link"),
    "A11-setgid": (lambda: [member(TarHeader(b"data/empty", mode=b"0002644\0"))], "has the mode field"),
    "A11-sticky": (lambda: [member(TarHeader(b"data/empty", mode=b"0001644\0"))], "has the mode field"),
    "A17-nfd": (lambda: [member(TarHeader("e\u0301\u200d".encode()))], "invisible or direction-changing"),
    "N05-newline": (lambda: [member(TarHeader(b"a\nb"))], "contains a control character"),
    "N05-escape": (lambda: [member(TarHeader(b"a\x1b[31m"))], "contains a control character"),
    "N09-git": (lambda: [member(TarHeader(b".git/HEAD"))], "in a directory that git takes for its own"),
    "N09-git-stream": (lambda: [member(TarHeader(b".git::$INDEX_ALLOCATION/x"))], "git takes for its own"),
    "N09-git-invisible": (lambda: [member(TarHeader(".g\u200cit/HEAD".encode()))], "invisible"),
    "A01-in-pax": (
        lambda: [pax_member([pax_record("path", b"a/../../x")], TarHeader(b"x"), b"")],
        "has the component",
    ),
}


@pytest.mark.parametrize(("members", "text"), _UNSAFE.values(), ids=_UNSAFE)
def test_a_member_that_must_not_be_unpacked_is_refused(
    unpacked: Unpack, members: Callable[[], list[bytes]], text: str
) -> None:
    """What tarfile's filters let through on Pythons that people run is refused before a name is made of it."""
    error = unpacked(archive(tar(members=[*members(), *_GOOD])))

    assert isinstance(error, ArchiveUnsafeError)
    assert text in error.message


_TAR = tar()
_FRAMES = [compress_frame(_TAR[:2048]), compress_frame(_TAR[2048:])]
_SIZES = [Frame(0, len(_FRAMES[0]), 2048), Frame(0, len(_FRAMES[1]), len(_TAR) - 2048)]
_TABLE = seek_table(_SIZES)


def _table(*frames: Frame) -> bytes:
    return b"".join(_FRAMES) + seek_table(frames)


def _times(size: Frame, *, first: int = 0, content: int = 0) -> Frame:
    return size._replace(size=size.size + first, content_size=size.content_size + content)


_TABLES: dict[str, Callable[[], bytes]] = {
    "other-boundary": lambda: _table(_times(_SIZES[0], first=1), _times(_SIZES[1], first=-1)),
    "other-content": lambda: _table(_times(_SIZES[0], content=1), _times(_SIZES[1], content=-1)),
    "too-few": lambda: _table(_SIZES[0]),
    "too-many": lambda: _table(*_SIZES, Frame(0, 0, 0)),
    "swapped": lambda: _table(*reversed(_SIZES)),
    "empty": _table,
    "beyond-the-file": lambda: _table(_SIZES[0], _SIZES[1]._replace(size=2**32 - 1)),
    "checksum-flag": lambda: b"".join(_FRAMES) + _TABLE[:-5] + b"\x80" + _TABLE[-4:],
    "reserved-bits": lambda: b"".join(_FRAMES) + _TABLE[:-5] + b"\x7c" + _TABLE[-4:],
    "count-too-large": lambda: b"".join(_FRAMES) + _TABLE[:-9] + b"\xff\xff\xff\xff" + _TABLE[-5:],
    "other-magic": lambda: b"".join(_FRAMES) + _TABLE[:-4] + b"\xb2\xea\x92\x8f",
    "other-skippable-magic": lambda: b"".join(_FRAMES) + b"\x5d" + _TABLE[1:],
    "twice": lambda: b"".join(_FRAMES) + _TABLE * 2,
    "first": lambda: _TABLE + b"".join(_FRAMES),
    "between": lambda: _FRAMES[0] + _TABLE + _FRAMES[1],
    "with-a-tail": lambda: b"".join(_FRAMES) + _TABLE + b"\0",
    "cut": lambda: b"".join(_FRAMES) + _TABLE[:-1],
    "skippable-between": lambda: _FRAMES[0] + skippable(b"evil") + _FRAMES[1],
    "skippable-before-the-table": lambda: b"".join(_FRAMES) + skippable(b"") + _TABLE,
    "skippable-after-the-table": lambda: b"".join(_FRAMES) + _TABLE + skippable(b"evil"),
    "skippable-of-4-gb": lambda: b"".join(_FRAMES) + skippable(b"")[:4] + b"\xff\xff\xff\xff",
    "bomb-behind-a-table": lambda: b"".join(_FRAMES) + _TABLE + bomb_frame(1 << 30),
}


@pytest.mark.parametrize("build", _TABLES.values(), ids=_TABLES)
def test_a_seek_table_that_does_not_tile_the_file_is_refused(unpacked: Unpack, build: Callable[[], bytes]) -> None:
    """A21: two readers, one of which jumps, must not find two bundles in one file; nor may anything hide in it."""
    error = unpacked(build())

    assert isinstance(error, ArchiveCorruptError)


def test_the_seek_table_that_tiles_it_is_accepted(unpacked: Unpack) -> None:
    """The twin of the table above."""
    assert unpacked(b"".join(_FRAMES) + _TABLE) is None


class _Collected:
    """A sink that keeps in memory what it is given."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def begin(self, file: ManifestFile) -> None:
        self._path = file.path
        self.content[file.path] = b""

    def write(self, data: memoryview) -> None:
        self.content[self._path] += data

    def end(self) -> None:
        pass


def test_a_mutant_is_refused_or_holds_the_very_same_files(tmp_path: Path) -> None:
    """A19: in the file's bytes, in its frames, in its seek table and in the tar; the soak does many more."""
    path = tmp_path / "mutant.tar.zst"
    path.write_bytes(good_archive())
    digest = verify_archive(path).digest
    accepted = 0
    for layer, data in mutants(random.Random(19), 2000):  # noqa: S311 - the same each time
        path.write_bytes(data)
        files = _Collected()
        with suppress(BundlekitError):
            if read_archive(path, files).digest == digest:
                assert files.content == FILES
                accepted += 1
            else:
                assert layer == "tar"
    assert accepted > 10


def test_a_million_members_are_refused_at_the_first(unpacked: Unpack) -> None:
    """A28: the manifest says how many there are, so the others are never looked at."""
    header = member(TarHeader(b"more"))
    frames = compress_frame(tar({}, end=b"")) + compress_frame(header * 8192) * 122

    error = unpacked(frames)

    assert error is not None
    assert "the manifest does not list" in error.message


_NAMES: dict[str, bytes] = {
    "newline": b"a\nb",
    "tab": b"a\tb",
    "escape": b"a\x1b[31m",
    "delete": b"a\x7f",
    "backslash": b"a\\b",
    "bidi": "a\u202eb".encode(),
    "joiner": "a\u200db".encode(),
    "bom": "\ufeffa".encode(),
    "line-separator": "a\u2028".encode(),
    "fullwidth-slash": "a\uff0fb".encode(),
    "drive": b"C:",
}


@pytest.mark.parametrize("name", _NAMES.values(), ids=_NAMES)
def test_a_name_is_refused_alike_when_packing_and_when_unpacking(tmp_path: Path, unpacked: Unpack, name: bytes) -> None:
    """N04 to N06, A17: one function, one reason; what cannot be packed cannot come in by another packer either."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / os.fsdecode(name)).touch()

    (refused,) = walk(tmp_path / "tree").refused
    by_header = unpacked(archive(tar(members=[member(TarHeader(name)), *_GOOD])))
    by_manifest = unpacked(archive(tar({name.decode(): b""})))

    for error in (by_header, by_manifest):
        assert isinstance(error, ArchiveUnsafeError)
        assert refused.reason in error.message


def test_names_that_are_one_after_normalisation_are_refused_alike(tmp_path: Path, unpacked: Unpack) -> None:
    """N01, A17: node-tar, CVE-2021-37712."""
    names = ("caf\u00e9", "cafe\u0301")
    refused = walk(write_tree(tmp_path / "tree", dict.fromkeys(names, ""))).refused

    error = unpacked(archive(tar(dict.fromkeys(names, b""))))

    assert [entry.path for entry in refused] == sorted(names)
    assert isinstance(error, ArchiveUnsafeError)
    assert "one name after Unicode normalisation (NFC)" in error.message


@pytest.mark.parametrize("names", [("Model.py", "model.py"), ("aux.py", "b."), ("a:b", "a|c")], ids=str)
def test_names_that_only_do_not_port_make_the_round_trip(tmp_path: Path, names: tuple[str, str]) -> None:
    """N02 to N04, the twin: they are warnings, and nobody on Linux is kept from packing."""
    root = write_tree(tmp_path / "tree", {name: name for name in names})
    write_archive(bundle_project(root), tmp_path / "a.tar.zst")

    unpack_archive(tmp_path / "a.tar.zst", tmp_path / "out")

    assert sorted(path.read_text() for path in (tmp_path / "out").iterdir()) == sorted(names)


@pytest.mark.parametrize("path", ["/proc/self/mem", "/proc/self/status"])
def test_a_file_of_the_kernel_is_no_archive(path: str) -> None:
    """A38: they call themselves regular files of no bytes, and reading one could go on for ever."""
    with pytest.raises(ArchiveCorruptError, match="is empty"):
        verify_archive(Path(path))


def test_a_parent_that_is_swapped_meanwhile_gets_nothing(tmp_path: Path) -> None:
    """A39: by a link that leads elsewhere, while the archive is being read."""
    (tmp_path / "a.tar.zst").write_bytes(archive(tar()))
    parent, other = tmp_path / "parent", tmp_path / "other"
    parent.mkdir()
    write_tree(other, {"theirs": "CANARY"})
    before = inventory(other)

    def swap(_done: int, _total: int) -> None:
        if not parent.is_symlink():
            parent.rename(tmp_path / "moved")
            parent.symlink_to(other)

    with pytest.raises(FileAccessError, match="cannot write"):
        unpack_archive(tmp_path / "a.tar.zst", parent / "out", progress=swap)

    assert inventory(other) == before
    assert not (tmp_path / "moved" / "out").exists()


def test_a_destination_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """A39: somebody else was faster, and nothing is merged into what is theirs."""
    (tmp_path / "a.tar.zst").write_bytes(archive(tar()))

    with pytest.raises((FileAccessError, UsageError)):
        unpack_archive(
            tmp_path / "a.tar.zst",
            tmp_path / "out",
            progress=lambda _done, _total: write_tree(tmp_path / "out", {"theirs": "CANARY"}) and None,
        )

    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.zst", "out"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


_BY_COMMAND: dict[str, tuple[Callable[[], bytes], int]] = {
    "A01": (lambda: archive(tar(members=[file_member("../x", b"x")])), 3),
    "A18": (lambda: archive(tar()[:-512]), 3),
    "A27": (lambda: bomb_frame(10 << 30), 4),
    "M01": (lambda: archive(tar(manifest=b"\xff\xfe{}")), 3),
    "M07": (lambda: archive(tar({**FILES, "run.sh": b"#!/bin/sh\nexit 1\n"}, manifest=manifest_of_files())), 3),
}


@pytest.mark.process
@pytest.mark.parametrize("command", ["verify", "unpack"])
@pytest.mark.parametrize(("build", "status"), _BY_COMMAND.values(), ids=_BY_COMMAND)
def test_the_command_refuses_with_the_status_of_the_table(
    tmp_path: Path, command: str, *, build: Callable[[], bytes], status: int
) -> None:
    """Each kind of refusal as a user meets it: a sentence, its status, no traceback, nothing left."""
    (tmp_path / "row.tar.zst").write_bytes(build())
    home = tmp_path / "home"
    home.mkdir()
    before = inventory(tmp_path)
    arguments = [command, "row.tar.zst", *(["out"] if command == "unpack" else []), "--output", "json"]
    environment: Mapping[str, str] = os.environ | {"HOME": str(home), "GITHUB_TOKEN": _CANARY, "LC_ALL": "C"}

    done = subprocess.run(
        [sys.executable, "-m", "bundlekit", *arguments],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
    )

    assert done.returncode == status
    assert done.stderr.startswith("error: row.tar.zst: ")
    assert "Traceback" not in done.stderr
    assert _CANARY not in done.stdout + done.stderr
    if done.stdout:
        json.loads(done.stdout)
    assert inventory(tmp_path) == before

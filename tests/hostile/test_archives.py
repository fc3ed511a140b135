"""Archives that are damaged or made to harm: each is refused by name, and nothing is left anywhere.

Rows are those of HOSTILE_CORPUS A and C. A12 and A13 are stricter here than there: our packer writes no owner and no
time, so a header that has them is refused rather than ignored.
"""

import hashlib
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
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

from bundlekit.errors import (
    ArchiveCorruptError,
    ArchiveUnsafeError,
    BundlekitError,
    DigestMismatchError,
    LimitExceededError,
    ManifestError,
    UsageError,
)
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.ustar import END, MANIFEST_PATH
from bundlekit.pack.verify import verify_archive
from bundlekit.pack.zstd_frames import Frame, compress_frame, seek_table

_X = b"payload"
_GOOD = [file_member(path, data) for path, data in FILES.items()]


def _evil(*members: bytes) -> bytes:
    """Return an archive with these members before those that the manifest lists."""
    return archive(tar(members=[*members, *_GOOD]))


def _named(name: bytes, **fields: object) -> bytes:
    return _evil(member(TarHeader(name)._replace(**fields), _X))


def _pax(*records: bytes) -> bytes:
    return _evil(pax_member(records, TarHeader(b"x"), _X))


def _record(key: str, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    return next(b"%d %s=%s\n" % (n, key.encode(), value) for n in range(rest, rest + 9) if n == rest + len(str(n)))


def _first(**fields: object) -> bytes:
    """Return an archive whose first file, data/empty, has these header fields."""
    header = TarHeader(b"data/empty")._replace(**fields)
    return archive(tar(members=[member(header), *_GOOD[1:]], manifest=manifest_of_files()))


_ORDERED = dict(sorted(FILES.items()))

_UNSAFE: dict[str, tuple[Callable[[], bytes], type[BundlekitError], str]] = {
    "A01-up": (lambda: _named(b"../x"), ArchiveUnsafeError, r"'\.\./x' has the component '\.\.'"),
    "A01-inside": (lambda: _named(b"a/../../x"), ArchiveUnsafeError, r"'a/\.\./\.\./x'"),
    "A01-here": (lambda: _named(b"./../x"), ArchiveUnsafeError, r"'\./\.\./x'"),
    "A02-absolute": (lambda: _named(b"/x"), ArchiveUnsafeError, "'/x' is absolute"),
    "A02-network": (lambda: _named(b"//x"), ArchiveUnsafeError, "'//x' is absolute"),
    "A02-drive": (lambda: _named(b"C:\\x"), ArchiveUnsafeError, "contains a backslash"),
    "A02-share": (lambda: _named(b"\\\\srv\\s\\x"), ArchiveUnsafeError, "contains a backslash"),
    "A02-home": (lambda: _named(b"~/x"), ArchiveUnsafeError, "starts with '~'"),
    "A03-link": (
        lambda: _evil(member(TarHeader(b"d", kind=b"2", link=b"/outer")), member(TarHeader(b"d/x"), _X)),
        ArchiveUnsafeError,
        "'d' is a symbolic link",
    ),
    "A05-hard-link": (lambda: _named(b"l", kind=b"1", link=b"../victim"), ArchiveUnsafeError, "'l' is a hard link"),
    "A07-hard-link-inside": (lambda: _named(b"l", kind=b"1", link=b"run.sh"), ArchiveUnsafeError, "is a hard link"),
    "A08-link-inside": (lambda: _named(b"l", kind=b"2", link=b"run.sh"), ArchiveUnsafeError, "is a symbolic link"),
    "A10-character": (lambda: _named(b"n", kind=b"3"), ArchiveUnsafeError, "'n' is a character device"),
    "A10-block": (lambda: _named(b"n", kind=b"4"), ArchiveUnsafeError, "is a block device"),
    "A10-directory": (lambda: _named(b"n/", kind=b"5"), ArchiveUnsafeError, "is a directory entry"),
    "A10-fifo": (lambda: _named(b"n", kind=b"6"), ArchiveUnsafeError, "is a FIFO"),
    "A10-contiguous": (lambda: _named(b"n", kind=b"7"), ArchiveUnsafeError, "is a contiguous file"),
    "A10-unknown": (lambda: _named(b"n", kind=b"Z"), ArchiveUnsafeError, "of the unknown type b'Z'"),
    "A10-old": (lambda: _named(b"n", kind=b"\0"), ArchiveUnsafeError, "an old-style regular file"),
    "A11-setuid": (lambda: _first(mode=b"0004755\0"), ArchiveUnsafeError, r"'data/empty' has the mode field b'0004755"),
    "A11-none": (lambda: _first(mode=b"0000000\0"), ArchiveUnsafeError, "has the mode field"),
    "A11-all": (lambda: _first(mode=b"0000777\0"), ArchiveUnsafeError, "has the mode field"),
    "A12-owner": (lambda: _first(uid=b"0001750\0"), ArchiveCorruptError, "has fields that bundlekit never writes"),
    "A12-huge-owner": (lambda: _first(uid=b"\x80\0\0\0\xff\xff\xff\xff"), ArchiveCorruptError, "never writes"),
    "A12-user-name": (lambda: _first(user=b"root"), ArchiveCorruptError, "never writes"),
    "A13-time": (lambda: _first(mtime=b"14000000000\0"), ArchiveCorruptError, "never writes"),
    "A13-pax-time": (
        lambda: _pax(_record("mtime", b"nan")),
        ArchiveCorruptError,
        "has the key 'mtime'; bundlekit writes only path",
    ),
    "prefix": (lambda: _first(prefix=b"evil"), ArchiveCorruptError, "never writes"),
    "gnu-magic": (lambda: _first(magic=b"ustar  \0"), ArchiveCorruptError, "never writes"),
    "link-name": (lambda: _first(link=b"elsewhere"), ArchiveCorruptError, "never writes"),
    "needless-pax": (
        lambda: archive(
            tar(members=[pax_member([_record("path", b"data/empty")], TarHeader(b"data/empty")), *_GOOD[1:]])
        ),
        ArchiveCorruptError,
        "never writes",
    ),
    "A14-same-twice": (
        lambda: archive(tar(members=[_GOOD[0], _GOOD[0], *_GOOD[1:]], files=_ORDERED)),
        ArchiveCorruptError,
        "'data/observed.csv' (twice|out of order)",
    ),
    "A17-not-utf-8": (lambda: _named(b"a\xff"), ArchiveUnsafeError, "has a name that is not UTF-8"),
    "A17-fullwidth-slash": (lambda: _named("a\uff0fb".encode()), ArchiveUnsafeError, "path separator"),
    "A20-checksum": (lambda: _first(checksum=b"000000\0 "), ArchiveCorruptError, "wrong checksum"),
    "A20-no-checksum": (lambda: _first(checksum=b"\0" * 8), ArchiveCorruptError, "wrong checksum"),
    "A23-pax-size": (lambda: _pax(_record("size", b"9999")), ArchiveCorruptError, "has the key 'size'"),
    "A25-old-sparse": (lambda: _named(b"n", kind=b"S"), ArchiveUnsafeError, "is a GNU sparse file"),
    "A25-pax-sparse": (
        lambda: _pax(_record("GNU.sparse.major", b"1"), _record("GNU.sparse.realsize", b"1099511627776")),
        ArchiveUnsafeError,
        "is a GNU sparse file",
    ),
    "pax-global": (
        lambda: _evil(pax_member([_record("path", b"x")], TarHeader(b"x"), kind=b"g")),
        ArchiveUnsafeError,
        "global",
    ),
    "gnu-long-name": (lambda: _named(b"././@LongLink", kind=b"L"), ArchiveUnsafeError, "a GNU long name"),
    "pax-up": (lambda: _pax(_record("path", b"../" + b"x" * 200)), ArchiveUnsafeError, "has the component"),
    "pax-empty": (lambda: _pax(_record("path", b"")), ArchiveUnsafeError, "has the component ''"),
    "pax-malformed": (lambda: _pax(b"no record at all"), ArchiveCorruptError, "is malformed"),
    "pax-short": (lambda: _pax(b"99 path=x\n"), ArchiveCorruptError, "is malformed"),
    "pax-no-equals": (lambda: _pax(b"7 path\n"), ArchiveCorruptError, "is malformed"),
    "pax-long": (lambda: _pax(_record("path", b"x/" * 20000)), LimitExceededError, "more than 32,768"),
    "A26-negative": (lambda: _named(b"n", size_field=b"-0000000001\0"), ArchiveCorruptError, "size field"),
    "A26-base-256": (lambda: _named(b"n", size_field=b"\x80" + b"\xff" * 11), ArchiveCorruptError, "size field"),
    "A26-letters": (lambda: _named(b"n", size_field=b"0000000zz00\0"), ArchiveCorruptError, "size field"),
    "A26-empty": (lambda: _named(b"n", size_field=b"\0" * 12), ArchiveCorruptError, "size field"),
    "A29-huge": (
        lambda: _first(size_field=b"777777777777"),
        LimitExceededError,
        "declares 68,719,476,735 bytes, more than 8,589,934,591",
    ),
    "A30-depth": (lambda: _pax(_record("path", b"/".join([b"x"] * 2000))), LimitExceededError, "levels deep"),
    "A30-length": (lambda: _pax(_record("path", b"x" * 5000)), LimitExceededError, "is 5000 bytes long"),
    "A30-component": (lambda: _pax(_record("path", b"x" * 256)), LimitExceededError, "component of 256 bytes"),
    "M04-unlisted": (lambda: _named(b"extra.py"), DigestMismatchError, "'extra.py', which the manifest does not list"),
    "M04-unlisted-last": (
        lambda: archive(tar(members=[*(file_member(p, d) for p, d in _ORDERED.items()), file_member("zz", b"")])),
        DigestMismatchError,
        "'zz', which the manifest does not list",
    ),
    "M04-missing": (lambda: archive(tar(members=[])), DigestMismatchError, r"'data/empty'.*\(5 files are missing\)"),
    "M04-missing-last": (
        lambda: archive(tar(members=[file_member(p, d) for p, d in list(_ORDERED.items())[:-1]])),
        DigestMismatchError,
        r"'run.sh', and the archive ends before it \(1 files are missing\)",
    ),
    "order": (
        lambda: archive(tar(members=[file_member("run.sh", FILES["run.sh"])])),
        ArchiveCorruptError,
        "'run.sh' out of order",
    ),
    "M07-content": (
        lambda: archive(tar({**FILES, "run.sh": b"#!/bin/sh\nexit 1\n"}, manifest=manifest_of_files())),
        DigestMismatchError,
        "the content of 'run.sh' has the digest sha256:",
    ),
    "M07-size": (
        lambda: archive(tar({**FILES, "run.sh": b"longer than it was"}, manifest=manifest_of_files())),
        DigestMismatchError,
        "'run.sh' has 18 bytes, and the manifest promises 17",
    ),
    "M07-mode": (
        lambda: _first(mode=b"0000755\0"),
        DigestMismatchError,
        "'data/empty' has the mode 0755, and the manifest says 0644",
    ),
    "A21-after-end": (lambda: archive(tar(end=END + END)), ArchiveCorruptError, "more after the end"),
    "A21-one-block": (lambda: archive(tar(end=bytes(512))), ArchiveCorruptError, "two empty blocks"),
    "A21-no-end": (lambda: archive(tar(end=b"")), ArchiveCorruptError, "truncated: it ends after 5 of 5 files"),
    "A21-garbage": (lambda: archive(tar()) + b"garbage", ArchiveCorruptError, "is followed by other data at byte"),
    "A21-one-byte": (lambda: archive(tar()) + b"\0", ArchiveCorruptError, "in the middle of a frame"),
    "A21-second": (lambda: archive(tar()) * 2, ArchiveCorruptError, "more after the end"),
    "A21-skippable": (
        lambda: archive(tar()) + b"\x50\x2a\x4d\x18\x04\0\0\0evil",
        ArchiveCorruptError,
        "a skippable frame that is no seek table",
    ),
    "A21-skippable-first": (
        lambda: b"\x50\x2a\x4d\x18\x04\0\0\0evil" + archive(tar()),
        ArchiveCorruptError,
        "this is no bundlekit archive",
    ),
    "A21-wrong-seek-table": (
        lambda: archive(tar()) + seek_table([Frame(0, 1, 1)]),
        ArchiveCorruptError,
        "a skippable frame that is no seek table",
    ),
    "padding": (
        lambda: archive(tar().replace(b"exit 0\n" + bytes(9), b"exit 0\n" + b"!" * 9)),
        ArchiveCorruptError,
        "the padding after 'run.sh'",
    ),
    "A31-empty": (lambda: b"", ArchiveCorruptError, "is empty"),
    "A31-gzip": (lambda: b"\x1f\x8b\x08\0" + bytes(60), ArchiveCorruptError, "starts with 1f 8b 08 00"),
    "A31-zip": (lambda: b"PK\x03\x04" + bytes(60), ArchiveCorruptError, "no bundlekit archive"),
    "A31-jpeg": (lambda: b"\xff\xd8\xff\xe0" + bytes(60), ArchiveCorruptError, "no bundlekit archive"),
    "A31-plain-tar": (tar, ArchiveCorruptError, "no bundlekit archive"),
    "A31-empty-tar": (lambda: archive(END), ArchiveCorruptError, "two empty blocks"),
    "A31-short": (lambda: archive(b"x"), ArchiveCorruptError, "in the manifest's tar header"),
    "frame-without-size": (
        lambda: zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(tar()),
        ArchiveCorruptError,
        "needs a content size, a checksum",
    ),
    "frame-without-checksum": (
        lambda: zstandard.ZstdCompressor(write_checksum=False).compress(tar()),
        ArchiveCorruptError,
        "needs a content size, a checksum",
    ),
    "frame-empty": (lambda: archive(tar()) + compress_frame(b""), ArchiveCorruptError, "is empty"),
    "frame-header-cut": (lambda: b"\x28\xb5\x2f\xfd\x04", ArchiveCorruptError, "is truncated"),
    "frame-size-cut": (lambda: b"\x28\xb5\x2f\xfd" + b"\xc4\x38" + bytes(5), ArchiveCorruptError, "is truncated"),
    "frame-bad-block": (
        lambda: b"\x28\xb5\x2f\xfd" + struct.pack("<BBI", 0x84, 0x38, 99) + b"\x07\0\0",
        ArchiveCorruptError,
        "not valid Zstandard",
    ),
    "frame-padded": (
        lambda: b"\x28\xb5\x2f\xfd" + struct.pack("<BBI", 0x84, 0x38, 1) + bytes(3) * 600 + b"\x01\0\0" + bytes(4),
        ArchiveCorruptError,
        "larger than its content can be",
    ),
    "A27-one-frame": (lambda: bomb_frame(10 << 30), LimitExceededError, "declares 10,737,418,240 bytes of content"),
    "A27-later-frame": (lambda: archive(tar()) + bomb_frame(9 << 20), LimitExceededError, "more than 8,388,608"),
    "A27-nested": (
        lambda: _named(b"inner.tar.zst"),
        DigestMismatchError,
        "does not list",
    ),
    "M01-not-first": (lambda: archive(_GOOD[0] + tar()), ManifestError, "does not start with its manifest"),
    "M01-odd-header": (
        lambda: archive(member(TarHeader(MANIFEST_PATH.encode(), mode=b"0000755\0"), manifest_of_files())),
        ManifestError,
        "does not start with its manifest",
    ),
    "M01-twice": (
        lambda: _evil(member(TarHeader(MANIFEST_PATH.encode()), manifest_of_files())),
        ArchiveCorruptError,
        "holds the manifest twice",
    ),
    "M01-cut": (lambda: archive(tar()[:700]), ArchiveCorruptError, "in the manifest"),
    "M01-link": (
        lambda: archive(member(TarHeader(b"x", kind=b"2", link=b"/"))),
        ArchiveUnsafeError,
        "is a symbolic link",
    ),
    "M01-200-MB": (
        lambda: archive(TarHeader(MANIFEST_PATH.encode(), size=200 << 20).block()),
        LimitExceededError,
        "the manifest declares 209,715,200 bytes",
    ),
    "A15-twice-different": (
        lambda: archive(
            tar(
                members=[
                    *(file_member(p, d) for p, d in _ORDERED.items()),
                    file_member("run.sh", b"#!/bin/sh\nexit 9\n"),
                ]
            )
        ),
        ArchiveCorruptError,
        "'run.sh' twice",
    ),
    "large-cut": (
        lambda: archive(tar({"big": bytes(3 << 20)})[: 2 << 20]),
        ArchiveCorruptError,
        "bytes before the end of 'big'",
    ),
    "large-changed": (
        lambda: archive(tar({"big": b"\1" * (3 << 20)}, manifest=manifest_of_files({"big": bytes(3 << 20)}))),
        DigestMismatchError,
        "the content of 'big' has the digest",
    ),
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory with a victim in it, beside which archives are unpacked; a test checks that it stays as it was."""
    outer = tmp_path / "outer"
    outer.mkdir()
    victim = outer / "victim"
    victim.write_bytes(b"CANARY")
    victim.chmod(0o600)
    os.utime(victim, (1_000_000_000, 1_000_000_000))
    return outer


@pytest.mark.parametrize(("build", "error", "text"), _UNSAFE.values(), ids=_UNSAFE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, outside: Path, build: Callable[[], bytes], error: type[BundlekitError], text: str
) -> None:
    """Reading and unpacking refuse alike, name the member, and touch nothing beside the archive."""
    path = tmp_path / "evil.tar.zst"
    path.write_bytes(build())
    before = inventory(outside)

    with pytest.raises(error, match=text) as verified:
        verify_archive(path)
    with pytest.raises(error, match=text) as unpacked:
        unpack_archive(path, outside / "out")

    assert type(verified.value) is type(unpacked.value) is error
    assert str(verified.value) == str(unpacked.value)
    assert inventory(outside) == before


_LEAVES_ALONE: dict[str, Callable[[], bytes]] = {
    "one-frame": lambda: compress_frame(tar()),
    "many-frames": lambda: b"".join(compress_frame(tar()[start : start + 100]) for start in range(0, len(tar()), 100)),
    "no-files": lambda: archive(tar({})),
    "long-path": lambda: archive(tar({"d/" * 90 + "é" * 100: b"x"})),
    "exact-blocks": lambda: archive(tar({"a": bytes(512), "b": bytes(1024)})),
    "level-19": lambda: zstandard.ZstdCompressor(level=19, write_checksum=True).compress(tar()),
}


@pytest.mark.parametrize("build", _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_a_good_archive_is_accepted_however_it_is_framed(tmp_path: Path, build: Callable[[], bytes]) -> None:
    """The twin: what is compressed differently is the same bundle, since the digest is of the manifest."""
    path = tmp_path / "good.tar.zst"
    path.write_bytes(build())

    content = unpack_archive(path, tmp_path / "out")

    assert content == verify_archive(path) == read_manifest(path)
    written = {
        str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    assert {name: hashlib.sha256(data).hexdigest() for name, data in written.items()} == {
        file.path: file.sha256.hex for file in content.manifest.files
    }


def _accepted_digest(path: Path, data: bytes) -> str | None:
    path.write_bytes(data)
    try:
        return verify_archive(path).digest
    except (ArchiveCorruptError, ArchiveUnsafeError, DigestMismatchError, LimitExceededError, ManifestError):
        return None


def test_an_archive_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """A18: never fewer files; only the seek table, which holds nothing of the bundle, may be missing whole."""
    frames = [compress_frame(part) for part in (tar()[:2048], tar()[2048:])]
    sizes = [Frame(0, len(frame), 0) for frame in frames]
    content = b"".join(frames)
    whole = content + seek_table(
        [sizes[0]._replace(content_size=2048), sizes[1]._replace(content_size=len(tar()) - 2048)]
    )
    path = tmp_path / "cut.tar.zst"

    accepted = [length for length in range(len(whole) + 1) if _accepted_digest(path, whole[:length]) is not None]

    assert accepted == [len(content), len(whole)]


def test_a_tar_cut_at_any_block_is_refused(tmp_path: Path) -> None:
    """A18: as above, with whole frames around what is left; tarfile drops members in silence here (cpython#120740)."""
    path = tmp_path / "cut.tar.zst"
    content = tar()

    assert [n for n in range(0, len(content), 512) if _accepted_digest(path, archive(content[:n])) is not None] == []


def test_a_flipped_bit_is_never_accepted_as_another_bundle(tmp_path: Path) -> None:
    """A19: two bits of every byte of an archive, one at a time."""
    path = tmp_path / "flipped.tar.zst"
    good = archive(tar())
    digest = _accepted_digest(path, good)

    for place in range(len(good)):
        for bit in (place % 8, (place + 3) % 8):
            mutant = bytearray(good)
            mutant[place] ^= 1 << bit
            assert _accepted_digest(path, bytes(mutant)) in {None, digest}, (place, bit)


def test_a_tar_changed_anywhere_is_never_accepted_as_another_bundle(tmp_path: Path) -> None:
    """A19: the same below the checksums of the frames, where only headers and hashes can tell."""
    generator = random.Random(19)  # noqa: S311 - the same mutants in each run
    path = tmp_path / "changed.tar.zst"
    good = tar()
    start = len(tar(members=[], end=b""))

    for _ in range(2000):
        mutant = bytearray(good)
        place = generator.randrange(start, len(good))
        mutant[place] = (mutant[place] + generator.randrange(1, 256)) % 256
        assert _accepted_digest(path, archive(bytes(mutant))) is None, place


_NOT_FILES = {"fifo": "fifo", "device": "/dev/zero", "directory": "."}


@pytest.mark.parametrize("name", _NOT_FILES.values(), ids=_NOT_FILES)
def test_only_a_regular_file_is_read(tmp_path: Path, name: str) -> None:
    """A38: a FIFO would block, a device never end."""
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(UsageError, match="is not a regular file"):
        verify_archive(tmp_path / name)


def test_an_archive_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """The user mistyped a path."""
    with pytest.raises(UsageError, match=r"cannot open .*nowhere: No such file"):
        verify_archive(tmp_path / "nowhere")


@pytest.mark.parametrize("kind", ["file", "occupied", "link", "dangling", "no-parent"])
def test_a_destination_that_is_in_use_is_refused(tmp_path: Path, kind: str) -> None:
    """A39: nothing is merged into what is there, and no link is followed to it."""
    path = tmp_path / "good.tar.zst"
    path.write_bytes(archive(tar()))
    other = tmp_path / "other"
    other.mkdir()
    destination = tmp_path / "out"
    if kind == "file":
        destination.write_bytes(b"CANARY")
    elif kind == "occupied":
        destination.mkdir()
        (destination / "mine").write_bytes(b"CANARY")
    elif kind == "no-parent":
        destination = tmp_path / "missing" / "out"
    else:
        destination.symlink_to(other if kind == "link" else tmp_path / "nowhere")
    before = inventory(tmp_path)

    with pytest.raises(UsageError):
        unpack_archive(path, destination)

    assert inventory(tmp_path) == before


def test_an_empty_destination_is_filled(tmp_path: Path) -> None:
    """The twin: an empty directory is a place that the user prepared."""
    path = tmp_path / "good.tar.zst"
    path.write_bytes(archive(tar()))
    destination = tmp_path / "out"
    destination.mkdir()

    unpack_archive(path, destination)

    assert (destination / "run.sh").stat().st_mode & 0o777 == 0o755
    assert not (destination / ".bundlekit").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["good.tar.zst", "out"]


def test_a_destination_with_the_longest_name_is_filled(tmp_path: Path) -> None:
    """The twin: names of what is written meanwhile must not be made of the user's."""
    path = tmp_path / "good.tar.zst"
    path.write_bytes(archive(tar()))

    unpack_archive(path, tmp_path / ("é" * 127))

    assert (tmp_path / ("é" * 127) / "run.sh").exists()


def test_trees_that_only_look_alike_have_different_digests(tmp_path: Path) -> None:
    """A42: without framing, one file's content can spell the other's name."""
    digests = set()
    for files in ({"a": b"x", "b": b"y"}, {"a": b"x\nFILE\0b\0y"}, {"ab": b"xy"}):
        path = tmp_path / "one.tar.zst"
        path.write_bytes(archive(tar(files)))
        digests.add(verify_archive(path).digest)

    assert len(digests) == 3

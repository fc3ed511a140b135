"""Round trips: what is packed is what is unpacked, with the same digest, in the same bytes."""

import hashlib
import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import zstandard
from builders.archives import FILES, archive, tar
from builders.projects import bundle_project, write_tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundlekit.cold_runner.dependency_hash import dependency_hash
from bundlekit.errors import (
    DigestMismatchError,
    FileAccessError,
    LimitExceededError,
    NameRefusedError,
    PyprojectRefusedError,
    UsageError,
)
from bundlekit.model.declaration import Dependencies, Lock
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.project import Member, Project
from bundlekit.pack import manifest_json, unpack
from bundlekit.pack.archive_file import ArchiveFile
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.difference import difference
from bundlekit.pack.disk import Disk
from bundlekit.pack.hashing import hash_tree, member_pieces, read_member
from bundlekit.pack.in_order import in_order
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive
from bundlekit.pack.zstd_frames import frames, raw_frame, raw_frame_size

_MIB = 1 << 20


def _noise(seed: int, size: int) -> bytes:
    """Return bytes that do not compress, the same ones in each run."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret


_EDGES = {
    "empty": b"",
    "block": bytes(512),
    "under-small": _noise(1, _MIB - 1),
    "small": _noise(2, _MIB),
    "piece": b"piece" * (4 * _MIB // 5) + b"!!!!",
    "over-piece": _noise(3, 4 * _MIB + 1),
    "two-pieces": bytes(9 * _MIB),
    "z/after": b"x",
}
"""Files on each side of every size at which the writer does something else."""


def _project(root: Path, files: dict[str, bytes] | None = None) -> Project:
    return bundle_project(write_tree(root, FILES if files is None else files))


def _content(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("files", [FILES, _EDGES, {}], ids=["small", "edges", "none"])
def test_unpacking_gives_back_what_was_packed(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Pack, unpack, pack gives the same digest and the same bytes (DESIGN decision 1)."""
    project = _project(tmp_path / "in", {"pyproject.toml": b"", **files})
    done: list[tuple[int, int]] = []

    def note(now: int, total: int) -> None:
        done.append((now, total))

    packed = write_archive(project, tmp_path / "a.tar.zst", progress=note)
    unpacked = unpack_archive(tmp_path / "a.tar.zst", tmp_path / "out", progress=note)
    again = write_archive(bundle_project(tmp_path / "out"), tmp_path / "b.tar.zst")

    assert _content(tmp_path / "out") == _content(tmp_path / "in")
    assert packed.digest == unpacked.digest == again.digest == verify_archive(tmp_path / "a.tar.zst").digest
    assert packed.manifest == unpacked.manifest == again.manifest
    assert packed.size == (tmp_path / "a.tar.zst").stat().st_size
    assert (tmp_path / "a.tar.zst").read_bytes() == (tmp_path / "b.tar.zst").read_bytes()
    total = sum(len(data) for data in files.values())
    assert done[-1] == (total, total)
    assert done.count((total, total)) >= 2


_TREES = st.dictionaries(
    st.sampled_from(["a", "b", "a/b", "a.b", "ab", "b/a"]),
    st.tuples(
        st.sampled_from([0o644, 0o755]), st.sampled_from([b"", b"a", b"b", b"a\nFILE\0b\0", b"0644", b"a" * 600])
    ),
    max_size=4,
).filter(lambda tree: not any(other.startswith(path + "/") for path in tree for other in tree))
_Tree = dict[str, tuple[int, bytes]]


def _made(root: Path, tree: _Tree) -> Project:
    root.mkdir()
    write_tree(root, {path: data for path, (_, data) in tree.items()})
    for path, (mode, _) in tree.items():
        (root / path).chmod(mode)
    return bundle_project(root)


@given(first=_TREES, second=_TREES)
@settings(deadline=None, max_examples=30)
def test_digests_are_equal_just_where_trees_are(
    tmp_path_factory: pytest.TempPathFactory, first: _Tree, second: _Tree
) -> None:
    """A42: no name, mode or content can be written so that it reads as another's; and all three come back."""
    base = tmp_path_factory.mktemp("trees")

    one, two = (
        write_archive(_made(base / name, tree), base / f"{name}.tar.zst").digest
        for name, tree in (("a", first), ("b", second))
    )
    unpack_archive(base / "a.tar.zst", base / "out")

    assert (one == two) is (first == second)
    assert _content(base / "out") == first


@given(
    files=st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "é", "data.csv", "n" * 101]), min_size=1, max_size=3).map("/".join),
        st.binary(max_size=2000),
        max_size=6,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_any_tree_makes_the_round_trip(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    """The same for trees that nobody thought of; a file where another's directory must be is not one."""
    tree = {path: data for path, data in files.items() if not any(other.startswith(path + "/") for other in files)}
    base = tmp_path_factory.mktemp("trip")
    (base / "in").mkdir()

    packed = write_archive(_project(base / "in", tree), base / "a.tar.zst")
    unpacked = unpack_archive(base / "a.tar.zst", base / "out")

    assert {path: data for path, (_, data) in _content(base / "out").items()} == tree
    assert packed.digest == unpacked.digest


def test_the_digest_of_a_directory_is_that_of_its_archive(tmp_path: Path) -> None:
    """The directory is validated, the archive is shipped: one digest must name both."""
    project = _project(tmp_path / "in", _EDGES)
    done: list[tuple[int, int]] = []

    files = hash_tree(tmp_path / "in", project.members, progress=lambda now, all_: done.append((now, all_)))

    assert [file.sha256.hex for file in files] == [
        hashlib.sha256((tmp_path / "in" / file.path).read_bytes()).hexdigest() for file in files
    ]
    assert manifest_digest(manifest_of(project, files)) == write_archive(project, tmp_path / "a.tar.zst").digest
    assert done[-1] == (sum(map(len, _EDGES.values())),) * 2


@pytest.mark.parametrize("count", [64, 200])
def test_many_small_files_are_hashed_in_order(tmp_path: Path, count: int) -> None:
    """Batches are cut by number too, so that threads share the work of a tree of tiny files."""
    project = _project(tmp_path, {f"f{index:03}": b"%d" % index for index in range(count)})

    assert [file.path for file in hash_tree(tmp_path, project.members)] == [member.path for member in project.members]


def _edit(root: Path, edit: str) -> None:
    path = root / "data/observed.csv"
    if edit == "content":
        path.write_bytes(path.read_bytes().replace(b"5", b"6"))
    elif edit == "executable":
        path.chmod(0o755)
    elif edit == "dot-file":
        write_tree(root, {".modelops/manifest.json": b"{}"})
    elif edit == "name":
        path.rename(path.with_name("other.csv"))


@pytest.mark.parametrize("edit", ["content", "executable", "dot-file", "name"])
def test_every_change_that_ships_changes_the_digest(tmp_path: Path, edit: str) -> None:
    """A43, A45."""
    before = write_archive(_project(tmp_path / "in"), tmp_path / "a").digest

    _edit(tmp_path / "in", edit)

    assert write_archive(bundle_project(tmp_path / "in"), tmp_path / "b").digest != before


def test_nothing_else_changes_the_archive(tmp_path: Path) -> None:
    """A41, A44, the twin: times, the other bits of the mode, the directory's name, what is left out."""
    write_archive(_project(tmp_path / "in"), tmp_path / "a")

    root = (tmp_path / "in").rename(tmp_path / "renamed")
    os.utime(root / "run.sh", (1, 1))
    (root / "data/observed.csv").chmod(0o606)
    if os.geteuid() == 0:
        os.chown(root / "run.sh", 12345, 12345)
    write_tree(root, {"__pycache__/m.pyc": b"", ".git/HEAD": b""})
    write_archive(bundle_project(root), tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_manifest_is_read_without_the_rest(tmp_path: Path) -> None:
    """`inspect` of a large archive must not read it."""
    packed = write_archive(_project(tmp_path / "in", _EDGES), tmp_path / "a")
    with (tmp_path / "a").open("r+b") as file:
        file.truncate(4096)

    assert read_manifest(tmp_path / "a").digest == packed.digest


def test_the_archive_is_of_independent_frames_and_a_seek_table(tmp_path: Path) -> None:
    """DESIGN decision 2: the manifest alone and raw, then frames of bounded size, then the table that tiles them."""
    write_archive(_project(tmp_path / "in", _EDGES), tmp_path / "a")
    data = (tmp_path / "a").read_bytes()

    found = list(frames(lambda count, offset: data[offset : offset + count], len(data)))

    assert found[0] == (0, raw_frame_size(found[0].content_size), found[0].content_size)
    assert b'"schema":"bundlekit/manifest/1"' in data[: found[0].size]
    assert max(frame.content_size for frame in found) <= 4 * _MIB + 1536
    assert int.from_bytes(data[-4:], "little") == 0x8F92EAB1
    assert (
        zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(512).startswith(b".bundlekit/")
    )


@pytest.mark.parametrize("size", [0, 1, 128 << 10, (128 << 10) + 1, 1_000_000])
def test_a_raw_frame_has_a_size_known_beforehand(size: int) -> None:
    """The manifest is written last into the room that was left for it first."""
    content = _noise(size, size)

    frame = raw_frame(content)

    assert len(frame) == raw_frame_size(size)
    assert zstandard.ZstdDecompressor().decompress(frame) == content


def _replaced_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _replaced_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


_RACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "cannot read run.sh: No such file or directory"),
    "longer": (lambda path: path.write_bytes(b"x" * 99), "run.sh changed while it was being read"),
    "mode": (lambda path: path.chmod(0o755), "run.sh changed while it was being read"),
    "link": (_replaced_by_link, "cannot read run.sh: Too many levels of symbolic links"),
    "fifo": (_replaced_by_fifo, "run.sh changed while it was being read"),
}


@pytest.mark.parametrize(("change", "text"), _RACES.values(), ids=_RACES)
def test_a_file_that_is_not_what_the_walk_saw_stops_the_packing(
    tmp_path: Path, change: Callable[[Path], object], text: str
) -> None:
    """S13, N14, N16: neither the digest nor the archive may hold what nobody checked; nothing is left behind."""
    project = _project(tmp_path / "in")
    change(tmp_path / "in" / "run.sh")

    with pytest.raises(FileAccessError, match=text):
        hash_tree(tmp_path / "in", project.members)
    with pytest.raises(FileAccessError, match=text):
        write_archive(project, tmp_path / "a.tar.zst")

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("change", ["shorter", "longer", "rewritten"])
def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, change: str) -> None:
    """S13: between the first piece and the last."""
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    os.utime(path, (1, 1))
    pieces = member_pieces(os.fsencode(tmp_path), Member("data", 10, executable=False), 5)
    assert next(pieces) == b"01234"
    if change == "shorter":
        os.truncate(path, 6)
    else:
        path.write_bytes(b"9876543210" + b"+" * (change == "longer"))

    with pytest.raises(FileAccessError, match="data changed while it was being read") as caught:
        list(pieces)
    assert caught.value.subject == "data"


def test_a_small_member_is_read_whole(tmp_path: Path) -> None:
    """The twin of the races."""
    (tmp_path / "data").write_bytes(b"0123456789")

    assert read_member(os.fsencode(tmp_path), Member("data", 10, executable=False)) == b"0123456789"


def test_an_archive_replaces_another_only_when_it_is_complete(tmp_path: Path) -> None:
    """DEFECTS 17: a failure keeps the old bytes."""
    destination = tmp_path / "a.tar.zst"
    project = _project(tmp_path / "in")
    first = write_archive(project, destination)
    before = destination.read_bytes()
    (tmp_path / "in/run.sh").write_bytes(b"#!/bin/sh\nexit 2\n")

    with pytest.raises(DigestMismatchError, match=r"changed after it was proved: sha256:\w+ was proved"):
        write_archive(project, destination, expected=first.digest)
    assert destination.read_bytes() == before

    assert write_archive(project, destination).digest != first.digest
    assert destination.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.zst", "in"]


def test_an_entry_that_cannot_ship_stops_the_packing(tmp_path: Path) -> None:
    """A08, N11: before anything is written."""
    root = write_tree(tmp_path / "in", FILES)
    (root / "link").symlink_to("run.sh")

    with pytest.raises(NameRefusedError, match="1 of the bundle's entries cannot ship: 'link' is a symbolic link"):
        write_archive(bundle_project(root), tmp_path / "a.tar.zst")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_destination_that_is_a_directory_is_a_usage_error(tmp_path: Path) -> None:
    """`-o dist` where dist is a directory must not replace it."""
    with pytest.raises(UsageError, match="is a directory, and the archive is a file"):
        write_archive(_project(tmp_path / "in"), tmp_path)


def test_a_destination_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """E_IO, with the path that the user gave."""
    with pytest.raises(FileAccessError, match=r"cannot write .*nowhere/a: No such file or directory"):
        write_archive(_project(tmp_path / "in"), tmp_path / "nowhere" / "a")
    with pytest.raises(FileAccessError, match="File name too long"):
        write_archive(_project(tmp_path / "in"), tmp_path / ("a" * 256))
    with pytest.raises(FileAccessError, match="File name too long"):
        unpack_archive(tmp_path / "in", tmp_path / ("a" * 256))


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let no file grow over 64 KiB: what a full disk looks like to a writer."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """V11: neither half an archive nor half a directory."""
    project = _project(tmp_path / "in", {"big": bytes(_MIB), "noise": _noise(1, 80_000)})
    write_archive(project, tmp_path / "a")

    with _full_disk():
        with pytest.raises(FileAccessError, match=r"cannot write .*out: File too large"):
            unpack_archive(tmp_path / "a", tmp_path / "out")
        with pytest.raises(FileAccessError, match=r"cannot write .*b: File too large"):
            write_archive(project, tmp_path / "b")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "in"]


def test_a_manifest_that_no_reader_accepts_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What we pack, we read; with a limit that a test can reach."""
    monkeypatch.setattr(manifest_json, "MAX_MANIFEST_BYTES", 100)

    with pytest.raises(LimitExceededError, match=r"the manifest has \d,\d{3} bytes, more than 100"):
        write_archive(_project(tmp_path / "in"), tmp_path / "a")


def _locked(project: Project, data: bytes, *, hashed: bytes | None = None) -> Project:
    digest = dependency_hash(
        lock=("uv.lock", data if hashed is None else hashed),
        declared=project.dependencies.declared,
        requires_python=project.requires_python,
    )
    lock = Lock("uv.lock", Digest.of(data))
    return project._replace(dependencies=Dependencies(project.dependencies.declared, lock, Digest(digest)))


_LOCK = b'version = 1\n[[package]]\nname = "numpy"\nversion = "2.1.0"\n' * 20


def test_a_lock_ships_and_decides_the_dependency_hash(tmp_path: Path) -> None:
    """M07: the reader computes the hash again from the lock that it unpacks."""
    project = _locked(_project(tmp_path / "in", {"uv.lock": _LOCK, **FILES}), _LOCK)

    packed = write_archive(project, tmp_path / "a")

    assert verify_archive(tmp_path / "a").manifest.dependencies == packed.manifest.dependencies


def test_a_wrong_dependency_hash_is_refused(tmp_path: Path) -> None:
    """M07: environments are shared by this hash, so a wrong one would lend a task another bundle's environment."""
    project = _locked(_project(tmp_path / "in", {"uv.lock": _LOCK, **FILES}), _LOCK, hashed=b"other")
    write_archive(project, tmp_path / "a")

    with pytest.raises(DigestMismatchError, match=r"the manifest's dependency hash is sha256:\w+, and what"):
        verify_archive(tmp_path / "a")


def test_a_lock_that_would_not_ship_stops_the_packing(tmp_path: Path) -> None:
    """The cluster would install something else than what was proved."""
    project = _locked(_project(tmp_path / "in"), _LOCK)

    with pytest.raises(PyprojectRefusedError, match=r"uv\.lock decides the dependencies of the bundle"):
        write_archive(project, tmp_path / "a")


def test_a_lock_that_changed_since_it_was_read_stops_the_packing(tmp_path: Path) -> None:
    """S13: the manifest would name one lock and hold another."""
    project = _locked(_project(tmp_path / "in", {"uv.lock": _LOCK, **FILES}), _LOCK)
    (tmp_path / "in/uv.lock").write_bytes(_LOCK.replace(b"2.1.0", b"2.1.1"))

    with pytest.raises(DigestMismatchError, match=r"the manifest's lock 'uv\.lock' is not among its files"):
        write_archive(project, tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The umask of the one who unpacks."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_are_those_of_the_manifest_whatever_the_umask(tmp_path: Path) -> None:
    """A digest covers the modes, so two users must get the same ones."""
    (tmp_path / "a").write_bytes(archive(tar()))

    unpack_archive(tmp_path / "a", tmp_path / "out")

    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o7777 for path in (tmp_path / "out").rglob("*")}
    assert {mode for path, mode in modes.items() if (tmp_path / path).is_dir()} == {0o755}
    assert {path for path, mode in modes.items() if (tmp_path / path).is_file() and mode == 0o755} == {"out/run.sh"}
    assert set(modes.values()) == {0o755, 0o644}
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o755


_TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "added": (lambda root: (root / "data/new").touch(), "'data/new' was not written as the manifest lists it"),
    "removed": (lambda root: (root / "run.sh").unlink(), "'run.sh' is in the manifest and was not written"),
    "chmod": (lambda root: (root / "run.sh").chmod(0o644), "'run.sh' was not written as the manifest lists it"),
    "resized": (lambda root: os.truncate(root / "run.sh", 3), "'run.sh' was not written as the manifest lists it"),
    "link": (lambda root: _replaced_by_link(root / "run.sh"), "'run.sh' was not written as the manifest lists it"),
}


@pytest.mark.parametrize(("change", "text"), _TAMPERED.values(), ids=_TAMPERED)
def test_the_directory_is_compared_with_the_manifest_both_ways(
    tmp_path: Path, change: Callable[[Path], object], text: str
) -> None:
    """M11: files against the manifest and the manifest against the files (STYLE, smell 3)."""
    (tmp_path / "a").write_bytes(archive(tar()))
    manifest = unpack_archive(tmp_path / "a", tmp_path / "out").manifest
    unpack._check_inventory(tmp_path / "out", manifest)  # noqa: SLF001 - nothing can change a private staging directory
    change(tmp_path / "out")

    with pytest.raises(DigestMismatchError, match=text):
        unpack._check_inventory(tmp_path / "out", manifest)  # noqa: SLF001 - as above


def test_a_difference_names_files_and_declarations(tmp_path: Path) -> None:
    """`diff A B` tells what to look at; equal digests mean that it is empty."""
    before = write_archive(_project(tmp_path / "a"), tmp_path / "a.tar.zst").manifest
    root = write_tree(tmp_path / "a", {"new.py": b"", "run.sh": b"exit 3"})
    (root / "data/empty").unlink()
    after = write_archive(bundle_project(root)._replace(version="1.1"), tmp_path / "b.tar.zst").manifest

    found = difference(before, after)

    assert not found.same
    assert [file.path for file in found.added] == ["new.py"]
    assert [file.path for file in found.removed] == ["data/empty"]
    assert [(before.path, before.size, after.size) for before, after in found.changed] == [("run.sh", 17, 6)]
    assert found.declarations == (("version", '"1.0"', '"1.1"'),)
    assert difference(before, before).same


def test_a_change_of_mode_is_a_change(tmp_path: Path) -> None:
    """A43: the content is equal, the program would not start."""
    manifest = write_archive(_project(tmp_path / "a"), tmp_path / "a.tar.zst").manifest
    changed = tuple(file._replace(mode="0755") if file.path == "run.sh" else file for file in manifest.files)

    (change,) = difference(manifest, manifest._replace(files=changed)).changed

    assert isinstance(change.after, ManifestFile)
    assert (change.before.mode, change.after.mode) == ("0644", "0755")


def test_many_files_are_all_written_and_closed(tmp_path: Path) -> None:
    """A thousand members must not take a thousand descriptors: files are closed as they reach the disk."""
    files = {f"d{index % 3}/f{index:03}": b"%d" % index for index in range(150)}
    write_archive(_project(tmp_path / "in", files), tmp_path / "a")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are counted, not paths

    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 90, limits[1]))
    try:
        unpack_archive(tmp_path / "a", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert {path: data for path, (_, data) in _content(tmp_path / "out").items()} == files
    assert len(os.listdir("/proc/self/fd")) == used  # noqa: PTH208 - as above


def test_a_file_that_cannot_reach_the_disk_is_an_error() -> None:
    """A power cut must not find less on the disk than was reported."""
    disk = Disk()

    with pytest.raises(OSError, match="Bad file descriptor"):
        disk.take(-1)
    disk.close()


def test_an_archive_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """E_IO: the disk failed, the archive is not to blame."""
    (tmp_path / "a").write_bytes(archive(tar()))
    opened = ArchiveFile(tmp_path / "a")
    os.close(opened.descriptor)

    with pytest.raises(FileAccessError, match=r"cannot read .*/a: Bad file descriptor"):
        opened.read(1, 0)


def test_jobs_after_a_failure_are_dropped() -> None:
    """The first damaged frame ends the work; what was begun is waited for."""
    begun = []

    def job(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("the third")
        return number

    with pytest.raises(ValueError, match="the third"):
        list(in_order((partial(job, number) for number in range(1000)), total_bytes=1 << 30))
    assert max(begun) < 20

"""The store of bundles: one publication of each, nothing that is damaged is given, nothing that is in use goes."""

import os
import random
import resource
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from builders.bundles import make_bundle
from builders.inventory import inventory

from bundlekit.api.caches import Limits, clear_cache, list_cache, verify_cache
from bundlekit.errors import CacheUnusableError, DigestMismatchError, FileAccessError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.copies import copy_file, copy_tree, publish_copy
from bundlekit.store.repositories import StoreRepository
from bundlekit.store.stored_bundle import ArchiveSource, StoredBundle

_ABSENT = Digest.of(b"no bundle")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A bundle's archive; the bundle is in ``bundle`` beside it."""
    bundle = make_bundle(tmp_path / "bundle", {"data/a.csv": "1,2\n", "run.sh": "#!/bin/sh\n"})
    (bundle / "run.sh").chmod(0o755)
    write_archive(read_project(bundle), tmp_path / "model.tar.zst")
    return tmp_path / "model.tar.zst"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new cache, which is also that of the commands."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _digest(archive: Path) -> Digest:
    return read_manifest(archive).digest


def _entry(cache: Path, archive: Path) -> Path:
    return cache / "bundles" / _digest(archive).hex


def _counted(archive: Path, counts: list[int]) -> ArchiveSource:
    def write(destination: Path) -> None:
        counts.append(1)
        time.sleep(0.01)
        copy_file(archive, destination)

    return write


def test_what_is_given_is_what_was_packed(archive: Path, cache: Path) -> None:
    """Archive and directory, under the full digest, and copies: no file of the store is one of the user's."""
    with BundleStore(cache) as store:
        assert not store.has(_digest(archive))
        bundle = store.adopt(archive)
        assert store.has(_digest(archive))
        assert bundle == StoredBundle.of(_entry(cache, archive), _digest(archive))
        assert bundle.archive.read_bytes() == archive.read_bytes()
        assert bundle.archive.stat().st_ino != archive.stat().st_ino
        there, packed = inventory(bundle.tree), inventory(archive.parent / "bundle")
    assert {path: (mode, data) for path, (mode, _, _, data) in there.items()} == {
        path: (mode, data) for path, (mode, _, _, data) in packed.items()
    }
    assert {links for path, (_, links, _, _) in there.items() if not (bundle.tree / path).is_dir()} == {1}


def test_many_make_a_bundle_once(archive: Path, cache: Path) -> None:
    """The workers of a node start together, threads of one process and processes alike."""
    counts: list[int] = []
    shared = BundleStore(cache)

    def hold(number: int) -> StoredBundle:
        store = shared if number % 2 else BundleStore(cache)
        return store.hold(_digest(archive), _counted(archive, counts))

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(hold, range(16)))
    shared.close()
    assert (len(found), counts) == (1, [1])


def _edit(entry: Path) -> None:
    (entry / "tree" / "model" / "wire.py").write_text("EVIL = 1\n", encoding="utf-8")


def _edit_in_place(entry: Path) -> None:
    path = entry / "tree" / "data" / "a.csv"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"9")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(entry: Path) -> None:
    (entry / "tree" / "sitecustomize.py").write_text("EVIL = 1\n", encoding="utf-8")


def _add_directory(entry: Path) -> None:
    (entry / "tree" / "numpy").mkdir()


def _remove(entry: Path) -> None:
    (entry / "tree" / "pyproject.toml").unlink()


def _chmod(entry: Path) -> None:
    (entry / "tree" / "run.sh").chmod(0o644)


def _link(entry: Path) -> None:
    path = entry / "tree" / "data" / "a.csv"
    shutil.copy(path, entry.parent / "elsewhere.csv")
    path.unlink()
    path.symlink_to(entry.parent / "elsewhere.csv")


def _other_archive(entry: Path) -> None:
    (entry / "bundle.tar.zst").write_bytes(b"no archive")


def _no_tree(entry: Path) -> None:
    shutil.rmtree(entry / "tree")


def _no_archive(entry: Path) -> None:
    (entry / "bundle.tar.zst").unlink()


_DAMAGES = (
    _edit,
    _edit_in_place,
    _add,
    _add_directory,
    _remove,
    _chmod,
    _link,
    _other_archive,
    _no_tree,
    _no_archive,
)


@pytest.mark.parametrize("damage", _DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_a_damaged_bundle_is_made_again_of_what_is_sound(
    archive: Path, cache: Path, damage: Callable[[Path], None]
) -> None:
    """It is found before anybody has it, and kept aside for who wants to know what happened."""
    entry = _entry(cache, archive)
    with BundleStore(cache) as store:
        before = inventory(store.adopt(archive).tree)
    damage(entry)
    said: list[str] = []
    with BundleStore(cache, said.append) as store:
        tree = store.hold(_digest(archive)).tree
        assert {path: found[3] for path, found in inventory(tree).items()} == {
            path: found[3] for path, found in before.items()
        }
    assert "is damaged: " in said[0]
    assert [each.name.partition(".")[0] for each in (cache / "damaged").iterdir()] == [_digest(archive).hex]


def test_a_bundle_damaged_beyond_repair_comes_from_its_source_again(archive: Path, cache: Path) -> None:
    """A registry still has it; where nobody has, that is said."""
    counts: list[int] = []
    for _ in range(2):
        with BundleStore(cache) as store:
            store.hold(_digest(archive), _counted(archive, counts))
        _edit(_entry(cache, archive))
        _other_archive(_entry(cache, archive))
    assert len(counts) == 2
    with BundleStore(cache) as store:
        with pytest.raises(DigestMismatchError, match="damaged beyond repair, and is now in") as caught:
            store.hold(_digest(archive))
        assert caught.value.hint == "pull it again, or name its archive"
        assert store.hold(_digest(archive), _counted(archive, counts)).tree.is_dir()


def test_damage_is_found_in_a_bundle_that_is_held_too(archive: Path, cache: Path) -> None:
    """A worker lives for days. It is not looked at for each of its tasks: within a second, no file is."""
    with BundleStore(cache) as store:
        wire = store.adopt(archive).tree / "model" / "wire.py"
        _edit(_entry(cache, archive))
        time.sleep(1.05)
        store.adopt(archive)
        assert "EVIL" not in wire.read_text(encoding="utf-8")


def test_an_archive_of_another_bundle_is_not_taken(archive: Path, cache: Path, tmp_path: Path) -> None:
    """A source that gives something else leaves nothing behind."""
    other = make_bundle(tmp_path / "other", {"x.py": "x = 1\n"})
    write_archive(read_project(other), tmp_path / "other.tar.zst")
    with BundleStore(cache) as store:
        with pytest.raises(DigestMismatchError, match="expected the archive of"):
            store.hold(_digest(archive), partial(copy_file, tmp_path / "other.tar.zst"))
        with pytest.raises(UsageError, match="is not in the store"):
            store.hold(_ABSENT)
    assert list((cache / "bundles").iterdir()) == []


def test_what_cannot_be_written_is_told(archive: Path, tmp_path: Path) -> None:
    """The cache's place is the user's choice."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with BundleStore(tmp_path / "file") as store, pytest.raises(CacheUnusableError, match="the cache cannot be used"):
        store.adopt(archive)


def test_the_cache_lists_verifies_and_clears_bundles(archive: Path, cache: Path) -> None:
    """One command for all that is kept; what is in use stays whatever the limits are."""
    with BundleStore(cache) as store:
        store.adopt(archive)
        (entry,) = list_cache().entries
        assert (entry.kind, entry.name, entry.is_complete, entry.is_held) == (
            "bundle",
            _digest(archive).hex,
            True,
            True,
        )
        assert clear_cache(Limits(max_age_s=0), _quiet).held == (entry,)
    (verified,) = verify_cache(_quiet).verifications
    assert verified.verdict == "sound"
    (removal,) = clear_cache(Limits(max_age_s=0), _quiet).removals
    assert (removal.entry.kind, removal.reason) == ("bundle", "not used for so long")
    assert list((cache / "bundles").iterdir()) == []


def test_cache_verify_sets_damaged_bundles_aside(archive: Path, cache: Path) -> None:
    """The archive is read through too; a bundle that can be made again is there afterwards."""
    with BundleStore(cache) as store:
        stored = store.adopt(archive).archive
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-20] + b"!" * 20)
    (told,) = verify_cache(_quiet).damaged
    assert [(each.path, each.change) for each in told.differences] == [("bundle.tar.zst", "edited")]
    with BundleStore(cache) as user:
        user.hold(_digest(archive))
        assert verify_cache(_quiet, remove=True).removed == frozenset()
    assert verify_cache(_quiet, remove=True).removed == {str(_entry(cache, archive))}
    assert stored.read_bytes() == whole
    assert not verify_cache(_quiet).damaged


def _quiet(_message: str) -> None:
    return


def test_every_kind_of_reference_is_a_bundle(archive: Path, cache: Path) -> None:
    """The port of executors: a directory, an archive, a digest; what the reference named is what is given."""
    with BundleStore(cache) as store:
        repository = StoreRepository(store)
        bundle = archive.parent / "bundle"
        for reference in (str(bundle), str(archive)):
            assert repository.exists(reference)
            assert repository.ensure_local(reference) == (_digest(archive), _entry(cache, archive) / "tree")
        assert repository.exists(_digest(archive))
        assert repository.ensure_local(_digest(archive))[0] == _digest(archive)
        assert not repository.exists(_ABSENT)
        assert not repository.exists(str(archive.parent / "nothing"))
        assert not repository.exists(str(cache))
        with pytest.raises(UsageError, match=r"expected 'sha256:' and 64 lower-case hex digits"):
            repository.ensure_local("sha256:../../../../../etc")
        (bundle / "model" / "wire.py").write_text("def wire(e, p, s):\n    return {}\n", encoding="utf-8")
        assert repository.ensure_local(str(bundle))[0] != _digest(archive)


def test_copies_are_whole_and_in_nobodys_way(tmp_path: Path) -> None:
    """A file that is there is replaced by the whole new one; a directory is not."""
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    publish_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    with pytest.raises(UsageError, match="is a directory"):
        publish_copy(tmp_path / "a", tmp_path)
    with pytest.raises(UsageError, match="is in no directory that exists"):
        publish_copy(tmp_path / "a", tmp_path / "none" / "b")
    with pytest.raises(FileAccessError, match="cannot write"):
        publish_copy(tmp_path / "none", tmp_path / "c")
    (tmp_path / "tree" / "below").mkdir(parents=True)
    (tmp_path / "tree" / "below" / "run.sh").write_text("x", encoding="utf-8")
    (tmp_path / "tree" / "below" / "run.sh").chmod(0o755)
    copy_tree(tmp_path / "tree", tmp_path / "copied")
    assert {path: (found[0], found[3]) for path, found in inventory(tmp_path / "copied").items()} == {
        path: (found[0], found[3]) for path, found in inventory(tmp_path / "tree").items()
    }
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b", "copied", "tree"]


def test_a_full_disk_leaves_nothing_that_looks_whole(cache: Path, tmp_path: Path) -> None:
    """The next one to ask, once there is room, gets all of it."""
    bundle = make_bundle(tmp_path / "large", {"data/noise.bin": random.Random(1).randbytes(100_000)})  # noqa: S311 - no secret
    write_archive(read_project(bundle), tmp_path / "large.tar.zst")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with BundleStore(cache) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, limits[1]))
        try:
            with pytest.raises(FileAccessError, match="could not be built: File too large"):
                store.adopt(tmp_path / "large.tar.zst")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list((cache / "bundles").iterdir()) == []
        assert store.adopt(tmp_path / "large.tar.zst").tree.is_dir()


def test_gc_takes_what_transfers_and_damage_have_left(archive: Path, cache: Path) -> None:
    """Once nobody can be about to go on with it."""
    with BundleStore(cache) as store:
        store.adopt(archive)
    _edit(_entry(cache, archive))
    with BundleStore(cache) as store:
        store.adopt(archive)
    (cache / "partial" / ("tree-" + "0" * 32)).mkdir(parents=True)
    (cache / "partial" / _ABSENT.hex).write_bytes(b"half")
    (cache / "partial" / "thesis.txt").write_bytes(b"mine")
    assert not clear_cache(Limits(), _quiet).leftovers
    long_ago = time.time() - 7200
    for path in [*cache.rglob("*")]:
        os.utime(path, (long_ago, long_ago))
    removed = {Path(each.path).parent.name: each.reason for each in clear_cache(Limits(), _quiet).leftovers}
    assert removed.keys() == {"partial", "damaged"}
    assert [each.name for each in (cache / "partial").iterdir()] == ["thesis.txt"]
    assert list((cache / "damaged").iterdir()) == []


def test_a_store_that_others_can_write_to_is_told_of(archive: Path, cache: Path) -> None:
    """What was verified could be changed before it runs; `/tmp` is where workers keep bundles unless they are told."""
    said: list[str] = []
    with BundleStore(cache, said.append) as store:
        store.adopt(archive)
    assert said == []
    cache.chmod(0o777)
    with BundleStore(cache, said.append) as store:
        store.adopt(archive)
        store.adopt(archive)
    (warning,) = said
    assert warning.startswith("Warning: other users can write to the cache")

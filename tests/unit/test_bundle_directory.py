"""A worker's directory of bundles: what is asked for by its digest is what is given, or nothing is."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, make_bundle

from bundlekit.api.archives import PackOptions, pack
from bundlekit.cluster.bundle_directory import BundleDirectory
from bundlekit.errors import CacheUnusableError, ContractError, FileAccessError, UsageError
from bundlekit.model.archive import Packed
from bundlekit.model.digest import Digest

_ABSENT = Digest.of(b"no bundle")


def _tree(top: Path, digest: Digest) -> Path:
    return top / "cache" / "bundles" / digest.hex / "tree"


def _packed(directory: Path, name: str, source: str) -> Digest:
    """Pack a bundle into `directory` and return its digest."""
    bundle = make_bundle(directory.parent / f"source-{name}", {"model/wire.py": source})
    done = pack(bundle, PackOptions(directory / f"{name}.tar.zst", validate=False), lambda _told: None)
    assert isinstance(done, Packed)
    return done.digest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty directory of bundles."""
    (tmp_path / "bundles").mkdir()
    return tmp_path / "bundles"


def test_archives_are_found_by_digest_and_unpacked_once(home: Path, tmp_path: Path) -> None:
    """Names say nothing: a directory of bundles has many versions of one."""
    digests = [_packed(home, name, f"def wire(e, p, s):\n    return {{'x': b'{name}'}}\n") for name in ("a", "b")]
    assert len(set(digests)) == 2
    bundles = BundleDirectory(home, tmp_path / "cache")
    for digest, name in zip(digests, ("a", "b"), strict=True):
        found, path = bundles.ensure_local(f"registry.example/model@{digest}")
        assert (found, path) == (digest, _tree(tmp_path, digest))
        assert f"b'{name}'" in (path / "model" / "wire.py").read_text(encoding="utf-8")
        assert bundles.exists(digest)
    assert bundles.ensure_local(digests[0]) == (digests[0], _tree(tmp_path, digests[0]))
    assert not bundles.exists(_ABSENT)


def test_a_directory_is_the_bundle_that_it_holds_now(home: Path, tmp_path: Path) -> None:
    """It is worked on: what it was has another digest than what it is."""
    bundle = make_bundle(home / "model", {})
    bundles = BundleDirectory(home, tmp_path / "cache")
    with pytest.raises(UsageError) as caught:
        bundles.ensure_local(_ABSENT)
    before = Digest.parse(caught.value.message.partition("model ")[2])
    assert bundles.ensure_local(before) == (before, bundle)
    (bundle / "pyproject.toml").write_text(GOOD_PYPROJECT.replace("1.0", "2.0"), encoding="utf-8")
    assert not BundleDirectory(home, tmp_path / "cache").exists(before)


def test_many_workers_unpack_one_archive(home: Path, tmp_path: Path) -> None:
    """The workers of a node start together, and share its cache."""
    digest = _packed(home, "a", "def wire(e, p, s):\n    return {}\n")
    workers = [BundleDirectory(home, tmp_path / "cache") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda worker: worker.ensure_local(digest), workers))
    assert found == [(digest, _tree(tmp_path, digest))] * 8
    assert [each.name for each in (tmp_path / "cache" / "bundles").iterdir()] == [digest.hex]


def test_a_copy_that_was_changed_is_not_served(home: Path, tmp_path: Path) -> None:
    """A task that wrote into the copy, or a person, would change the results of all that follow."""
    digest = _packed(home, "a", "def wire(e, p, s):\n    return {}\n")
    before = BundleDirectory(home, tmp_path / "cache")
    _, path = before.ensure_local(digest)
    (path / "model" / "wire.py").write_text("TAMPERED = True\n", encoding="utf-8")
    del before
    _, again = BundleDirectory(home, tmp_path / "cache").ensure_local(digest)
    assert "TAMPERED" not in (again / "model" / "wire.py").read_text(encoding="utf-8")
    assert [each.name.partition(".")[0] for each in (tmp_path / "cache" / "damaged").iterdir()] == [digest.hex]


def test_what_is_not_there_is_told_with_what_is(home: Path, tmp_path: Path) -> None:
    """Most often an older version was copied."""
    digest = _packed(home, "a", "def wire(e, p, s):\n    return {}\n")
    (home / "broken.tar.zst").write_bytes(b"no archive")
    (home / "notes.txt").write_text("no bundle", encoding="utf-8")
    with pytest.raises(UsageError, match="has the digest") as caught:
        BundleDirectory(home, tmp_path / "cache").ensure_local(_ABSENT)
    assert f"there are: a.tar.zst {digest}, broken.tar.zst (no bundle: " in caught.value.message


def test_what_cannot_be_used_is_refused(home: Path, tmp_path: Path) -> None:
    """A worker that starts with a wrong mount must say which."""
    with pytest.raises(FileAccessError, match=r"cannot read MODELOPS_BUNDLES_DIR .*: No such file"):
        BundleDirectory(tmp_path / "absent", tmp_path / "cache").ensure_local(_ABSENT)
    with pytest.raises(ContractError, match="bundle_ref: expected"):
        BundleDirectory(home, tmp_path / "cache").ensure_local("local://dev")
    digest = _packed(home, "a", "def wire(e, p, s):\n    return {}\n")
    (tmp_path / "cache").write_text("no directory", encoding="utf-8")
    with pytest.raises(CacheUnusableError, match=r"the cache cannot be used: .*cache"):
        BundleDirectory(home, tmp_path / "cache").ensure_local(digest)

"""Bundles in an OCI image layout on disk: written for other tools, and not believed when it is read."""

import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, make_bundle

from bundlekit.errors import (
    BundlekitError,
    DigestMismatchError,
    FileAccessError,
    LimitExceededError,
    ManifestError,
    UsageError,
)
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.image_layout import ImageLayout
from bundlekit.store.oci_digests import written_manifest
from bundlekit.store.oci_documents import Descriptor
from bundlekit.store.pull import publish_tree
from bundlekit.store.push import Outgoing, TagPolicy, push
from bundlekit.store.repositories import StoreRepository

_DOCUMENT = b'{"schemaVersion": 2}'
_DIGEST = Digest.of(_DOCUMENT)
_BLOB = Descriptor(Digest.of(b"content"), 7, "x", "a")


def _nothing(_count: int) -> None:
    return


@pytest.fixture
def layout(tmp_path: Path) -> ImageLayout:
    """A layout with one manifest and one blob."""
    layout = ImageLayout(tmp_path / "layout", create=True)
    layout.put_blob(_BLOB, b"content", _nothing)
    layout.put_manifest(_DOCUMENT, None)
    assert layout.digest_of("") is None
    layout.put_manifest(_DOCUMENT, "v1")
    return layout


def test_what_is_put_there_is_found(layout: ImageLayout, tmp_path: Path) -> None:
    """By its tag, by its digest, and by nothing where it is the only one."""
    assert json.loads((tmp_path / "layout" / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert [layout.digest_of(tag) for tag in ("v1", "", "v2")] == [_DIGEST, _DIGEST, None]
    assert [layout.read_manifest(wanted) for wanted in ("v1", "", _DIGEST)] == [_DOCUMENT] * 3
    assert layout.has_blob(_BLOB)
    assert not layout.has_blob(_BLOB._replace(digest=Digest.of(b"other")))
    assert layout.read_blob(_BLOB, 7) == b"content"
    layout.fetch_blob(_BLOB, tmp_path / "out", _nothing)
    assert (tmp_path / "out").read_bytes() == b"content"
    layout.put_blob(_BLOB, tmp_path / "absent", _nothing)  # it is there
    (tmp_path / "file").write_bytes(b"more")
    layout.put_blob(Descriptor(Digest.of(b"more"), 4, "x"), tmp_path / "file", _nothing)
    assert sorted(path.name for path in (tmp_path / "layout").rglob("*") if path.is_file()) == sorted(
        ["index.json", "oci-layout", _DIGEST.hex, _BLOB.digest.hex, Digest.of(b"more").hex]
    )


def test_a_tag_moves_and_others_stay(layout: ImageLayout) -> None:
    """With several, one has to be named."""
    other = b'{"schemaVersion": 2, "x": 1}'
    layout.put_manifest(_DOCUMENT, "v2")
    assert layout.digest_of("") == _DIGEST  # two tags of one bundle
    layout.put_manifest(other, "v1")
    assert [layout.digest_of(tag) for tag in ("v1", "v2")] == [Digest.of(other), _DIGEST]
    with pytest.raises(UsageError, match="holds several manifests: v1, v2"):
        layout.read_manifest("")
    with pytest.raises(UsageError, match="has no v3"):
        layout.read_manifest("v3")


def test_many_who_write_at_once_all_are_listed(layout: ImageLayout, tmp_path: Path) -> None:
    """The index is one file for all of them."""

    def put(number: int) -> None:
        ImageLayout(tmp_path / "layout").put_manifest(b'{"number": %d}' % number, f"n{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(16)))
    assert all(layout.digest_of(f"n{number}") == Digest.of(b'{"number": %d}' % number) for number in range(16))


def _write(path: str, text: str) -> Callable[[Path], object]:
    return lambda top: (top / path).write_text(text, encoding="utf-8")


_BLOB_PATH = f"blobs/sha256/{_BLOB.digest.hex}"
_DAMAGES: dict[str, tuple[Callable[[Path], object], type[BundlekitError], str]] = {
    "no mark": (lambda top: (top / "oci-layout").unlink(), UsageError, "is no OCI image layout"),
    "another version": (_write("oci-layout", '{"imageLayoutVersion": "2.0.0"}'), UsageError, "is no OCI image layout"),
    "no index": (lambda top: (top / "index.json").unlink(), FileAccessError, "cannot be used: No such file"),
    "broken index": (_write("index.json", "{"), ManifestError, "is not strict JSON"),
    "index of another kind": (_write("index.json", "[]"), ManifestError, "is not a JSON object"),
    "no manifests": (_write("index.json", "{}"), ManifestError, "has no list of manifests"),
    "no digest": (_write("index.json", '{"manifests": [{}]}'), ManifestError, "lists a manifest without a digest"),
    "a path": (
        _write("index.json", '{"manifests": [{"digest": "sha256:../../../etc/passwd"}]}'),
        ManifestError,
        "lists a manifest without a digest",
    ),
    "no manifest": (lambda top: (top / "blobs/sha256" / _DIGEST.hex).unlink(), UsageError, "has no v1"),
    "another manifest": (
        _write(f"blobs/sha256/{_DIGEST.hex}", "{}"),
        DigestMismatchError,
        "holds bytes with the digest",
    ),
    "another blob": (_write(_BLOB_PATH, "CONTENT"), DigestMismatchError, "holds 7 bytes with the digest"),
    "no blob": (lambda top: (top / _BLOB_PATH).unlink(), FileAccessError, "cannot be used: No such file"),
    "long manifest": (
        _write(f"blobs/sha256/{_DIGEST.hex}", "x" * (5 << 20)),
        LimitExceededError,
        "more than 4,194,304",
    ),
}


@pytest.mark.parametrize("row", _DAMAGES)
def test_what_is_not_as_it_should_be_is_refused(layout: ImageLayout, tmp_path: Path, row: str) -> None:
    """A disk that was carried through a town is no more to be believed than a registry."""
    damage, kind, text = _DAMAGES[row]
    damage(Path(layout.name))
    with pytest.raises(BundlekitError) as caught:
        _read_all(Path(layout.name), tmp_path / "out")
    assert isinstance(caught.value, kind)
    assert text in caught.value.message
    assert not (tmp_path / "out").exists()


def _read_all(directory: Path, destination: Path) -> None:
    layout = ImageLayout(directory)
    layout.read_manifest("v1")
    layout.fetch_blob(_BLOB, destination, _nothing)


def test_no_other_directory_is_written_to(tmp_path: Path) -> None:
    """`--to` with the name of somebody's data must not mix with it."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is neither empty nor an OCI image layout"):
        ImageLayout(tmp_path / "mine", create=True)
    with pytest.raises(UsageError, match="is no OCI image layout"):
        ImageLayout(tmp_path / "absent")
    with pytest.raises(FileAccessError, match="cannot be used"):
        ImageLayout(tmp_path / "mine" / "thesis.txt" / "x", create=True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_bundle_of_a_layout_is_one_for_executors(tmp_path: Path) -> None:
    """The port takes any reference; a tag that is not there is no bundle."""
    bundle = make_bundle(tmp_path / "bundle", {})
    packed = write_archive(read_project(bundle), tmp_path / "model.tar.zst")
    written = written_manifest(packed.manifest, tmp_path / "model.tar.zst")
    layout = ImageLayout(tmp_path / "disk", create=True)
    push(layout, Outgoing(written, (tmp_path / "model.tar.zst",)), "v1", TagPolicy())
    with BundleStore(tmp_path / "cache") as store:
        repository = StoreRepository(store)
        assert repository.exists(f"oci-layout:{tmp_path / 'disk'}:v1")
        assert not repository.exists(f"oci-layout:{tmp_path / 'disk'}:v2")
        digest, tree = repository.ensure_local(f"oci-layout:{tmp_path / 'disk'}")
        assert (digest, (tree / "model" / "wire.py").read_text(encoding="utf-8")) == (packed.digest, GOOD_WIRE)


def test_a_directory_is_moved_between_file_systems_whole(tmp_path: Path) -> None:
    """The cache is on a node's own disk, and what is pulled goes home."""
    elsewhere = Path("/dev/shm")  # noqa: S108 - another file system is the point
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system")
    with tempfile.TemporaryDirectory(dir=elsewhere) as other:
        (tmp_path / "tree" / "below").mkdir(parents=True)
        (tmp_path / "tree" / "below" / "a").write_bytes(b"x")
        publish_tree(tmp_path / "tree", Path(other) / "out")
        assert (Path(other) / "out" / "below" / "a").read_bytes() == b"x"
        assert [each.name for each in Path(other).iterdir()] == ["out"]
        with pytest.raises(FileAccessError, match="cannot write"):
            publish_tree(tmp_path / "tree", Path(other) / "absent" / "out")

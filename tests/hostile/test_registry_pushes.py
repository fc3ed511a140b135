"""Pushes to registries that break off, forget, contradict themselves, or have another user at the same moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.pushed_bundles import QUICK, PushedBundle, opened, pushed_bundle
from builders.registries import Reply, Request, sha256

from bundlekit.errors import DigestMismatchError, FileAccessError, RegistryError
from bundlekit.model.digest import Digest
from bundlekit.store.oci_documents import Descriptor
from bundlekit.store.push import TagPolicy, push

_LARGE = b"".join(b"%07d\n" % number for number in range(33 << 17))
"""33 MiB: three pieces."""
_PIECES = ["PATCH 0-16777215", "PATCH 16777216-33554431", "PATCH 33554432-34603007"]


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[PushedBundle]:
    """A bundle in a registry, to be pushed again or beside another."""
    with pushed_bundle(tmp_path) as pushed:
        yield pushed


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a blob of several pieces."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    path.write_bytes(_LARGE)
    return path


@pytest.fixture
def large(large_file: Path) -> tuple[Descriptor, Path]:
    """A blob of several pieces, and its file."""
    return Descriptor(Digest(sha256(_LARGE)), len(_LARGE), "x", "large.bin"), large_file


def _sent(pushed: PushedBundle, blob: Descriptor, path: Path) -> list[str]:
    """Push the blob, check that it is there, and return the requests of the upload."""
    moved: list[int] = []
    with opened(pushed.registry, path.parent) as depot:
        depot.put_blob(blob, path, moved.append)
    assert pushed.registry.blobs[blob.digest] == _LARGE
    assert sum(moved) == blob.size
    return [f"{each.method} {each.headers.get('Content-Range', '')}".strip() for each in pushed.registry.requests]


def test_a_large_blob_goes_in_pieces(pushed: PushedBundle, large: tuple[Descriptor, Path]) -> None:
    """So that what breaks is sent again, and not all of it."""
    assert _sent(pushed, *large) == ["POST", *_PIECES, "PUT"]


def test_a_piece_that_broke_off_goes_on_from_what_arrived(pushed: PushedBundle, large: tuple[Descriptor, Path]) -> None:
    """The registry is asked how much that is."""
    broken = [False]

    def take_half(request: Request) -> Reply | None:
        if request.method != "PATCH" or broken[0]:
            return None
        broken[0] = True
        pushed.registry.honest(request._replace(body=request.body[:1000]))
        return Reply(502)

    pushed.registry.liars.append(take_half)
    asked = _sent(pushed, *large)
    assert asked[:3] == ["POST", _PIECES[0], "GET"]
    assert asked[3:] == ["PATCH 1000-16778215", "PATCH 16778216-33555431", "PATCH 33555432-34603007", "PUT"]


def test_an_upload_that_was_forgotten_begins_anew(pushed: PushedBundle, large: tuple[Descriptor, Path]) -> None:
    """A registry was restarted meanwhile."""
    forgotten = [False]

    def forget(request: Request) -> Reply | None:
        if request.method == "PATCH" and request.headers["Content-Range"].startswith("1") and not forgotten[0]:
            forgotten[0] = True
            pushed.registry.uploads.clear()
        return None

    pushed.registry.liars.append(forget)
    assert _sent(pushed, *large) == ["POST", *_PIECES[:2], "GET", "HEAD", "POST", *_PIECES, "PUT"]


def test_an_answer_that_got_lost_is_no_second_upload(pushed: PushedBundle, large: tuple[Descriptor, Path]) -> None:
    """The blob is there already, and asking costs less than sending."""

    def lose(request: Request) -> Reply | None:
        if request.method != "PUT":
            return None
        pushed.registry.honest(request)
        return Reply(504)

    pushed.registry.liars.append(lose)
    assert _sent(pushed, *large)[-2:] == ["PUT", "HEAD"]


def test_an_upload_that_never_goes_on_is_given_up(pushed: PushedBundle, large: tuple[Descriptor, Path]) -> None:
    """With the reason."""
    pushed.registry.liars.append(lambda request: Reply(500) if request.method in {"PATCH", "PUT"} else None)
    with opened(pushed.registry, large[1].parent) as depot, pytest.raises(RegistryError, match="breaks off each time"):
        depot.put_blob(*large, lambda _count: None)
    assert pushed.registry.asked("POST", "/uploads/") == QUICK.tries


def test_a_file_that_changed_since_it_was_hashed_is_refused(pushed: PushedBundle, tmp_path: Path) -> None:
    """By the registry, or because it became shorter."""
    path = tmp_path / "data.bin"
    blob = Descriptor(Digest(sha256(b"data")), 4, "x", "data.bin")
    with opened(pushed.registry, tmp_path) as depot:
        path.write_bytes(b"dat!")
        with pytest.raises(RegistryError, match="DIGEST_INVALID"):
            depot.put_blob(blob, path, lambda _count: None)
        path.write_bytes(b"dat")
        with pytest.raises(FileAccessError, match=r"data\.bin became shorter"):
            depot.put_blob(blob, path, lambda _count: None)
        path.unlink()
        with pytest.raises(FileAccessError, match="cannot read"):
            depot.put_blob(blob, path, lambda _count: None)


def test_a_registry_that_names_another_digest_is_refused(pushed: PushedBundle) -> None:
    """It would give others something else than was pushed."""
    wrong = Reply(201, headers={"Docker-Content-Digest": sha256(b"another")})
    pushed.registry.blobs.clear()
    for part, text in (("/manifests/", "was sent the manifest"), ("/uploads/", "was sent sha256:")):
        pushed.registry.liars[:] = [
            lambda request, part=part: wrong if request.method == "PUT" and part in request.path else None
        ]
        pushed.registry.manifests.clear()
        with opened(pushed.registry, pushed.cache.parent) as depot, pytest.raises(DigestMismatchError, match=text):
            push(depot, pushed.outgoing, "v1", TagPolicy())
        pushed.registry.blobs.clear()


def test_a_tag_that_moves_while_blobs_are_sent_is_told_and_left_alone(pushed: PushedBundle) -> None:
    """Both users pushed at the same moment, and the one who was later did not know."""
    theirs = pushed.written.document + b" "

    def move(request: Request) -> Reply | None:
        if request.method == "PUT" and "/uploads/" in request.path:
            pushed.registry.manifests["v2"] = theirs
        return None

    pushed.registry.liars.append(move)
    for blobs in (pushed.registry.blobs, pushed.registry.uploads):
        blobs.clear()
    with opened(pushed.registry, pushed.cache.parent) as depot:
        with pytest.raises(DigestMismatchError, match=f"v2 moved from nothing to {sha256(theirs)} while") as caught:
            push(depot, pushed.outgoing, "v2", TagPolicy())
        assert caught.value.hint == "look at what was pushed meanwhile, and push again"
        assert pushed.registry.manifests["v2"] == theirs
        # Whoever insists is told what it was.
        pushed.registry.blobs.clear()
        assert push(depot, pushed.outgoing, "v2", TagPolicy(force=True)).replaced == sha256(theirs)


def test_a_tag_that_moves_at_the_last_moment_is_told(pushed: PushedBundle) -> None:
    """No registry can compare and swap: a look afterwards tells that two have won."""
    theirs = pushed.written.document + b" "

    def overwrite(request: Request) -> Reply | None:
        if request.method != "PUT" or not request.path.endswith("/manifests/v2"):
            return None
        reply = pushed.registry.honest(request)
        pushed.registry.manifests["v2"] = theirs
        return reply

    pushed.registry.liars.append(overwrite)
    with (
        opened(pushed.registry, pushed.cache.parent) as depot,
        pytest.raises(DigestMismatchError, match=r"somebody set it to .* at the same time"),
    ):
        push(depot, pushed.outgoing, "v2", TagPolicy())


def test_two_who_push_the_same_are_no_race(pushed: PushedBundle) -> None:
    """Both meant what is there."""

    def same(request: Request) -> Reply | None:
        if request.method == "PUT" and "/manifests/sha256" in request.path:
            pushed.registry.manifests["v2"] = pushed.written.document
        return None

    pushed.registry.liars.append(same)
    with opened(pushed.registry, pushed.cache.parent) as depot:
        assert push(depot, pushed.outgoing, "v2", TagPolicy()).replaced is None


def test_a_registry_that_cannot_tell_is_no_empty_one(pushed: PushedBundle) -> None:
    """DEFECTS 21: a failure of the network was taken for a tag that nobody has, and the tag overwritten."""
    pushed.registry.liars.append(lambda request: Reply(500) if request.method == "GET" else None)
    with opened(pushed.registry, pushed.cache.parent) as depot, pytest.raises(RegistryError, match="status 500"):
        push(depot, pushed.outgoing, "v1", TagPolicy())
    assert pushed.registry.asked("PUT", "/manifests/") == 0

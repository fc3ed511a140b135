"""Registries that lie, break off, dawdle, lead elsewhere or ask for passwords: refused or tried again, as is right."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.pushed_bundles import QUICK, PushedBundle, lie_about, pushed_bundle
from builders.registries import Reply, sha256

from bundlekit.api.registries import pull_bundle
from bundlekit.errors import (
    ArchiveUnsafeError,
    DigestMismatchError,
    LimitExceededError,
    ManifestError,
    RegistryError,
    UsageError,
)


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[PushedBundle]:
    """A bundle in a registry that is about to lie."""
    with pushed_bundle(tmp_path) as pushed:
        yield pushed


def test_wrong_bytes_for_a_digest_are_refused(pushed: PushedBundle) -> None:
    """DEFECTS 32: a client that does not hash what it downloads runs whatever a registry, or its new owner, sends."""
    good = pushed.archive.read_bytes()
    bad = good[:1000] + bytes([good[1000] ^ 1]) + good[1001:]
    pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(200, bad)))
    error = pushed.refusal()
    assert isinstance(error, DigestMismatchError)
    assert pushed.layer.digest in error.message
    assert sha256(bad) in error.message
    # Once more, as a cache on the way may be wrong, and no third time.
    assert pushed.registry.asked("GET", pushed.layer.digest) == 2
    assert list((pushed.cache / "partial").iterdir()) == []


def test_a_wrong_cache_on_the_way_is_asked_once_more(pushed: PushedBundle) -> None:
    """Bytes that were damaged once are right the next time."""
    pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(200, b"x" * pushed.layer.size), times=1))
    assert pushed.pull() == pushed.archive.read_bytes()


def test_a_config_that_is_not_the_one_is_refused(pushed: PushedBundle) -> None:
    """It is the bundle's manifest, from which everything else is judged."""
    config = pushed.written.manifest.config
    other = pushed.written.config.replace(b"sir", b"sis")
    pushed.registry.liars.append(lie_about(config, lambda _: Reply(200, other)))
    assert isinstance(pushed.refusal(), DigestMismatchError)


def test_a_transfer_that_breaks_off_goes_on_from_there(pushed: PushedBundle) -> None:
    """A bundle of gigabytes over a train's network: no byte is asked for twice."""
    whole = pushed.archive.read_bytes()
    half = len(whole) // 2
    pushed.registry.liars.append(
        lie_about(pushed.layer, lambda _: Reply(200, whole[:half], length=len(whole)), times=1)
    )
    assert pushed.pull() == whole
    ranges = [each.headers.get("Range") for each in pushed.registry.requests if each.path.endswith(pushed.layer.digest)]
    assert ranges == [None, f"bytes={half}-{len(whole) - 1}"]


def test_the_next_command_goes_on_too(pushed: PushedBundle) -> None:
    """What came before a command was killed, or gave up, is not asked for again."""
    whole = pushed.archive.read_bytes()
    half = len(whole) // 2
    lies = [lie_about(pushed.layer, lambda _: Reply(200, whole[:half], length=len(whole)), times=1)]
    lies.append(lie_about(pushed.layer, lambda _: Reply(503, headers={"Retry-After": "3600"})))
    pushed.registry.liars += lies
    error = pushed.refusal()
    assert "cannot be used: status 503" in error.message
    pushed.registry.liars.clear()
    pushed.registry.requests.clear()
    assert pushed.pull() == whole
    ranges = [each.headers.get("Range") for each in pushed.registry.requests if each.path.endswith(pushed.layer.digest)]
    assert ranges == [f"bytes={half}-{len(whole) - 1}"]


def test_what_an_earlier_transfer_left_is_not_trusted(pushed: PushedBundle) -> None:
    """A file that is half of another blob, or longer than the blob, costs a transfer and not the bundle."""
    partial = pushed.cache / "partial"
    partial.mkdir(parents=True)
    for rubbish in (b"x" * 1000, b"x" * (pushed.layer.size + 1)):
        (partial / pushed.layer.digest.removeprefix("sha256:")).write_bytes(rubbish)
        assert pushed.pull() == pushed.archive.read_bytes()
        _forget(pushed)


def _forget(pushed: PushedBundle) -> None:
    shutil.rmtree(pushed.cache / "bundles")


def test_a_registry_without_ranges_starts_again(pushed: PushedBundle) -> None:
    """Some answer 200 and everything, some 416: neither may be glued to what is there."""
    whole = pushed.archive.read_bytes()
    for answer in (Reply(200, whole), Reply(416), Reply(206, whole[5:], {"Content-Range": f"bytes 5-9/{len(whole)}"})):
        cut = lie_about(pushed.layer, lambda _: Reply(200, whole[:99], length=len(whole)), times=1)
        pushed.registry.liars[:] = [cut, lie_about(pushed.layer, lambda _, answer=answer: answer, times=1)]
        assert pushed.pull() == whole
        _forget(pushed)


@pytest.mark.parametrize("change", [-1, 1, 1 << 40], ids=["shorter", "longer", "a terabyte"])
def test_a_wrong_length_is_refused_before_the_bytes(pushed: PushedBundle, change: int) -> None:
    """What is announced is compared with what the manifest promises."""
    length = pushed.layer.size + change
    pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(200, b"x", length=length)))
    error = pushed.refusal()
    assert isinstance(error, DigestMismatchError)
    assert f"and {length} are announced" in error.message


def test_a_registry_that_always_breaks_off_is_given_up(pushed: PushedBundle) -> None:
    """With its reason, and without waiting for ever."""
    pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(200, b"", length=pushed.layer.size)))
    error = pushed.refusal()
    assert isinstance(error, RegistryError)
    assert "breaks off after 0 bytes" in error.message
    assert pushed.registry.asked("GET", pushed.layer.digest) == QUICK.tries


def test_a_registry_that_crawls_is_given_up(pushed: PushedBundle) -> None:
    """A byte now and then keeps every socket's timeout quiet."""
    pushed.registry.liars.append(
        lie_about(pushed.layer, lambda _: Reply(200, b"x" * 200, length=pushed.layer.size, pause_s=0.02))
    )
    started = time.monotonic()
    error = pushed.refusal(patience=QUICK._replace(tries=1))
    assert isinstance(error, RegistryError)
    assert time.monotonic() - started < 20


def test_a_busy_registry_is_waited_for_as_long_as_it_asks(pushed: PushedBundle) -> None:
    """429 and 503 pass; one that wants an hour is told to the user instead."""
    answers = iter([Reply(429, headers={"Retry-After": "1"}), Reply(503)])
    pushed.registry.liars.append(lambda _: next(answers, None))
    started = time.monotonic()
    assert pushed.pull() == pushed.archive.read_bytes()
    assert time.monotonic() - started >= 1.0
    _forget(pushed)
    pushed.registry.liars[:] = [lambda _: Reply(429, headers={"Retry-After": "3600"})]
    started = time.monotonic()
    assert "status 429" in pushed.refusal().message
    assert time.monotonic() - started < 1.0


def test_a_manifest_is_the_one_that_was_asked_for(pushed: PushedBundle) -> None:
    """Whoever pulls by digest has decided what to run."""
    other = pushed.written.document.replace(b'"1.0"', b'"1.1"')
    pushed.registry.liars.append(lambda request: Reply(200, other) if "/manifests/sha256" in request.path else None)
    error = pushed.refusal(pushed.written.digest)
    assert isinstance(error, DigestMismatchError)
    assert f"was asked for the manifest {pushed.written.digest} and sent {sha256(other)}" in error.message


_EMPTY = b'"size":2,"digest":"%s"' % sha256(b"{}").encode()
_BOMBS = {
    "long": (b'{"a":"' + b"x" * (5 << 20), LimitExceededError, "more than 4,194,304 bytes"),
    "deep": (b"[" * 100_000, ManifestError, "is not strict JSON"),
    "many values": (b"[" + b"1," * (1 << 20) + b"1,1]", LimitExceededError, "values"),
    "no JSON": (b"<html>", ManifestError, "is not strict JSON"),
    "a list": (b"[]", ManifestError, "is not a JSON object"),
    "twice": (b'{"schemaVersion":2,"schemaVersion":2}', ManifestError, "is not strict JSON"),
    "an index": (
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
        ManifestError,
        "expected an OCI image manifest",
    ),
    "an image": (
        b'{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},"layers":[]}'
        % _EMPTY,
        ManifestError,
        "this is no bundle",
    ),
    "no layers": (
        b'{"schemaVersion":2,"config":{"mediaType":"x",%s}}' % _EMPTY,
        ManifestError,
        "has no list of layers",
    ),
}


@pytest.mark.parametrize("bomb", _BOMBS)
def test_a_manifest_that_is_none_is_refused(pushed: PushedBundle, bomb: str) -> None:
    """Before it costs memory or time."""
    document, kind, text = _BOMBS[bomb]
    pushed.registry.manifests["v1"] = document
    error = pushed.refusal()
    assert isinstance(error, kind)
    assert text in error.message


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ('"size":', '"size":-', "a blob of -"),
        ('"size":', '"size":1e3, "x":', "a blob of 1000.0 bytes"),
        ("sha256:", "sha256:../../../etc/", "a digest that is none"),
        ("sha256:", "SHA256:", "a digest that is none"),
    ],
)
def test_descriptors_that_describe_nothing_are_refused(
    pushed: PushedBundle, before: str, after: str, text: str
) -> None:
    """DEFECTS 28 and 29: sizes below nothing, and digests that are paths."""
    pushed.registry.manifests["v1"] = pushed.written.document.decode().replace(before, after).encode()
    assert text in pushed.refusal().message


def test_a_manifest_that_promises_a_terabyte_is_refused(pushed: PushedBundle) -> None:
    """The disk would be full before the digest could be wrong."""
    for blob, text in ((pushed.layer, "a bundle has at most"), (pushed.written.manifest.config, "a document of")):
        claimed = pushed.written.document.replace(b'"size":%d' % blob.size, b'"size":%d' % (1 << 40))
        pushed.registry.manifests["v1"] = claimed
        error = pushed.refusal()
        assert isinstance(error, LimitExceededError)
        assert text in error.message


_PATHS = {
    "above": ("../../evil.py", ArchiveUnsafeError),
    "absolute": ("/etc/cron.d/evil", ArchiveUnsafeError),
    "git": (".git/hooks/pre-commit", ArchiveUnsafeError),
    "git by case": (".GIT/config", ArchiveUnsafeError),
    "reserved": (".bundlekit/manifest.json", ArchiveUnsafeError),
    "new line": ("a\nb", ArchiveUnsafeError),
    "backslash": ("..\\evil", ArchiveUnsafeError),
    "empty": ("", ArchiveUnsafeError),
    "long": ("x" * 300, LimitExceededError),
}


@pytest.mark.parametrize("row", _PATHS)
def test_paths_of_an_index_that_lead_elsewhere_are_refused(pushed: PushedBundle, row: str) -> None:
    """By the same function as those of archives, before anything is fetched."""
    path, kind = _PATHS[row]
    _push_index(pushed, {path: {"path": path}})
    error = pushed.refusal("index")
    assert isinstance(error, kind)
    assert pushed.registry.asked("GET", sha256(b"x")) == 0


_ENTRIES = {
    "another name": ({"safe.txt": {"path": "IMPORTANT.txt"}}, "with another path in its entry"),
    "elsewhere": ({"a": {"path": "a", "storage": "blob"}}, "is not in the registry but in the storage 'blob'"),
    "no size": ({"a": {"path": "a", "size": "12"}}, "the size '12'"),
    "less than nothing": ({"a": {"path": "a", "size": -5}}, "the size -5"),
    "true": ({"a": {"path": "a", "size": True}}, "the size True"),
    "no digest": ({"a": {"path": "a", "digest": "nonsense"}}, "a digest that is none"),
    "without a layer": ({"a": {"path": "a", "size": 2}}, "no layer has that path, digest and size"),
    "below a file": ({"a": {"path": "a"}, "a/b": {"path": "a/b"}}, "as a file, and 'a/b' below it"),
    "one name": ({"\u00e9": {"path": "\u00e9"}, "e\u0301": {"path": "e\u0301"}}, "one name after Unicode"),
}


@pytest.mark.parametrize("row", _ENTRIES)
def test_entries_of_an_index_that_contradict_themselves_are_refused(pushed: PushedBundle, row: str) -> None:
    """DEFECTS 28: a preview showed safe.txt, and IMPORTANT.txt was overwritten."""
    entries, text = _ENTRIES[row]
    _push_index(pushed, entries)
    assert text in pushed.refusal("index").message


def _push_index(pushed: PushedBundle, entries: dict[str, dict[str, object]]) -> None:
    """Put a bundle of layout modelops with these entries under the tag `index`; each file holds ``x``."""
    full = {path: {"digest": sha256(b"x"), "size": 1, "storage": "oci", **entry} for path, entry in entries.items()}
    config = json.dumps({"version": "1.0", "files": full}).encode()
    layers = [
        {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": sha256(b"x"),
            "size": 1,
            "annotations": {"org.opencontainers.image.title": path},
        }
        for path in entries
    ]
    kind = "application/vnd.modelops.bundle.index.v1+json"
    descriptor = {"mediaType": kind, "digest": sha256(config), "size": len(config)}
    document = json.dumps({"schemaVersion": 2, "config": descriptor, "layers": layers}).encode()
    pushed.registry.blobs |= {sha256(config): config, sha256(b"x"): b"x"}
    pushed.registry.manifests["index"] = document


def test_a_download_that_is_wrong_leaves_the_old_file(pushed: PushedBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEFECTS 17: what was there was overwritten first, and removed when the new bytes were wrong."""
    monkeypatch.setenv("VENVS_DIR", str(pushed.cache))
    target = pushed.cache.parent / "mine.tar.zst"
    target.write_bytes(pushed.archive.read_bytes())
    pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(200, b"x" * pushed.layer.size)))
    with pytest.raises(DigestMismatchError):
        pull_bundle(f"oci://{pushed.registry.host}/models/sir:v1", target, lambda _message: None)
    assert target.read_bytes() == pushed.archive.read_bytes()
    thesis = pushed.cache.parent / "thesis.tar.zst"
    thesis.write_text("not an archive", encoding="utf-8")
    pushed.registry.requests.clear()
    with pytest.raises(UsageError, match="exists and is no archive: it is left as it is"):
        pull_bundle(f"oci://{pushed.registry.host}/models/sir:v1", thesis, lambda _message: None)
    assert pushed.registry.requests == []


def test_many_who_pull_one_bundle_fetch_it_once(pushed: PushedBundle) -> None:
    """The workers of a node start together, and the registry is one for all nodes."""
    with ThreadPoolExecutor(6) as threads:
        found = set(threads.map(lambda _: pushed.pull(), range(12)))
    assert found == {pushed.archive.read_bytes()}
    assert pushed.registry.asked("GET", pushed.layer.digest) == 1

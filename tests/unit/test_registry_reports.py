"""What `push` and `pull` say: to people, as documents with a schema, and while they work."""

import json
import time

from builders.archives import manifest_of_files
from jsonschema import Draft202012Validator

from bundlekit.api.transfer_bar import transfer_bar
from bundlekit.model.digest import Digest
from bundlekit.model.transfer import Pulled, Pushed
from bundlekit.pack.manifest_json import parse_manifest
from bundlekit.report.json_schemas import schema_texts
from bundlekit.report.registries import pull_document, pull_lines, push_document, push_lines

_D, _OCI, _OLD = (Digest.of(name) for name in (b"bundle", b"oci", b"old"))


def _plain(text: str, _word: str) -> str:
    return text


def _assert_valid(schema: str, document: object) -> None:
    Draft202012Validator(json.loads(schema_texts()[f"{schema}.schema.json"])).validate(document)


def test_a_push_says_what_was_sent_and_what_the_tag_was() -> None:
    """A tag that was moved is never moved in silence."""
    manifest = parse_manifest(manifest_of_files())
    pushed = Pushed("oci://h/r:v1", "bundlekit", manifest, _D, _OCI, 2, 12_345, 1, None)
    assert list(push_lines(pushed, _plain)) == [
        "pushed oci://h/r:v1: 2 blobs sent (12,345 bytes), 1 were there",
        f"digest     {_D}",
        f"in the registry, layout bundlekit: {_OCI}",
    ]
    moved = pushed._replace(replaced=_OLD, layout="modelops")
    assert list(push_lines(moved, _plain))[-1] == f"moved the tag from {_OLD}"
    for each in (pushed, moved):
        _assert_valid("push", push_document(each))


def test_a_pull_says_where_the_bundle_is() -> None:
    """Or that its files are no bundle that bundlekit would pack."""
    pulled = Pulled("oci://h/r:v1", "modelops", _D, _OCI, "out", 3)
    assert list(pull_lines(pulled, _plain)) == [
        "pulled oci://h/r:v1 to out: 3 files",
        f"digest     {_D}",
        f"in the registry, layout modelops: {_OCI}",
    ]
    foreign = pulled._replace(digest=None, layout="bundlekit")
    assert "none: bundlekit would not pack these files" in list(pull_lines(foreign, _plain))[1]
    for each in (pulled, foreign):
        _assert_valid("pull", pull_document(each))


def test_a_bar_fills_as_bytes_move() -> None:
    """Not at each of a million chunks, and to the end in any case."""
    said: list[str] = []
    show = transfer_bar(said.append, "pushing")
    for _ in range(1000):
        show(1, 4_000_000)
    assert len(said) <= 2
    time.sleep(0.11)
    show(1_000_000, 4_000_000)
    show(4_000_000, 4_000_000)
    assert said[0] == "pushing"
    assert said[-2].startswith("pushing [######------------------] 1.0 MB of 4.0 MB, ")
    assert said[-1].startswith("pushing [########################] 4.0 MB of 4.0 MB, ")
    show(0, 0)
    transfer_bar(said.append, "pulling")(5_000_000_000, 5_000_000_000)
    assert "] 5.0 GB of 5.0 GB, " in said[-1]

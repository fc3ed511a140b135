"""The documents that a registry has of a bundle: the same each time, and readable for whom they are made."""

import json

import pytest
from builders.archives import FILES, manifest_of_files

from bundlekit.errors import LimitExceededError, ManifestError
from bundlekit.model.digest import Digest
from bundlekit.pack.manifest_json import manifest_digest, parse_manifest
from bundlekit.store.oci_documents import (
    Layout,
    archive_manifest,
    listed_files,
    modelops_manifest,
    parse_oci_manifest,
)

_MANIFEST = parse_manifest(manifest_of_files())
_ARCHIVE = Digest.of(b"an archive")


def test_the_config_of_our_layout_is_the_manifest() -> None:
    """So the digest of the config is the bundle's, and anybody's client shows it."""
    written = archive_manifest(_MANIFEST, _ARCHIVE, 10)
    document = json.loads(written.document)
    assert document["config"]["digest"] == manifest_digest(_MANIFEST) == Digest.of(written.config)
    assert document["layers"] == [
        {
            "mediaType": "application/vnd.bundlekit.archive.v1.tar+zstd",
            "digest": _ARCHIVE,
            "size": 10,
            "annotations": {"org.opencontainers.image.title": "sir-1.0.tar.zst"},
        }
    ]
    assert parse_oci_manifest(written.document) == written.manifest
    assert listed_files(written.manifest, written.config) == (_MANIFEST, _MANIFEST.files)


def test_the_layout_of_modelops_is_as_its_workers_read_it() -> None:
    """CONTRACT section 5: the index as config, one raw layer a file under its title, and no annotations but these."""
    written = modelops_manifest(_MANIFEST)
    document, index = json.loads(written.document), json.loads(written.config)
    assert document["config"]["mediaType"] == "application/vnd.modelops.bundle.index.v1+json"
    assert document["annotations"] == {}
    assert {layer["mediaType"] for layer in document["layers"]} == {"application/vnd.oci.image.layer.v1.tar"}
    titles = [layer["annotations"] for layer in document["layers"]]
    assert titles == [{"org.opencontainers.image.title": file.path} for file in _MANIFEST.files]
    assert written.config == json.dumps(index, sort_keys=True, indent=2).encode()
    assert index.keys() == {"version", "created", "tool", "files", "metadata"}
    assert index["files"]["run.sh"] == {
        "path": "run.sh",
        "digest": Digest.of(FILES["run.sh"]),
        "size": len(FILES["run.sh"]),
        "storage": "oci",
        "mediaType": None,
        "blobRef": None,
    }
    # Their types take texts alone here.
    assert {type(value) for value in [*index["tool"].values(), *index["metadata"].values()]} == {str}
    found = parse_oci_manifest(written.document)
    assert (found, found.layout) == (written.manifest, Layout.MODELOPS)
    assert listed_files(found, written.config) == (_MANIFEST, _MANIFEST.files)


def test_an_index_that_contradicts_our_manifest_in_it_is_refused() -> None:
    """Files that ModelOps' workers would run, under the digest of others."""
    index = json.loads(modelops_manifest(_MANIFEST).config)
    del index["files"]["run.sh"]
    found = modelops_manifest(_MANIFEST).manifest
    with pytest.raises(ManifestError, match="lists other files than the manifest in its metadata"):
        listed_files(found, json.dumps(index).encode())
    with pytest.raises(ManifestError, match="has no table of files"):
        listed_files(found, b'{"files": []}')
    index["files"] = {"a": "b"}
    with pytest.raises(ManifestError, match="with another path in its entry"):
        listed_files(found, json.dumps(index).encode())


def test_the_digests_are_known_and_stay() -> None:
    """Literal: a change of them would send every bundle to every registry again."""
    assert archive_manifest(_MANIFEST, _ARCHIVE, 10).digest == _EXPECTED[0]
    assert modelops_manifest(_MANIFEST).digest == _EXPECTED[1]


_EXPECTED = (
    "sha256:d1bb9e62c452b12ff2bf2d8cb896e268ba0e78553c705795b3743753583225d2",
    "sha256:7c35d223ae89ca53a01560d8878168a27c1ba8f0af3bb1221d89a7acd4db7591",
)


def test_a_layer_for_each_of_very_many_files_is_refused() -> None:
    """Registries take manifests of four megabytes; the other layout has one layer."""
    many = parse_manifest(manifest_of_files({f"data/{number:05}.csv": b"" for number in range(20_000)}))
    with pytest.raises(LimitExceededError, match="20,000 files make an OCI manifest of") as caught:
        modelops_manifest(many)
    assert caught.value.hint == "push without --layout modelops"
    assert archive_manifest(many, _ARCHIVE, 10).digest

"""A bundle in a registry that can be told to lie, and what pulls it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.archives import archive, tar
from builders.registries import FakeRegistry, Reply, Request, fake_registry, sha256

from bundlekit.errors import BundlekitError
from bundlekit.model.reference import parse_oci_reference
from bundlekit.pack.verify import verify_archive
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.depot import Depot
from bundlekit.store.depots import RegistryOptions, open_depot
from bundlekit.store.http_answer import Patience
from bundlekit.store.oci_digests import written_manifest
from bundlekit.store.oci_documents import Descriptor, WrittenManifest
from bundlekit.store.pull import Workshop, find, stored
from bundlekit.store.push import Outgoing, TagPolicy, push

__all__ = ["QUICK", "PushedBundle", "lie_about", "opened", "pushed_bundle"]

QUICK = Patience(connect_s=2, read_s=2, tries=3, first_pause_s=0.01, longest_pause_s=2, window_s=0.2)


class PushedBundle(NamedTuple):
    """A fake registry with a bundle under the tag ``v1``, and what the bundle is; `cache` is a new directory."""

    registry: FakeRegistry
    written: WrittenManifest
    archive: Path
    cache: Path

    @property
    def layer(self) -> Descriptor:
        """The archive as a blob."""
        return self.written.manifest.layers[0]

    @property
    def outgoing(self) -> Outgoing:
        """The bundle, to push it again."""
        return Outgoing(self.written, (self.archive,))

    def pull(self, wanted: str = "v1", patience: Patience = QUICK) -> bytes:
        """Pull into the store, and return the bytes of the archive there."""
        with opened(self.registry, self.cache.parent, patience) as depot, BundleStore(self.cache) as store:
            return stored(store, depot, find(depot, wanted), Workshop(self.cache)).archive.read_bytes()

    def refusal(self, wanted: str = "v1", patience: Patience = QUICK) -> BundlekitError:
        """Return how a pull is refused, after which the store holds nothing."""
        with pytest.raises(BundlekitError) as caught:
            self.pull(wanted, patience)
        assert not list(self.cache.glob("bundles/*"))
        return caught.value


@contextmanager
def opened(registry: FakeRegistry, home: Path, patience: Patience = QUICK) -> Iterator[Depot]:
    """Give the repository ``models/sir`` of `registry`; Docker's configuration is that in `home`."""
    options = RegistryOptions(environ={"HOME": str(home)}, patience=patience)
    with closing(open_depot(parse_oci_reference(f"oci://{registry.host}/models/sir"), options)) as depot:
        yield depot


@contextmanager
def pushed_bundle(directory: Path) -> Iterator[PushedBundle]:
    """Push a bundle of a quarter of a megabyte to a registry without fault, and forget that it was asked."""
    path = directory / "sir.tar.zst"
    path.write_bytes(_archive())
    written = written_manifest(verify_archive(path).manifest, path)
    with fake_registry() as registry:
        with opened(registry, directory) as depot:
            push(depot, Outgoing(written, (path,)), "v1", TagPolicy())
        registry.requests.clear()
        yield PushedBundle(registry, written, path, directory / "cache")


@cache
def _archive() -> bytes:
    noise = b"".join(bytes.fromhex(sha256(b"%d" % number)[7:]) for number in range(1 << 13))
    return archive(tar({"pyproject.toml": b"[project]\n", "noise.bin": noise, "run.sh": b"#!/bin/sh\n"}))


def lie_about(
    blob: Descriptor, answer: Callable[[bytes], Reply], *, times: int = 1000
) -> Callable[[Request], Reply | None]:
    """Return a liar that answers for a blob, so many times."""
    left = [times]

    def lie(request: Request) -> Reply | None:
        if request.method != "GET" or not request.path.endswith(blob.digest) or not left[0]:
            return None
        left[0] -= 1
        return answer(request.path.encode())

    return lie

"""A bundle put into a registry or an image layout: the blobs that are missing, the manifest, and last the tag.

A tag is somebody's word that a certain bundle is meant, so one that stands for another is moved only on demand, and one
that moves while the blobs are on their way is told and left alone. Registries cannot compare and swap tags: between the
last look and the push a few milliseconds remain, and a look afterwards tells if they were used.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import DigestMismatchError
from bundlekit.model.digest import Digest
from bundlekit.pack.hashing import Progress
from bundlekit.store.depot import BlobContent, Depot
from bundlekit.store.oci_documents import Descriptor, WrittenManifest
from bundlekit.store.transfers import Tally, at_once

__all__ = ["Outgoing", "PushResult", "TagPolicy", "bundle_tag", "push"]


class Outgoing(NamedTuple):
    """What is to be pushed: the documents, and the files that the layers are, in their order."""

    written: WrittenManifest
    files: tuple[Path, ...]


class TagPolicy(NamedTuple):
    """What may become of a tag that stands for something else: `force` moves it whatever it is.

    With `expected`, it is moved if it stands for that.
    """

    force: bool = False
    expected: Digest | None = None


class PushResult(NamedTuple):
    """What was done; `replaced` is what the tag stood for before, where that was something else."""

    digest: Digest
    sent: int
    sent_bytes: int
    present: int
    replaced: Digest | None


def bundle_tag(digest: Digest) -> str:
    """Return the tag under which a bundle is found by its own digest, which no registry knows as a manifest's."""
    return f"bundle-sha256-{digest.hex}"


def push(
    depot: Depot,
    outgoing: Outgoing,
    tag: str,
    policy: TagPolicy,
    *,
    also: str | None = None,
    progress: Progress | None = None,
) -> PushResult:
    """Put `outgoing` into `depot` under `tag`; also under `also`, unless that stands for something already.

    Raises:
        DigestMismatchError: the tag stands for something else and `policy` does not let it be moved, or somebody else
            has moved it meanwhile.
        BundlekitError: the depot cannot be used, or refuses.
    """
    written = outgoing.written
    before = depot.digest_of(tag)
    _check_movable(depot, tag, before, written.digest, policy)
    blobs = _blobs(outgoing)
    sent = _sent_missing(depot, blobs, progress)
    depot.put_manifest(written.document, None)
    now = depot.digest_of(tag)
    if now not in {before, written.digest} and not policy.force:
        raise _moved(depot, tag, before, now)
    if now != written.digest:
        depot.put_manifest(written.document, tag)
        _check_arrived(depot, tag, written.digest)
    if also is not None and depot.digest_of(also) is None:
        depot.put_manifest(written.document, also)
    return PushResult(
        digest=written.digest,
        sent=len(sent),
        sent_bytes=sum(blob.size for blob in sent),
        present=len(blobs) - len(sent),
        replaced=now if now != written.digest else None,
    )


def _sent_missing(
    depot: Depot, blobs: Sequence[tuple[Descriptor, BlobContent]], progress: Progress | None
) -> list[Descriptor]:
    tally = Tally(sum(blob.size for blob, _ in blobs), progress)

    def sent(each: tuple[Descriptor, BlobContent]) -> bool:
        blob, content = each
        if depot.has_blob(blob):
            tally.move(blob.size)
            return False
        depot.put_blob(blob, content, tally.move)
        return True

    return [blob for (blob, _), was_sent in zip(blobs, at_once(sent, blobs), strict=True) if was_sent]


def _blobs(outgoing: Outgoing) -> list[tuple[Descriptor, BlobContent]]:
    """Return each blob once: files with the same content are one."""
    manifest = outgoing.written.manifest
    contents: dict[Digest, tuple[Descriptor, BlobContent]] = {
        manifest.config.digest: (manifest.config, outgoing.written.config)
    }
    for layer, path in zip(manifest.layers, outgoing.files, strict=True):
        contents.setdefault(layer.digest, (layer, path))
    return list(contents.values())


def _check_movable(depot: Depot, tag: str, before: Digest | None, wanted: Digest, policy: TagPolicy) -> None:
    if policy.expected is not None and before not in {policy.expected, wanted}:
        message = f"{depot.name}:{tag} was expected to be {policy.expected}, and is {before or 'not there'}"
        raise DigestMismatchError(message, subject=before, hint="look at what was pushed meanwhile")
    if before in {None, wanted} or policy.force or policy.expected is not None:
        return
    message = f"{depot.name}:{tag} is {before} already, and this is {wanted}: the tag is left as it is"
    hint = f"push under another tag, or move this one with --expect {before} (or --force, whatever it is)"
    raise DigestMismatchError(message, subject=before, hint=hint)


def _check_arrived(depot: Depot, tag: str, wanted: Digest) -> None:
    now = depot.digest_of(tag)
    if now != wanted:
        message = f"{depot.name}:{tag} was set to {wanted}, and somebody set it to {now or 'nothing'} at the same time"
        hint = "agree on who pushes this tag; the bundle is there by its digest"
        raise DigestMismatchError(message, subject=now, hint=hint)


def _moved(depot: Depot, tag: str, before: Digest | None, now: Digest | None) -> DigestMismatchError:
    message = f"{depot.name}:{tag} moved from {before or 'nothing'} to {now or 'nothing'} while the bundle was sent"
    return DigestMismatchError(message, subject=now, hint="look at what was pushed meanwhile, and push again")

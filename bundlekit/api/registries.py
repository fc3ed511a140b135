"""Push and pull bundles: to and from registries and image layouts, by way of the store."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.archives import ARCHIVE_SUFFIX, PackOptions, check_no_other_file, pack, percent
from bundlekit.api.transfer_bar import transfer_bar
from bundlekit.api.validation import Progress
from bundlekit.cold_runner.environments.cache_dir import default_cache_dir
from bundlekit.cold_runner.environments.scratch_claim import claimed
from bundlekit.cold_runner.environments.tree_removal import discard_tree
from bundlekit.errors import BundlekitError, FileAccessError, UsageError
from bundlekit.model.archive import PackRefusal
from bundlekit.model.digest import Digest
from bundlekit.model.reference import (
    DEFAULT_TAG,
    LayoutReference,
    OciReference,
    PathReference,
    StoredReference,
    parse_reference,
)
from bundlekit.model.transfer import Pulled, Pushed
from bundlekit.pack.archive_reader import ArchiveContent
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.copies import publish_copy
from bundlekit.store.depot import Depot
from bundlekit.store.depots import RegistryOptions, open_depot
from bundlekit.store.oci_digests import written_manifest
from bundlekit.store.oci_documents import Layout, modelops_manifest
from bundlekit.store.pull import Found, Workshop, check_free, digest_of_tree, find, publish_tree, stored
from bundlekit.store.push import Outgoing, TagPolicy, bundle_tag, push

__all__ = ["Layout", "PushOptions", "TagPolicy", "pull_bundle", "push_bundle"]


class PushOptions(NamedTuple):
    """How to push: which layout, what may become of the tag, and how a directory is packed first."""

    layout: Layout = Layout.BUNDLEKIT
    policy: TagPolicy = TagPolicy()
    insecure: bool = False
    packing: PackOptions = PackOptions()


def push_bundle(bundle: str, target: str, options: PushOptions, progress: Progress) -> Pushed | PackRefusal:
    """Put `bundle` (a directory, which is packed first, an archive, or the digest of a stored one) at `target`.

    Raises:
        UsageError: `target` is neither a registry's tag nor an image layout.
        DigestMismatchError: the tag stands for something else, and may not be moved.
        BundlekitError: the bundle cannot be packed or is not sound; the registry cannot be used.
    """
    reference = parse_reference(target)
    if not isinstance(reference, OciReference | LayoutReference) or reference.digest is not None:
        message = f"{target!r:.200} is nowhere to push to: expected oci://HOST/REPOSITORY[:TAG] or oci-layout:DIRECTORY"
        raise UsageError(message, subject=target)
    with ExitStack() as stack:
        archive = stack.enter_context(_archive_of(bundle, options.packing, progress))
        if isinstance(archive, PackRefusal):
            return archive
        content = verify_archive(archive, progress=percent(progress, f"verifying {archive.name}"))
        outgoing = stack.enter_context(_outgoing(archive, content, options.layout))
        registry = RegistryOptions(insecure=options.insecure, log=progress)
        depot = stack.enter_context(closing(open_depot(reference, registry, create=True)))
        tag = reference.tag or DEFAULT_TAG
        # A registry is asked for bundles by their own digests; a directory is not, and other tools want one tag there.
        also = bundle_tag(content.digest) if isinstance(reference, OciReference) else None
        sending = transfer_bar(progress, f"pushing to {depot.name}:{tag}")
        done = push(depot, outgoing, tag, options.policy, also=also, progress=sending)
    return Pushed(
        reference=str(reference._replace(tag=tag)),
        layout=options.layout.value,
        manifest=content.manifest,
        digest=content.digest,
        oci_digest=done.digest,
        sent=done.sent,
        sent_bytes=done.sent_bytes,
        present=done.present,
        replaced=done.replaced,
    )


def pull_bundle(source: str, output: Path | None, progress: Progress, *, insecure: bool = False) -> Pulled:
    """Fetch the bundle at `source` into the store, and to `output`: an archive if it is named so, else a directory.

    Raises:
        UsageError: `source` is neither in a registry nor in an image layout, or `output` is taken.
        BundlekitError: what is there is not sound; the registry or the store cannot be used.
    """
    reference = parse_reference(source)
    if not isinstance(reference, OciReference | LayoutReference):
        expected = "oci://HOST/REPOSITORY[:TAG][@DIGEST] or oci-layout:DIRECTORY[:TAG]"
        message = f"{source!r:.200} is nowhere to pull from: expected {expected}"
        raise UsageError(message, subject=source)
    if output is not None:
        _check_output(output)
    cache_dir = Path(default_cache_dir())
    with (
        closing(open_depot(reference, RegistryOptions(insecure=insecure, log=progress))) as depot,
        BundleStore(cache_dir, progress) as store,
    ):
        found = find(depot, reference.wanted)
        workshop = Workshop(cache_dir, transfer_bar(progress, f"pulling {source}"))
        path, digest = _brought(store, depot, found, workshop, output)
    return Pulled(source, found.oci.layout.value, digest, found.digest, str(path), len(found.files))


@contextmanager
def _archive_of(bundle: str, packing: PackOptions, progress: Progress) -> Iterator[Path | PackRefusal]:
    """Give the archive of a bundle: the one that is named, that of the store, or one that is packed for a while."""
    reference = parse_reference(bundle)
    match reference:
        case StoredReference(digest):
            with BundleStore(Path(default_cache_dir()), progress) as store:
                yield store.hold(digest).archive
        case PathReference(path) if path.is_dir():
            with _scratch() as scratch:
                packed = pack(path, packing._replace(output=scratch / f"bundle{ARCHIVE_SUFFIX}"), progress)
                yield packed if isinstance(packed, PackRefusal) else Path(packed.archive)
        case PathReference(path):
            yield path
        case _:
            message = f"{bundle!r:.200} is in no directory of this machine: pull it first"
            raise UsageError(message, subject=bundle)


@contextmanager
def _outgoing(archive: Path, content: ArchiveContent, layout: Layout) -> Iterator[Outgoing]:
    """Give what is to be pushed; its files are there meanwhile."""
    if layout is Layout.BUNDLEKIT:
        yield Outgoing(written_manifest(content.manifest, archive), (archive,))
        return
    written = modelops_manifest(content.manifest)
    with _scratch() as scratch:
        unpack_archive(archive, scratch / "tree")
        yield Outgoing(written, tuple(scratch / "tree" / file.path for file in content.manifest.files))


@contextmanager
def _scratch() -> Iterator[Path]:
    try:
        scratch = tempfile.mkdtemp(prefix="bundlekit-unpacked-")
    except OSError as error:
        message = f"no room for a directory in {tempfile.gettempdir()}: {error.strerror}"
        raise FileAccessError(message, subject=tempfile.gettempdir()) from error
    # `cache gc` sees by it that the directory is in use, and removes it if that cannot be done here.
    claim = claimed(scratch)
    try:
        yield Path(scratch)
    finally:
        discard_tree(scratch)
        if claim is not None:
            os.close(claim)


def _check_output(output: Path) -> None:
    """Refuse a place that is taken before anything is fetched for it."""
    if output.name.endswith(ARCHIVE_SUFFIX):
        check_no_other_file(output)
    else:
        check_free(output)


def _brought(
    store: BundleStore, depot: Depot, found: Found, workshop: Workshop, output: Path | None
) -> tuple[Path, Digest | None]:
    """Return where the bundle is now, and its digest."""
    wants_archive = output is not None and output.name.endswith(ARCHIVE_SUFFIX)
    if output is not None and not wants_archive and found.manifest is None:
        return output, _laid_out(depot, found, workshop, output)
    bundle = stored(store, depot, found, workshop)
    if output is None:
        return bundle.tree, bundle.digest
    if wants_archive:
        publish_copy(bundle.archive, output)
    else:
        unpack_archive(bundle.archive, output)
    return output, bundle.digest


def _laid_out(depot: Depot, found: Found, workshop: Workshop, output: Path) -> Digest | None:
    """Write files that are perhaps no bundle of bundlekit's as `output`, and return their digest if they are."""
    with workshop.tree(depot, found) as tree:
        try:
            digest, _ = digest_of_tree(tree, found)
        except BundlekitError:
            digest = None
        publish_tree(tree, output)
    return digest

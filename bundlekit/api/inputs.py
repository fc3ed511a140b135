"""What a PATH of the command line stands for: a bundle directory, an archive, or a repository of bundles."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.errors import UsageError

if TYPE_CHECKING:
    from bundlekit.model.manifest import Manifest
    from bundlekit.model.project import Project

__all__ = ["BundleDirectory", "bundle_directories", "opened", "snapshot"]


class BundleDirectory(NamedTuple):
    """A directory that holds a bundle, its name in a report, and the manifest of the archive that it came from."""

    root: Path
    label: str
    manifest: "Manifest | None" = None


@contextmanager
def bundle_directories(path: Path, *, may_be_none: bool) -> Iterator[tuple[BundleDirectory, ...]]:
    """Open the bundles that `path` stands for; an archive is verified and unpacked for as long as they are open.

    A directory without any bundle is taken for one itself, whatever it lacks; with `may_be_none`, a git repository
    without any bundle is not, and gives none.

    Raises:
        UsageError: there is nothing at `path`, or something that is neither a file nor a directory.
    """
    if not path.is_dir():
        with opened(path) as bundle:
            yield (bundle,)
        return
    from bundlekit.read.bundles import find_bundles  # noqa: PLC0415 - packing from a directory never searches

    found = find_bundles(path)
    if not found and not (may_be_none and (path / ".git").exists()):
        found = [path]
    yield tuple(BundleDirectory(root, str(root)) for root in found)


@contextmanager
def opened(path: Path) -> Iterator[BundleDirectory]:
    """Open one bundle as a directory: `path` itself, or the archive at `path` verified and unpacked for a while.

    Raises:
        UsageError: there is nothing at `path`, or something that is neither a file nor a directory.
    """
    if path.is_dir():
        yield BundleDirectory(path, str(path))
        return
    if not path.is_file():
        problem = "is neither a file nor a directory" if path.exists() else "does not exist"
        msg = f"{path} {problem}: expected a bundle directory, a repository of bundles, or an archive made by pack"
        raise UsageError(msg, subject=path)
    # The hook never meets an archive.
    import tempfile  # noqa: PLC0415 - see above

    from bundlekit.cold_runner.environments.scratch_claim import claimed  # noqa: PLC0415 - see above
    from bundlekit.pack.unpack import unpack_archive  # noqa: PLC0415 - see above

    with tempfile.TemporaryDirectory(prefix="bundlekit-unpacked-") as scratch:
        # `cache gc` sees by it that the directory is in use.
        claim = claimed(scratch)
        try:
            destination = Path(scratch, "bundle")
            content = unpack_archive(path, destination)
            yield BundleDirectory(destination, str(path), content.manifest)
        finally:
            if claim is not None:
                os.close(claim)


def snapshot(bundle: BundleDirectory, *, job_spec: Path | None = None, python: str | None = None) -> "Project":
    """Return what the bundle's directory declares; an archive was perhaps given its name when it was packed."""
    from bundlekit.api.trial_parse import trial_parse  # noqa: PLC0415 - the hook does not read what it knows
    from bundlekit.read.project import read_project  # noqa: PLC0415 - as above

    project = read_project(bundle.root, job_spec=job_spec, python=python, trial=trial_parse)
    if bundle.manifest is None:
        return project
    return project._replace(name=bundle.manifest.name, version=bundle.manifest.version)

"""The dependencies that only building a bundle tells: a setup.py, or `dynamic` without a file behind it.

The wheel's metadata states them. It is built once for the same files and interpreter; the answer is kept in the cache.
See: the core metadata specification of PyPA, "Requires-Dist".
"""

import hashlib
import json
import os
import re
import zipfile

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .build_backend import BuildJob, build_wheel
from .bundle_copy import ListedBundle, copy_bundle
from .cache_entry import held_entry
from .declaration import BuildSystem
from .environment import Place, Workshop
from .redaction import redacted
from .tree_digest import inventory_digest
from .tree_removal import remove_tree

__all__ = ["stated_requirements"]

_ANSWER = "requirements.json"
_OF_AN_EXTRA = re.compile(r";.*\bextra\b")
_MAX_METADATA_BYTES = 1 << 20


def stated_requirements(system: BuildSystem, bundle: ListedBundle, place: Place, workshop: Workshop) -> tuple[str, ...]:
    """Return the requirements that the bundle's wheel states, without those of its extras.

    Raises:
        RunnerError: as :func:`build_wheel`; a wheel without readable metadata is a BuildError too.
    """
    key = {"schema": "bundlekit/requirements/2", "content": inventory_digest(bundle.files)}
    key.update(workshop.interpreter._asdict())
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    directory, lock_path = place.entry("requirements", name)

    def build(path: str, lock_descriptor: int) -> None:
        os.mkdir(path)
        tree, scratch = os.path.join(path, "tree"), os.path.join(path, "building")
        copy_bundle(bundle, tree)
        job = BuildJob(ListedBundle(tree, bundle.files), scratch, lock_descriptor)
        found = _stated_by(build_wheel(system, job, workshop))
        with open(os.path.join(path, _ANSWER), "w", encoding="utf-8") as file:
            json.dump(found, file)
        remove_tree(tree)
        remove_tree(scratch)

    entry = held_entry(
        directory, key, build, lock_path=lock_path, needs=(_ANSWER,), deadline=workshop.deadline, log=workshop.log
    )
    with entry, open(os.path.join(directory, _ANSWER), encoding="utf-8") as file:
        declared = tuple(str(requirement) for requirement in json.load(file))
    workshop.log(f"The build tells the dependencies: {redacted(', '.join(declared), workshop.environ) or 'none'}")
    return declared


def _stated_by(wheel_path: str) -> list[str]:
    try:
        with zipfile.ZipFile(wheel_path) as wheel:
            members = [one for one in wheel.infolist() if one.filename.count("/") == 1]
            found = [one for one in members if one.filename.endswith(".dist-info/METADATA")]
            text = wheel.read(found[0]) if len(found) == 1 and found[0].file_size <= _MAX_METADATA_BYTES else None
    except (OSError, zipfile.BadZipFile, ValueError):
        text = None
    if text is None:
        message = "building the bundle failed: the wheel that its backend wrote has no metadata that can be read"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="BuildError")
    lines = text.decode("utf-8", "replace").splitlines()
    header = lines[: lines.index("")] if "" in lines else lines
    stated = [line.partition(":")[2].strip() for line in header if line.lower().startswith("requires-dist:")]
    return [requirement for requirement in stated if not _OF_AN_EXTRA.search(requirement)]

"""Tells what Python state a warm process holds now: one answer of groups, each of them with pieces and fingerprints.

Runs in a warm process, under the conditions of the module `main`, and is loaded there only when it is asked for. It
calls no bundle code and leaves what it looks at as it was; while it looks, no garbage is collected, since that would
call finalizers.
"""

import gc
import sys

from .state_files import group_of_files
from .state_modules import groups_of_modules
from .state_natives import group_of_natives
from .state_process import groups_of_process

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .job import Job
    from .state_items import Item

__all__ = ["state_of"]


def state_of(job: "Job", params: "Mapping[str, object]") -> "dict[str, object]":
    """Return all groups; if `params` has ``addresses`` and ``dicts``, only that of the objects there.

    ``own`` is where the bundle's modules are, ``dict_type`` the address by which the head of a dict is known.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        if "addresses" in params:
            return {"groups": [group_of_natives(params["addresses"], params.get("dicts"))]}
        groups = _groups(job, is_collecting=is_collecting)
    finally:
        if is_collecting:
            gc.enable()
    file = job["reference"].partition(":")[0]
    wire = file.rpartition("/")[2].removesuffix(".py") if file.endswith(".py") else ""
    return {"groups": groups, "wire": wire, "own": [job["site"], job["tree"]], "dict_type": id(dict)}


def _groups(job: "Job", *, is_collecting: bool) -> "list[tuple[str, int, list[Item]]]":
    own = (f"{job['site']}/", f"{job['tree']}/")
    standard, places = _standard_library(), _places(job)
    groups = [*groups_of_modules(lambda file: file.startswith(own), lambda file: _is_standard(file, standard))]
    groups += groups_of_process(places, is_collecting=is_collecting)
    groups.append(group_of_files(places))
    return groups


def _standard_library() -> str:
    return str(sys.modules["os"].__file__).rpartition("/")[0] + "/"


def _is_standard(file: str, standard: str) -> bool:
    return file.startswith(standard) and "/site-packages/" not in file


def _places(job: "Job") -> "dict[str, str]":
    variables = job["environment"]
    return {"": job["tree"], **{name: variables[name] for name in ("HOME", "TMPDIR") if name in variables}}

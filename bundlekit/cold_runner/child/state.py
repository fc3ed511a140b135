"""Tells what Python state a warm process holds now: one answer of groups, each of them with pieces and fingerprints.

Runs in a warm process, under the conditions of the module `main`, and is loaded there only when it is asked for. It
calls no bundle code and leaves what it looks at as it was; while it looks, no garbage is collected, since that would
call finalizers.
"""

import gc
import sys

from .state_files import group_of_files
from .state_modules import Owners, file_of, groups_of_modules, modules_there
from .state_natives import group_of_natives
from .state_prints import Fingerprints
from .state_process import groups_of_process

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .job import Job

__all__ = ["state_of"]

_TOTAL_OWN, _EACH_OWN = 300_000, 50_000


def state_of(job: "Job", params: "Mapping[str, object]") -> "dict[str, object]":
    """Return all groups; if `params` has ``addresses`` and ``dicts``, only that of the objects there.

    ``foreign`` names the modules that are not the bundle's, ``wire`` the file of its wire module; ``cut`` counts its
    own values that are larger than was looked at; ``dict_type`` is the address by which the head of a dict is known.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        if "addresses" in params:
            return {"groups": [group_of_natives(params["addresses"], params.get("dicts"))]}
        return _state(job, is_collecting=is_collecting)
    finally:
        if is_collecting:
            gc.enable()


def _state(job: "Job", *, is_collecting: bool) -> "dict[str, object]":
    standard, _, _ = str(sys.modules["os"].__file__).rpartition("/")
    owners = Owners((f"{job['site']}/", f"{job['tree']}/"), f"{standard}/")
    modules, look_own = modules_there(), Fingerprints(_TOTAL_OWN, _EACH_OWN)
    foreign = [name for name, each in modules.items() if not owners.is_own(file_of(each))]
    places: dict[str, str] = {"": job["tree"]}
    places.update({name: place for name, place in job["environment"].items() if name in {"HOME", "TMPDIR"}})
    groups = [*groups_of_modules(modules, owners, look_own)]
    groups += groups_of_process(places, frozenset(foreign), is_collecting=is_collecting)
    groups.append(group_of_files(places))
    file = job["reference"].partition(":")[0]
    return {
        "groups": groups,
        "foreign": foreign,
        "wire": file.rpartition("/")[2].removesuffix(".py") if file.endswith(".py") else "",
        "cut": look_own.cut,
        "dict_type": id(dict),
    }

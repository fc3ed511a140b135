"""Python objects that native code holds: those whose addresses were found in the memory of an extension module.

Runs in a warm process, under the conditions of the module `main`. Addresses are looked for among the objects that the
collector of garbage knows, so one that is none is passed over. It does not know a dict of numbers and texts: those are
taken by address, where the host saw the head of a living dict.
"""

import gc
import sys
from types import FunctionType, ModuleType

from .state_items import item
from .state_prints import Fingerprints
from .state_types import is_below

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from .state_items import Item

__all__ = ["group_of_natives"]

_TOTAL, _EACH = 200_000, 50_000
_PASSED_OVER = (type, ModuleType, FunctionType)


def group_of_natives(addresses: object, dicts: object) -> "tuple[str, int, list[Item]]":
    """Return the containers and instances that are at `addresses`, and `dicts`, each named by its address."""
    wanted, heads = _numbers(addresses), _numbers(dicts)
    found = {id(each): each for each in gc.get_objects() if id(each) in wanted}
    for address in heads.difference(found):
        # The package ctypes would import half of the standard library.
        found[address] = __import__("_ctypes").PyObj_FromPtr(address)
    # Dicts of modules are told of as modules.
    modules = [each for each in list(sys.modules.values()) if is_below(each, ModuleType)]
    told = {id(ModuleType.__getattribute__(each, "__dict__")) for each in modules}
    prints = Fingerprints(_TOTAL, _EACH)
    items = [
        item("other", str(address), prints, each)
        for address, each in sorted(found.items())
        if address not in told and not any(is_below(each, kind) for kind in _PASSED_OVER)
    ]
    return "[natives]", 1, items


def _numbers(values: object) -> "set[int]":
    return {each for each in values if type(each) is int} if type(values) is list else set()

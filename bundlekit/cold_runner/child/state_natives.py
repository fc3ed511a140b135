"""Python containers that native code holds: those whose addresses were found in the memory of an extension module.

Runs in a warm process, under the conditions of the module `main`. No address is read from: it is looked for among the
objects that the collector of garbage knows, so one that is none is passed over.
"""

import gc
import sys
from types import FunctionType, ModuleType

from .state_prints import Fingerprints
from .state_texts import shown
from .state_types import is_below

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    Item = tuple[str, str, str, str, int]

__all__ = ["group_of_natives"]

_TOTAL, _EACH = 200_000, 50_000
_PASSED_OVER = (type, ModuleType, FunctionType)


def group_of_natives(addresses: object) -> "tuple[str, int, list[Item]]":
    """Return the containers and instances that are at `addresses`, each named by its address."""
    wanted = {each for each in addresses if type(each) is int} if type(addresses) is list else set()
    if not wanted:
        return "<natives>", 1, []
    # Dicts of modules are told of as modules.
    dicts = {
        id(ModuleType.__getattribute__(each, "__dict__"))
        for each in list(sys.modules.values())
        if is_below(each, ModuleType)
    }
    prints = Fingerprints(_TOTAL, _EACH)
    found = {id(each): each for each in gc.get_objects() if id(each) in wanted and id(each) not in dicts}
    items = [
        ("other", str(address), prints.of(each), shown(each), address)
        for address, each in sorted(found.items())
        if not any(is_below(each, kind) for kind in _PASSED_OVER)
    ]
    return "<natives>", 1, items

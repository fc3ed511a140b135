"""What several values have in common, of which only running tells which one it is."""

import re

from bundlekit.check.values import Class, Function, Value, is_broken
from bundlekit.model.signature import Unknown

__all__ = ["agreed"]


def agreed(values: list[Value]) -> Value:
    """Return the one answer that all alternatives give; those that certainly fail do not count beside others."""
    alive = [value for value in values if not is_broken(value)] or values
    first = alive[0]
    if is_broken(first):
        return first
    classes = [value for value in alive if isinstance(value, Class)]
    if len(classes) == len(alive) and len({_as_written(each) for each in classes}) == 1:
        return _agreed_class(classes)
    if all(value == first for value in alive):
        return first
    functions = [value for value in alive if isinstance(value, Function)]
    if len(functions) == len(alive) and len({(item.signature, item.calibrated) for item in functions}) == 1:
        is_exact = all(item.is_exact for item in functions)
        return functions[0]._replace(is_exact=is_exact)
    is_there = all(not isinstance(value, Unknown) or value.is_there for value in alive)
    unknown = next((value for value in alive if isinstance(value, Unknown)), None)
    reason = unknown.reason if unknown else "it is defined in different ways on different conditions"
    return Unknown(reason, is_there=is_there and len(alive) == len(values))


def _as_written(value: Class) -> Class:
    return value._replace(reshaped="", redecorated=False, added=())


def _agreed_class(classes: list[Class]) -> Class:
    """Return one class that stands for several ways in which decorators may leave it."""
    kept = set.intersection(*({id(added) for added in each.added} for each in classes))
    same = tuple(added for added in classes[0].added if id(added) in kept)
    names = {added.name for each in classes for added in each.added if id(added) not in kept}
    patterns = {each.reshaped for each in classes if each.reshaped} | {re.escape(name) for name in names}
    return classes[0]._replace(
        reshaped="|".join(sorted(patterns)), redecorated=any(each.redecorated for each in classes), added=same
    )

"""The grammar of what a task may name: an entrypoint, or a target.

See: CONTRACT section 3.
"""

import re
from typing import NamedTuple

__all__ = ["GrammarProblem", "grammar_problem"]

_IMPORT = re.compile(r"[A-Za-z_][\w.]*\.[A-Za-z_]\w*")
_SCENARIO = re.compile(r"[a-z0-9]([a-z0-9\-_.]{0,62}[a-z0-9])?")
_DEFAULT_SCENARIO = "baseline"


class GrammarProblem(NamedTuple):
    """Why no task can have an entrypoint, and the nearest one that a task can have, if that can be told."""

    reason: str
    nearest: str | None


def grammar_problem(entrypoint: str) -> GrammarProblem | None:
    """Return what is wrong with the entrypoint of a task, None if the platform's grammar takes it."""
    module, colon, name = entrypoint.partition(":")
    if colon and "/" in entrypoint:
        kept = f"{module}:{name.partition('/')[0]}"
        return GrammarProblem("it has both ':' and '/', of which a task takes one", _valid(kept, entrypoint))
    if not colon:
        module, slash, name = entrypoint.partition("/")
        if not slash:
            nearest = _valid(f"{entrypoint}/{_DEFAULT_SCENARIO}", entrypoint)
            return GrammarProblem("it has neither a '/' with a scenario nor a ':' with an object", nearest)
    if not _IMPORT.fullmatch(module):
        return GrammarProblem(f"{module!r:.60} is no dotted module, such as 'package.module'", None)
    if colon and not name.replace("_", "").isalnum():
        nearest = _valid(f"{module}:{name.partition('.')[0]}", entrypoint)
        return GrammarProblem(f"the object {name!r:.60} is not one name of letters, digits and '_'", nearest)
    if not colon and not _SCENARIO.fullmatch(name):
        simple = re.sub(r"[^a-z0-9\-_.]+", "-", name.lower()).strip("-_.")[:64]
        reason = f"the scenario {name!r:.60} is not lower-case letters, digits, '-', '_' and '.', at most 64 of them"
        return GrammarProblem(reason, _valid(f"{module}/{simple}", entrypoint))
    return None


def _valid(candidate: str, entrypoint: str) -> str | None:
    return candidate if candidate != entrypoint and grammar_problem(candidate) is None else None

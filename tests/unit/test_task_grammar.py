"""The grammar of a task's entrypoint (CONTRACT section 3), and the nearest one that a task can have."""

import pytest

from bundlekit.model.task_grammar import grammar_problem

_VALID = (
    "models.sir/baseline",
    "models.sir:Sir",
    "a.b.c/x-1.0_y",
    "_m._n/0",
    "a..b/x",
    "models.sir:Sir_2",
    f"a.b/{'x' * 64}",
)


@pytest.mark.parametrize("entrypoint", _VALID)
def test_what_the_platform_takes_has_no_problem(entrypoint: str) -> None:
    """Even what is odd: the platform's own grammar decides."""
    assert grammar_problem(entrypoint) is None


_INVALID: dict[str, tuple[str, str, str | None]] = {
    "main": ("main", "neither a '/'", None),
    "empty": ("", "neither a '/'", None),
    "module-alone": ("models.sir", "neither a '/'", "models.sir/baseline"),
    "undotted-object": ("targets:fn", "'targets' is no dotted module", None),
    "undotted-scenario": ("sir/baseline", "'sir' is no dotted module", None),
    "no-module": ("/baseline", "'' is no dotted module", None),
    "dotted-object": ("a.b:c.d", "the object 'c.d'", "a.b:c"),
    "no-object": ("a.b:", "the object ''", None),
    "only-underscores": ("a.b:__", "the object '__'", None),
    "upper-case-scenario": ("models.sir/Baseline", "the scenario 'Baseline'", "models.sir/baseline"),
    "scenario-with-spaces": ("models.sir/no masks", "the scenario 'no masks'", "models.sir/no-masks"),
    "scenario-too-long": (f"a.b/{'x' * 65}", "at most 64", f"a.b/{'x' * 64}"),
    "no-scenario": ("a.b/", "the scenario ''", None),
    "two-slashes": ("a.b/c/d", "the scenario 'c/d'", "a.b/c-d"),
    "both": ("a.b:C/baseline", "both ':' and '/'", "a.b:C"),
    "both-the-other-way": ("a.b/x:C", "both ':' and '/'", None),
    "path": ("models/sir.py:Sir", "both ':' and '/'", None),
}


@pytest.mark.parametrize(("entrypoint", "reason", "nearest"), _INVALID.values(), ids=_INVALID)
def test_what_no_task_can_have_is_told_with_the_nearest_that_it_can(
    entrypoint: str, reason: str, nearest: str | None
) -> None:
    """A refusal without the right form sends people to the platform's source."""
    problem = grammar_problem(entrypoint)
    assert problem is not None
    assert reason in problem.reason
    assert problem.nearest == nearest

"""Every rule of every stage, in the order of their codes."""

import difflib

from bundlekit.check.rules import RULES
from bundlekit.errors import UsageError
from bundlekit.model.rule import Rule
from bundlekit.probe.rules import DYNAMIC_RULES

__all__ = ["catalogue", "rule_of"]


def catalogue() -> tuple[Rule[object], ...]:
    """Return all rules, static and dynamic, sorted by code."""
    rules: list[Rule[object]] = [*RULES, *DYNAMIC_RULES]
    return tuple(sorted(rules, key=lambda rule: rule.code))


def rule_of(code: str) -> Rule[object]:
    """Return the rule with this code.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    rules = {rule.code: rule for rule in catalogue()}
    wanted = code.strip().upper()
    if wanted in rules:
        return rules[wanted]
    near = [known for known in rules if known.startswith(wanted)] or difflib.get_close_matches(wanted, rules, n=3)
    hint = f"there are {', '.join(near)}" if near else "`bundlekit rules` lists them all"
    msg = f"there is no rule {code!r}"
    raise UsageError(msg, subject=code, hint=hint)

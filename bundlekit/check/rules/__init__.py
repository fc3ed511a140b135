"""The registry of static rules: every rule of the catalogue that reads and never runs, in one literal tuple."""

from bundlekit.check.rules.catalogue import StaticRule
from bundlekit.check.rules.documents import DOCUMENT_RULES
from bundlekit.check.rules.wire import WIRE_RULES

__all__ = ["RULES", "StaticRule"]

RULES: tuple[StaticRule, ...] = (*DOCUMENT_RULES, *WIRE_RULES)

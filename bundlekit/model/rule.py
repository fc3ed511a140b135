"""Rules as data: what a rule looks for, why it matters, and the examples that are its tests and its documentation."""

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from bundlekit.model.finding import Severity

__all__ = ["Rule"]

CheckT_co = TypeVar("CheckT_co", covariant=True)


class Rule(NamedTuple, Generic[CheckT_co]):
    """One rule of the catalogue (DESIGN decision 8).

    `code` is never reused or renamed; `severity` is what its findings have unless the check says otherwise; `check` is
    a pure function from evidence to findings; `good` and `bad` are small bundles, path to text: the rule is silent on
    the first and speaks on the second.
    """

    code: str
    title: str
    why: str
    severity: Severity
    check: CheckT_co
    good: Mapping[str, str]
    bad: Mapping[str, str]

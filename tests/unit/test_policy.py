"""Which findings count, and how much."""

import pytest

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.fingerprint import fingerprints
from bundlekit.model.policy import IgnoreComment, Means, PerFileIgnore, Policy, judged

_ERROR = Finding("BK305", Severity.ERROR, "no such name", "model/wire.py", 3, 1)
_NOTE = Finding("BK206", Severity.INFO, "empty", "data", None, None)

_SUPPRESSED: dict[str, tuple[Policy, Means]] = {
    "select-another": (Policy(select=("BK2",)), Means.SELECT),
    "ignore-family": (Policy(ignore=("BK3",)), Means.IGNORE),
    "ignore-ties-with-select": (Policy(select=("BK3",), ignore=("BK3",)), Means.IGNORE),
    "ignore-is-longer": (Policy(select=("BK",), ignore=("BK305",)), Means.IGNORE),
    "per-file": (Policy(per_file=(PerFileIgnore("model/", ("BK3",)),)), Means.PER_FILE),
    "per-file-pattern": (Policy(per_file=(PerFileIgnore("wire.*", ("BK305",)),)), Means.PER_FILE),
    "comment": (Policy(comments=(IgnoreComment("model/wire.py", 2, 1, ("BK3",), (2, 3)),)), Means.COMMENT),
    "baseline": (Policy(known=frozenset(fingerprints([_ERROR]))), Means.BASELINE),
}


@pytest.mark.parametrize(("policy", "by"), _SUPPRESSED.values(), ids=_SUPPRESSED)
def test_a_finding_is_kept_from_counting(policy: Policy, by: Means) -> None:
    """And it is known by what, so that the report can say so."""
    found = judged([_ERROR], policy)
    assert found.counted == ()
    assert [(each.finding.code, each.by) for each in found.suppressed] == [("BK305", by)]


_COUNTED: dict[str, Policy] = {
    "nothing-said": Policy(),
    "select-is-longer": Policy(select=("BK305",), ignore=("BK3",)),
    "other-code-ignored": Policy(ignore=("BK4",)),
    "per-file-of-another-file": Policy(per_file=(PerFileIgnore("tests/", ("BK3",)),)),
    "per-file-of-another-code": Policy(per_file=(PerFileIgnore("model/", ("BK4",)),)),
    "comment-on-another-line": Policy(comments=(IgnoreComment("model/wire.py", 4, 1, ("BK3",), (4,)),)),
    "comment-in-another-file": Policy(comments=(IgnoreComment("model/fit.py", 3, 1, ("BK3",), (3,)),)),
    "comment-on-another-code": Policy(comments=(IgnoreComment("model/wire.py", 3, 1, ("BK4",), (3,)),)),
    "another-in-the-baseline": Policy(known=frozenset(fingerprints([_NOTE]))),
}


@pytest.mark.parametrize("policy", _COUNTED.values(), ids=_COUNTED)
def test_a_finding_that_nothing_speaks_of_counts(policy: Policy) -> None:
    """To be quiet about too much is worse than to be loud."""
    assert judged([_ERROR], policy).counted == (_ERROR,)


def test_a_finding_without_a_path_is_in_no_file() -> None:
    """A pattern for files says nothing about the bundle as a whole."""
    finding = Finding("BK101", Severity.ERROR, "no pyproject.toml")
    assert judged([finding], Policy(per_file=(PerFileIgnore("*", ("BK1",)),))).counted == (finding,)


def test_the_longest_prefix_decides_the_severity() -> None:
    """A family may be lowered but for one of its codes."""
    policy = Policy(severities=(("BK3", Severity.INFO), ("BK305", Severity.WARNING), ("BK2", Severity.ERROR)))
    assert [each.severity for each in judged([_ERROR, _NOTE], policy).counted] == [Severity.WARNING, Severity.ERROR]


def test_of_two_equal_findings_the_one_that_is_new_counts() -> None:
    """A baseline holds one; the second is somebody's fresh mistake."""
    policy = Policy(known=frozenset(fingerprints([_ERROR])))
    assert len(judged([_ERROR, _ERROR._replace(line=9)], policy).counted) == 1

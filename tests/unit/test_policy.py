"""Which findings count, and how much."""

import pytest

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.fingerprint import fingerprints
from bundlekit.model.policy import IgnoreComment, Judgement, Means, PerFileIgnore, Policy, Selection, fails, judged

_ERROR = Finding("BK305", Severity.ERROR, "no such name", "model/wire.py", 3, 1)
_NOTE = Finding("BK206", Severity.INFO, "empty", "data", None, None)

_SUPPRESSED: dict[str, tuple[Policy, Means]] = {
    "select-another": (Policy((Selection(select=("BK2",)),)), Means.SELECT),
    "ignore-family": (Policy((Selection(ignore=("BK3",)),)), Means.IGNORE),
    "ignore-ties-with-select": (Policy((Selection(select=("BK3",), ignore=("BK3",)),)), Means.IGNORE),
    "ignore-is-longer": (Policy((Selection(select=("BK",), ignore=("BK305",)),)), Means.IGNORE),
    "per-file": (Policy(per_file=(PerFileIgnore("model/", ("BK3",)),)), Means.PER_FILE),
    "per-file-pattern": (Policy(per_file=(PerFileIgnore("wire.*", ("BK305",)),)), Means.PER_FILE),
    "comment": (Policy(comments=(IgnoreComment("model/wire.py", 2, 1, ("BK3",), 3),)), Means.COMMENT),
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
    "select-is-longer": Policy((Selection(select=("BK305",), ignore=("BK3",)),)),
    "other-code-ignored": Policy((Selection(ignore=("BK4",)),)),
    "per-file-of-another-file": Policy(per_file=(PerFileIgnore("tests/", ("BK3",)),)),
    "per-file-of-another-code": Policy(per_file=(PerFileIgnore("model/", ("BK4",)),)),
    "comment-on-another-line": Policy(comments=(IgnoreComment("model/wire.py", 4, 1, ("BK3",), 4),)),
    "comment-in-another-file": Policy(comments=(IgnoreComment("model/fit.py", 3, 1, ("BK3",), 3),)),
    "comment-on-another-code": Policy(comments=(IgnoreComment("model/wire.py", 3, 1, ("BK4",), 3),)),
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


_LAYERS: dict[str, tuple[Selection, Selection, Means | None]] = {
    "ignored-in-the-settings": (Selection(ignore=("BK305",)), Selection(), Means.IGNORE),
    "ignored-on-the-command-line-too": (Selection(ignore=("BK4",)), Selection(ignore=("BK3",)), Means.IGNORE),
    "both-ignores-hold": (Selection(ignore=("BK3",)), Selection(ignore=("BK4",)), Means.IGNORE),
    "ignored-though-selected-in-full-by-the-settings": (
        Selection(select=("BK305",)),
        Selection(ignore=("BK3",)),
        Means.IGNORE,
    ),
    "selected-though-the-settings-ignore-it": (Selection(ignore=("BK305",)), Selection(select=("BK3",)), None),
    "selected-though-the-settings-select-another": (Selection(select=("BK2",)), Selection(select=("BK3",)), None),
    "not-selected-any-more": (Selection(select=("BK3",)), Selection(select=("BK2",)), Means.SELECT),
    "not-selected-by-the-settings": (Selection(select=("BK2",)), Selection(ignore=("BK4",)), Means.SELECT),
    "nothing-said": (Selection(), Selection(), None),
}


@pytest.mark.parametrize(("settings", "command_line", "by"), _LAYERS.values(), ids=_LAYERS)
def test_the_command_line_has_the_last_word(settings: Selection, command_line: Selection, by: Means | None) -> None:
    """As in ruff: --select begins anew whatever the settings say, --ignore comes on top of them."""
    assert Policy((settings, command_line)).selects("BK305") is by


@pytest.mark.parametrize(
    ("policy", "failed"),
    [
        pytest.param(Policy(), True, id="nothing said"),
        pytest.param(Policy((Selection(select=("BK2",)),)), True, id="not selected is not passed"),
        pytest.param(Policy((Selection(ignore=("BK305",)), Selection(select=("BK3",)))), True, id="selected after all"),
        pytest.param(Policy((Selection(ignore=("BK3",)),)), False, id="ignored"),
        pytest.param(Policy((Selection(select=("BK2",), ignore=("BK3",)),)), False, id="ignored and not selected"),
        pytest.param(Policy(severities=(("BK305", Severity.WARNING),)), False, id="lowered"),
        pytest.param(Policy(learns=True), False, id="known from now on"),
    ],
)
def test_a_stage_fails_by_errors_that_nobody_ignores(policy: Policy, *, failed: bool) -> None:
    """Looking at one family must not turn a bundle green that cannot be imported."""
    assert fails([_ERROR], policy) is failed
    assert not fails([_NOTE], policy)


def test_a_raised_severity_fails_a_stage_and_is_counted() -> None:
    """The report says how many findings weigh otherwise than their rules say; one that stays as it was does not."""
    policy = Policy(severities=(("BK206", Severity.ERROR), ("BK305", Severity.ERROR)))
    assert fails([_NOTE], policy)
    assert judged([_ERROR, _NOTE], policy).reweighed == 1


def test_only_what_would_count_is_numbered_for_the_baseline() -> None:
    """Two equal findings, one of them ignored by a comment: the other is the one that the baseline knows."""
    comment = IgnoreComment("model/wire.py", 3, 9, ("BK305",), 3)
    policy = Policy(comments=(comment,), known=frozenset(fingerprints([_ERROR])))
    found = judged([_ERROR, _ERROR._replace(line=9)], policy)
    assert [each.by for each in found.suppressed] == [Means.COMMENT, Means.BASELINE]


def test_what_is_learnt_is_what_would_have_counted() -> None:
    """What is ignored anyway does not belong into a baseline."""
    found = judged([_ERROR, _NOTE], Policy((Selection(ignore=("BK2",)),), learns=True))
    assert [(each.finding.code, each.by) for each in found.suppressed] == [
        ("BK206", Means.IGNORE),
        ("BK305", Means.BASELINE),
    ]


def test_judgements_of_stages_add_up() -> None:
    """One report tells of all stages."""
    one = judged([_ERROR], Policy((Selection(ignore=("BK3",)),)))
    both = one.joined(judged([_NOTE], Policy(severities=(("BK206", Severity.ERROR),))))
    assert ([each.code for each in both.counted], len(both.suppressed), both.reweighed) == (["BK206"], 1, 1)
    assert {each.code for each in both.everything()} == {"BK206", "BK305"}
    assert Judgement().everything() == []

"""The catalogue's pages."""

import pytest

from bundlekit.api.catalogue import catalogue, fixable_codes, rule_of
from bundlekit.model.rule import Rule
from bundlekit.report.catalogue import explanation, rule_document

_RULES = catalogue()


@pytest.mark.parametrize("rule", _RULES, ids=[rule.code for rule in _RULES])
def test_every_page_says_what_why_and_how_to_go_on(rule: Rule[object]) -> None:
    """Under the same headings, so that whoever has read one page finds their way in all."""
    page = explanation(rule, fixable=False)
    headings = [line for line in page.splitlines() if line and not line.startswith(" ")]
    assert headings == [
        f"{rule.code} ({rule.severity.value}): {rule.title}",
        "Why it matters",
        "What is found",
        "What is sound",
        "How to mend it",
        "How to ignore it",
    ]
    assert f"# bundlekit: ignore[{rule.code}]" in page
    assert f'ignore = ["{rule.code}"]' in page
    assert rule.why.endswith(".")
    assert not rule.title.endswith(".")
    assert rule.bad != rule.good
    # Documents of the project's authors are at nobody else's hand.
    assert "CONTRACT" not in page


def test_whether_a_rule_mends_is_told_by_its_own_example() -> None:
    """Nobody keeps a list of it, so none is out of date; a rule that needs a run is asked without one."""
    rules = [rule_of(code) for code in ("BK305", "BK302", "BK702", "BK701", "BK206", "BK146")]
    fixable = fixable_codes(rules)
    assert fixable == {"BK305", "BK702", "BK146"}
    assert "How to mend it\n  `bundlekit validate --fix`" in explanation(rules[0], fixable=True)
    assert rule_document(rules[0], fixable=True)["fixable"] is True
    assert "How to mend it" not in explanation(rules[0])

"""Which attributes ``setattr`` may set, as far as the text of the name tells."""

# ruff: noqa: E501 - a row of a table is one line

import ast

import pytest

from bundlekit.check.set_names import set_attributes

_OTHERS: dict[str, str] = {
    "literal": "setattr(c, 'other', 1)",
    "f-string": "for n in given:\n    setattr(c, f'to_{n}', 1)",
    "template": "setattr(c, 'to_%s' % n, 1)\nsetattr(c, 'to_{}'.format(n), 1)\nsetattr(c, 'to_{{}}'.format(n), 1)",
    "sum": "n = 'a'\nsetattr(c, 'to_' + n, 1)",
    "choice": "setattr(c, 'a' if given else 'b', 1)",
    "list": "for n in ['a', 'b']:\n    setattr(c, n, 1)",
    "pairs": "for v, n in [(1, 'a'), (2, 'b')]:\n    setattr(c, n, v)",
    "table": "t = {'a': 1}\nfor n in t:\n    setattr(c, n, 1)",
    "keys": "for n in {'a': 1}.keys():\n    setattr(c, n, 1)",
    "values": "t = {1: 'a'}\nfor n in t.values():\n    setattr(c, n, 1)",
    "items": "t = {'a': 'b'}\nfor n, v in t.items():\n    setattr(c, n, 1)\n    setattr(c, v, 1)",
    "sorted": "for n in sorted(('a', 'b')):\n    setattr(c, n, 1)",
    "comprehension": "[setattr(c, n, 1) for n in ('a', 'b')]",
    "of-the-scope-around": "N = ['a']\ndef f(c):\n    for n in N:\n        setattr(c, n, 1)",
    "of-the-scope-around-a-class": "N = ['a']\nclass A:\n    def f(self, c):\n        for n in N:\n            setattr(c, f'{n}', 1)",
    "text-of-the-scope-around-a-class": "N = 'a'\nclass A:\n    def f(self, c):\n        setattr(c, N, 1)",
}
_PERHAPS: dict[str, str] = {
    "literal": "setattr(c, 'wanted', 1)",
    "list": "for n in ['a', 'wanted']:\n    setattr(c, n, 1)",
    "nothing-told": "setattr(c, n, 1)",
    "parameter": "def f(c, n='a'):\n    setattr(c, n, 1)",
    "in-a-class-body": "n = 'a'\nclass A:\n    n = 'wanted'\n    setattr(c, n, 1)",
    "computed": "setattr(c, n.lower(), 1)",
    "formatted": "setattr(c, f'{n:>6}', 1)\nsetattr(c, f'{n!s}', 1)",
    "template-with-names": "setattr(c, '%(n)s' % t, 1)",
    "template-within": "setattr(c, 'x{a[{b}]}'.format(n), 1)\nsetattr(c, n, 1)",
    "growing": "N = ['a']\nN.append('wanted')\nfor n in N:\n    setattr(c, n, 1)",
    "item-set": "N = ['a']\nN[0] = 'wanted'\nfor n in N:\n    setattr(c, n, 1)",
    "added-to": "N = ['a']\nN += ['wanted']\nfor n in N:\n    setattr(c, n, 1)",
    "passed-on": "N = ['a']\nfill(N)\nfor n in N:\n    setattr(c, n, 1)",
    "bound-twice": "N = ['a']\nN = given\nfor n in N:\n    setattr(c, n, 1)",
    "starred": "for n in [*given]:\n    setattr(c, n, 1)",
    "unpacked-table": "for n in {**given}:\n    setattr(c, n, 1)",
    "unpacked-keys": "t = {**given}\nfor n in t.keys():\n    setattr(c, n, 1)\nfor n, v in t.items():\n    setattr(c, n, 1)",
    "what-a-call-gives": "for n in given():\n    setattr(c, n, 1)",
    "items-of-what-is-given": "for n, v in given.items():\n    setattr(c, n, 1)",
    "keys-of-what-is-given": "for n in given().keys():\n    setattr(c, n, 1)",
    "pairs-of-other-shapes": "for v, n in [(1, 'a'), given]:\n    setattr(c, n, v)",
    "by-itself": "n = n\nsetattr(c, n, 1)",
    "global": "n = 'a'\ndef g():\n    global n\n    n = 'wanted'\nsetattr(c, n, 1)",
    "nonlocal": "def f(c):\n    n = 'a'\n    def g():\n        nonlocal n\n        n = 'wanted'\n    setattr(c, n, 1)",
    "star-import": "from names import *\nn = 'a'\nsetattr(c, n, 1)",
    "caught": "n = 'a'\ntry:\n    g()\nexcept E as n:\n    setattr(c, n, 1)",
    "matched": "n = 'a'\nmatch given:\n    case {'k': 1, **n}:\n        pass\n    case [*n]:\n        pass\n    case n:\n        pass\nsetattr(c, n, 1)",
    "match-rest": "n = 'a'\nmatch given:\n    case {'k': 1, **n}:\n        setattr(c, n, 1)",
    "match-star": "n = 'a'\nmatch given:\n    case [*n]:\n        setattr(c, n, 1)",
    "function": "n = 'a'\ndef n(): ...\nsetattr(c, n, 1)",
    "deep": "a = 'x'\n"
    + "".join(f"{new} = {old}\n" for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True))
    + "setattr(c, m, 1)",
}


@pytest.mark.parametrize("source", _OTHERS.values(), ids=_OTHERS)
def test_names_that_cannot_be_the_one_asked_for_are_told_apart(source: str) -> None:
    """Otherwise one such call in a package would put every name of its classes in doubt."""
    assert not any(each.may_set("wanted") for each in set_attributes(ast.parse(source), ()))


@pytest.mark.parametrize("source", _PERHAPS.values(), ids=_PERHAPS)
def test_a_name_that_may_be_the_one_asked_for_counts(source: str) -> None:
    """A claim that nothing sets it could be wrong."""
    assert any(each.may_set("wanted") for each in set_attributes(ast.parse(source), ()))


@pytest.mark.parametrize(
    ("test", "is_new"),
    [
        ("not hasattr(c, n)", True),
        ("given and not hasattr(c, n)", True),
        ("given or not hasattr(c, n)", False),
        ("hasattr(c, n)", False),
        ("not hasattr(c, m)", False),
    ],
)
def test_only_what_is_not_there_is_set_under_such_a_condition(test: str, *, is_new: bool) -> None:
    """A hook that fills gaps replaces nothing."""
    source = f"if {test}:\n    setattr(c, n, 1)\nelse:\n    pass\n"
    assert [each.is_new for each in set_attributes(ast.parse(source), ())] == [is_new]

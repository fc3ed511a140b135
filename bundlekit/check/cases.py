"""Tells whether conditions and patterns leave out a case, as far as their syntax shows it."""

import ast
from collections.abc import Iterable

__all__ = ["has_opposites", "is_literal", "matches_all", "may_be_the_last_case"]

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
}
_NEGATED |= {value: key for key, value in _NEGATED.items()}


def may_be_the_last_case(test: ast.expr) -> bool:
    """Whether a condition without an else may be the last of all that are possible: of types, of an enumeration."""
    match test:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass")):
            return True
        case ast.Compare(comparators=[ast.Attribute()]):
            return True
        case _:
            return False


def has_opposites(tests: Iterable[ast.expr]) -> bool:
    """Whether one of the conditions is the negation of another, so that one of them holds."""
    texts: set[str] = set()
    for test in tests:
        opposite = _opposite(test)
        if opposite in texts:
            return True
        texts.add(ast.unparse(test))
    return False


def _opposite(test: ast.expr) -> str:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ast.unparse(operand)
        case ast.Compare(left=left, ops=[operator], comparators=comparators):
            return ast.unparse(ast.Compare(left, [_NEGATED[type(operator)]()], comparators))
        case _:
            return ast.unparse(ast.UnaryOp(ast.Not(), test))


def matches_all(pattern: ast.pattern) -> bool:
    """Whether a pattern matches whatever there is."""
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return matches_all(inner)
        case ast.MatchOr(patterns=patterns):
            return any(matches_all(each) for each in patterns)
        case _:
            return False


def is_literal(pattern: ast.pattern) -> bool:
    """Whether a pattern is one or several literals, of which there are always others."""
    if isinstance(pattern, ast.MatchOr):
        return all(is_literal(each) for each in pattern.patterns)
    return isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant)

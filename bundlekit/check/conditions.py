"""What a condition is when a runner imports a module: decided where Python's version and platform decide it."""

import ast
import operator
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["LINUX", "Runtime", "truth"]

_OLDEST = (3, 11)
"""The oldest Python that a runner uses."""

_ANY_LATER = (3, 99)


class Runtime(NamedTuple):
    """What is known of the interpreter: its version where there is one to know, else which are possible; its platform.

    `platform` is the value of sys.platform.
    """

    version: tuple[int, int] | None = None
    oldest: tuple[int, int] = _OLDEST
    newest: tuple[int, int] = _ANY_LATER
    platform: str = "linux"


LINUX = Runtime()

_Compare = Callable[[tuple[int, ...], tuple[int, ...]], bool]
_COMPARED: dict[type[ast.cmpop], _Compare] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_PLATFORMS = {
    "linux": {"sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux", "__name__": ""},
    "darwin": {"sys.platform": "darwin", "os.name": "posix", "platform.system()": "Darwin", "__name__": ""},
    "win32": {"sys.platform": "win32", "os.name": "nt", "platform.system()": "Windows", "__name__": ""},
}
_OPTIMIZE = "sys.flags.optimize"
"""No runner uses ``-O``: asserts hold and docstrings are there."""
_SIX = {"six.PY2": False, "six.PY3": True}


def truth(test: ast.expr, runtime: Runtime) -> bool | None:
    """Return what `test` is when a runner imports the module, None where only running tells."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            decided = truth(operand, runtime)
            return None if decided is None else not decided
        case ast.BoolOp(op=joint, values=values):
            return _joined([truth(value, runtime) for value in values], all_of=isinstance(joint, ast.And))
        case ast.Compare(left=left, ops=[comparison], comparators=[right]):
            return _comparison(left, comparison, right, runtime)
        case ast.Attribute(value=ast.Name(id="six")):
            return _SIX.get(ast.unparse(test))
        case ast.Attribute() if _text(test) == _OPTIMIZE:
            return False
        case ast.Name(id="__debug__"):
            return True
        case ast.Call(func=ast.Attribute(value=owner, attr="startswith"), args=[ast.Constant(value=str() as prefix)]):
            known = _PLATFORMS[runtime.platform].get(_text(owner))
            return known.startswith(prefix) if known else None
        case _:
            return None


def _joined(parts: list[bool | None], *, all_of: bool) -> bool | None:
    if (not all_of) in parts:
        return not all_of
    return all_of if None not in parts else None


def _comparison(left: ast.expr, comparison: ast.cmpop, right: ast.expr, runtime: Runtime) -> bool | None:
    known = _PLATFORMS[runtime.platform].get(_text(left))
    match comparison, right:
        case ((ast.Eq() | ast.NotEq()), ast.Constant(value=str() as text)) if known is not None:
            # A module is never run as the main program here, whatever else its name is.
            is_decided = text == "__main__" or known != ""
            return (known == text) == isinstance(comparison, ast.Eq) if is_decided else None
        case ((ast.In() | ast.NotIn()), (ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items))) if known:
            texts = [item.value for item in items if isinstance(item, ast.Constant)]
            return None if len(texts) < len(items) else (known in texts) == isinstance(comparison, ast.In)
        case _:
            compare, wanted = _COMPARED.get(type(comparison)), _version(right)
            return _version_comparison(_text(left), compare, wanted, runtime) if compare and wanted else None


def _version_comparison(left: str, compare: _Compare, wanted: tuple[int, ...], runtime: Runtime) -> bool | None:
    # A version stands for all of its releases: where a third number is compared, the first and the last must agree.
    first, last = runtime.version or runtime.oldest, runtime.version or runtime.newest
    match left:
        case "sys.version_info":
            answers = {compare((*first, 0), wanted), compare((*last, 99), wanted)}
        case "sys.version_info[:2]":
            answers = {compare(first, wanted), compare(last, wanted)}
        case "sys.version_info[0]" | "sys.version_info.major" | "sys.version_info[:1]":
            answers = {compare((3,), wanted)}
        case "sys.version_info[1]" | "sys.version_info.minor":
            answers = {compare(first[1:], wanted), compare(last[1:], wanted)}
        case _ if left == _OPTIMIZE:
            answers = {compare((0,), wanted)}
        case _:
            return None
    return answers.pop() if len(answers) == 1 else None


def _version(node: ast.expr) -> tuple[int, ...]:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    numbers = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, int)]
    return tuple(numbers) if len(numbers) == len(items) else ()


def _text(node: ast.expr) -> str:
    """Return simple expressions as text; anything longer is none that is looked for."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
            return f"{owner}.{attribute}"
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner), attr=inner), attr=attribute):
            return f"{owner}.{inner}.{attribute}"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attribute), args=[], keywords=[]):
            return f"{owner}.{attribute}()"
        case ast.Subscript(value=owner, slice=ast.Constant(value=int() as index)):
            return f"{_text(owner)}[{index}]"
        case ast.Subscript(
            value=owner, slice=ast.Slice(lower=None, upper=ast.Constant(value=int() as upper), step=None)
        ):
            return f"{_text(owner)}[:{upper}]"
        case _:
            return ""

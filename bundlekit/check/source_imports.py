"""The imports of a module, each with whether it is run: always, in a function, guarded against absence, or never.

Only statements are walked, and bodies only where the look of the bytes says that one of them may import something.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from bundlekit.check.conditions import Runtime, truth
from bundlekit.check.namespace import catches_imports, leaves

__all__ = ["SourceImport", "When", "imports_of"]

_BELOW_THE_TOP = re.compile(rb"^[ \t\f]+(?:import|from)\b|[:;\\][ \t\r\n]*(?:import|from)\b", re.MULTILINE)
_SWALLOWS = frozenset({"suppress", "raises"})


class When(IntEnum):
    """When an import is run: `PERHAPS` in a function or a loop, `GUARDED` where its failure is dealt with.

    What is imported on a condition that only running tells counts as guarded: the condition is there for a reason.
    """

    ALWAYS = 0
    PERHAPS = 1
    GUARDED = 2
    NEVER = 3


class SourceImport(NamedTuple):
    """One imported module, with the names taken from it; `level` counts leading dots.

    `line` and `column` count from 1. `function` is the line of the function whose every call runs the import.
    """

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    column: int
    when: When
    function: int | None = None


class _Block(NamedTuple):
    statements: Sequence[ast.stmt]
    when: When
    function: int | None = None


def imports_of(tree: ast.Module, data: bytes, runtime: Runtime) -> tuple[SourceImport, ...]:
    """Return the imports of the module `tree`, whose source is `data`, in the order of their lines."""
    if b"import" not in data:
        return ()
    found: list[SourceImport] = []
    pending = [_Block(tree.body, When.ALWAYS)]
    is_deep = _BELOW_THE_TOP.search(data) is not None
    while pending:
        block = pending.pop()
        for node in block.statements:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.extend(_imports(node, block))
            elif is_deep:
                pending.extend(_inner(node, block, runtime))
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def _imports(node: ast.Import | ast.ImportFrom, block: _Block) -> Iterator[SourceImport]:
    line, column, when, function = node.lineno, node.col_offset + 1, block.when, block.function
    if isinstance(node, ast.ImportFrom):
        names = tuple(alias.name for alias in node.names)
        yield SourceImport(node.module or "", names, node.level, line, column, when, function)
        return
    for alias in node.names:
        yield SourceImport(alias.name, (), 0, line, column, when, function)


def _inner(node: ast.stmt, block: _Block, runtime: Runtime) -> Iterator[_Block]:
    """Yield the bodies inside of `node`."""
    perhaps = max(block.when, When.PERHAPS)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield _Block(node.body, perhaps, node.lineno)
        case ast.ClassDef():
            yield block._replace(statements=node.body)
        case ast.If():
            yield from _branches(node, block, runtime)
        case ast.Try() | ast.TryStar():
            yield from _tried(node, block)
        case ast.With() | ast.AsyncWith():
            guarded = any(_swallows(item.context_expr) for item in node.items)
            yield _Block(node.body, max(block.when, When.GUARDED)) if guarded else block._replace(statements=node.body)
        case ast.For() | ast.AsyncFor() | ast.While():
            yield _Block([*node.body, *node.orelse], perhaps)
        case ast.Match():
            yield from (_Block(case.body, max(block.when, When.GUARDED)) for case in node.cases)
        case _:
            return


def _branches(node: ast.If, block: _Block, runtime: Runtime) -> Iterator[_Block]:
    known = truth(node.test, runtime)
    if known is None:
        yield _Block([*node.body, *node.orelse], max(block.when, When.GUARDED))
        return
    runs, rests = (node.body, node.orelse) if known else (node.orelse, node.body)
    yield block._replace(statements=runs)
    yield _Block(rests, When.NEVER)


def _tried(node: ast.Try | ast.TryStar, block: _Block) -> Iterator[_Block]:
    catching = [handler for handler in node.handlers if catches_imports(handler)]
    # A handler that raises in its turn only says in other words that the module must be there.
    if catching and not all(leaves(handler.body) for handler in catching):
        guarded = max(block.when, When.GUARDED)
        handled = [statement for handler in node.handlers for statement in handler.body]
        yield _Block([*node.body, *node.orelse, *handled], guarded)
        yield block._replace(statements=node.finalbody)
        return
    yield block._replace(statements=[*node.body, *node.orelse, *node.finalbody])
    yield from (_Block(handler.body, max(block.when, When.PERHAPS)) for handler in node.handlers)


def _swallows(manager: ast.expr) -> bool:
    match manager:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _SWALLOWS
        case _:
            return False

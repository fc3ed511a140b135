"""The imports of a source, each with what would catch its failure: a walk over statements, not over expressions."""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bundlekit.check.conditions import LINUX, truth
from bundlekit.check.namespace import catches_imports, leaves

__all__ = ["SourceImport", "source_imports"]


class SourceImport(NamedTuple):
    """One top-level name that a source imports absolutely.

    `is_optional`: something deals with its absence, or it is imported only under a condition. `in_function`: only when
    a function is called.
    """

    name: str
    path: str
    line: int
    column: int
    is_optional: bool
    in_function: bool


def source_imports(tree: ast.Module, path: str) -> Iterator[SourceImport]:  # noqa: PLR0912 - a row for each statement
    """Yield what the source at `path` imports, but for type checkers and other platforms."""
    pending: list[tuple[Sequence[ast.stmt], bool, bool]] = [(tree.body, False, False)]
    while pending:
        body, is_optional, in_function = pending.pop()
        for node in body:
            match node:
                case ast.Import(names=aliases):
                    for name in dict.fromkeys(alias.name.partition(".")[0] for alias in aliases):
                        yield SourceImport(name, path, node.lineno, node.col_offset + 1, is_optional, in_function)
                case ast.ImportFrom(level=0, module=str() as module):
                    name = module.partition(".")[0]
                    yield SourceImport(name, path, node.lineno, node.col_offset + 1, is_optional, in_function)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    pending.append((node.body, is_optional, True))
                case ast.ClassDef():
                    pending.append((node.body, is_optional, in_function))
                case ast.Try() | ast.TryStar():
                    # A handler that only raises something else does without nothing.
                    catching = [each for each in node.handlers if catches_imports(each) and not leaves(each.body)]
                    guarded = is_optional or bool(catching)
                    pending.append((node.body, guarded, in_function))
                    pending.extend((handler.body, True, in_function) for handler in node.handlers)
                    pending.append(([*node.orelse, *node.finalbody], guarded, in_function))
                case ast.If():
                    decided = truth(node.test, LINUX)
                    if decided is not False:
                        pending.append((node.body, is_optional or decided is None, in_function))
                    if decided is not True:
                        pending.append((node.orelse, is_optional or decided is None, in_function))
                case ast.With() | ast.AsyncWith():
                    suppresses = any("suppress" in ast.dump(item.context_expr) for item in node.items)
                    pending.append((node.body, is_optional or suppresses, in_function))
                case ast.For() | ast.AsyncFor() | ast.While():
                    pending.append(([*node.body, *node.orelse], is_optional, in_function))
                case ast.Match(cases=cases):
                    pending.extend((case.body, True, in_function) for case in cases)
                case _:
                    continue

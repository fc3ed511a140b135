"""Parses Python sources; whatever the parser throws at hostile input becomes one value that says why.

The sources are bytes, so that encodings (byte order mark, coding cookie) are the parser's business, as when the module
is imported. Only syntax trees are made: nothing is compiled, so no constant is folded and nothing is run.
"""

import ast
import gc
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from bundlekit.check.columns import byte_column
from bundlekit.check.roomy_stack import has_room, with_room

__all__ = ["Parsed", "SyntaxFailure", "compile_error", "parse", "paused_collector"]


class Parsed(NamedTuple):
    """A module's tree, and the syntax warnings that importing it would give: message and 1-based line."""

    tree: ast.Module
    warnings: tuple[tuple[str, int], ...] = ()


class SyntaxFailure(NamedTuple):
    """Why a source is no Python; `line` and `column` count from 1, columns in UTF-8 bytes as those of trees do."""

    reason: str
    line: int | None = None
    column: int | None = None


_TOO_DEEP = SyntaxFailure("it is nested too deeply for Python's compiler")


def parse(data: bytes, path: str) -> Parsed | SyntaxFailure:
    """Return the tree of the source `data`, or why there is none."""
    with warnings.catch_warnings(record=True) as caught:
        # Every warning counts once for each file, whatever filters the caller runs under (-W error included).
        warnings.simplefilter("always")
        tree = _tree(data, path) if has_room() else _TOO_DEEP
        if tree == _TOO_DEEP:
            tree = with_room(partial(_tree, data, path))
    if isinstance(tree, SyntaxFailure):
        return tree
    return Parsed(tree, tuple((str(item.message), item.lineno) for item in caught))


def compile_error(data: bytes, path: str, tree: ast.Module) -> SyntaxFailure | None:
    """Return what the compiler would refuse in a source that parses, None if nothing was found.

    Duplicate arguments, misplaced ``nonlocal`` and unknown ``__future__`` features come from the symbol table; a
    ``return``, ``yield`` or ``await`` outside of functions is looked for in the tree.
    """
    failure = _table_error(data, path) if has_room() else _TOO_DEEP
    if failure == _TOO_DEEP:
        failure = with_room(partial(_table_error, data, path))
    return failure or _misplaced(tree.body)


def _tree(data: bytes, path: str) -> ast.Module | SyntaxFailure:
    try:
        return ast.parse(data, path)
    except SyntaxError as error:
        return _failure(error if data.isascii() else _of_text(data, path) or error)
    except RecursionError:
        return _TOO_DEEP
    except MemoryError:
        return SyntaxFailure("it is too complex for Python's parser")
    except (ValueError, SystemError, OverflowError) as error:  # pragma: no cover - NUL bytes before Python 3.11.4
        return SyntaxFailure(str(error) or type(error).__name__)


def _table_error(data: bytes, path: str) -> SyntaxFailure | None:
    import symtable  # noqa: PLC0415 - only modules that an entry point leads to are asked

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            symtable.symtable(data, path, "exec")  # type: ignore[arg-type] # bytes keep their own encoding
        except SyntaxError as error:
            return _failure(error)
        except (RecursionError, MemoryError, ValueError, SystemError):
            return _TOO_DEEP
    return None


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the cyclic collector off: trees are many small objects, and scanning them again costs more than parsing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            # All of it counts as young, and the next pass over the young would take half as long as the check did:
            # freezing and thawing makes it old unseen. What a host program froze must stay so.
            if gc.get_freeze_count() == 0:
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _of_text(data: bytes, path: str) -> SyntaxError | None:
    """Return the same error with a column that counts characters: of bytes, some versions count one, some the other."""
    from importlib.util import decode_source  # noqa: PLC0415 - only sources that are no Python need it

    try:
        ast.parse(decode_source(data), path)
    except SyntaxError as error:
        return error
    except (ValueError, LookupError, RecursionError, MemoryError):
        pass  # then the error of the bytes says it
    return None


def _failure(error: SyntaxError) -> SyntaxFailure:
    column = error.offset or None
    if column is not None and error.text is not None:
        # The parser counts characters and gives the line; the symbol table counts bytes and gives none.
        column = byte_column(error.text, column)
    return SyntaxFailure(error.msg or type(error).__name__, error.lineno or None, column)


def _misplaced(body: Sequence[ast.AST]) -> SyntaxFailure | None:
    pending = list(body)
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue
            case ast.Return() | ast.Yield() | ast.YieldFrom() | ast.Await():
                word = {"Return": "return", "Await": "await"}.get(type(node).__name__, "yield")
                return SyntaxFailure(f"'{word}' outside function", node.lineno, node.col_offset + 1)
            case _:
                pending.extend(ast.iter_child_nodes(node))
    return None

"""Changes of Python sources that keep every other character: libcst rewrites one function's parameters."""

import ast
from typing import TYPE_CHECKING

from bundlekit.fix.unsafe import UnsafeEditError
from bundlekit.model.edit import AddParameter
from bundlekit.model.used_names import uses_name

if TYPE_CHECKING:
    import libcst

__all__ = ["with_parameter"]


def with_parameter(text: str, edit: AddParameter) -> str:
    """Return `text` with the parameter behind the other positional ones of a function of the module itself.

    Raises:
        UnsafeEditError: the function does not stand there alone and plain, it uses that name, or more would change.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UnsafeEditError(f"it is not valid Python: {error}") from error
    same_name = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == edit.function]
    index = next((number for number, node in enumerate(same_name) if node.lineno == edit.place.line), None)
    if index is None:
        raise UnsafeEditError(f"no function {edit.function!r} begins in line {edit.place.line} any more")
    _check_plain(same_name[index], edit)
    after = _rewritten(text, index, edit)
    arguments = same_name[index].args
    arguments.args.append(ast.arg(edit.parameter))
    arguments.defaults.append(ast.parse(edit.default, mode="eval").body)
    if ast.dump(tree) != ast.dump(ast.parse(after)):  # pragma: no cover - a mistake of ours or libcst's
        raise UnsafeEditError("more than that would change")
    return after


def _check_plain(node: ast.FunctionDef, edit: AddParameter) -> None:
    """Refuse a function for which a new parameter of that name may mean something else."""
    if node.decorator_list or node.args.vararg or node.args.kwarg:
        raise UnsafeEditError(f"{edit.function!r} is decorated, or takes any number of arguments")
    if uses_name(node, edit.parameter):
        raise UnsafeEditError(f"{edit.function!r} uses the name {edit.parameter!r} already")


def _rewritten(text: str, index: int, edit: AddParameter) -> str:
    import libcst  # noqa: PLC0415 - a tenth of a second that only this fix pays

    try:
        module = libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:  # pragma: no cover - a syntax that it does not know yet
        raise UnsafeEditError(f"it cannot be rewritten: {error.message}") from error
    same_name = [
        node for node in module.body if isinstance(node, libcst.FunctionDef) and node.name.value == edit.function
    ]
    function = same_name[index]
    replaced = function.with_changes(params=_longer(function, edit))
    return module.with_changes(body=[replaced if node is function else node for node in module.body]).code


def _longer(function: "libcst.FunctionDef", edit: AddParameter) -> "libcst.Parameters":
    """Return the parameters with one more, on a line of its own where each has one."""
    import libcst  # noqa: PLC0415 - loaded already by the caller

    added = libcst.Param(
        libcst.Name(edit.parameter),
        default=libcst.parse_expression(edit.default),
        equal=libcst.AssignEqual(libcst.SimpleWhitespace(""), libcst.SimpleWhitespace("")),
    )
    parameters = function.params
    if not parameters.params:
        return parameters.with_changes(params=[added])
    *others, last = parameters.params
    before = function.whitespace_before_params
    own_comma = last.comma if isinstance(last.comma, libcst.Comma) else None
    behind = own_comma.whitespace_after if own_comma else last.whitespace_after_param
    if isinstance(before, libcst.ParenthesizedWhitespace) and isinstance(behind, libcst.ParenthesizedWhitespace):
        # What stands behind the last one on its line stays there; what closes the list goes behind the new one.
        between = before.with_changes(first_line=behind.first_line, empty_lines=behind.empty_lines)
        closing = behind.with_changes(first_line=libcst.TrailingWhitespace(), empty_lines=[])
        last = last.with_changes(
            comma=libcst.Comma(whitespace_after=between), whitespace_after_param=libcst.SimpleWhitespace("")
        )
        ending = {"comma": libcst.Comma(whitespace_after=closing)} if own_comma else {"whitespace_after_param": closing}
        added = added.with_changes(**ending)
    elif own_comma:
        added = added.with_changes(comma=own_comma)
        last = last.with_changes(comma=libcst.Comma(whitespace_after=libcst.SimpleWhitespace(" ")))
    return parameters.with_changes(params=[*others, last, added])

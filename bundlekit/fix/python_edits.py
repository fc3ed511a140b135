"""Changes of Python sources that keep every other character: libcst rewrites one function's parameters."""

import ast

from bundlekit.fix.toml_edits import UnsafeEditError
from bundlekit.model.edit import AddParameter

__all__ = ["with_parameter"]


def with_parameter(text: str, edit: AddParameter) -> str:
    """Return `text` with the parameter behind the other positional ones of the function.

    Raises:
        UnsafeEditError: the function does not stand there, has that parameter already, or more would change.
    """
    import libcst  # noqa: PLC0415 - a tenth of a second that only this fix pays
    from libcst.metadata import MetadataWrapper, PositionProvider  # noqa: PLC0415 - as above

    class Rewrite(libcst.CSTTransformer):
        METADATA_DEPENDENCIES = (PositionProvider,)

        def __init__(self) -> None:
            super().__init__()
            self.changed = 0

        def leave_FunctionDef(  # noqa: N802 - the name that libcst calls
            self, original_node: libcst.FunctionDef, updated_node: libcst.FunctionDef
        ) -> libcst.FunctionDef:
            place = self.get_metadata(PositionProvider, original_node)
            if original_node.name.value != edit.function or place.start.line != edit.place.line:
                return updated_node
            self.changed += 1
            added = libcst.Param(
                libcst.Name(edit.parameter),
                default=libcst.parse_expression(edit.default),
                equal=libcst.AssignEqual(libcst.SimpleWhitespace(""), libcst.SimpleWhitespace("")),
            )
            parameters = updated_node.params
            return updated_node.with_changes(params=parameters.with_changes(params=[*parameters.params, added]))

    try:
        rewrite = Rewrite()
        after = MetadataWrapper(libcst.parse_module(text)).visit(rewrite).code
    except (libcst.ParserSyntaxError, RecursionError) as error:
        raise UnsafeEditError(f"{edit.place.path} cannot be rewritten: {type(error).__name__}") from error
    if rewrite.changed != 1 or not _adds_only(text, after, edit):
        raise UnsafeEditError(f"the function {edit.function!r} does not stand alone in line {edit.place.line} any more")
    return after


def _adds_only(before: str, after: str, edit: AddParameter) -> bool:
    """Whether the two differ in that parameter alone."""
    wanted = ast.parse(before)
    for node in ast.walk(wanted):
        if isinstance(node, ast.FunctionDef) and node.name == edit.function and node.lineno == edit.place.line:
            if any(item.arg == edit.parameter for item in (*node.args.args, *node.args.kwonlyargs)):
                return False
            node.args.args.append(ast.arg(edit.parameter))
            node.args.defaults.append(ast.parse(edit.default, mode="eval").body)
    return ast.dump(wanted) == ast.dump(ast.parse(after))

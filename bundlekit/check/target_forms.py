"""The forms in which the ecosystem's documents name a target or a task, beside `module:function`.

See: CONTRACT section 3 (the grammar of tasks) and section 4 (what the warm runner makes of a target's name).
"""

from bundlekit.check.module_index import MissingModule, ModuleIndex

__all__ = ["slash_form"]


def slash_form(value: str, index: ModuleIndex) -> str | None:
    """Return what ``module/function`` or ``module.function/anything`` names, as `module:function`; None for neither.

    As the runner does: what stands before the slash is the module if it is one, else it names the function.
    """
    left, slash, name = value.rpartition("/")
    if not slash or ":" in value:
        return None
    if not isinstance(index.find(left), MissingModule):
        return f"{left}:{name}"
    module, dot, function = left.rpartition(".")
    return f"{module}:{function}" if dot else None

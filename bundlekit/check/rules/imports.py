"""BK33x: imports that the wire and the targets certainly run."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence, FailedImport
from bundlekit.check.left_out import bring_back, left_out_module
from bundlekit.check.module_index import MissingModule
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import MissingName
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place

__all__ = ["IMPORT_RULES"]


def _failed(evidence: Evidence) -> Iterable[Finding]:
    own = evidence.resolver.index.top_level_names()
    for failed in evidence.failed_imports:
        missing = failed.value
        if (
            isinstance(missing, MissingModule)
            and not failed.statement.level
            and missing.name.partition(".")[0] not in own
        ):
            # What is not the bundle's own is asked of its dependencies: BK505.
            continue
        place = Place(failed.importer, failed.statement.line, failed.statement.column)
        value = failed.value
        found = _missing_name(value) if isinstance(value, MissingName) else _missing_module(evidence, failed, value)
        message, hint = found
        yield finding("BK330", Severity.ERROR, message, place, hint=hint, entity=failed.needed_by)


def _missing_module(evidence: Evidence, failed: FailedImport, missing: MissingModule) -> tuple[str, str]:
    statement = failed.statement
    full = f"{missing.name}.{statement.name}" if statement.name else missing.name
    left_out = left_out_module(evidence.project, [missing.name, full])
    if left_out is not None:
        path, pattern = left_out
        return f"{missing.name!r} is imported, which would not ship: {path} is left out by {pattern}", bring_back(
            *left_out
        )
    where = f" ({missing.where}/ has no such module)" if missing.where and not missing.where.endswith(".py") else ""
    if missing.name.startswith("."):
        where = f" ({missing.where} is in no package that is so deep)"
    message = f"{missing.name!r} is imported, which does not exist{where}"
    parent, _, name = missing.name.rpartition(".")
    near = nearest_name(name, missing.siblings)
    if near:
        return message, f"nearest name: {f'{parent}.{near}' if parent else near}"
    return message, "add the module, or take the import out"


def _missing_name(missing: MissingName) -> tuple[str, str]:
    message = f"{missing.name!r} is imported from {missing.path}, which does not define it"
    if missing.note:
        message += f": {missing.note}"
    lines = dict(missing.siblings)
    near = nearest_name(missing.name, lines)
    if near:
        return message, f"nearest name: {near!r}, in line {lines[near]} of {missing.path}"
    return message, f"define {missing.name!r} in {missing.path}, or take the import out"


_GOOD = "from .model import step\n\ndef wire(entrypoint, params, seed):\n    return {'x': step()}\n"

IMPORT_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK330",
        "An import that the wire or a target needs certainly fails",
        "Importing the wire or the target runs it first, so no task of the bundle ever starts.",
        Severity.ERROR,
        _failed,
        good=bundle({"model/wire.py": _GOOD, "model/model.py": "def step():\n    return b'1'\n"}),
        bad=bundle({"model/wire.py": _GOOD, "model/model.py": "def steps():\n    return b'1'\n"}),
    ),
)

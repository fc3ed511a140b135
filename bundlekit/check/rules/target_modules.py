"""BK416 and BK417: what stands in a target's module and keeps runners from calling the target."""

import ast
from collections.abc import Iterable, Iterator

from bundlekit.check.evidence import Evidence, Judged
from bundlekit.check.files import is_outside
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.namespace import Defined, Deleted
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import External, Frame, Function
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place

__all__ = ["TARGET_MODULE_RULES"]

_CALIBRATION, _LIBRARY = "calibration_target", "modelops_calabaria"
_EVALUATE = "evaluate"
_PARTS_OF_WARM_TARGETS = 2


def _bare_decorators(evidence: Evidence) -> Iterable[Finding]:
    for module, judged in _modules(evidence):
        source = evidence.project.sources.get(module.path)
        tree = evidence.resolver.trees.tree(module.path)
        if source is None or _CALIBRATION.encode() not in source.data or not isinstance(tree, ast.Module):
            continue
        for node in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
            for decorator in node.decorator_list:
                if not _is_calibration(evidence, decorator, module):
                    continue
                shown, value = ast.unparse(decorator), judged.declaration.value
                message = f"@{shown} above {node.name!r} is not called: it takes keywords alone, so importing fails"
                hint = f"write @{shown}(model_output=..., data={{...}})"
                place = Place(module.path, decorator.lineno, decorator.col_offset + 1)
                yield finding("BK416", Severity.ERROR, message, place, hint=hint, entity=value)


def _is_calibration(evidence: Evidence, decorator: ast.expr, module: ModuleFile) -> bool:
    if not isinstance(decorator, ast.Name | ast.Attribute):
        return False
    found = evidence.resolver.evaluate(decorator, Frame(module))
    parts = found.dotted.split(".") if isinstance(found, External) else [""]
    return (parts[0], parts[-1]) == (_LIBRARY, _CALIBRATION)


def _modules(evidence: Evidence) -> Iterator[tuple[ModuleFile, Judged]]:
    """Yield the bundle's modules that declared targets are in, each once."""
    seen: set[str] = set()
    for judged in evidence.targets:
        name = judged.reference and judged.reference.module
        module = evidence.resolver.index.find(name) if name else None
        if isinstance(module, ModuleFile) and not is_outside(module.path) and module.path not in seen:
            seen.add(module.path)
            yield module, judged


def _hijacked(evidence: Evidence) -> Iterable[Finding]:
    for module, _ in _modules(evidence):
        bindings = evidence.resolver.names_of(module).by_name.get(_EVALUATE, [])
        # Of `a.b:name`, today's warm runner takes the module `a.b` and, if it has one, its `evaluate`.
        is_there = bool(bindings) and bindings[-1].certain and not isinstance(bindings[-1].bound, Deleted)
        if module.name.count(".") != _PARTS_OF_WARM_TARGETS - 1 or not is_there:
            continue
        for judged in evidence.targets:
            reference, value = judged.reference, judged.declaration.value
            if reference is None or reference.module != module.name or reference.attributes == (_EVALUATE,):
                continue
            if isinstance(judged.verdict, Function):
                bound = bindings[-1].bound
                what = "function" if isinstance(bound, Defined) and isinstance(bound.node, ast.FunctionDef) else "name"
                message = f"today's warm runner calls this {what} 'evaluate' instead of the target {value!r}"
                hint = f"rename it: in {module.path} only a target may be called 'evaluate'"
                place = Place(module.path, bindings[-1].line)
                yield finding("BK417", Severity.WARNING, message, place, hint=hint, entity=value)


_PROJECT = """\
[project]
name = "model"
version = "1.0"
dependencies = ["modelops-calabaria-lab"]

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"

[tool.bundlekit]
targets = ["model.fit:loss"]
"""
_LOSS = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_CALIBRATED = """\
from modelops_calabaria import calibration_target

@calibration_target%s
def loss():
    return evaluator()
"""


def _example(source: str) -> dict[str, str]:
    return bundle({"pyproject.toml": _PROJECT, "model/fit.py": source})


TARGET_MODULE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK416",
        "@calibration_target is not called",
        "It takes its metadata as keywords and no function: without a call, importing the target's module fails.",
        Severity.ERROR,
        _bare_decorators,
        good=_example(_CALIBRATED % '(model_output="result", data={})'),
        bad=_example(_CALIBRATED % ""),
    ),
    StaticRule(
        "BK417",
        "'evaluate' takes the place of a target",
        "Of a target in 'package.module', today's warm runner calls that module's 'evaluate' if it has one.",
        Severity.WARNING,
        _hijacked,
        good=_example(f"{_LOSS}\n\ndef distance(observed):\n    return 0.0\n"),
        bad=_example(f"{_LOSS}\n\ndef evaluate(observed):\n    return 0.0\n"),
    ),
)

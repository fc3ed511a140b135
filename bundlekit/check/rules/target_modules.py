"""BK416-BK418: what stands in a target's module and keeps runners from calling the target."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bundlekit.check.evidence import Evidence, Judged
from bundlekit.check.files import is_outside
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.namespace import Defined, Deleted
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import External, Frame, Function
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place

__all__ = ["TARGET_MODULE_RULES"]

_CALIBRATION, _LIBRARY = "calibration_target", "modelops_calabaria"
_OUTPUT = "model_output"
_KEYWORDS = (_OUTPUT, "data", "name")
_EVALUATE = "evaluate"
_PARTS_OF_WARM_TARGETS = 2


class _Calibration(NamedTuple):
    """Calabaria's decorator above a function of a target's module, called or not."""

    decorator: ast.expr
    function: str
    module: ModuleFile
    target: str

    def place(self, node: ast.expr | ast.keyword) -> Place:
        """Return where `node` stands."""
        return Place(self.module.path, node.lineno, node.col_offset + 1)


def _calibrations(evidence: Evidence) -> Iterator[_Calibration]:
    for module, judged in _modules(evidence):
        source = evidence.project.sources.get(module.path)
        tree = evidence.resolver.trees.tree(module.path)
        if source is None or _CALIBRATION.encode() not in source.data or not isinstance(tree, ast.Module):
            continue
        for node in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
            for decorator in node.decorator_list:
                if _is_calibration(evidence, decorator, module):
                    yield _Calibration(decorator, node.name, module, judged.declaration.value)


def _bare_decorators(evidence: Evidence) -> Iterable[Finding]:
    for each in _calibrations(evidence):
        if isinstance(each.decorator, ast.Call):
            continue
        shown = ast.unparse(each.decorator)
        message = f"@{shown} above {each.function!r} is not called: it takes keywords alone, so importing fails"
        hint = f"write @{shown}(model_output=..., data={{...}})"
        yield finding("BK416", Severity.ERROR, message, each.place(each.decorator), hint=hint, entity=each.target)


def _arguments(evidence: Evidence) -> Iterable[Finding]:
    for each in _calibrations(evidence):
        call = each.decorator
        if not isinstance(call, ast.Call):
            continue
        shown = f"@{ast.unparse(call.func)}"
        plain = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
        if plain:
            message = f"{shown} above {each.function!r} takes keywords alone, so importing fails"
            hint = f"write {shown}(model_output=..., data={{...}})"
            yield finding("BK418", Severity.ERROR, message, each.place(plain[0]), hint=hint, entity=each.target)
        elif not call.args:
            yield from _keywords(each, call, shown)


def _keywords(calibration: _Calibration, call: ast.Call, shown: str) -> Iterator[Finding]:
    given = {keyword.arg: keyword for keyword in call.keywords}
    near = {name: nearest_name(name, _KEYWORDS) for name in given if name and name not in _KEYWORDS}
    for name, meant in near.items():
        if meant is not None and meant not in given:
            message = f"{shown} above {calibration.function!r} is given {name!r}, which is no keyword of it"
            place, hint = calibration.place(given[name]), f"write {meant!r}"
            yield finding("BK418", Severity.WARNING, message, place, hint=hint, entity=calibration.target)
    if _OUTPUT not in given and None not in given and _OUTPUT not in near.values():
        message = f"{shown} above {calibration.function!r} names no {_OUTPUT}: the target cannot be registered"
        place, hint = calibration.place(call), f'add {_OUTPUT}="...", the output of the wire that it is fitted to'
        yield finding("BK418", Severity.WARNING, message, place, hint=hint, entity=calibration.target)


def _is_calibration(evidence: Evidence, decorator: ast.expr, module: ModuleFile) -> bool:
    decorator = decorator.func if isinstance(decorator, ast.Call) else decorator
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
    StaticRule(
        "BK418",
        "@calibration_target is given what it does not take",
        "It takes keywords alone, and a misspelt one is lost without a word; a target is registered by model_output.",
        Severity.ERROR,
        _arguments,
        good=_example(_CALIBRATED % '(model_output="result", data={})'),
        bad=_example(_CALIBRATED % '("result", {})'),
    ),
)

"""BK4xx: target functions, in the three styles that runners call (CONTRACT section 4)."""

import ast
from collections.abc import Iterable
from enum import Enum

from bundlekit.check.evidence import Evidence
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.rules import references
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import Function
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.edit import AddParameter
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.signature import ParameterKind, Signature
from bundlekit.model.used_names import uses_name

__all__ = ["TARGET_RULES", "TargetStyle", "target_style"]


class TargetStyle(Enum):
    """How runners call a target: without arguments for Calabaria's, else with one or two."""

    CALABARIA = "no arguments (Calabaria)"
    SIM_RETURNS = "(sim_returns)"
    SIM_RETURNS_AND_DATA = "(sim_returns, target_data)"
    PORTABLE = "(sim_returns, target_data=None)"


_SECOND = "target_data"
_DATA_PATHS = "data_paths"
_VARIADIC = {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}
_REFUSED_BY = {
    TargetStyle.SIM_RETURNS: "warm runner passes two arguments",
    TargetStyle.SIM_RETURNS_AND_DATA: "cold runner passes one argument",
}


def target_style(signature: Signature) -> TargetStyle | None:
    """Return the style that a target's signature fits, None for none of them."""
    names = [parameter.name for parameter in signature.parameters]
    if not names or names == [_DATA_PATHS]:
        return TargetStyle.CALABARIA
    match signature.accepts_positional(1), signature.accepts_positional(2):
        case True, True:
            return TargetStyle.PORTABLE
        case True, False:
            return TargetStyle.SIM_RETURNS
        case False, True:
            return TargetStyle.SIM_RETURNS_AND_DATA
        case _:
            return None


def _signature(evidence: Evidence) -> Iterable[Finding]:
    for judged in evidence.targets:
        target, verdict = judged.declaration, judged.verdict
        if not isinstance(verdict, Function):
            continue
        style = target_style(verdict.signature)
        if style is TargetStyle.CALABARIA and _wants_data_paths(verdict):
            message = f"the target {target.value!r} is called without arguments, and its data_paths has no default"
            hint = "write @calibration_target(model_output=..., data=...) above it, which passes data_paths"
            place = Place(verdict.path, verdict.line)
            yield finding("BK407", Severity.ERROR, message, place, hint=hint, entity=target.value)
        elif style is None:
            found = f"{verdict.name}{verdict.signature}"
            message = f"the target {target.value!r} fits no style that runners call: it is {found}"
            portable = references.definition(judged, verdict, _portable(verdict.signature))
            calabria = references.definition(judged, verdict, _DATA_PATHS)
            hint = (
                f"write {portable}, or for Calabaria @calibration_target(model_output=..., data=...) above {calabria}"
            )
            place = Place(verdict.path, verdict.line)
            yield finding("BK407", Severity.ERROR, message, place, hint=hint, entity=target.value)


def _wants_data_paths(function: Function) -> bool:
    """Whether a function fails without the argument that only Calabaria's decorator passes."""
    if function.node is None or function.signature.accepts_positional(0):
        return False
    # A wrapper may show that parameter and pass the argument itself.
    own = function.node.args
    return any(each.arg == _DATA_PATHS for each in (*own.posonlyargs, *own.args, *own.kwonlyargs))


def _portable(signature: Signature) -> str:
    """Return the parameters that every runner can call: the first two as they are named, the others with defaults."""
    named = [each for each in signature.parameters if each.kind not in _VARIADIC]
    first = [each.name for each in named if each.kind is not ParameterKind.KEYWORD_ONLY][:2]
    returns, data = (*first, *("sim_returns", _SECOND)[len(first) :])
    return ", ".join([returns, f"{data}=None", *(f"{each.name}=..." for each in named if each.name not in first)])


def _arity(evidence: Evidence) -> Iterable[Finding]:
    for judged in evidence.targets:
        target, verdict = judged.declaration, judged.verdict
        if not isinstance(verdict, Function):
            continue
        style = target_style(verdict.signature)
        if style not in _REFUSED_BY:
            continue
        message = f"the target {target.value!r} takes {style.value}: today's {_REFUSED_BY[style]}"
        definition = references.definition(judged, verdict, _portable(verdict.signature))
        hint = f"write {definition}, which every runner can call"
        place = Place(verdict.path, verdict.line)
        edit = _second_parameter(evidence, verdict, place) if style is TargetStyle.SIM_RETURNS else None
        yield finding("BK410", Severity.WARNING, message, place, hint=hint, entity=target.value, edit=edit)


def _second_parameter(evidence: Evidence, function: Function, place: Place) -> AddParameter | None:
    """Return how to make a function of one plain parameter take the second one too."""
    node, tree = function.node, evidence.resolver.trees.tree(function.path)
    if not isinstance(node, ast.FunctionDef) or node.decorator_list or function.given is not None:
        return None
    # Of what stands deeper, more than its line would have to be told; and a name in use may mean another thing.
    is_outermost = isinstance(tree, ast.Module) and node in tree.body
    if not is_outermost or node.args.vararg or node.args.kwarg or uses_name(node, _SECOND):
        return None
    return AddParameter(place, node.name, _SECOND, "None")


def _root_level(evidence: Evidence) -> Iterable[Finding]:
    for target, reference, _ in evidence.targets:
        if reference is not None and reference.module is not None and "." not in reference.module:
            message = f"the target {target.value!r} is in a top-level module, which a task cannot name"
            hint = _deeper(evidence, reference)
            yield finding("BK411", Severity.WARNING, message, target.place, hint=hint, entity=target.value)


def _deeper(evidence: Evidence, reference: Reference) -> str:
    """Return how to get the target of a top-level module a name with a dot in its module."""
    module = evidence.resolver.index.find(reference.module or "")
    if not isinstance(module, ModuleFile) or not module.path.endswith("__init__.py"):
        package = next((name for name in _packages(evidence) if name != reference.module), "package")
        return f"move {reference.module}.py into a package and name it '{package}.{reference}'"
    found = evidence.suggestions.same_name(reference)
    inside = [one for one in found if (one.module or "").startswith(f"{reference.module}.")]
    if len(inside) == 1:
        return f"name it where it is defined: '{inside[0]}'"
    example = Reference(f"{reference.module}.module", None, reference.attributes)
    return f"define it in a module of {reference.module}/ and name that: '{example}'"


def _packages(evidence: Evidence) -> Iterable[str]:
    """Return the packages that the bundle's own wire and targets are in."""
    for judged in (*evidence.wires, *evidence.targets):
        package, dot, _ = ((judged.reference and judged.reference.module) or "").partition(".")
        if dot:
            yield package


_PROJECT = """\
[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"

[tool.bundlekit]
targets = ["{target}"]
"""
_LOSS = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'


def _example(source: str = _LOSS, target: str = "model.fit:loss", path: str = "model/fit.py") -> dict[str, str]:
    return bundle({"pyproject.toml": _PROJECT.format(target=target), path: source})


TARGET_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK401",
        "A target's reference is malformed",
        "A reference is 'module:function'; runners cannot even look for anything else.",
        Severity.ERROR,
        references.malformed("BK401", references.TARGET),
        good=_example(),
        bad=_example(target="model.fit.loss"),
    ),
    StaticRule(
        "BK404",
        "A target's module does not exist",
        "All simulations run first; only then does the aggregation fail.",
        Severity.ERROR,
        references.missing_module("BK404", references.TARGET),
        good=_example(),
        bad=_example(target="model.fits:loss"),
    ),
    StaticRule(
        "BK405",
        "A target's module does not define it",
        "Job specifications are accepted without a look at the code; the AttributeError comes after the simulations.",
        Severity.ERROR,
        references.missing_name("BK405", references.TARGET),
        good=_example(),
        bad=_example(target="model.fit:los"),
    ),
    StaticRule(
        "BK406",
        "A target cannot be called",
        "The aggregation fails after all simulations have run.",
        Severity.ERROR,
        references.not_callable("BK406", references.TARGET),
        good=_example(),
        bad=_example("loss = 1.0\n"),
    ),
    StaticRule(
        "BK407",
        "A target's signature fits none of the three styles",
        "Runners pass (sim_returns), (sim_returns, target_data), or nothing to Calabaria's targets.",
        Severity.ERROR,
        _signature,
        good=_example(),
        bad=_example('def loss(sim_returns, target_data, weight):\n    return {"loss": weight}\n'),
    ),
    StaticRule(
        "BK408",
        "A target is async or a generator",
        "Runners use what the call returns; a coroutine or generator is never run.",
        Severity.ERROR,
        references.not_plain("BK408", references.TARGET),
        good=_example(),
        bad=_example("def loss(sim_returns, target_data=None):\n    yield 1.0\n"),
    ),
    StaticRule(
        "BK409",
        "A target cannot be decided statically",
        "Not every definition can be told from source; the reason is named and the import stage decides.",
        Severity.INFO,
        references.undecided("BK409", references.TARGET),
        good=_example(),
        bad=_example("loss = make_loss()\n"),
    ),
    StaticRule(
        "BK410",
        "A target's arity is not portable between runners",
        "Today's warm runner passes two arguments and the cold one passes one; bundlekit binds by the signature.",
        Severity.WARNING,
        _arity,
        good=_example(),
        bad=_example('def loss(sim_returns):\n    return {"loss": 1.0}\n'),
    ),
    StaticRule(
        "BK411",
        "A target is in a top-level module",
        "The task grammar wants a dotted module, so a job cannot name this target although runners can call it.",
        Severity.WARNING,
        _root_level,
        good=_example(),
        bad=_example(target="fit:loss", path="fit.py"),
    ),
)

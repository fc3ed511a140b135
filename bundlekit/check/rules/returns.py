"""BK313-BK316, BK318 and BK412-BK415: what wires and targets return, as source says it (CONTRACT sections 3 and 4)."""

import ast
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.reported_errors import reported_error
from bundlekit.check.return_annotations import Fit
from bundlekit.check.returned_values import Misfit, literal_behind
from bundlekit.check.rules import references
from bundlekit.check.rules.bodies import Body, bodies
from bundlekit.check.rules.catalogue import Check, StaticRule, bundle, finding
from bundlekit.check.rules.references import Subject
from bundlekit.model.finding import Finding, Severity

__all__ = ["RETURN_RULES"]


def _annotation(code: str, subject: Subject) -> Check:
    """Return the check of return annotations."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for body in bodies(evidence, subject):
            annotation = None if isinstance(body.node, ast.Lambda) else body.node.returns
            if annotation is None or _has_its_own_finding(body):
                continue
            fit = body.expected.fit(annotation, body.names.of_annotation)
            if fit is Fit.MAY_FIT:
                continue
            shown = ast.unparse(annotation)
            message = f"{body.named} is annotated to return {shown:.80}: runners expect {body.expected.what}"
            severity, hint = Severity.ERROR, f"return {body.expected.what}, and correct the annotation"
            if fit is Fit.OR_NONE:
                severity, hint = Severity.WARNING, "raise an exception where there is no result; None fails the task"
            elif body.returns is not None and any(_is_dict(value, body) for value in body.returns.values):
                severity, hint = Severity.WARNING, "a dict is returned: correct the annotation"
            entity = body.judged.declaration.value
            yield finding(code, severity, message, body.place(annotation), hint=hint, entity=entity)

    return check


def _has_its_own_finding(body: Body) -> bool:
    """Whether the function returns nothing, or nothing but literals that runners refuse: that says more."""
    return body.returns is not None and all(any(_misfits(body, value)) for value in body.returns.values)


def _is_dict(value: ast.expr, body: Body) -> bool:
    literal = literal_behind(body.node, value)
    is_call = isinstance(literal, ast.Call) and body.names.in_body(literal.func) == "builtins.dict"
    return is_call or isinstance(literal, ast.Dict | ast.DictComp)


def _no_value(code: str, subject: Subject) -> Check:
    """Return the check for functions that return None whatever happens, or only raise."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for body in bodies(evidence, subject):
            if body.returns is None or not (body.returns.raises or body.returns.is_never_a_value):
                continue
            message = f"{body.named} never returns a value: runners expect {body.expected.what}, found None"
            hint = f"end it with a return of {body.expected.what}"
            if body.returns.raises:
                message = f"{body.named} always raises: every call of it fails"
                hint = f"write its body, and return {body.expected.what}"
            entity = body.judged.declaration.value
            yield finding(code, Severity.ERROR, message, body.place(body.node), hint=hint, entity=entity)

    return check


def _falls_through(code: str, subject: Subject) -> Check:
    """Return the check for functions that return a value on some paths and None on others."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for body in bodies(evidence, subject):
            if body.returns is not None and body.returns.is_sometimes_none:
                message = f"{body.named} returns None on some paths: runners expect {body.expected.what} from each call"
                hint = "return a result at the end of every path, or raise where there is none"
                entity = body.judged.declaration.value
                yield finding(code, Severity.WARNING, message, body.place(body.node), hint=hint, entity=entity)

    return check


def _literals(code: str, subject: Subject) -> Check:
    """Return the check of returned literals: an error where every path returns one that runners refuse."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        for body in bodies(evidence, subject):
            if body.returns is None:
                continue
            judged = [tuple(_misfits(body, value)) for value in body.returns.values]
            is_certain = all(judged) and not body.returns.is_sometimes_none
            severity = Severity.ERROR if is_certain else Severity.WARNING
            for node, expected, found, hint in (misfit for misfits in judged for misfit in misfits):
                message = f"{body.named} returns what runners refuse: expected {expected}, found {found}"
                entity = body.judged.declaration.value
                yield finding(code, severity, message, body.place(node), hint=hint, entity=entity)

    return check


def _misfits(body: Body, value: ast.expr) -> Iterable[Misfit]:
    return body.expected.misfits(literal_behind(body.node, value), body.names.in_body)


def _reports(evidence: Evidence) -> Iterable[Finding]:
    """Yield a finding for a wire of which every result reports an error."""
    for body in bodies(evidence, references.WIRE):
        values = () if body.returns is None else body.returns.values
        where = [reported_error(literal_behind(body.node, value), body.names.in_body) for value in values]
        if not values or None in where or _has_its_own_finding(body):
            continue
        message = f"{body.named} reports an error {where[0]} whatever happens: runners take each such task as failed"
        hint = "raise an exception instead: its type and traceback are kept"
        entity = body.judged.declaration.value
        yield finding("BK318", Severity.INFO, message, body.place(values[0]), hint=hint, entity=entity)


_PROJECT = """\
[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"

[tool.bundlekit]
targets = ["model.fit:loss"]
"""


def _wire(annotation: str, body: str) -> dict[str, str]:
    return bundle({"model/wire.py": f"def wire(entrypoint, params, seed){annotation}:\n    {body}\n"})


def _target(annotation: str, body: str) -> dict[str, str]:
    source = f"def loss(sim_returns, target_data=None){annotation}:\n    {body}\n"
    return bundle({"pyproject.toml": _PROJECT, "model/fit.py": source})


_GOOD_OUTPUTS, _GOOD_LOSS = 'return {"result": b"1"}', 'return {"loss": 1.0}'

RETURN_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK313",
        "The wire's return annotation contradicts the protocol",
        "Runners take a mapping from output names to bytes; whatever else is promised here fails after the simulation.",
        Severity.ERROR,
        _annotation("BK313", references.WIRE),
        good=_wire(" -> dict[str, bytes]", _GOOD_OUTPUTS),
        bad=_wire(" -> str", "return simulate(params, seed)"),
    ),
    StaticRule(
        "BK314",
        "The wire never returns a value",
        "The simulation runs to its end, and then there are no outputs: every task fails.",
        Severity.ERROR,
        _no_value("BK314", references.WIRE),
        good=_wire("", _GOOD_OUTPUTS),
        bad=_wire("", 'outputs = {"result": b"1"}'),
    ),
    StaticRule(
        "BK315",
        "The wire returns None on some paths",
        "A task that takes such a path fails after its simulation, with no word about what was wrong with it.",
        Severity.WARNING,
        _falls_through("BK315", references.WIRE),
        good=_wire("", f"if not params:\n        raise ValueError('no parameters')\n    {_GOOD_OUTPUTS}"),
        bad=_wire("", f"if params:\n        {_GOOD_OUTPUTS}"),
    ),
    StaticRule(
        "BK316",
        "The wire returns a literal that runners refuse",
        "Outputs have names that are str, and bytes as values; an error where every path returns others.",
        Severity.ERROR,
        _literals("BK316", references.WIRE),
        good=_wire("", 'return {"result": "1".encode()}'),
        bad=_wire("", 'return {"result": "1"}'),
    ),
    StaticRule(
        "BK318",
        "The wire reports an error whatever happens",
        "An output 'error' alone, or 'error' in the metadata, stands for a failure: such a wire has no results.",
        Severity.INFO,
        _reports,
        good=_wire("", _GOOD_OUTPUTS),
        bad=_wire("", 'return {"error": b"not written yet"}'),
    ),
    StaticRule(
        "BK412",
        "A target's return annotation contradicts the protocol",
        "Runners take the loss from a dict, or from an object's attribute; a bare number has neither.",
        Severity.ERROR,
        _annotation("BK412", references.TARGET),
        good=_target(" -> dict[str, float]", _GOOD_LOSS),
        bad=_target(" -> float", "return distance(sim_returns)"),
    ),
    StaticRule(
        "BK413",
        "A target never returns a value",
        "All simulations run, and then there is no loss.",
        Severity.ERROR,
        _no_value("BK413", references.TARGET),
        good=_target("", _GOOD_LOSS),
        bad=_target("", "raise NotImplementedError"),
    ),
    StaticRule(
        "BK414",
        "A target returns None on some paths",
        "An aggregation that takes such a path fails after all simulations have run.",
        Severity.WARNING,
        _falls_through("BK414", references.TARGET),
        good=_target("", f"if not sim_returns:\n        raise ValueError('no returns')\n    {_GOOD_LOSS}"),
        bad=_target("", f"for sim_return in sim_returns:\n        {_GOOD_LOSS}"),
    ),
    StaticRule(
        "BK415",
        "A target returns a literal that runners refuse",
        "A loss is a finite number under the key 'loss'; an error where every path returns something else.",
        Severity.ERROR,
        _literals("BK415", references.TARGET),
        good=_target("", _GOOD_LOSS),
        bad=_target("", 'return {"score": 1.0}'),
    ),
)

"""BK128 and on: how the entries of registry.yaml go together: outputs, target sets, and the document itself."""

import math
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding, problems
from bundlekit.check.rules.registered import registered_example
from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.edit import ReplaceText
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name, slip_of
from bundlekit.model.place import Place, Text
from bundlekit.model.registry import Registry

__all__ = ["REGISTRY_RULES"]

_SHOWN_NAMES = 8


def _unpaired(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    outputs = dict.fromkeys(text.value for model in registry.models for text in model.outputs)
    # A model that states no outputs may give any.
    known = bool(registry.models) and all(model.outputs for model in registry.models)
    for target in registry.targets:
        wanted = target.model_output
        if wanted is None or wanted.value in outputs:
            continue
        message = (
            f"the target {target.id!r:.60} reads the output {wanted.value!r:.60}, which no registered model states"
        )
        near = nearest_name(wanted.value, outputs)
        hint = f"the models state: {', '.join(list(outputs)[:_SHOWN_NAMES])}"
        if near is not None:
            hint = f"nearest output: {near!r}"
        elif not known:
            hint = "state the outputs of every model, so that this can be told"
        severity = Severity.ERROR if known else Severity.WARNING
        edit = _nearest_instead(wanted, outputs)
        yield finding("BK128", severity, message, wanted.place, hint=hint, entity=target.id, edit=edit)


def _unused(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    used = {target.model_output.value for target in registry.targets if target.model_output}
    for model in registry.models if registry.targets else ():
        unused = [text for text in model.outputs if text.value not in used]
        if unused:
            names = ", ".join(text.value for text in unused[:_SHOWN_NAMES])
            message = f"no target reads these outputs of the model {model.id!r:.60}: {names}"
            hint = "nothing needs to be done if another program reads them"
            yield finding("BK129", Severity.INFO, message, unused[0].place, hint=hint, entity=model.id)


def _unknown_members(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    ids = [target.id for target in registry.targets]
    for each in registry.target_sets:
        for text in each.targets:
            if text.value not in ids:
                message = f"the target set {each.id!r:.60} names {text.value!r:.60}, which is no registered target"
                near = nearest_name(text.value, ids)
                hint, edit = _choice(near, ids), _nearest_instead(text, ids)
                yield finding("BK133", Severity.ERROR, message, text.place, hint=hint, entity=each.id, edit=edit)


def _odd_weights(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    for each in registry.target_sets:
        members = [text.value for text in each.targets]
        for weight in each.weights:
            subject = f"the target set {each.id!r:.60} gives {weight.target!r:.60} "
            if weight.target not in members:
                message, near = f"{subject}a weight, but does not name it", nearest_name(weight.target, members)
                hint = f"nearest name: {near!r}" if near else "add it to the targets of the set, or remove the weight"
            elif not math.isfinite(weight.value) or weight.value < 0:
                message, hint = f"{subject}the weight {weight.value}", "a weight is a number from 0 on"
            else:
                continue
            yield finding("BK134", Severity.WARNING, message, weight.place, hint=hint, entity=each.id)


def _weights(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    for weight in [weight for each in registry.target_sets for weight in each.weights][:1]:
        message = "weights of target sets have no effect today: runners take the unweighted loss of each target"
        hint = "weigh inside the target functions if it matters now"
        yield finding("BK135", Severity.INFO, message, weight.place, hint=hint)


def _empty(evidence: Evidence) -> Iterable[Finding]:
    registry, project = evidence.project.registry, evidence.project
    unread = any(problem.path == REGISTRY and problem.code == "BK106" for problem in project.problems)
    if registry is not None and not registry.models and not registry.targets and not unread:
        message = f"{REGISTRY} registers neither a model nor a target"
        hint = "register them with `mops bundle register-model` and `register-target`, or remove the file"
        yield finding("BK136", Severity.WARNING, message, Place(REGISTRY, 1, 1), hint=hint)


def _choice(near: str | None, names: list[str]) -> str:
    if near is not None:
        return f"nearest name: {near!r}"
    return f"there are: {', '.join(names[:_SHOWN_NAMES])}" if names else "register it first"


def _nearest_instead(text: Text, names: Iterable[str]) -> ReplaceText | None:
    near = slip_of(text.value, names)
    return None if near is None else ReplaceText(text.place, text.value, near)


_FIT = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_TARGET = """\
targets:
  fit:
    entrypoint: model.fit:loss
    path: model/fit.py
    model_output: {output}
"""
_SETS = _TARGET.format(output="incidence") + "target_sets:\n  all:\n    targets: [{target}]\n"


def _with(after: str) -> dict[str, str]:
    return registered_example(after=after) | {"model/fit.py": _FIT}


_GOOD = _with(_SETS.format(target="fit"))

REGISTRY_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK128",
        "A target reads an output that no registered model states",
        "Its aggregation fails with a KeyError when all simulations have run; a warning where outputs are not stated.",
        Severity.ERROR,
        _unpaired,
        good=_GOOD,
        bad=_with(_TARGET.format(output="incidences")),
    ),
    StaticRule(
        "BK129",
        "No target reads an output",
        "It is computed and stored by every task; perhaps a target was forgotten, or its model_output is misspelt.",
        Severity.INFO,
        _unused,
        good=_GOOD,
        bad=_with(_TARGET.format(output="deaths")),
    ),
    StaticRule(
        "BK133",
        "A target set names a target that is not registered",
        "A job that asks for the set fails when it is submitted, or runs without that target.",
        Severity.ERROR,
        _unknown_members,
        good=_GOOD,
        bad=_with(_SETS.format(target="fits")),
    ),
    StaticRule(
        "BK134",
        "A weight of a target set cannot be meant",
        "It is for a target that the set does not have, or is negative, infinite or no number.",
        Severity.WARNING,
        _odd_weights,
        good=_GOOD,
        bad=_with(_SETS.format(target="fit") + "    weights: {fit: -1}\n"),
    ),
    StaticRule(
        "BK135",
        "Weights of target sets have no effect",
        "Today's runners take the plain loss of every target, so that a calibration weighs all of them alike.",
        Severity.INFO,
        _weights,
        good=_GOOD,
        bad=_with(_SETS.format(target="fit") + "    weights: {fit: 2}\n"),
    ),
    StaticRule(
        "BK136",
        "The registry is empty",
        "The platform's own preflight passes it, and then every task that names a model fails.",
        Severity.WARNING,
        _empty,
        good=_GOOD,
        bad=bundle({REGISTRY: 'version: "1.0"\nmodels: {}\ntargets: {}\n'}),
    ),
    StaticRule(
        "BK137",
        "The registry has an unknown key",
        "The platform drops it in silence; a warning where a key that it knows was probably meant.",
        Severity.WARNING,
        problems("BK137"),
        good=_GOOD,
        bad=registered_example(after="    output: [incidence]\n"),
    ),
    StaticRule(
        "BK138",
        "A key of the registry stands twice",
        "YAML loaders keep the last one in silence: a model, a target or a list of files is gone without a word.",
        Severity.ERROR,
        problems("BK138"),
        good=_GOOD,
        bad=registered_example(after="    outputs: [incidence, deaths]\n"),
    ),
)

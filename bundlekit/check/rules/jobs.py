"""BK144 to BK147: the names in a job specification, a study or a grid file (CONTRACT sections 3, 4 and 7).

Its targets are judged with all others, by BK4xx.
"""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.module_index import MissingModule
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.target_forms import slash_form
from bundlekit.model.edit import ReplaceText, is_editable
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.job import Job
from bundlekit.model.nearest import nearest_name, slip_of
from bundlekit.model.place import Place
from bundlekit.model.registry import Registry
from bundlekit.model.task_grammar import GrammarProblem, grammar_problem

__all__ = ["JOB_RULES"]

_DEFAULT = "main"
_SHOWN_NAMES = 8


def _grammar(evidence: Evidence) -> Iterable[Finding]:
    job, registry = evidence.project.job or Job(""), evidence.project.registry or Registry()
    models = {model.id: model.entrypoint.value for model in registry.models if model.entrypoint}
    for entrypoint in job.entrypoints:
        problem = grammar_problem(entrypoint.value)
        if problem is None or (entrypoint.value == _DEFAULT and not entrypoint.in_task):
            continue
        value, reason = entrypoint.value, problem.reason
        severity = Severity.ERROR
        message = f"a task cannot have the entrypoint {value!r:.200}: {reason}"
        if value == _DEFAULT:
            severity = Severity.WARNING
            message = f"{value!r} is the runners' default, which the platform's tasks do not take as an entrypoint"
        elif not entrypoint.in_task:
            severity = Severity.WARNING
            message = f"bundlekit runs the entrypoint {value!r:.200}, but no task on the platform can have it: {reason}"
        hint = _nearest(problem, models, value)
        yield finding("BK144", severity, message, entrypoint.place, hint=hint, entity=value)


def _nearest(problem: GrammarProblem, models: dict[str, str], value: str) -> str:
    """Return the hint that names the nearest entrypoint that a task can have."""
    if value in models:
        return f"{value!r} is the id of a registered model; write its entrypoint {models[value]!r}"
    if problem.nearest is not None:
        return f"write {problem.nearest!r}"
    near = nearest_name(value, models.values()) or next(iter(models.values()), None)
    if near is not None and grammar_problem(near) is None:
        return f"write it as 'package.module/scenario' or 'package.module:object'; registered: {near!r}"
    return "write it as 'package.module/scenario' or 'package.module:object'"


def _missing_module(evidence: Evidence) -> Iterable[Finding]:
    """A `module:object` whose module is not there is fatal before anything runs (CONTRACT section 10, 6)."""
    for entrypoint in evidence.project.job.entrypoints if evidence.project.job else ():
        value = entrypoint.value
        module, colon, _ = value.partition(":")
        if not colon or grammar_problem(value) is not None:
            continue
        missing = evidence.resolver.index.find(module)
        if isinstance(missing, MissingModule):
            message = f"the entrypoint {value!r:.200} names the module {missing.name!r}, which does not exist"
            near = nearest_name(missing.name.rpartition(".")[2], missing.siblings)
            hint = f"nearest name: {near!r}" if near else "correct the entrypoint, or add the module"
            yield finding("BK147", Severity.ERROR, message, entrypoint.place, hint=hint, entity=value)


def _unregistered(evidence: Evidence) -> Iterable[Finding]:
    job, registry = evidence.project.job or Job(""), evidence.project.registry or Registry()
    sets, targets = [each.id for each in registry.target_sets], [each.id for each in registry.targets]
    named = [("target set", text, sets) for text in job.target_sets]
    named += [("target", text, targets) for text in job.target_ids]
    for kind, text, known in named:
        if text.value not in known:
            message = f"the job names the {kind} {text.value!r:.60}, which the registry does not have"
            near = nearest_name(text.value, known)
            hint = f"it has: {', '.join(known[:_SHOWN_NAMES])}" if known else f"it has no {kind} at all"
            edit = _instead(text.place, text.value, slip_of(text.value, known))
            hint = hint if near is None else f"nearest name: {near!r}"
            yield finding("BK145", Severity.WARNING, message, text.place, hint=hint, entity=text.value, edit=edit)


def _instead(place: Place, old: str, new: str | None) -> ReplaceText | None:
    """Return the edit, None without a new name and for a job in a file of another kind."""
    return ReplaceText(place, old, new) if new is not None and is_editable(place.path) else None


def _slash(evidence: Evidence) -> Iterable[Finding]:
    job = evidence.project.job
    for target in evidence.project.targets if job else ():
        found = slash_form(target.value, evidence.resolver.index) if job and target.place.path == job.path else None
        if found is not None:
            message = f"the target {target.value!r:.200} has a '/': today's warm runner takes it, the cold one does not"
            edit = _instead(target.place, target.value, found)
            place = target.place
            hint = f"write {found!r}"
            yield finding("BK146", Severity.WARNING, message, place, hint=hint, entity=target.value, edit=edit)


_FIT = {"model/fit.py": 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'}
_GOOD = bundle({**_FIT, "job.json": '{"entrypoint": "model.wire/baseline", "target_entrypoint": "model.fit:loss"}'})


def _job(text: str) -> dict[str, str]:
    return bundle({**_FIT, "job.json": text})


JOB_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK144",
        "A task cannot have such an entrypoint",
        "The platform refuses the whole job: a task takes 'package.module/scenario' or 'package.module:object'.",
        Severity.ERROR,
        _grammar,
        good=_GOOD,
        bad=_job('{"entrypoint": "wire/Baseline"}'),
    ),
    StaticRule(
        "BK145",
        "A job names a target or a target set that is not registered",
        "It runs without that target, or under a name that nobody finds again.",
        Severity.WARNING,
        _unregistered,
        good=_GOOD,
        bad=_job('{"entrypoint": "model.wire/baseline", "target_set": "all"}'),
    ),
    StaticRule(
        "BK146",
        "A target is named with a slash",
        "The warm runner takes 'module/function', the cold one wants 'module:function'.",
        Severity.WARNING,
        _slash,
        good=_GOOD,
        bad=_job('{"target_entrypoint": "model.fit/loss"}'),
    ),
    StaticRule(
        "BK147",
        "The module of a task's entrypoint does not exist",
        "Runners here refuse such a task before it starts; today's give it to the wire, which may run something else.",
        Severity.ERROR,
        _missing_module,
        good=_GOOD,
        bad=_job('{"entrypoint": "model.sirs:Sir"}'),
    ),
)

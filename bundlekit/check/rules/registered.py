"""BK12x: what registry.yaml says of single models and targets (CONTRACT sections 5 and 6)."""

import posixpath
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence, Judged
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.rules import references
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import Class, Function, Instance, ModuleValue
from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.registry import RegisteredModel, RegisteredTarget

__all__ = ["REGISTERED_RULES", "registered_example"]

Entry = RegisteredModel | RegisteredTarget


def _not_a_class(evidence: Evidence) -> Iterable[Finding]:
    """Say what else it is; an object that certainly is no class cannot make a model."""
    yield from references.not_callable("BK124", references.MODEL)(evidence)
    for model, _, verdict in evidence.models:
        found = None
        if isinstance(verdict, Function):
            found = f"the function {verdict.name!r} in line {verdict.line} of {verdict.path}"
        elif isinstance(verdict, Instance):
            found = f"an instance of {verdict.of.node.name!r}"
        elif isinstance(verdict, ModuleValue):
            found = f"the module {verdict.module.name!r}"
        if found is not None:
            message = f"the model {model.value!r} is no class: it is {found}"
            hint = "name the class of the model, as 'package.module:Class'"
            yield finding("BK124", Severity.ERROR, message, model.place, hint=hint, entity=model.value)


def _judged(evidence: Evidence) -> Iterable[tuple[Entry, Judged]]:
    """Return each entry whose entrypoint is a reference with the verdict on it; a target named twice is judged once."""
    registry = evidence.project.registry
    if registry is None:
        return
    models = {judged.declaration.place: judged for judged in evidence.models}
    targets = {judged.declaration.value.strip(): judged for judged in evidence.targets}
    for model in registry.models:
        if model.entrypoint is not None:
            yield model, models[model.entrypoint.place]
    for target in registry.targets:
        if target.entrypoint is not None:
            yield target, targets[target.entrypoint.value.strip()]


def _another_file(evidence: Evidence) -> Iterable[Finding]:
    shipped = {member.path for member in evidence.project.members}
    for entry, judged in _judged(evidence):
        path = entry.path
        files = _files(evidence, entry, judged)
        if path is None or not files or posixpath.normpath(path.value) in files:
            continue
        # A file that is not there is BK201's.
        if posixpath.normpath(path.value) in shipped:
            message = (
                f"the {entry.kind} {entry.id!r:.60} has the path {path.value!r:.200},"
                f" but its entrypoint {judged.declaration.value!r:.200} leads to {files[-1]}"
            )
            hint = f"correct one of them: path: {files[-1]}, or an entrypoint in {path.value}"
            yield finding("BK126", Severity.WARNING, message, path.place, hint=hint, entity=entry.id)


def _files(evidence: Evidence, entry: Entry, judged: Judged) -> list[str]:
    """Return the file of the module that is named, and last that of the definition: it may be re-exported."""
    verdict, reference = judged.verdict, judged.reference
    defined = None
    if isinstance(verdict, Class):
        defined = verdict.module.path
    elif isinstance(verdict, Function) and entry.kind == "target":
        defined = verdict.path
    if defined is None or reference is None:
        return []
    named = evidence.resolver.index.find(reference.module or "")
    return [*([named.path] if isinstance(named, ModuleFile) else []), defined]


def _another_class(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry
    for model, judged in zip(
        (model for model in (registry.models if registry else ()) if model.entrypoint), evidence.models, strict=True
    ):
        stated, reference = model.class_name, judged.reference
        if stated is None or reference is None:
            continue
        names = {".".join(reference.attributes), reference.attributes[-1]}
        if isinstance(judged.verdict, Class):
            names.add(judged.verdict.node.name)
        if stated.value not in names:
            message = (
                f"the model {model.id!r:.60} has the class_name {stated.value!r:.60},"
                f" but its entrypoint names {reference.attributes[-1]!r}"
            )
            hint = f"write class_name: {reference.attributes[-1]}, or correct the entrypoint"
            yield finding("BK127", Severity.WARNING, message, stated.place, hint=hint, entity=model.id)


def _root_level(evidence: Evidence) -> Iterable[Finding]:
    for model, reference, _ in evidence.models:
        if reference is not None and "." not in (reference.module or ""):
            message = f"the model {model.value!r} is in a top-level module, which a task cannot name"
            hint = f"move {reference.module}.py into a package, and name it 'package.{reference}'"
            yield finding("BK149", Severity.WARNING, message, model.place, hint=hint, entity=model.value)


def _upper_case(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry
    for model in registry.models if registry else ():
        if model.id != model.id.lower():
            message = f"the id of the model {model.id!r:.60} has upper-case letters"
            hint = f"today's register-model writes ids in lower case: it would add a second entry {model.id.lower()!r}"
            yield finding("BK148", Severity.INFO, message, model.place, hint=hint, entity=model.id)


_SIR = "class Sir:\n    pass\n"
_MODEL = """\
version: "1.0"
models:
  sir:
    entrypoint: {entrypoint}
    path: {path}
    class_name: {class_name}
    outputs: [incidence]
"""


def registered_example(
    entrypoint: str = "model.sir:Sir",
    path: str = "model/sir.py",
    class_name: str = "Sir",
    *,
    source: str = _SIR,
    after: str = "",
) -> dict[str, str]:
    """Return a good bundle with one registered model, and the lines `after` at the end of its registry."""
    registry = _MODEL.format(entrypoint=entrypoint, path=path, class_name=class_name) + after
    return bundle({REGISTRY: registry, path: source})


REGISTERED_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK121",
        "A registered model's entrypoint is malformed",
        "An entrypoint is 'package.module:Class'; nothing else can be looked up when a task names the model.",
        Severity.ERROR,
        references.malformed("BK121", references.MODEL),
        good=registered_example(),
        bad=registered_example("model.sir"),
    ),
    StaticRule(
        "BK122",
        "A registered model's module does not exist",
        "Every task of that model fails when it is imported, on the worker.",
        Severity.ERROR,
        references.missing_module("BK122", references.MODEL),
        good=registered_example(),
        bad=registered_example("model.sirs:Sir"),
    ),
    StaticRule(
        "BK123",
        "A registered model's module does not define it",
        "A class inside a function passes the platform's own look at the text; then every task fails to find it.",
        Severity.ERROR,
        references.missing_name("BK123", references.MODEL),
        good=registered_example(),
        bad=registered_example(source="def make():\n    class Sir:\n        pass\n"),
    ),
    StaticRule(
        "BK124",
        "A registered model is no class",
        "The platform makes an instance of a model for each task, which takes a class.",
        Severity.ERROR,
        _not_a_class,
        good=registered_example(),
        bad=registered_example(source="def Sir():\n    return {}\n"),
    ),
    StaticRule(
        "BK125",
        "A registered model cannot be decided statically",
        "Not every definition can be told from source; the reason is named, and running the model decides.",
        Severity.INFO,
        references.undecided("BK125", references.MODEL),
        good=registered_example(),
        bad=registered_example(source="Sir = make_model()\n"),
    ),
    StaticRule(
        "BK126",
        "Path and entrypoint of an entry name different files",
        "The platform hashes the path and runs the entrypoint: a change of the code that runs goes unnoticed.",
        Severity.WARNING,
        _another_file,
        good=registered_example(),
        bad=registered_example("model.sir:Sir", "model/old.py") | {"model/sir.py": _SIR},
    ),
    StaticRule(
        "BK127",
        "The class_name of a model is not its entrypoint's",
        "Some tools look the class up by the one, some by the other.",
        Severity.WARNING,
        _another_class,
        good=registered_example(),
        bad=registered_example(class_name="Seir"),
    ),
    StaticRule(
        "BK148",
        "The id of a model has upper-case letters",
        "The platform's tool writes ids in lower case, so that registering the model again adds a second entry.",
        Severity.INFO,
        _upper_case,
        good=registered_example(),
        bad={
            path: text.replace("  sir:\n", "  Sir:\n") if path == REGISTRY else text
            for path, text in registered_example().items()
        },
    ),
    StaticRule(
        "BK149",
        "A registered model is in a top-level module",
        "The task grammar wants a dotted module, so no task can name this model although it can be imported.",
        Severity.WARNING,
        _root_level,
        good=registered_example(),
        bad=registered_example("sir:Sir", "sir.py"),
    ),
)

"""What the variables of a worker say together: what contradicts itself, and what people should hear about the rest."""

from collections.abc import Iterator, Mapping

from bundlekit.cluster.variables import Stated, Variable, is_on, stated
from bundlekit.model.nearest import nearest_name

__all__ = ["conflicts", "notes"]

_PREFIX = "MODELOPS_"
_TODAYS_SWITCHES = ("force_fresh_venv", "bundle_insecure", "upload_to_azure", "validate_deps")
"""Settings for which today's ModelOps workers take ``true`` alone for yes."""
_LEGACY = (
    "{name} is set, and there is no legacy cold executor here: nothing was switched on. "
    "Use MODELOPS_EXECUTOR_TYPE=cold, which runs each task in a process of its own, and remove {name}"
)


def conflicts(found: Mapping[str, Stated]) -> Iterator[str]:
    """Yield a problem for each pair of settings that cannot both be meant; `found` has those that are stated."""
    executor, debug = found.get("executor_type"), found.get("cold_debug")
    if executor and is_on(debug) and executor.text != "cold":
        yield f"{_shown(debug)} and {_shown(executor)} contradict each other: keep one of them"
    fresh = found.get("force_fresh_venv")
    if executor and is_on(fresh) and executor.text == "direct":
        yield (
            f"{_shown(fresh)} and {_shown(executor)} contradict each other: direct runs tasks in the worker's own "
            "process, which has the worker's environment; use cold, or leave the environment to the worker"
        )
    source = found.get("bundle_source")
    if source and source.text == "file" and "bundles_dir" not in found:
        yield f"{_shown(source)} needs MODELOPS_BUNDLES_DIR, the directory of the bundles, which is not set"


def notes(variables: Mapping[str, Variable], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is not wrong and yet not what whoever set the variables may think."""
    found = {name: stated(variable, environ) for name, variable in variables.items()}
    legacy = found["enable_legacy_cold"]
    if legacy is not None and is_on(legacy):
        yield _LEGACY.format(name=legacy.name)
    for name in _TODAYS_SWITCHES:
        each = found[name]
        if each is not None and is_on(each) and each.text.lower() != "true":
            yield f"{_shown(each)} is yes here, and no for ModelOps' own workers: they know only 'true'"
    for name, variable in variables.items():
        each = found[name]
        if each is not None and not variable.has_effect:
            yield f"{each.name} is set, and this version of bundlekit's workers does nothing with it"
    executor, fresh = found["executor_type"], found["force_fresh_venv"]
    is_warm = not is_on(found["cold_debug"]) and (executor is None or executor.text == "isolated_warm")
    if is_warm and fresh is not None and is_on(fresh):
        yield f"{_shown(fresh)} has no effect on isolated_warm, whose processes outlive a task; cold obeys it"
    source = found["bundle_source"]
    if found["bundles_dir"] is not None and (source is None or source.text != "file"):
        yield "MODELOPS_BUNDLES_DIR has no effect without MODELOPS_BUNDLE_SOURCE=file"
    yield from _unknown([each for variable in variables.values() for each in variable.names], environ)


def _unknown(known: list[str], environ: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(environ):
        if name.startswith(_PREFIX) and environ[name] and name not in known:
            near = nearest_name(name, known, at_least=0.8)
            yield f"{name} is not a variable that workers read{f'; did you mean {near}?' if near else ''}"


def _shown(found: Stated | None) -> str:
    return "" if found is None else f"{found.name}={found.text!r:.100}"

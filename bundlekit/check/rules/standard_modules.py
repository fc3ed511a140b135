"""BK507: modules of the standard library that come and go with Python's versions, or are on one platform only."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.import_names import may_be_provided_by
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.shadowing import shadowing_modules
from bundlekit.check.source_imports import When
from bundlekit.check.stdlib_versions import absent_minors, is_standard, lifetime, only_platform
from bundlekit.model.finding import Finding, Severity

__all__ = ["STANDARD_MODULE_RULES"]


def _not_in_this_python(evidence: Evidence) -> Iterable[Finding]:
    worker, own = evidence.worker, shadowing_modules(evidence.project)
    seen: set[str] = set()
    for used in evidence.foreign_imports:
        module, first, end = lifetime(used.dotted)
        top = module.partition(".")[0]
        if used.when >= When.GUARDED or not is_standard(top) or top in own or module in seen:
            continue
        absent, platform = absent_minors(used.dotted, worker), only_platform(top)
        elsewhere = platform is not None and platform != worker.sys_platform
        certain = used.role.loaded is not None and used.when is When.ALWAYS
        if not (absent or (elsewhere and certain)) or (used.role.is_support and used.role.loaded is None):
            continue
        if any(_replaces(name, top) for name in evidence.supply.declared):
            continue
        seen.add(module)
        fails = len(absent) == len(worker.minors) or elsewhere
        message = f"{used.verb} {module!r}, which Python has {_when_there(first, end, platform if elsewhere else None)}"
        message += f": the worker is {worker}" if fails else f", and requires-python admits others ({_listed(absent)})"
        hint = "guard the import, or do without it" if fails else "guard the import, or narrow requires-python"
        severity = Severity.ERROR if fails and certain else Severity.WARNING
        yield finding("BK507", severity, message, used.place, hint=hint, entity=module)


def _replaces(distribution: str, top: str) -> bool:
    """Whether a distribution keeps a removed module alive: setuptools has distutils, legacy-cgi has cgi."""
    return (top == "distutils" and distribution == "setuptools") or may_be_provided_by(distribution, top)


def _when_there(first: int, end: int, platform: str | None) -> str:
    if platform is not None:
        return f"only on {platform}"
    if first:
        return f"from 3.{first} on"
    return f"until 3.{end - 1} only" if end else "in version 2 only"


def _listed(minors: tuple[int, ...]) -> str:
    return ", ".join(f"3.{minor}" for minor in minors)


_PROJECT = """\
[project]
name = "model"
version = "1.0"
requires-python = ">=3.11"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""


def _example(source: str) -> dict[str, str]:
    wire = "\ndef wire(entrypoint, params, seed):\n    return {}\n"
    return bundle({"pyproject.toml": _PROJECT, "model/wire.py": source + wire})


STANDARD_MODULE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK507",
        "A module of the standard library is not in every Python that is admitted",
        "The bundle imports well here and fails on a worker whose Python is older or newer.",
        Severity.WARNING,
        _not_in_this_python,
        good=_example("try:\n    import cgi\nexcept ImportError:\n    cgi = None\n"),
        bad=_example("import cgi\n"),
    ),
)

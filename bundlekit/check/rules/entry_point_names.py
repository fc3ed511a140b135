"""BK317: names of entry points.

See: PyPA, "Entry points specification", the data model.
"""

import re
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.model.finding import Finding, Severity

__all__ = ["ENTRY_POINT_NAME_RULES"]

_RECOMMENDED = re.compile(r"[A-Za-z0-9._-]+")


def _names(evidence: Evidence) -> Iterable[Finding]:
    for wire in evidence.entry_points:
        reason, severity = _reason(wire.name), Severity.ERROR
        if reason is None and not _RECOMMENDED.fullmatch(wire.name):
            reason, severity = "has other characters than letters, digits, '.', '_' and '-'", Severity.WARNING
        if reason is not None:
            message = f"the name {wire.name!r} of the wire's entry point {reason}"
            hint = f"name it by letters, digits, '.', '_' and '-', for example execute = {wire.value!r}"
            yield finding("BK317", severity, message, wire.place, hint=hint, entity=wire.value)


def _reason(name: str) -> str | None:
    """Return why an installed bundle cannot have an entry point of that name."""
    if not name:
        return "is empty"
    if name != name.strip():
        return "starts or ends with a space"
    if "=" in name:
        return "has '=' in it, which ends a name where entry points are installed"
    if name.startswith("["):
        return "starts with '[', which begins a group where entry points are installed"
    return None


def _named(name: str) -> dict[str, str]:
    text = bundle()["pyproject.toml"]
    return bundle({"pyproject.toml": text.replace("execute =", f'"{name}" =')})


ENTRY_POINT_NAME_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK317",
        "An entry point's name cannot be installed",
        "In entry_points.txt '=' and '[' have a meaning; characters that are only advised against are a warning.",
        Severity.ERROR,
        _names,
        good=_named("execute"),
        bad=_named("a=b"),
    ),
)

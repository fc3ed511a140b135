"""BK1xx: pyproject.toml and the other documents of a bundle. Reading finds these; the rules say why they matter."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, problems
from bundlekit.model.finding import Finding, Severity

__all__ = ["DOCUMENT_RULES"]

_WIRE = "def wire(entrypoint, params, seed):\n    return {'a': b'1'}\n"
_ENTRY = '\n[project.entry-points."modelops.wire"]\nexecute = "model.wire:wire"\n'
_URL = """\
[project]
name = "model"
version = "1.0"
dependencies = [
  "solver @ https://example.org/solver-1.0-py3-none-any.whl",  {}
]
"""
_PROJECT = '[project]\nname = "model"\nversion = "1.0"\n' + _ENTRY


def _added_last(_evidence: Evidence) -> Iterable[Finding]:
    """Return nothing: what other rules found, and which rules there are, the engine knows when all have run."""
    return ()


DOCUMENT_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK101",
        "There is no pyproject.toml",
        "Name, version, dependencies and the wire are declared there; without it no runner can install the bundle.",
        Severity.ERROR,
        problems("BK101"),
        good=bundle(),
        bad={"model.py": _WIRE},
    ),
    StaticRule(
        "BK102",
        "There is no pyproject.toml, only a root wire.py",
        "The warm runner runs such a bundle; today's cold runner does not.",
        Severity.WARNING,
        problems("BK102"),
        good=bundle(),
        bad={"wire.py": _WIRE},
    ),
    StaticRule(
        "BK103",
        "pyproject.toml cannot be parsed",
        "Every installer refuses it, so the bundle's environment cannot be built.",
        Severity.ERROR,
        problems("BK103"),
        good=bundle(),
        bad=bundle({"pyproject.toml": "[project\n"}),
    ),
    StaticRule(
        "BK104",
        "A value in pyproject.toml has the wrong type",
        "Installers stop at the first such value, on the worker; here all of them are named, each with its place.",
        Severity.ERROR,
        problems("BK104"),
        good=bundle(),
        bad=bundle({"pyproject.toml": '[project]\nname = 3\nversion = "1.0"\ndependencies = [1]\n' + _ENTRY}),
    ),
    StaticRule(
        "BK105",
        "Name or version cannot be told",
        "A bundle's identity must come from what ships: not from a directory's name, nor from git.",
        Severity.ERROR,
        problems("BK105"),
        good=bundle(),
        bad=bundle({"pyproject.toml": '[project]\nname = "model"\n' + _ENTRY}),
    ),
    StaticRule(
        "BK106",
        "A document beside pyproject.toml cannot be read",
        "Runners skip an unreadable manifest in silence or fail on it; either way not what was meant.",
        Severity.ERROR,
        problems("BK106"),
        good=bundle({".modelops/manifest.json": '{"wire": "model.wire:wire"}'}),
        bad=bundle({".modelops/manifest.json": '{"wire": '}),
    ),
    StaticRule(
        "BK107",
        "[tool.bundlekit] has an unknown key",
        "A misspelt setting has no effect, and nothing else would say so.",
        Severity.WARNING,
        problems("BK107"),
        good=bundle({"pyproject.toml": _PROJECT + "\n[tool.bundlekit]\nnetwork = true\n"}),
        bad=bundle({"pyproject.toml": _PROJECT + "\n[tool.bundlekit]\nnetwrok = true\n"}),
    ),
    StaticRule(
        "BK108",
        "A comment that should ignore findings does not",
        "Without a rule's code in brackets, or without a reason, it ignores nothing, and nothing else would say so.",
        Severity.WARNING,
        problems("BK108"),
        good=bundle({"pyproject.toml": _URL.format("# bundlekit: ignore[BK504] the cluster has a mirror") + _ENTRY}),
        bad=bundle({"pyproject.toml": _URL.format("# bundlekit: ignore[BK504]") + _ENTRY}),
    ),
    StaticRule(
        "BK109",
        "A comment ignores nothing that was found",
        "What it spoke of has gone, or moved: the next finding there would be ignored without anybody's decision.",
        Severity.WARNING,
        _added_last,
        good=bundle({"pyproject.toml": _URL.format("# bundlekit: ignore[BK504] the cluster has a mirror") + _ENTRY}),
        bad=bundle({"model/rates.py": "x = 1  # bundlekit: ignore[BK3] it was needed once\n"}),
    ),
    StaticRule(
        "BK110",
        "A setting names a code that no rule has",
        "It selects, ignores or weighs nothing, and a misspelt code looks like any other.",
        Severity.WARNING,
        _added_last,
        good=bundle({"pyproject.toml": _PROJECT + '\n[tool.bundlekit]\nignore = ["BK206"]\n'}),
        bad=bundle({"pyproject.toml": _PROJECT + '\n[tool.bundlekit]\nignore = ["BK299"]\n'}),
    ),
)

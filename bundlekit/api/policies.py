"""The policy of one bundle: command line, settings, comments in its files and its baseline, put together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bundlekit.api.inputs import BundleDirectory
from bundlekit.errors import UsageError
from bundlekit.model.baseline import BASELINE_SCHEMA
from bundlekit.model.finding import Report
from bundlekit.model.fingerprint import fingerprints
from bundlekit.model.policy import Policy
from bundlekit.model.project import Project
from bundlekit.read.baseline import bundle_key, read_baseline
from bundlekit.report.documents import json_text
from bundlekit.report.outputs import check_replaceable, write_atomically

__all__ = ["check_codes", "policy_of", "write_baseline"]

_MARK = f'"{BASELINE_SCHEMA}"'


def policy_of(
    bundle: BundleDirectory, project: Project, *, select: Sequence[str], ignore: Sequence[str], baseline: Path | None
) -> Policy:
    """Return what decides which findings of a bundle count; what the command line says replaces the settings' word.

    Raises:
        UsageError: the baseline is none.
    """
    settings = project.settings
    file = baseline
    if file is None and settings.baseline is not None and (bundle.root / settings.baseline).exists():
        file = bundle.root / settings.baseline
    known = frozenset() if file is None else read_baseline(file).known(bundle_key(file, Path(bundle.label)))
    return Policy(
        tuple(select) or settings.select,
        tuple(ignore) or settings.ignore,
        settings.per_file_ignores,
        project.ignores,
        settings.severities,
        known,
    )


def write_baseline(path: Path, reports: Sequence[Report]) -> int:
    """Write a baseline in which every finding of `reports` is known, and return how many those are.

    Raises:
        UsageError: a file stands there that is no baseline.
        FileAccessError: the file cannot be written.
    """
    check_replaceable(path, _MARK)
    bundles: Mapping[str, list[str]] = {
        bundle_key(path, Path(report.path)): sorted(fingerprints(report.findings)) for report in reports
    }
    write_atomically(path, json_text({"schema": BASELINE_SCHEMA, "bundles": dict(sorted(bundles.items()))}))
    return sum(len(each) for each in bundles.values())


def check_codes(prefixes: Sequence[str]) -> None:
    """Refuse a prefix with which no rule's code begins.

    Raises:
        UsageError: as said.
    """
    from bundlekit.api.catalogue import catalogue  # noqa: PLC0415 - most calls select nothing

    codes = [rule.code for rule in catalogue()]
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in codes):
            msg = f"no rule's code begins with {prefix!r}"
            raise UsageError(msg, subject=prefix, hint="`bundlekit rules` lists them; a family is a prefix such as BK3")

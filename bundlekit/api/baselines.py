"""The baselines of one command: the file of each bundle, what is known there, and what is to be known from now on."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.inputs import BundleDirectory
from bundlekit.errors import UsageError
from bundlekit.model.baseline import BASELINE_SCHEMA, Baseline, KnownFinding, known_findings
from bundlekit.model.finding import Finding
from bundlekit.model.project import Project
from bundlekit.read.baseline import bundle_key, read_baseline
from bundlekit.report.documents import json_text
from bundlekit.report.outputs import check_replaceable, write_atomically

__all__ = ["Baselines", "Known"]

_MARK = f'"{BASELINE_SCHEMA}"'


class Known(NamedTuple):
    """What a baseline holds of one bundle, the file, and the bundle's name in it; no file where there is none."""

    findings: tuple[KnownFinding, ...] = ()
    file: Path | None = None
    bundle: str = "."

    def gone(self, found: Sequence[Finding], looked_for: Collection[str]) -> int:
        """Return how many of those whose code was `looked_for` are not among the known ones that were `found`."""
        there = {each.fingerprint for each in known_findings(found)}
        return sum(each.code in looked_for and each.fingerprint not in there for each in self.findings)


class Baselines:
    """The baseline named on the command line, which goes before those that the bundles' settings name.

    With `learns`, what is found becomes known: a file that is not there is an empty one, and :meth:`write` writes it.
    """

    def __init__(self, file: Path | None = None, *, learns: bool = False) -> None:
        if file is not None and learns:
            check_replaceable(file, _MARK)
        self._file = file
        self.learns = learns
        self._read: dict[Path, Baseline] = {}

    def known(self, bundle: BundleDirectory, project: Project) -> Known:
        """Return what is known of a bundle.

        Raises:
            UsageError: the file is no baseline, is not there, or cannot be written where it has to be.
        """
        if self._file is not None:
            return self._known(self._file, bundle_key(self._file, Path(bundle.label)))
        setting = project.settings.baseline
        if self.learns and (setting is None or bundle.manifest is not None):
            msg = f"--write-baseline needs to know where to write for {bundle.label}: give --baseline FILE"
            raise UsageError(msg, subject=bundle.label, hint='or set baseline = "FILE" in [tool.bundlekit]')
        if setting is None:
            return Known()
        file = bundle.root / setting
        if not self.learns and not file.exists():
            return Known()
        return self._known(file, bundle_key(file, bundle.root))

    def learn(self, known: Known, found: Sequence[Finding], looked_for: Collection[str]) -> None:
        """Keep in mind that what was `found` is known from now on."""
        if known.file is not None:
            baseline = self._read[known.file]
            self._read[known.file] = baseline.renewed(known.bundle, known_findings(found), looked_for)

    def write(self) -> None:
        """Write what was learnt.

        Raises:
            FileAccessError: a file cannot be written.
        """
        for file, baseline in self._read.items():
            write_atomically(file, _text(baseline))

    def _known(self, file: Path, bundle: str) -> Known:
        if file not in self._read:
            if self.learns:
                check_replaceable(file, _MARK)
            is_new = self.learns and (not file.exists() or file.stat().st_size == 0)
            self._read[file] = Baseline({}) if is_new else read_baseline(file)
        return Known(self._read[file].known(bundle), file, bundle)


def _text(baseline: Baseline) -> str:
    bundles: Mapping[str, list[dict[str, str | None]]] = {
        bundle: [each._asdict() for each in findings]
        for bundle, findings in sorted(baseline.bundles.items())
        if findings
    }
    return json_text({"schema": BASELINE_SCHEMA, "bundles": bundles})

"""The baseline: findings that are known and do not count, so that only new ones do."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from bundlekit.model.finding import Finding
from bundlekit.model.fingerprint import fingerprints

__all__ = ["BASELINE_SCHEMA", "Baseline", "KnownFinding", "known_findings"]

BASELINE_SCHEMA = "bundlekit/baseline/1"


class KnownFinding(NamedTuple):
    """A known finding by its fingerprint; the rest is for those who read the file and for what no longer occurs."""

    fingerprint: str
    code: str
    path: str | None
    message: str


class Baseline(NamedTuple):
    """Known findings by bundle; a bundle is named by its path from the directory that holds the baseline."""

    bundles: Mapping[str, tuple[KnownFinding, ...]]

    def known(self, bundle: str) -> tuple[KnownFinding, ...]:
        """Return what is known of a bundle."""
        return self.bundles.get(bundle, ())

    def renewed(self, bundle: str, found: Iterable[KnownFinding], looked_for: Collection[str]) -> "Baseline":
        """Return the baseline with what was `found` in a bundle in the place of what is known of it.

        What has another code than was `looked_for` stays, since nobody can tell that it has gone.
        """
        kept = [each for each in self.known(bundle) if each.code not in looked_for]
        entries = sorted({*kept, *found}, key=lambda each: (each.code, each.path or "", each.message, each.fingerprint))
        return Baseline({**self.bundles, bundle: tuple(entries)})


def known_findings(findings: Iterable[Finding]) -> tuple[KnownFinding, ...]:
    """Return each finding as a baseline holds it."""
    listed = list(findings)
    identities = fingerprints(listed)
    return tuple(
        KnownFinding(identity, finding.code, finding.path, finding.message)
        for identity, finding in zip(identities, listed, strict=True)
    )

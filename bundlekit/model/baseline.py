"""The baseline: fingerprints of findings that are known and do not count, so that only new ones do."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["BASELINE_SCHEMA", "Baseline"]

BASELINE_SCHEMA = "bundlekit/baseline/1"


class Baseline(NamedTuple):
    """Known fingerprints by bundle; a bundle is named by its path from the directory that holds the baseline."""

    bundles: Mapping[str, frozenset[str]]

    def known(self, bundle: str) -> frozenset[str]:
        """Return the fingerprints that are known of a bundle."""
        return self.bundles.get(bundle, frozenset())

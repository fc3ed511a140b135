"""The two ports of execution: where tasks are run, and where their bundles come from.

See: CONTRACT section 7.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from bundlekit.model.contracts.shapes import (
    AggregationReturnShape,
    AggregationTaskShape,
    SimReturnShape,
    SimTaskShape,
)

__all__ = ["BundleRepository", "ExecutionEnvironment"]


class BundleRepository(Protocol):
    """Has bundles, by reference."""

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the bundle's digest, with ``sha256:`` or without, and the directory that holds it."""

    def exists(self, bundle_ref: str) -> bool:
        """Return whether the bundle can be had."""


class ExecutionEnvironment(Protocol):
    """Runs tasks. Any number of threads may call it at once."""

    def run(self, task: SimTaskShape) -> SimReturnShape:
        """Return the result of one simulation; a failure of whatever kind is in it."""

    def run_aggregation(self, task: AggregationTaskShape) -> AggregationReturnShape:
        """Return the result of one aggregation.

        Raises:
            AggregationFailedError: there is no loss.
        """

    def health_check(self) -> Mapping[str, object]:
        """Return what is known of the executor's state, as JSON would hold it; ``status`` is among it."""

    def shutdown(self) -> None:
        """End everything that was started; may be called more than once, and nothing can be run afterwards."""

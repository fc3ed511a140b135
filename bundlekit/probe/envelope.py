"""The resource envelope of a bundle, from the smoke tasks that were run."""

from collections.abc import Iterable

from bundlekit.model.envelope import Envelope, TaskEnvelope
from bundlekit.model.outcome import Simulated
from bundlekit.probe.evidence import SmokeRun

__all__ = ["envelope_of"]


def envelope_of(smoke: Iterable[SmokeRun]) -> Envelope | None:
    """Return what the tasks that succeeded took, None where there is none: what failed early took nothing yet."""
    tasks = tuple(
        TaskEnvelope(
            each.task.entrypoint,
            each.task.seed,
            each.run.memory,
            each.run.seconds,
            sum(output.size for output in each.run.outcome.outputs.values()),
        )
        for each in smoke
        if isinstance(each.run.outcome, Simulated)
    )
    return Envelope(tasks) if tasks else None

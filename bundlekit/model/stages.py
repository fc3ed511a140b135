"""What the stages that run a bundle add to the report."""

from typing import NamedTuple

from bundlekit.model.digest import Digest
from bundlekit.model.envelope import Envelope
from bundlekit.model.finding import Obstacle, Stage
from bundlekit.model.isolation import IsolationOutcome
from bundlekit.model.policy import Judgement

__all__ = ["StagesOutcome"]


class StagesOutcome(NamedTuple):
    """What the dynamic stages add to the static one.

    `sandbox` is the level that held and `network` its state (:class:`~bundlekit.model.outcome.Prepared`), both ``none``
    where nothing ran. `envelope` is None where no smoke task succeeded.
    """

    digest: Digest | None = None
    sandbox: str = "none"
    stages: tuple[Stage, ...] = ()
    judgement: Judgement = Judgement()
    obstacle: Obstacle | None = None
    network: str = "none"
    envelope: Envelope | None = None
    isolation: IsolationOutcome | None = None

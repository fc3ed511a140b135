"""Which layers of the sandbox hold, and how a report names them."""

from typing import NamedTuple

__all__ = ["NO_SANDBOX", "SANDBOX_MODES", "TCP_ABI", "Layers", "Sandbox"]

SANDBOX_MODES = ("auto", "require", "off")
TCP_ABI = 4
"""The first version of Landlock that can deny TCP."""


class Layers(NamedTuple):
    """What can be put around a child: the version of Landlock (0 for none), a view of the files, a network of its own.

    With `network_open` the bundle may use the network, so nothing is put there.
    """

    landlock_abi: int
    mounts: bool
    network: bool
    network_open: bool

    @property
    def level(self) -> str:
        """The name of what holds: ``process`` where it is only what always holds."""
        parts = ("landlock" * (self.landlock_abi > 0), "mountns" * self.mounts, "netns" * self.network)
        return "+".join(part for part in parts if part) or "process"

    @property
    def network_state(self) -> str:
        """What the network is to the child: ``closed``, ``no-tcp`` (UDP is free) or ``open``."""
        if self.network:
            return "closed"
        return "no-tcp" if self.landlock_abi >= TCP_ABI and not self.network_open else "open"


class Sandbox(NamedTuple):
    """What a request gets: level and state of the network, for its answer; `layers` is None where there are none."""

    level: str
    network: str
    layers: Layers | None


NO_SANDBOX = Sandbox("off", "open", None)

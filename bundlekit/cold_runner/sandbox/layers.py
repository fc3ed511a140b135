"""Which layers of the sandbox hold, and how a report names them."""

from typing import NamedTuple

__all__ = ["NO_SANDBOX", "SANDBOX_MODES", "TCP_ABI", "Layers", "Sandbox"]

SANDBOX_MODES = ("auto", "require", "off")
TCP_ABI = 4
"""The first version of Landlock that can deny TCP."""


class Layers(NamedTuple):
    """What can be put around a child: Landlock, a filter of system calls, a view of the files, a network of its own.

    `landlock_abi` is the version of Landlock, 0 for none. With `network_open` the bundle may use the network, so
    nothing is put there.
    """

    landlock_abi: int
    filter: bool
    mounts: bool
    network: bool
    network_open: bool

    @property
    def level(self) -> str:
        """The name of what holds: ``process`` where it is only what always holds."""
        names = {
            "landlock": self.landlock_abi > 0,
            "seccomp": self.filter,
            "mountns": self.mounts,
            "netns": self.network,
        }
        return "+".join(name for name, holds in names.items() if holds) or "process"

    @property
    def network_state(self) -> str:
        """What the network is to the child: ``closed``, ``no-tcp`` (UDP is free) or ``open``."""
        if self.network_open:
            return "open"
        if self.network or self.filter:
            return "closed"
        return "no-tcp" if self.landlock_abi >= TCP_ABI else "open"


class Sandbox(NamedTuple):
    """What a request gets: level and state of the network, for its answer; `layers` is None where there are none.

    `missing` tells, for people, why other layers do not hold.
    """

    level: str
    network: str
    layers: Layers | None
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for a log."""
        return "; ".join([f"Sandbox: {self.level}, network {self.network}", *self.missing])


NO_SANDBOX = Sandbox("off", "open", None)

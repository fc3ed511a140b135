"""Puts the calling process into the sandbox, for good. Only ever called in a fork that is about to become a child."""

import os
from collections.abc import Callable, Mapping, Sequence

from .filtered_calls import filter_calls
from .grounds import Grounds, task_grounds
from .hidden_files import hide_files
from .landlock import restrict
from .layers import Layers
from .namespaces import enter_namespaces
from .system_calls import SystemCalls, system_calls

__all__ = ["confine", "holder"]


def confine(calls: SystemCalls, layers: Layers, grounds: Grounds) -> None:
    """Hold this process by `layers`, on those grounds.

    Raises:
        OSError: a layer cannot be had; the process is half confined then, and must end.
    """
    # The directory that the supervisor was started in is the user's.
    os.chdir("/")
    enter_namespaces(calls, mounts=layers.mounts, network=layers.network)
    if layers.mounts:
        hide_files(
            calls,
            readable=grounds.readable,
            writable=[path for path in grounds.writable if path not in grounds.temporary],
            empty=grounds.empty,
            temporary=grounds.temporary,
        )
    # Last: it would deny the steps before.
    calls.give_up_privileges()
    if layers.landlock_abi:
        restrict(
            calls,
            layers.landlock_abi,
            readable=grounds.readable,
            writable=grounds.writable,
            devices=grounds.devices,
            tcp=layers.network or layers.network_open,
        )
    if layers.filter:
        filter_calls(calls, sockets=layers.network or layers.network_open)


def holder(
    layers: Layers, python: str, site: str, environment: Mapping[str, str], own: Sequence[str]
) -> Callable[[], None]:
    """Return what confines the process that calls it to the grounds of one task; all that it needs is loaded here."""
    calls = system_calls()
    assert calls is not None, "layers are found with these"  # noqa: S101 - our own impossibility
    grounds = task_grounds(python, site, environment, own=own, hides=layers.mounts)

    def hold() -> None:
        confine(calls, layers, grounds)

    return hold

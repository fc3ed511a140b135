"""What of a sandbox a request asks for, and gets."""

from ..server_request import Request
from .layers import NO_SANDBOX, Sandbox

__all__ = ["sandbox_of"]


def sandbox_of(request: Request) -> Sandbox:
    """Return what holds for tasks of `request`; before anything is built for what cannot be run."""
    if request.sandbox == "off":
        return NO_SANDBOX
    from .choice import choose_sandbox  # noqa: PLC0415 - most hosts ask for none

    return choose_sandbox(request.sandbox, network_open=request.network)

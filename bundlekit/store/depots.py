"""Registries and image layouts opened by their references."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from bundlekit.model.reference import LayoutReference, OciReference
from bundlekit.store.depot import Depot
from bundlekit.store.docker_credentials import docker_credentials
from bundlekit.store.http_answer import Patience
from bundlekit.store.http_transport import Transport
from bundlekit.store.image_layout import ImageLayout
from bundlekit.store.registry import Registry

__all__ = ["RegistryOptions", "open_depot"]

_HUB = "registry-1.docker.io"


class RegistryOptions(NamedTuple):
    """How registries are spoken to: `insecure` without TLS; `environ` tells where Docker's configuration is."""

    insecure: bool = False
    environ: Mapping[str, str] = os.environ
    patience: Patience = Patience()
    log: Callable[[str], None] = lambda _line: None


def open_depot(reference: OciReference | LayoutReference, options: RegistryOptions, *, create: bool = False) -> Depot:
    """Return the repository or the directory that `reference` names; `create` makes a directory that is not there.

    Raises:
        UsageError: there is no such directory, or the extra for registries is not installed.
        FileAccessError: the directory cannot be used.
    """
    if isinstance(reference, LayoutReference):
        return ImageLayout(reference.directory, create=create)
    host = _HUB if reference.host in {"docker.io", "index.docker.io"} else reference.host
    transport = Transport(
        host,
        partial(docker_credentials, reference.host, options.environ),
        insecure=options.insecure,
        patience=options.patience,
        log=options.log,
    )
    return Registry(reference, transport)

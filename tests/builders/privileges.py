"""Commands without root's right to read and write everything: containers of CI run as root, scientists do not."""

import os
from collections.abc import Sequence

__all__ = ["without_privileges"]


def without_privileges(command: Sequence[str]) -> list[str]:
    """Return `command` as one that file modes bind, whoever starts it."""
    return [*(() if os.geteuid() else ("setpriv", "--inh-caps=-all", "--bounding-set=-all")), *command]

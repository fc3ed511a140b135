"""Which declared requirements an installer gets: those that cannot turn it against the user whose settings it has.

An installer knows the user's indexes and credentials. So nothing of the bundle itself is built by it, and no address is
completed from the environment. See: DESIGN decision 4; PEP 508.
"""

import os
import re
from collections.abc import Callable, Iterator

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .redaction import redacted

__all__ = ["check_build_requirements", "installable"]

_DIRECT_REFERENCE = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@\s*")
"""The name, extras and at sign before the address of a direct reference (PEP 508)."""


def check_build_requirements(requires: tuple[str, ...]) -> None:
    """Refuse build requirements that would be built from the bundle's own files or filled in from the environment.

    Raises:
        RunnerError: E_VENV, with the requirement.
    """
    for requirement in requires:
        if _local_path(requirement) is not None:
            raise _refused(f"expected build requirements from an index, found the local path {requirement!r:.200}")
        _without_variables(requirement)


def installable(declared: tuple[str, ...], root: str, log: Callable[[str], None]) -> Iterator[str]:
    """Yield the requirements that an installer gets; wheels of the bundle's directory `root` by their whole paths.

    Raises:
        RunnerError: E_VENV for a local path that would have to be built, or a variable to be filled in.
    """
    for requirement in declared:
        path = _local_path(requirement)
        if path is None:
            yield _without_variables(requirement)
        elif path.endswith(".whl"):
            yield os.path.normpath(os.path.join(root, path))
        elif os.path.normpath(os.path.join(root, path)) == os.path.normpath(root):
            log(f"Leaving out the requirement {requirement!r}: the bundle itself is built on its own")
        else:
            raise _refused(
                f"expected requirements from an index, found the local path {requirement!r:.200}: building it would "
                "run code of the bundle with your credentials; give a wheel file or a published package"
            )


def _local_path(requirement: str) -> str | None:
    """Return the path of a requirement that names one, by itself or behind ``name @``; None for all others."""
    direct = _DIRECT_REFERENCE.match(requirement)
    target = requirement[direct.end() :] if direct else requirement.strip()
    target = target.partition(" ")[0].partition("[")[0].removeprefix("git+")
    if target.lower().startswith("file:"):
        path = target[len("file:") :]
        # file:///path and file://localhost/path are absolute, file:path is relative to the bundle.
        return "/" + path.lstrip("/").removeprefix("localhost/") if path.startswith("/") else path
    return target if target.startswith((".", "/", "~")) else None


def _without_variables(requirement: str) -> str:
    # Installers fill in `${NAME}` from the environment: an address could carry a credential of the user's away.
    if "${" in requirement:
        raise _refused(
            f"expected a requirement without variables, found {requirement!r:.200}: write out what it stands for"
        )
    return requirement


def _refused(message: str) -> RunnerError:
    return RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, redacted(message, {}), type_name="InstallError")

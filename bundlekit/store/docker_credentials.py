"""Credentials of registries as Docker keeps them: in its configuration, or with a helper program.

Nothing here is ever printed, and a secret is asked for only for the registry that wants it.

See: docker login, "Credential stores" and "Credential helper protocol".
"""

import base64
import binascii
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bundlekit.errors import FileAccessError, RegistryError

__all__ = ["Credentials", "docker_credentials"]

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_HELPER_TIMEOUT_S = 60.0
"""A helper may ask a person to unlock a keyring."""

_LONGEST_BYTES = 1 << 20
_TOKEN_USER = "<token>"  # noqa: S105 - the name that helpers give instead of a user's
_HUB = ("docker.io", "registry-1.docker.io", "index.docker.io")
_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True)
class Credentials:
    """A user and the password, or the token that a registry's token server takes instead of both."""

    user: str
    secret: str = field(repr=False)
    is_identity_token: bool = False

    @property
    def basic(self) -> str:
        """The value of an Authorization header that states both."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


def docker_credentials(host: str, environ: Mapping[str, str]) -> Credentials | None:
    """Return what Docker knows about the registry `host` (with its port), None where it knows nothing.

    The configuration is ``config.json`` in DOCKER_CONFIG, else in ``~/.docker``.

    Raises:
        FileAccessError: the configuration is there and cannot be read.
        RegistryError: a helper that it names cannot be asked.
    """
    home = Path(environ.get("HOME") or "~").expanduser()
    path = Path(environ.get("DOCKER_CONFIG") or home / ".docker", "config.json")
    config = _configuration(path)
    helpers = _table(config.get("credHelpers"))
    for key in _keys(host):
        helper = helpers.get(key) or config.get("credsStore")
        if isinstance(helper, str) and helper:
            found = _asked(helper, key, environ)
            if found is not None:
                return found
    auths = _table(config.get("auths"))
    for key in auths:
        if _host_of(key) in {_host_of(each) for each in _keys(host)}:
            found = _stated(_table(auths[key]), path)
            if found is not None:
                return found
    return None


def _configuration(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_BYTES)
        document = json.loads(data)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        # The text of a ValueError may quote a line with a secret in it.
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        message = f"Docker's configuration {path} cannot be read: {reason}"
        raise FileAccessError(message, subject=str(path)) from None
    return _table(document)


def _stated(entry: Mapping[str, object], path: Path) -> Credentials | None:
    token, auth = entry.get("identitytoken"), entry.get("auth")
    user, password = entry.get("username"), entry.get("password")
    if isinstance(auth, str) and auth:
        try:
            user, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            message = f"Docker's configuration {path} has an entry whose auth is not base64 of USER:PASSWORD"
            raise FileAccessError(message, subject=str(path), hint="`docker login` writes it anew") from None
    if isinstance(token, str) and token:
        return Credentials(user if isinstance(user, str) else "", token, is_identity_token=True)
    if isinstance(user, str) and isinstance(password, str) and user:
        return Credentials(user, password.rstrip("\0"))
    return None


def _asked(helper: str, key: str, environ: Mapping[str, str]) -> Credentials | None:
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        message = f"Docker's configuration names the credential helper {helper!r:.100}, which is no name of a program"
        raise RegistryError(message, subject=helper)
    try:
        done = subprocess.run(
            [program, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=_HELPER_TIMEOUT_S,
            check=False,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it did not answer in {_HELPER_TIMEOUT_S:.0f} s"
        message = f"the credential helper {program} cannot be asked about {key}: {reason}"
        raise RegistryError(message, subject=program) from None
    if done.returncode:
        return None
    try:
        answer = _table(json.loads(done.stdout))
    except ValueError:
        message = f"the credential helper {program} answered something that is not JSON"
        raise RegistryError(message, subject=program) from None
    user, secret = answer.get("Username"), answer.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        return None
    return Credentials("" if user == _TOKEN_USER else user, secret, is_identity_token=user == _TOKEN_USER)


def _keys(host: str) -> tuple[str, ...]:
    """Return the names under which Docker may keep the registry `host`."""
    return (_HUB_KEY, host) if host in _HUB else (host,)


def _host_of(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

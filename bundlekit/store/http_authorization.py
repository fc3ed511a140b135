"""What a registry wants to see before it answers: a password, or a token that its token server gives for one.

Only the registry's own host is ever told either. A challenge of a host that it redirected to is not answered: that is
how credentials of one registry came to the owner of another (CVE-2020-15157).

See: OCI distribution specification, "Authentication"; Docker Registry v2 token authentication; RFC 7235.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from bundlekit.errors import RegistryError
from bundlekit.store.docker_credentials import Credentials

__all__ = ["Authorization", "TokenAnswer", "TokenServer", "challenges", "is_loopback"]

_SCHEME = re.compile(r"\s*,?\s*([A-Za-z]+)(?=\s|$)\s*")
_PARAMETER = re.compile(r'\s*,?\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[?::1\]?")


class TokenAnswer(NamedTuple):
    """What a token server answered."""

    status: int
    body: bytes


class TokenServer(Protocol):
    """Asks a token server once, following nothing."""

    def __call__(self, url: str, authorization: str | None, form: str | None) -> TokenAnswer:
        """Return what `url` answers to a POST of `form`, or to a GET where there is none."""
        ...


class Authorization:
    """The Authorization header of one registry, learned from its challenges; any number of threads may ask."""

    def __init__(self, host: str, credentials: Callable[[], Credentials | None], token_server: TokenServer) -> None:
        self._host = host
        self._credentials = credentials
        self._token_server = token_server
        self._lock = threading.Lock()
        self._header: str | None = None

    @property
    def header(self) -> str | None:
        """The header that was accepted last, or None."""
        return self._header

    def answer(self, challenge: str, refused: str | None) -> bool:
        """Learn a header that may satisfy `challenge`, and return whether it is another than `refused`.

        Raises:
            RegistryError: the token server cannot be used, or the credentials not be had.
        """
        with self._lock:
            if self._header != refused:
                return True  # another thread has answered meanwhile
            asked = challenges(challenge)
            credentials = self._credentials()
            if "bearer" in asked:
                self._header = "Bearer " + self._token(asked["bearer"], credentials)
            elif "basic" in asked and credentials is not None and not credentials.is_identity_token:
                self._header = credentials.basic
            else:
                return False
            return self._header != refused

    def _token(self, challenge: Mapping[str, str], credentials: Credentials | None) -> str:
        realm = challenge.get("realm", "")
        self._check_realm(realm)
        query = {key: challenge[key] for key in ("service", "scope") if key in challenge}
        if credentials is not None and credentials.is_identity_token:
            form = {**query, "grant_type": "refresh_token", "refresh_token": credentials.secret}
            answer = self._token_server(realm, None, urlencode(form | {"client_id": "bundlekit"}))
        else:
            url = realm + ("&" if urlsplit(realm).query else "?") + urlencode(query)
            answer = self._token_server(url, None if credentials is None else credentials.basic, None)
        return _token_in(answer, self._host)

    def _check_realm(self, realm: str) -> None:
        parts = urlsplit(realm)
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.netloc))
        if not parts.hostname or not (secure or (parts.scheme == "http" and parts.netloc == self._host)):
            message = f"{self._host} names the token server {realm!r:.200}: expected an https address"
            raise RegistryError(message, subject=realm)


def challenges(header: str) -> dict[str, dict[str, str]]:
    """Return the challenges of a WWW-Authenticate header: parameters by scheme, both names in lower case."""
    found: dict[str, dict[str, str]] = {}
    place = 0
    while scheme := _SCHEME.match(header, place):
        place = scheme.end()
        parameters = found.setdefault(scheme[1].lower(), {})
        while parameter := _PARAMETER.match(header, place):
            place = parameter.end()
            quoted = parameter[2]
            parameters[parameter[1].lower()] = parameter[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return found


def is_loopback(host: str) -> bool:
    """Return whether `host`, with or without a port, is this machine by its name or address."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) and not host.endswith("::1") else host
    return _LOOPBACK.fullmatch(name.lower()) is not None


def _token_in(answer: TokenAnswer, host: str) -> str:
    # What it answered is not shown: it may be a token.
    try:
        document = json.loads(answer.body) if answer.status == 200 else None  # noqa: PLR2004 - OK
    except (ValueError, RecursionError):
        document = None
    token = None
    if isinstance(document, dict):
        token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        message = f"the token server of {host} gave no token (status {answer.status})"
        raise RegistryError(message, subject=host, hint=f"`docker login {host}`", status=answer.status)
    return token

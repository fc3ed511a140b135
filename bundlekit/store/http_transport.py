"""Requests to one registry: tried again where that may help, redirected without credentials, bounded in time.

By urllib3, which follows nothing, keeps nothing and decodes nothing here. Compared in November 2026: oras (oras-py
0.2.43, Apache-2.0, pure wheel, kept) knows the protocol, and yet does not hash what it downloads, writes it into place
before anybody has looked at it, goes on with no transfer, and contains paths by `os.path.commonprefix` (DEFECTS 32);
python-dxf 12.1 (MIT, pure wheel, kept) hashes, and knows neither ranges nor Docker's configuration. What is left of
either once all of that is done here is the HTTP library below them: urllib3 2.8 (MIT, pure wheel without dependencies,
what pip and requests stand on); not requests, which takes credentials from .netrc by itself, and not httpx, whose last
release is two years old.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from bundlekit.errors import LimitExceededError, RegistryError, UsageError
from bundlekit.store.docker_credentials import Credentials
from bundlekit.store.http_answer import ERROR_BYTES, Answer, Interrupted, Patience, reason_of
from bundlekit.store.http_authorization import Authorization, TokenAnswer, is_loopback

if TYPE_CHECKING:
    from urllib3 import PoolManager

__all__ = ["Transport", "check_installed"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNAUTHORIZED = 401
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_REDIRECTS = 5
_TOKEN_BYTES = 1 << 20
_AT_ONCE = 8


class Transport:
    """Speaks to the registry `host`, without TLS if it is this machine or `insecure` says so."""

    def __init__(
        self,
        host: str,
        credentials: Callable[[], Credentials | None],
        *,
        insecure: bool = False,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.host = host
        self._plain = insecure or is_loopback(host)
        self.origin = f"{'http' if self._plain else 'https'}://{host}"
        self.patience = patience
        self._log = log
        self._pool = _pool(host, "http" if self._plain else "https")
        self._authorization = Authorization(host, credentials, self._ask_token_server)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def ask(
        self,
        method: str,
        place: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        once: bool = False,
    ) -> Answer:
        """Return what the registry answers about `place`, a path of it or an address that it gave.

        Statuses that pass are waited out; any other is the caller's to judge. What must not be sent twice is sent
        `once`, and the caller finds out what became of it.

        Raises:
            RegistryError: it cannot be reached, or is too busy for too long.
            Interrupted: it was to be sent once, and no answer came, or one that passes.
        """
        url = urljoin(self.origin, place)
        pause_s = self.patience.first_pause_s
        for left in reversed(range(self.patience.tries)):
            try:
                answer = self._followed(method, url, dict(headers or {}), body)
                if answer.status not in _PASSING:
                    return answer
                reason, wait_s = f"status {answer.status}", _wanted_pause(answer.headers)
                answer.close()
            except Interrupted as broken:
                reason, wait_s = str(broken), None
            wait_s = pause_s * random.uniform(0.5, 1.0) if wait_s is None else wait_s  # noqa: S311 - no secret
            if not left or wait_s > self.patience.longest_pause_s:
                message = f"{self.host} cannot be used: {reason}"
                raise RegistryError(message, subject=self.host, hint="try again later")
            self._log(f"{self.host}: {reason}; trying again in {wait_s:.1f} s")
            time.sleep(wait_s)
            if once:
                raise Interrupted(reason)
            pause_s = min(pause_s * 2, self.patience.longest_pause_s)
        raise AssertionError

    def refusal(self, answer: Answer, what: str) -> RegistryError:
        """Return the error for an answer that is not what was hoped for, with what the registry says about it."""
        try:
            text = answer.body(ERROR_BYTES, "the answer").decode(errors="replace")
        except (Interrupted, LimitExceededError):
            text = ""
        said = " ".join(text.split())[:300]
        message = f"{self.host} answered {answer.status} to {what}" + (f": {said}" if said else "")
        hint = f"`docker login {self.host}`" if answer.status in {401, 403} else None
        return RegistryError(message, subject=self.host, hint=hint, status=answer.status)

    def _followed(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        for _ in range(_MOST_REDIRECTS + 1):
            self._check_scheme(url)
            answer = self._authorized(method, url, headers, body)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or method not in {"GET", "HEAD"} or not target:
                return answer
            answer.close()
            url = urljoin(url, target)
        message = f"{self.host} redirects more than {_MOST_REDIRECTS} times"
        raise RegistryError(message, subject=self.host)

    def _authorized(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """Send one request, with the credentials if it goes to the registry itself."""
        if _origin(url) != self.origin:
            return self._send(method, url, headers, body)
        for _ in range(2):
            sent = self._authorization.header
            own = headers | ({"Authorization": sent} if sent else {})
            answer = self._send(method, url, own, body)
            challenge = answer.headers.get("WWW-Authenticate")
            if answer.status != _UNAUTHORIZED or not challenge:
                return answer
            with ExitStack() as stack:
                stack.callback(answer.close)
                if not self._authorization.answer(challenge, sent):
                    stack.pop_all()
                    return answer
        return self._send(method, url, headers | {"Authorization": self._authorization.header or ""}, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        from urllib3 import Timeout  # noqa: PLC0415 - an extra
        from urllib3.exceptions import HTTPError, SSLError  # noqa: PLC0415 - an extra

        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={"User-Agent": "bundlekit", "Accept-Encoding": "identity", **headers},
                timeout=Timeout(connect=self.patience.connect_s, read=self.patience.read_s),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except SSLError as error:
            message = f"no secure connection to {urlsplit(url).netloc}: {error}"
            hint = "--insecure is for registries without TLS; certificates are those of this machine (SSL_CERT_FILE)"
            raise RegistryError(message, subject=self.host, hint=hint) from error
        except (HTTPError, OSError) as error:
            raise Interrupted(reason_of(error)) from error
        return Answer(response, self.patience)

    def _ask_token_server(self, url: str, authorization: str | None, form: str | None) -> TokenAnswer:
        headers = {"Authorization": authorization} if authorization else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if form is None else form.encode()
        with self._send("GET" if form is None else "POST", url, headers, body) as answer:
            return TokenAnswer(answer.status, answer.body(_TOKEN_BYTES, "the token server's answer"))

    def _check_scheme(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "https" or (parts.scheme == "http" and self._plain):
            return
        message = f"{self.host} leads to {parts.scheme}://{parts.netloc}, which is not secure"
        raise RegistryError(message, subject=url.partition("?")[0], hint="--insecure allows it")


def check_installed() -> None:
    """Check that registries can be spoken to at all.

    Raises:
        UsageError: the extra that does is not installed.
    """
    try:
        import urllib3  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        message = "registries need urllib3, which is not installed"
        raise UsageError(message, subject="urllib3", hint="python -m pip install 'bundlekit[oci]'") from error


def _pool(host: str, scheme: str) -> "PoolManager":
    check_installed()
    from urllib3 import PoolManager, ProxyManager  # noqa: PLC0415 - an extra

    name = host.rpartition(":")[0] or host
    proxy = None if is_loopback(host) or proxy_bypass(name) else getproxies().get(scheme)
    return ProxyManager(proxy, maxsize=_AT_ONCE) if proxy else PoolManager(maxsize=_AT_ONCE)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _wanted_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, if it does."""
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None

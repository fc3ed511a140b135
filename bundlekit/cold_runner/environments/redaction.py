"""Keeps credentials out of everything that is logged or put into an error.

Taken out are the user part of URLs (``https://user:password@host``), headers that authorize, and the values of
environment variables whose names say that they are secret. A password counts as it stands in a variable's URL, with its
escapes resolved, and as the header of a request carries it.
"""

import binascii
import re
from collections.abc import Mapping

__all__ = ["looks_secret", "redacted"]

_USER_OF_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'\"]+@")
_AUTHORIZING = re.compile(
    r"(?P<name>authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:basic|bearer|token)\s+)?[^\s'\"]+", re.IGNORECASE
)
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|CONNECTION_STRING|(?:^|_)(?:API_?|ACCESS_?|PRIVATE_?|ACCOUNT_?)?KEY(?:$|_)|(?:^|_)AUTH(?:$|_)|(?:^|_)SAS(?:$|_)",
    re.IGNORECASE,
)
_SHORTEST_SECRET = 6
"""Shorter values (``1``, ``true``, ``git``) would blot out ordinary text."""


def looks_secret(name: str) -> bool:
    """Return whether an environment variable of this name is taken to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with ``***`` in the place of every credential that `environ` or a URL gives away."""
    secrets = {value for name, value in environ.items() if looks_secret(name) and len(value) >= _SHORTEST_SECRET}
    for value in environ.values():
        secrets.update(_credentials(value))
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _AUTHORIZING.sub(r"\g<name>***", _USER_OF_URL.sub(r"\g<scheme>***@", text))


def _credentials(value: str) -> set[str]:
    if "://" not in value or "@" not in value:
        return set()
    from urllib.parse import unquote  # noqa: PLC0415 - few variables hold such an address

    found: set[str] = set()
    for match in _USER_OF_URL.finditer(value):
        user, colon, password = match[0].partition("://")[2].removesuffix("@").partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        # Without a password the user is a token, but for git@host of ssh.
        secret = password if colon else user
        found |= {secret, unquote(secret), binascii.b2a_base64(pair, newline=False).decode().rstrip("=")}
    return {each for each in found if len(each) >= _SHORTEST_SECRET}

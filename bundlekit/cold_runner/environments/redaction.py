"""Keeps credentials out of everything that is logged or put into an error.

Two things are taken out: the user part of URLs (``https://user:password@host``), and the values of environment
variables whose names say that they are secret.
"""

import re
from collections.abc import Mapping

__all__ = ["looks_secret", "redacted"]

_USER_OF_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'\"]+@")
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
        secrets.update(_passwords(value))
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _USER_OF_URL.sub(r"\g<scheme>***@", text)


def _passwords(value: str) -> set[str]:
    if "://" not in value or "@" not in value:
        return set()
    users = (match[0].partition("://")[2].removesuffix("@") for match in _USER_OF_URL.finditer(value))
    return {password for user in users if len(password := user.partition(":")[2]) >= _SHORTEST_SECRET}

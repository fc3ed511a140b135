"""Looks for credentials in the files that would ship: by their names, and by what a kept library knows of tokens.

detect-secrets (an extra) decides; it is imported only where a file holds one of the texts that all its tokens of a kind
have, since most bundles have none. Of its detectors, those that go by entropy or by words such as "password" are left
out: hashes, sequences and fixtures are what scientific bundles are made of. Nothing is asked of any network.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from bundlekit.model.project import Member, SourceFile
from bundlekit.model.secret import Secret
from bundlekit.read.document import open_without_waiting, place_of

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

__all__ = ["MAX_SEARCHED", "MAX_SEARCHED_FILE", "find_secrets"]

MAX_SEARCHED_FILE = 256 << 10
"""Bytes of a file that is searched: credentials stand in small files, and data in large ones."""

MAX_SEARCHED = 16 << 20
"""Bytes that are searched in all, the smallest files first: less than a fifth of a second."""

_NAMES: Mapping[str, str] = {
    ".env": "variables that are kept out of the code",
    ".netrc": "passwords of hosts",
    "_netrc": "passwords of hosts",
    ".pgpass": "passwords of databases",
    ".htpasswd": "passwords",
    ".pypirc": "the token of a package index",
    ".git-credentials": "passwords of git hosts",
    ".dockercfg": "passwords of registries",
    ".boto": "cloud credentials",
    ".s3cfg": "cloud credentials",
    ".cdsapirc": "the key of a data service",
    "rclone.conf": "cloud credentials",
    "kaggle.json": "the key of a data service",
    "application_default_credentials.json": "cloud credentials",
    "msal_token_cache.json": "cloud credentials",
    "id_rsa": "a private key",
    "id_dsa": "a private key",
    "id_ecdsa": "a private key",
    "id_ed25519": "a private key",
    "*.ppk": "a private key",
    "*.kdbx": "passwords",
}
_PATHS: Mapping[str, str] = {
    ".aws/credentials": "cloud credentials",
    ".azure/accessTokens.json": "cloud credentials",
    ".docker/config.json": "passwords of registries",
    ".kube/config": "the credentials of a cluster",
}
_ENV = re.compile(r"\.env\.(?!example$|sample$|template$|dist$)[^.]+")
_PATTERNS = tuple(name for name in _NAMES if "*" in name)

_ANCHORS = re.compile(
    rb"PRIVATE KEY|PuTTY-User-Key|A(?:ccountKey=|KIA|SIA)|[aA][wW][sS]_[sS][eE]|gh[pousr]_|glpat-|eyJ|_authToken="
    rb"|T3BlbkFJ|pypi-Ag|SG\.|xox[abopsr]-|hooks\.slack|sq0csp-|k_live_"
)
"""What a text must hold for any of the detectors below to find something in it."""

_DETECTORS: Sequence[tuple[str, str, str]] = (
    ("aws", "AWSKeyDetector", "a key of Amazon's cloud"),
    ("azure_storage_key", "AzureStorageKeyDetector", "a key of Azure's storage"),
    ("github_token", "GitHubTokenDetector", "a token of GitHub"),
    ("gitlab_token", "GitLabTokenDetector", "a token of GitLab"),
    ("jwt", "JwtTokenDetector", "a signed token (JWT)"),
    ("npm", "NpmDetector", "a token of npm"),
    ("openai", "OpenAIDetector", "a key of OpenAI"),
    ("private_key", "PrivateKeyDetector", "a private key"),
    ("pypi_token", "PypiTokenDetector", "a token of a package index"),
    ("sendgrid", "SendGridDetector", "a key of SendGrid"),
    ("slack", "SlackDetector", "a token of Slack"),
    ("square_oauth", "SquareOAuthDetector", "a key of Square"),
    ("stripe", "StripeDetector", "a key of Stripe"),
)
_KEY_BODY = re.compile(rb"[A-Za-z0-9+/]{40}")
_KEY_HEAD = 400
"""Bytes within which the body of a private key begins: an encrypted one has a few lines of its own before."""

_BEFORE, _AFTER = 200, 2000
_MOST_PLACES = 100
"""At worst, a detector's expression takes hundredths of a second for such a piece of a line made to that end."""

_WORD = re.compile(r"[A-Za-z0-9+/_-]")
_AMAZON_ID = 20


def find_secrets(
    root: Path, members: Iterable[Member], allowed: Sequence[str], sources: Mapping[str, SourceFile]
) -> tuple[Secret, ...]:
    """Return what of the `members` of the directory `root` looks like credentials, the first find of each file.

    `allowed` are gitignore patterns of files that are not looked at; `sources` are contents that were read already.
    """
    is_allowed = _matcher(allowed)
    found: list[Secret] = []
    searched = 0
    detect: Callable[[str, bytes], Secret | None] | None = None
    for member in sorted(members, key=lambda member: member.size):
        if not member.size or is_allowed(member.path):
            continue
        named = _named(member.path)
        if named is not None:
            found.append(Secret(member.path, named, None))
            continue
        searched += member.size
        if member.size > MAX_SEARCHED_FILE or searched > MAX_SEARCHED:
            continue
        data = sources[member.path].data if member.path in sources else _content(root, member)
        # What holds zeros is no text, and searching noise takes twice as long.
        if b"\0" not in data and _ANCHORS.search(data):
            detect = detect or _detector()
            secret = detect(member.path, data)
            found += [] if secret is None else [secret]
    return tuple(sorted(found))


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    if not patterns:
        return lambda _path: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most bundles have no patterns of their own

    return GitIgnoreSpec.from_lines(patterns).match_file


def _named(path: str) -> str | None:
    """Return what a file of this name holds, by the programs that write it."""
    name = path.rpartition("/")[2]
    if name in _NAMES:
        return _NAMES[name]
    if _ENV.fullmatch(name):
        return _NAMES[".env"]
    pattern = next((pattern for pattern in _PATTERNS if fnmatchcase(name, pattern)), None)
    if pattern is not None:
        return _NAMES[pattern]
    return next((what for end, what in _PATHS.items() if f"/{path}".endswith(f"/{end}")), None)


def _content(root: Path, member: Member) -> bytes:
    """Return a file's content; whatever makes it unreadable is told by those who must read it."""
    try:
        with open(place_of(root, member.path), "rb", buffering=0, opener=open_without_waiting) as file:
            return file.read(MAX_SEARCHED_FILE)
    except OSError:
        return b""


def _detector() -> Callable[[str, bytes], Secret | None]:
    """Return what tells a secret from a text like one, or, without the library, only that it cannot be told."""
    try:
        detectors = tuple(_detectors())
    except ImportError:
        return _untold
    return _Search(detectors).first


def _detectors() -> Iterator[tuple["BasePlugin", str]]:
    from importlib import import_module  # noqa: PLC0415 - most bundles hold nothing that is like a secret

    for module, name, what in _DETECTORS:
        yield getattr(import_module(f"detect_secrets.plugins.{module}"), name)(), what


def _untold(path: str, data: bytes) -> Secret | None:
    anchor = _ANCHORS.search(data)
    return anchor and Secret(
        path, f"the text {anchor[0].decode()!r}", data.count(b"\n", 0, anchor.start()) + 1, is_certain=False
    )


class _Search:
    """Asks the detectors about the places that may hold a token, of all files together so many."""

    def __init__(self, detectors: Sequence[tuple["BasePlugin", str]]) -> None:
        self._detectors = detectors
        self._left = _MOST_PLACES

    def first(self, path: str, data: bytes) -> Secret | None:
        """Return the first token of a file."""
        for start, end in _places(data):
            if not self._left:
                return None
            self._left -= 1
            text = data[start:end].decode("utf-8", "replace")
            for detector, what in self._detectors:
                for secret in detector.analyze_string(text):
                    if _is_credible(secret, text, data[start : end + _KEY_HEAD]):
                        return Secret(path, what, data.count(b"\n", 0, start) + 1)
        return None


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where what is looked at begins and ends: of the line around an anchor, as much as a token takes."""
    seen = 0
    for anchor in _ANCHORS.finditer(data):
        at = anchor.start()
        if at < seen:
            continue
        line = data.rfind(b"\n", max(at - _BEFORE, 0), at) + 1
        end = data.find(b"\n", at, at + _AFTER)
        end = end if end >= 0 else min(at + _AFTER, len(data))
        seen = min(at + _AFTER // 2, end)
        yield line or max(at - _BEFORE, 0), end


def _is_credible(secret: str, line: str, after: bytes) -> bool:
    """Whether what a detector found can be what it takes it for.

    The header of a key without its body is code that looks for keys; an identifier of Amazon's holds digits and stands
    by itself, while sequences of bases and amino acids hold every four letters; its manual's own are no secrets.
    """
    place = line.find(secret)
    if "PRIVATE KEY" in secret or "PuTTY" in secret:
        return _KEY_BODY.search(after[place + len(secret) :][:_KEY_HEAD]) is not None
    if secret.endswith(("EXAMPLE", "EXAMPLEKEY")):
        return False
    if len(secret) == _AMAZON_ID and secret.isupper():
        around = line[max(place - 1, 0) : place] + line[place + len(secret) :][:1]
        return not _WORD.search(around) and any(each.isdigit() for each in secret)
    return True

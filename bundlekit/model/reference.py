"""References to bundles: a path, a digest of the store, a tag of a registry, an image layout on disk. Pure.

See: OCI distribution specification 1.1, "Pulling manifests" (names and tags); OCI image layout.
"""

import re
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import UsageError
from bundlekit.model.digest import Digest

__all__ = [
    "DEFAULT_TAG",
    "LayoutReference",
    "OciReference",
    "PathReference",
    "Reference",
    "StoredReference",
    "parse_oci_reference",
    "parse_reference",
]

OCI_SCHEME = "oci://"
LAYOUT_SCHEME = "oci-layout:"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?", re.ASCII)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_LONGEST_NAME = 255
DEFAULT_TAG = "latest"
_EXPECTED = "expected oci://HOST/REPOSITORY[:TAG][@sha256:DIGEST]"


class PathReference(NamedTuple):
    """A bundle's directory or archive."""

    path: Path


class StoredReference(NamedTuple):
    """A bundle by its digest."""

    digest: Digest


class LayoutReference(NamedTuple):
    """An OCI image layout on disk, and which of its manifests; with neither tag nor digest, its only one."""

    directory: Path
    tag: str | None = None
    digest: Digest | None = None

    @property
    def wanted(self) -> str:
        """What to ask the layout for: the digest where there is one, else the tag, else nothing: its only one."""
        return self.digest or self.tag or ""

    def __str__(self) -> str:
        """Return the reference as it is written on a command line."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{LAYOUT_SCHEME}{self.directory}{tag}{f'@{self.digest}' if self.digest else ''}"


class OciReference(NamedTuple):
    """A manifest in a registry; `digest` is that of the OCI manifest, and wins over `tag`."""

    host: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """The repository with its host, as other tools write it."""
        return f"{self.host}/{self.repository}"

    @property
    def wanted(self) -> str:
        """What to ask the registry for: the digest where there is one, else the tag, else ``latest``."""
        return self.digest or self.tag or DEFAULT_TAG

    def __str__(self) -> str:
        """Return the reference as it is written on a command line."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{OCI_SCHEME}{self.name}{tag}{f'@{self.digest}' if self.digest else ''}"


Reference = PathReference | StoredReference | LayoutReference | OciReference


def parse_reference(text: str) -> Reference:
    """Return what `text` refers to; whatever has none of the other forms is a path.

    Raises:
        UsageError: it starts like a digest, a registry or a layout, and is none.
    """
    if text.startswith(OCI_SCHEME):
        return parse_oci_reference(text)
    if text.startswith(LAYOUT_SCHEME):
        return _layout(text)
    if text.startswith("sha256:"):
        return StoredReference(_digest(text, text))
    if not text:
        message = "an empty text refers to no bundle"
        raise UsageError(message, subject=text)
    return PathReference(Path(text))


def parse_oci_reference(text: str) -> OciReference:
    """Return the registry reference `text`.

    Raises:
        UsageError: it is none: the message says which part is wrong.
    """
    rest, at, digest = text.removeprefix(OCI_SCHEME).partition("@")
    if at and not digest.startswith("sha256:"):
        # What stands there may be a password, so it is not shown.
        message = f"in a registry's reference, what follows an @ is sha256: and a digest, never a user; {_EXPECTED}"
        raise UsageError(message, hint="`docker login` keeps passwords")
    host, slash, name = rest.partition("/")
    repository, colon, tag = name.partition(":")
    if not _HOST.fullmatch(host):
        raise _refused(text, f"{host!r:.100} is no host")
    if not slash or not _REPOSITORY.fullmatch(repository) or len(host + repository) > _LONGEST_NAME:
        raise _refused(text, f"{repository!r:.100} is no repository: lower-case words with / . _ - between them")
    if colon and not _TAG.fullmatch(tag):
        raise _refused(text, f"{tag!r:.100} is no tag: up to 128 letters, digits, dots, dashes and underscores")
    return OciReference(host, repository, tag or None, _digest(digest, text) if at else None)


def _layout(text: str) -> LayoutReference:
    rest, at, digest = text.removeprefix(LAYOUT_SCHEME).partition("@")
    directory, colon, tag = rest.rpartition(":")
    if not colon or not _TAG.fullmatch(tag):
        directory, tag = rest, ""
    if not directory:
        message = f"{text!r:.200}: expected oci-layout:DIRECTORY[:TAG][@sha256:DIGEST]"
        raise UsageError(message, subject=text)
    return LayoutReference(Path(directory), tag or None, _digest(digest, text) if at else None)


def _digest(digits: str, text: str) -> Digest:
    try:
        return Digest.parse(digits)
    except ValueError as error:
        message = f"{text!r:.200}: {error}"
        raise UsageError(message, subject=text) from error


def _refused(text: str, reason: str) -> UsageError:
    return UsageError(f"{text!r:.300}: {reason}; {_EXPECTED}", subject=text)

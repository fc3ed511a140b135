"""A requirement as written, taken apart as far as rules need it: lexically, so that plain ones cost no parser."""

import re
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import normalised_name, requirement_name

__all__ = ["RequirementText", "name_of_source", "taken_apart", "without_hashes"]

_NAME = re.compile(r"\s*[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_HASHES = re.compile(r"\s--hash[= ]\S+")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)", re.ASCII)
_VERSION_OF_ARCHIVE = re.compile(r"-\d.*")
_DIRECT = re.compile(r"(?:git|hg|svn|bzr)\+|[a-z]+://|\.{0,2}/|[A-Za-z]:\\")


class RequirementText(NamedTuple):
    """The parts of a requirement: its normal name (None for a bare path or URL), version clauses, marker and URL.

    `extras` are the normal names of those that it asks for.
    """

    name: str | None
    specifier: str
    marker: str
    url: str
    extras: frozenset[str] = frozenset()

    @property
    def is_exact(self) -> bool:
        """Whether it admits one version only, or says where from."""
        return bool(self.url) or bool(re.fullmatch(r"={2,3}[^,*]+", self.specifier))


def taken_apart(requirement: str) -> RequirementText:
    """Return the parts of `requirement`, which need not be a valid one."""
    text = without_hashes(requirement)
    if _DIRECT.match(text):
        url, _, marker = text.partition(" ;")
        return RequirementText(None, "", marker.strip(), url.strip())
    match = _NAME.match(text)
    rest = text[match.end() :].strip() if match else text
    extras: frozenset[str] = frozenset()
    if rest.startswith("["):
        inside, _, rest = rest.removeprefix("[").partition("]")
        extras = frozenset(normalised_name(extra.strip()) for extra in inside.split(",") if extra.strip())
        rest = rest.strip()
    name = requirement_name(text)
    if rest.startswith("@"):
        url, _, marker = rest[1:].partition(" ;")
        return RequirementText(name, "", marker.strip(), url.strip(), extras)
    specifier, _, marker = rest.partition(";")
    specifier = re.sub(r"\s+", "", specifier).removeprefix("(").removesuffix(")")
    return RequirementText(name, specifier, marker.strip(), "", extras)


def without_hashes(requirement: str) -> str:
    """Return the requirement without the ``--hash`` options that requirements.txt allows behind it."""
    return _HASHES.sub("", requirement).strip()


def name_of_source(url: str) -> str | None:
    """Return the normal name of what a bare path or URL most likely installs, None where it gives no hint.

    That is what ``#egg=`` says, else the last part of the path: a file's name without its version, or a repository's.
    """
    egg = _EGG.search(url)
    if egg is not None:
        return normalised_name(egg[1])
    address = url.partition("#")[0]
    path = address.partition("://")[2].partition("/")[2] if "://" in address else address
    # A branch behind the @ may have slashes of its own.
    last = path.partition("@")[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
    name = _VERSION_OF_ARCHIVE.sub("", last)
    return normalised_name(name) if _NAME.fullmatch(name) else None

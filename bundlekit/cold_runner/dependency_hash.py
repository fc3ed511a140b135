"""The lexical dependency hash: the same text asked for gives the same hash, with nothing resolved and nothing judged.

Pure functions of texts, shared by the runner and the host. Names are compared by PEP 503; comments, white space, order
and line ends do not count. Whether a requirement is valid is judged by the checker, which has `packaging`.
See: DESIGN decision 3; PEP 508; PEP 751 (pylock.toml).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "LOCK_NAMES",
    "choose_lock",
    "dependency_hash",
    "normalised_name",
    "normalised_requirement",
    "parse_index_options",
    "parse_requirements",
    "requirement_name",
]

LOCK_NAMES: tuple[str, ...] = ("pylock.toml", "uv.lock", "requirements.txt")
"""Where a lock is looked for at the root, best first; requirements.txt is one if every line in it has a hash."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH_OPTION = re.compile(r"\s--hash[= ](\S+)")
_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]*(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]*(\S.*)")
_INDEX_OPTIONS = (
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--no-index",
    "--pre",
    "--trusted-host",
)


def dependency_hash(*, lock: tuple[str, bytes] | None, declared: Sequence[str], requires_python: str | None) -> str:
    """Return ``sha256:`` and the hash of what an environment is asked to hold.

    `lock` is the name and content of the lock that :func:`choose_lock` found; with one, `declared` does not count.
    """
    import json  # noqa: PLC0415 - the checker wants the names and requirements of this module at each start, not the hash

    wanted: dict[str, object] = {"requires_python": _normalised_specifier(requires_python or "")}
    if lock is None:
        wanted["declared"] = sorted({normalised_requirement(requirement) for requirement in declared})
    else:
        wanted["lock"] = [lock[0].rpartition("/")[2], _lock_content(*lock)]
    canonical = json.dumps(wanted, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()


def choose_lock(files: Mapping[str, bytes]) -> tuple[str, bytes] | None:
    """Return the name and content of the lock among `files` (by their paths from the root), or None."""
    for name in LOCK_NAMES:
        data = files.get(name)
        if data is None:
            continue
        if name != "requirements.txt":
            return name, data
        requirements = parse_requirements(data.decode("utf-8-sig", "surrogateescape"))
        if requirements and all(_HASH_OPTION.search(requirement) for requirement in requirements):
            return name, data
    return None


def parse_requirements(text: str, include: Callable[[str], str | None] | None = None) -> list[str]:
    """Return the requirements of a requirements file, in order, without comments, continuations and options.

    ``--hash`` stays with its requirement, ``-e path`` gives the path. ``-r other`` is followed through `include`, which
    returns that file's text or None; each file is read once, so a loop ends.
    """
    requirements: list[str] = []
    seen: set[str] = set()
    pending = _logical_lines(text)
    while pending:
        line = pending.pop(0)
        included, editable = _INCLUDE.fullmatch(line), _EDITABLE.fullmatch(line)
        if included and include is not None and included[1] not in seen:
            seen.add(included[1])
            pending[:0] = _logical_lines(include(included[1]) or "")
        elif editable:
            requirements.append(editable[1].strip())
        elif not line.startswith("-"):
            requirements.append(line)
    return requirements


def parse_index_options(text: str) -> list[str]:
    """Return the option lines of a requirements file that say where packages come from, in order."""
    return [line for line in _logical_lines(text) if re.split(r"[\s=]", line, maxsplit=1)[0] in _INDEX_OPTIONS]


def normalised_name(name: str) -> str:
    """Return `name` in the normal form of PEP 503."""
    return _SEPARATORS.sub("-", name).lower()


def requirement_name(requirement: str) -> str | None:
    """Return the normal form of the name that `requirement` begins with, or None for paths and URLs."""
    match = _NAME.match(requirement)
    if match is None or requirement[match.end() :].lstrip()[:1] in {":", "/", "\\"}:
        return None
    return normalised_name(match[0])


def normalised_requirement(requirement: str) -> str:
    """Return `requirement` so that two spellings of the same text are equal; what is not PEP 508 only loses spaces."""
    hashes = sorted(_HASH_OPTION.findall(requirement))
    text = " ".join(_HASH_OPTION.sub("", requirement).split())
    match = _NAME.match(text)
    if match is None or text[match.end() :].lstrip()[:1] in {":", "/", "\\"}:
        return " ".join([text, *hashes])
    rest = text[match.end() :].strip()
    extras = ""
    if rest.startswith("[") and "]" in rest:
        inside, _, rest = rest[1:].partition("]")
        extras = ",".join(sorted({normalised_name(extra.strip()) for extra in inside.split(",") if extra.strip()}))
    rest = rest.strip()
    if rest.startswith("@"):
        url, _, marker = rest[1:].strip().partition(" ;")
        wanted = "@" + url.strip()
    else:
        versions, _, marker = rest.partition(";")
        wanted = _normalised_specifier(versions.strip().removeprefix("(").removesuffix(")"))
    marker = re.sub(r"\s*([<>=!~]=?|[()])\s*", r"\1", marker.replace("'", '"')).strip()
    return " ".join([f"{normalised_name(match[0])}[{extras}]{wanted};{marker}", *hashes])


def _normalised_specifier(specifier: str) -> str:
    return ",".join(sorted({re.sub(r"\s+", "", clause) for clause in specifier.split(",") if clause.strip()}))


def _lock_content(name: str, data: bytes) -> str:
    if name.endswith(".txt"):
        requirements = parse_requirements(data.decode("utf-8-sig", "surrogateescape"))
        lines = sorted({normalised_requirement(requirement) for requirement in requirements})
    else:
        text = data.decode("utf-8-sig", "surrogateescape")
        lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _logical_lines(text: str) -> list[str]:
    joined = re.sub(r"\\\r?\n", " ", text.removeprefix("\ufeff"))
    lines = (_COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]

"""BK130 to BK132: the digests that registry.yaml states, against the files that ship (CONTRACT section 5)."""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, finding
from bundlekit.check.rules.registered import registered_example
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Text
from bundlekit.model.registry import RegisteredModel, RegisteredTarget, Registry, StatedDigest

__all__ = ["DIGEST_RULES"]

Entry = RegisteredModel | RegisteredTarget
_AGAIN = "register it again (`mops bundle register-model`, `register-target`) when the change is meant"


def _stale(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    for entry in registry.entries:
        yield from _stale_whole(registry, entry)
        for stated, listed in _file_digests(entry):
            path = posixpath.normpath(stated.path)
            digest, actual = _parsed(stated.value), registry.actual.get(path)
            what = f"the digest of {stated.path!r:.200} in the {entry.kind} {entry.id!r:.60} "
            if path not in {posixpath.normpath(text.value) for text in listed}:
                message = f"{what}is left over: the entry does not name that file any more"
                yield finding("BK130", Severity.WARNING, message, stated.place, hint=_AGAIN, entity=stated.path)
            elif digest is not None and actual is not None and actual != digest:
                message = f"{what}is stale: it is {digest.short}..., the file has {actual.short}..."
                yield finding("BK130", Severity.WARNING, message, stated.place, hint=_AGAIN, entity=stated.path)
    if registry.uncompared:
        message = f"digests of large or unreadable files were not compared: {', '.join(sorted(registry.uncompared))}"
        yield finding("BK130", Severity.INFO, f"{message:.300}", None, hint="`mops bundle status` compares them")


def _stale_whole(registry: Registry, entry: Entry) -> Iterator[Finding]:
    """Compare the digest of an entry with that of its own file, and with the one over all of its files."""
    digest = _parsed(entry.digest.value) if entry.digest else None
    if digest is None or entry.digest is None or entry.path is None:
        return
    own = registry.actual.get(posixpath.normpath(entry.path.value))
    if own is None or digest in {own, *_merkle(registry, entry.files)}:
        return
    message = (
        f"the {entry.kind}_digest of {entry.id!r:.60} is stale: it is {digest.short}..., {entry.path.value} has"
        f" {own.short}..."
    )
    yield finding("BK130", Severity.WARNING, message, entry.digest.place, hint=_AGAIN, entity=entry.id)


def _merkle(registry: Registry, files: Iterable[Text]) -> Iterator[Digest]:
    """Yield the digest over all files in both spellings of their digests; none where a file is not known."""
    pairs = {text.value: registry.actual.get(posixpath.normpath(text.value)) for text in files}
    known = {path: digest for path, digest in pairs.items() if digest is not None}
    if len(known) == len(pairs):
        for spelt in (str, lambda digest: digest.hex):
            lines = (f"{path}\0{spelt(digest)}\n" for path, digest in sorted(known.items()))
            yield Digest.from_hex(hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest())


def _missing(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    for entry in registry.entries:
        stated = {posixpath.normpath(digest.path) for digest, _ in _file_digests(entry)}
        lists = (*entry.data, *entry.code) if isinstance(entry, RegisteredModel) else ()
        without = [text.value for text in lists if posixpath.normpath(text.value) not in stated]
        if entry.path is not None and entry.digest is None:
            without.insert(0, entry.path.value)
        if without:
            message = f"the {entry.kind} {entry.id!r:.60} has no digest of {', '.join(without):.200}"
            hint = "without one, nobody is told when the file changes; registering it again writes all digests"
            yield finding("BK131", Severity.INFO, message, entry.place, hint=hint, entity=entry.id)


def _malformed(evidence: Evidence) -> Iterable[Finding]:
    registry = evidence.project.registry or Registry()
    for entry in registry.entries:
        whole = [(entry.digest.value, entry.digest.place, entry.id)] if entry.digest else []
        parts = [(stated.value, stated.place, stated.path) for stated, _ in _file_digests(entry)]
        for value, place, entity in (*whole, *parts):
            if _parsed(value) is None:
                message = f"{value!r:.100} is no digest: expected 'sha256:' and 64 lower-case hex digits"
                near = f"sha256:{value.strip().lower().removeprefix('sha256:')}"
                hint = f"write {near}" if _parsed(near) else "register the entry again, which writes all digests"
                yield finding("BK132", Severity.ERROR, message, place, hint=hint, entity=entity)


def _file_digests(entry: Entry) -> Iterator[tuple[StatedDigest, tuple[Text, ...]]]:
    """Yield each digest of a single file with the list of files that it belongs to."""
    if isinstance(entry, RegisteredModel):
        for stated in entry.data_digests:
            yield stated, entry.data
        for stated in entry.code_digests:
            yield stated, entry.code


def _parsed(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except ValueError:
        return None


_SIR = "class Sir:\n    pass\n"


def _with_digest(digest: str) -> dict[str, str]:
    return registered_example(source=_SIR, after=f"    model_digest: {digest}\n")


_GOOD = _with_digest("sha256:2a3652b06a60238ba34361d75ae85440ffcfd140f5c236d4423548faba600ef1")

DIGEST_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK130",
        "A digest in the registry is stale",
        "The file has changed since it was registered: results of the old one and the new one would be mixed up.",
        Severity.WARNING,
        _stale,
        good=_GOOD,
        bad=_with_digest("sha256:" + "0" * 64),
    ),
    StaticRule(
        "BK131",
        "A registered file has no digest",
        "Nobody is told when the file changes, and results of both versions count as the same.",
        Severity.INFO,
        _missing,
        good=_GOOD,
        bad=registered_example(),
    ),
    StaticRule(
        "BK132",
        "A digest in the registry is malformed",
        "A digest is 'sha256:' and 64 lower-case hex digits; no file can ever have another one.",
        Severity.ERROR,
        _malformed,
        good=_GOOD,
        bad=_with_digest("abc123"),
    ),
)

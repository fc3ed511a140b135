"""BK321 and BK322: sources that people read otherwise than Python does. Their characters are shown as escapes."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import SourceFile

__all__ = ["DECEPTIVE_RULES"]


def _beyond_ascii(evidence: Evidence) -> tuple[SourceFile, ...]:
    return tuple(source for source in evidence.project.sources.values() if not source.data.isascii())


def _reordered(evidence: Evidence) -> Iterable[Finding]:
    sources = _beyond_ascii(evidence)
    if not sources:
        return
    import unicodedata  # noqa: PLC0415 - few bundles have such a source

    from bundlekit.check.deceptive_text import controls  # noqa: PLC0415 - as above

    for path, data in sources:
        for found in controls(data):
            name = f"U+{ord(found.character):04X} {unicodedata.name(found.character)}"
            message = (
                f"this line has the control character {name}, so editors show it in another order than Python reads it"
            )
            hint = "delete it, or write it as an escape in a string"
            yield finding("BK321", Severity.WARNING, message, Place(path, found.line, found.column), hint=hint)


def _lookalikes(evidence: Evidence) -> Iterable[Finding]:
    sources = _beyond_ascii(evidence)
    if not sources:
        return
    from bundlekit.check.deceptive_text import has_unread_names, lookalikes  # noqa: PLC0415 - as above

    for path, data in sources:
        if has_unread_names(data):
            message = f"{path} has {len(data):,} bytes, so its names were not searched for lookalikes"
            hint = "if it holds data, ship it as a data file"
            yield finding("BK322", Severity.INFO, message, Place(path), hint=hint)
        for found in lookalikes(data):
            if found.is_read_so:
                message = f"the name {found.written!a:.80} is read by Python as {found.taken_for!r:.80}"
            else:
                message = f"the name {found.written!a:.80} looks like {found.taken_for!r:.80}, and is another name"
            place, hint = Place(path, found.line, found.column), f"write it as {found.taken_for!r:.80}"
            yield finding("BK322", Severity.WARNING, message, place, hint=hint)


DECEPTIVE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK321",
        "A source has characters that change the order in which it is shown",
        "Bidirectional controls make code look like a comment or the other way round (CVE-2021-42574).",
        Severity.WARNING,
        _reordered,
        good=bundle({"model/names.py": 'SHALOM = "\u05e9\u05dc\u05d5\u05dd"\n'}),
        bad=bundle({"model/names.py": 'ACCESS = "user\u202e \u2066# admins only\u2069 \u2066"\n'}),
    ),
    StaticRule(
        "BK322",
        "A name is not what it looks like",
        "A letter of another alphabet that looks Latin makes a second name; a ligature makes the same name twice.",
        Severity.WARNING,
        _lookalikes,
        good=bundle({"model/names.py": "\u03b2 = 0.3\n\u0394t = 1\ngr\u00f6\u00dfe = 2\n"}),
        bad=bundle({"model/names.py": "p\u0430rams = {}\n"}),
    ),
)

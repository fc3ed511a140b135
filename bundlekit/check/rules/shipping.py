"""BK207 and BK208: what should not ship although it could: very much of it, and credentials."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place

__all__ = ["SHIPPING_RULES"]

_SHOWN = 5


def _large(evidence: Evidence) -> Iterable[Finding]:
    members = evidence.project.members
    total = sum(member.size for member in members)
    if total <= evidence.project.settings.large_bundle_bytes:
        return
    largest = sorted(members, key=lambda member: -member.size)[:_SHOWN]
    shown = ", ".join(f"{member.path!r:.200} ({member.size:,})" for member in largest)
    message = f"{total:,} bytes would ship to every worker; the largest files are {shown}"
    hint = "leave out with .modelopsignore what no task reads, or set large-bundle-bytes in [tool.bundlekit]"
    yield finding("BK207", Severity.WARNING, message, Place(largest[0].path), hint=hint)


def _secrets(evidence: Evidence) -> Iterable[Finding]:
    for secret in evidence.project.secrets:
        place = Place(secret.path, secret.line, 1) if secret.line else Place(secret.path)
        if secret.is_certain:
            why = "holds" if secret.line else "has the name of a file with"
            message = f"{secret.path!r:.200} would ship to every worker, and {why} {secret.what}"
            hint = "leave it out with .modelopsignore and have it changed where it is valid; or, where it is no secret,"
            hint += f" allow it: allow-secrets = [{secret.path!r:.200}] in [tool.bundlekit]"
            yield finding("BK208", Severity.ERROR, message, place, hint=hint, entity=secret.path)
        else:
            message = f"{secret.path!r:.200} holds {secret.what}, with which secrets begin; nothing here can tell"
            hint = "install bundlekit[secrets], which brings the library that can"
            yield finding("BK208", Severity.WARNING, message, place, hint=hint, entity=secret.path)


_KEY = f"-----BEGIN PRIVATE KEY-----\n{'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC' * 2}\n-----END PRIVATE KEY-----\n"

_LARGE = bundle()["pyproject.toml"] + "\n[tool.bundlekit]\nlarge-bundle-bytes = 100\n"

SHIPPING_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK207",
        "The bundle is large",
        "Every worker fetches it and keeps a copy: a gigabyte is ten seconds before the first task, on a good network.",
        Severity.WARNING,
        _large,
        good=bundle({"observed.csv": "t,x\n" * 30}),
        bad=bundle({"observed.csv": "t,x\n" * 30, "pyproject.toml": _LARGE}),
    ),
    StaticRule(
        "BK208",
        "A file that would ship holds credentials",
        "A bundle is copied to workers, caches and registries, where others read it and nothing is ever taken back.",
        Severity.ERROR,
        _secrets,
        good=bundle({"deploy.txt": "the key is in the vault\n"}),
        bad=bundle({"deploy.pem": _KEY}),
    ),
)

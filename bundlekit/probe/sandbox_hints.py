"""What to say of a failure that the sandbox may have brought about: it holds more tightly than a worker does."""

import re

from bundlekit.model.outcome import Failure, Prepared
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.rule_type import last_lines

__all__ = ["failure_hint"]

_NO_NETWORK = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|Connection refused"
)
_NO_FILE = re.compile(
    r"Permission denied|Read-only file system|Operation not permitted|No such file or directory: b?['\"]/"
)


def failure_hint(failure: Failure, evidence: Evidence) -> str | None:
    """Return what the child last said, after what the sandbox may have to do with it."""
    said = last_lines(failure.stderr_tail)
    return ": ".join(text for text in (_sandbox_hint(failure, evidence.prepared), said) if text) or None


def _sandbox_hint(failure: Failure, prepared: Prepared | Failure | None) -> str | None:
    if not isinstance(prepared, Prepared):
        return None
    # A library may have wrapped what the system said in an exception of its own.
    text = f"{failure.message}\n{failure.stderr_tail}"
    if prepared.network != "open" and _NO_NETWORK.search(text):
        return "there is no network while a bundle is validated, unless [tool.bundlekit] sets network = true"
    if "landlock" in prepared.sandbox and _NO_FILE.search(text):
        return (
            "the sandbox of validation shows no files but the bundle's, its environment's and the system's, "
            "and lets a task write in its own directories only; ship what is missing, or see --sandbox off"
        )
    return None

"""An identity of findings that survives edits elsewhere in a file: for baselines and for services that track alerts."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from bundlekit.model.finding import Finding

__all__ = ["fingerprints"]

_LINE_NUMBER = re.compile(r"\b(lines?|column) \d+", re.ASCII)


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """Return one fingerprint for each finding, in order: 64 lower-case hex digits.

    Code, path, entity and message count, but for the numbers of lines in it; where all of these are equal, the findings
    are numbered in the order in which they come.
    """
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        message = _LINE_NUMBER.sub(r"\1", finding.message)
        identity = "\0".join([finding.code, finding.path or "", finding.entity or "", message])
        found.append(hashlib.sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "backslashreplace")).hexdigest())
        seen[identity] += 1
    return found

"""Which findings count: selecting and ignoring by code prefix."""

from collections.abc import Iterable, Sequence

from bundlekit.model.finding import Finding

__all__ = ["selected"]


def selected(findings: Iterable[Finding], select: Sequence[str], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """Return the findings whose code starts with a prefix of `select` (all when empty) and none of `ignore`.

    The longest matching prefix wins, so `--select BK3 --ignore BK` keeps the family BK3xx; on a tie, ignoring wins.
    """
    return tuple(
        finding for finding in findings if _longest(finding.code, select or ("",)) > _longest(finding.code, ignore)
    )


def _longest(code: str, prefixes: Sequence[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)

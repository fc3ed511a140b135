"""The policy of one bundle: command line, settings, comments in its files and its baseline, put together."""

from collections.abc import Collection, Iterable, Sequence

from bundlekit.check.ignored import hides_others, nearest_code, sound_comments, unused
from bundlekit.check.rules import RULES
from bundlekit.errors import UsageError
from bundlekit.model.baseline import KnownFinding
from bundlekit.model.finding import Finding, Severity, Stage, StageStatus
from bundlekit.model.policy import Policy, Selection, names_rule
from bundlekit.model.project import Project

__all__ = ["check_codes", "codes_of_runs", "looked_for", "policy_of", "split_codes", "unused_after_run"]

_UNKNOWN_SETTING = "BK110"


def codes_of_runs() -> dict[str, Severity]:
    """Return the codes of all rules that need a run, with their severities."""
    from bundlekit.probe.rules import DYNAMIC_RULES  # noqa: PLC0415 - reading a bundle that names no code needs none

    return {rule.code: rule.severity for rule in DYNAMIC_RULES}


def policy_of(project: Project, command_line: Selection, known: Iterable[KnownFinding], *, learns: bool) -> Policy:
    """Return what decides which findings of a bundle count.

    `select` of the command line begins anew whatever the settings select or ignore; its `ignore` alone comes on top of
    them. A code of the settings that no rule has is without effect, and so is a comment that names one.
    """
    settings = project.settings
    names_codes = settings.named_codes or project.ignores
    codes = frozenset((*(rule.code for rule in RULES), *codes_of_runs())) if names_codes else frozenset[str]()
    select, ignore = _known(settings.select, codes), _known(settings.ignore, codes)
    if select and not _UNKNOWN_SETTING.startswith(ignore):
        # A mistake in the selection itself is told whatever is selected.
        select = (*select, _UNKNOWN_SETTING)
    return Policy(
        selections=(Selection(select, ignore), command_line),
        per_file=tuple(each._replace(codes=_known(each.codes, codes)) for each in settings.per_file_ignores),
        comments=sound_comments(project.ignores, codes),
        severities=tuple(each for each in settings.severities if names_rule(each[0], codes)),
        known=frozenset(each.fingerprint for each in known),
        learns=learns,
    )


def looked_for(policy: Policy, stages: Sequence[Stage], found: Sequence[Finding]) -> frozenset[str]:
    """Return the codes of which it is certain that all their findings were found.

    Those that were found; those of the static stage, unless something could not be read; and those of each stage that
    ran to its end: one that met a failure may have left out the rest, whatever the policy makes of that failure. Codes
    that are not selected were not asked for.
    """
    from bundlekit.probe.rules import RULES_OF_STAGE  # noqa: PLC0415 - the static stage alone needs none

    here = {finding.code for finding in found}
    codes = here if hides_others(found) else here | {rule.code for rule in RULES}
    for stage in stages:
        rules = RULES_OF_STAGE.get(stage.name, ())
        met_failure = any(rule.severity is Severity.ERROR and rule.code in here for rule in rules)
        if stage.status is StageStatus.PASSED and not met_failure:
            codes = codes | {rule.code for rule in rules}
    return frozenset(code for code in codes if policy.selects(code) is None)


def unused_after_run(policy: Policy, found: Sequence[Finding], codes: Collection[str]) -> list[Finding]:
    """Return BK109 for what comments ignore of rules that need a run, where all of those have run: `codes` tells."""
    if not policy.comments:
        return []
    needing = codes_of_runs()

    def has_run(code: str) -> bool:
        meant = [each for each in needing if each.startswith(code)]
        return bool(meant) and all(each in codes for each in meant)

    return list(unused(policy.comments, found, has_run))


def split_codes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the code prefixes of options that may each hold several, parted by commas."""
    return tuple(part.strip() for text in texts for part in text.split(","))


def check_codes(prefixes: Sequence[str]) -> None:
    """Refuse a prefix with which no rule's code begins.

    Raises:
        UsageError: as said; the hint names the nearest.
    """
    codes = [*(rule.code for rule in RULES), *codes_of_runs()]
    for prefix in prefixes:
        if not names_rule(prefix, codes):
            raise UsageError(f"no rule's code begins with {prefix!r}", subject=prefix, hint=nearest_code(prefix, codes))


def _known(prefixes: Iterable[str], codes: Collection[str]) -> tuple[str, ...]:
    return tuple(prefix for prefix in prefixes if names_rule(prefix, codes))

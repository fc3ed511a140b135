"""The catalogue of dynamic rules, by stage."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bundlekit.model.finding import StageName
from bundlekit.model.rule import Rule
from bundlekit.probe.environment_rules import ENVIRONMENT_RULES as BUILD_RULES
from bundlekit.probe.import_rules import IMPORT_RULES as PROBE_RULES
from bundlekit.probe.isolation_rules import ISOLATION_RULES
from bundlekit.probe.library_rules import LIBRARY_RULES
from bundlekit.probe.rule_type import EvidenceCheck
from bundlekit.probe.smoke_rules import SMOKE_RULES
from bundlekit.probe.worker_rules import WORKER_RULES

__all__ = ["DYNAMIC_RULES", "ENVIRONMENT_RULES", "IMPORT_RULES", "ISOLATION_RULES", "RULES_OF_STAGE", "SMOKE_RULES"]

ENVIRONMENT_RULES: tuple[Rule[EvidenceCheck], ...] = (*BUILD_RULES, *WORKER_RULES)
IMPORT_RULES: tuple[Rule[EvidenceCheck], ...] = (*PROBE_RULES, *LIBRARY_RULES)
DYNAMIC_RULES: tuple[Rule[EvidenceCheck], ...] = (
    *ENVIRONMENT_RULES,
    *IMPORT_RULES,
    *SMOKE_RULES,
    *ISOLATION_RULES,
)

RULES_OF_STAGE: Mapping[StageName, Sequence[Rule[EvidenceCheck]]] = MappingProxyType(
    {
        StageName.ENVIRONMENT: ENVIRONMENT_RULES,
        StageName.IMPORT: IMPORT_RULES,
        StageName.SMOKE: SMOKE_RULES,
        StageName.ISOLATION: ISOLATION_RULES,
    }
)

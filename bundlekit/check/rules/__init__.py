"""The registry of static rules: every rule of the catalogue that reads and never runs, in one literal tuple."""

from bundlekit.check.rules.catalogue import StaticRule
from bundlekit.check.rules.deceptive import DECEPTIVE_RULES
from bundlekit.check.rules.dependencies import DEPENDENCY_RULES
from bundlekit.check.rules.documents import DOCUMENT_RULES
from bundlekit.check.rules.entry_point_names import ENTRY_POINT_NAME_RULES
from bundlekit.check.rules.imports import IMPORT_RULES
from bundlekit.check.rules.jobs import JOB_RULES
from bundlekit.check.rules.layout import LAYOUT_RULES
from bundlekit.check.rules.locks import LOCK_RULES
from bundlekit.check.rules.needs import NEED_RULES
from bundlekit.check.rules.packages import PACKAGE_RULES
from bundlekit.check.rules.registered import REGISTERED_RULES
from bundlekit.check.rules.registry_digests import DIGEST_RULES
from bundlekit.check.rules.registry_documents import REGISTRY_RULES
from bundlekit.check.rules.requirements import REQUIREMENT_RULES
from bundlekit.check.rules.returns import RETURN_RULES
from bundlekit.check.rules.shipping import SHIPPING_RULES
from bundlekit.check.rules.sources import SOURCE_RULES
from bundlekit.check.rules.standard_modules import STANDARD_MODULE_RULES
from bundlekit.check.rules.state import STATE_RULES
from bundlekit.check.rules.target import TARGET_RULES
from bundlekit.check.rules.target_modules import TARGET_MODULE_RULES
from bundlekit.check.rules.tracked import TRACKED_RULES
from bundlekit.check.rules.wire import WIRE_RULES

__all__ = ["RULES", "StaticRule"]

RULES: tuple[StaticRule, ...] = (
    *DOCUMENT_RULES,
    *REGISTERED_RULES,
    *REGISTRY_RULES,
    *DIGEST_RULES,
    *PACKAGE_RULES,
    *TRACKED_RULES,
    *JOB_RULES,
    *LAYOUT_RULES,
    *SHIPPING_RULES,
    *WIRE_RULES,
    *SOURCE_RULES,
    *DECEPTIVE_RULES,
    *IMPORT_RULES,
    *TARGET_RULES,
    *RETURN_RULES,
    *TARGET_MODULE_RULES,
    *ENTRY_POINT_NAME_RULES,
    *DEPENDENCY_RULES,
    *NEED_RULES,
    *STANDARD_MODULE_RULES,
    *REQUIREMENT_RULES,
    *LOCK_RULES,
    *STATE_RULES,
)

"""The documents' types -> the JSON Schemas in schemas/; `python -m bundlekit.report.json_schemas DIR` writes them.

See: JSON Schema 2020-12.
"""

import sys
from pathlib import Path

from pydantic import TypeAdapter

from bundlekit.model.documents import (
    archives,
    caches,
    doctor,
    grids,
    isolation,
    receipts,
    registries,
    reports,
    settings,
    tasks,
)
from bundlekit.report.documents import json_text

__all__ = ["schema_texts"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_texts() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    adapters: dict[str, TypeAdapter[object]] = {
        "difference": TypeAdapter(archives.DifferenceDocument),
        "baseline": TypeAdapter(reports.BaselineDocument),
        "cache": TypeAdapter(caches.CacheDocument),
        "cache-gc": TypeAdapter(caches.CacheClearingDocument),
        "cache-verification": TypeAdapter(caches.CacheVerificationDocument),
        "doctor": TypeAdapter(doctor.DoctorDocument),
        "doctor-cluster": TypeAdapter(doctor.ClusterDocument),
        "grid": TypeAdapter(grids.GridDocument),
        "inspection": TypeAdapter(archives.InspectionDocument),
        "isolation": TypeAdapter(isolation.IsolationDocument),
        "manifest": TypeAdapter(archives.ManifestDocument),
        "pack": TypeAdapter(archives.PackDocument),
        "pack-report": TypeAdapter(archives.PackReportDocument),
        "pull": TypeAdapter(registries.PullDocument),
        "push": TypeAdapter(registries.PushDocument),
        "receipt": TypeAdapter(receipts.ReceiptDocument),
        "report": TypeAdapter(reports.ReportDocument | reports.ReportsDocument),
        "result": TypeAdapter(tasks.ResultDocument),
        "rules": TypeAdapter(list[reports.RuleDocument]),
        "settings": TypeAdapter(settings.SettingsDocument),
        "task": TypeAdapter(tasks.TaskDocument),
        "unpack": TypeAdapter(archives.UnpackDocument),
    }
    texts = {}
    for name, adapter in adapters.items():
        schema = {"$schema": _DIALECT, "$id": f"bundlekit/{name}.schema.json", **adapter.json_schema()}
        if name == "settings":
            # Every key may be missing, so a schema that let others in would accept anything.
            schema["additionalProperties"] = False
        texts[f"{name}.schema.json"] = json_text(schema)
    return texts


def main(directory: Path) -> None:
    """Write every schema into `directory`."""
    for name, text in schema_texts().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

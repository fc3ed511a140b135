"""The texts of the files in which something was found, for the page that shows lines of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bundlekit.api.inputs import opened
from bundlekit.api.source_files import read_texts
from bundlekit.errors import BundlekitError
from bundlekit.model.finding import Report

__all__ = ["finding_sources"]

_MOST_FILES = 200


def finding_sources(reports: Sequence[Report]) -> Mapping[str, Mapping[str, str]]:
    """Return texts by bundle and path; no link is followed, and what cannot be read is left out.

    An archive is unpacked once more for it, so its texts are those that were checked.
    """
    return {report.path: _texts(report) for report in reports}


def _texts(report: Report) -> Mapping[str, str]:
    paths = dict.fromkeys(each.path for each in report.findings if each.path is not None and each.line is not None)
    if not paths:
        return {}
    try:
        with opened(Path(report.path)) as bundle:
            return read_texts(bundle.root, list(paths)[:_MOST_FILES]).texts
    except BundlekitError:
        # Whatever is wrong with it now, the report is of what was there before.
        return {}

"""The lines that a page shows come from the bundle, and from nowhere else."""

from pathlib import Path

import pytest
from builders.archives import FILES, archive, tar
from builders.reports import finding, report

from bundlekit.api.finding_sources import finding_sources
from bundlekit.model.finding import Report


def _report(path: Path, *files: str) -> Report:
    return report(*[finding()._replace(path=file) for file in files], path=str(path))


def test_the_files_with_findings_are_read(tmp_path: Path) -> None:
    """Others are none of the page's business, and a repository may be large."""
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    whole = report(
        finding()._replace(path="a.py"),
        finding(line=None)._replace(path="b.py"),
        finding()._replace(path=None),
        path=str(tmp_path),
    )
    assert finding_sources([whole]) == {str(tmp_path): {"a.py": "a.py"}}


@pytest.mark.parametrize("path", ["link.py", "inside/secret.txt", "../secret.txt", "absolute"])
def test_nothing_outside_of_the_bundle_is_read(tmp_path: Path, path: str) -> None:
    """A link in a bundle must not bring somebody's key into a page that is sent around."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "link.py").symlink_to(secret)
    (bundle / "inside").symlink_to(tmp_path)
    asked = str(secret) if path == "absolute" else path
    assert finding_sources([_report(bundle, asked)]) == {str(bundle): {}}


def test_a_bundle_that_is_gone_has_no_lines(tmp_path: Path) -> None:
    """The report is of what was there before."""
    gone = tmp_path / "gone"
    assert finding_sources([_report(gone, "a.py"), report(path=str(gone))]) == {str(gone): {}}


def test_an_archive_has_lines_too(tmp_path: Path) -> None:
    """It is unpacked for it, and what was unpacked goes."""
    packed = tmp_path / "sir.tar.zst"
    packed.write_bytes(archive(tar()))
    text = FILES["pyproject.toml"].decode()
    assert finding_sources([_report(packed, "pyproject.toml")]) == {str(packed): {"pyproject.toml": text}}

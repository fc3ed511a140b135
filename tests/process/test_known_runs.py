"""A known-good bundle is not run twice unless that is asked for, whatever its directory is called."""

import shutil
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, make_bundle, pyproject

from bundlekit.api.archives import PackOptions, pack
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.archive import Packed
from bundlekit.model.finding import Report

pytestmark = pytest.mark.process

_OPTIONS = ValidateOptions(reuse=True)
_SMOKE = pyproject(after="[[tool.bundlekit.smoke]]\nentrypoint = 'main'\n")


def _validated(root: Path, options: ValidateOptions = _OPTIONS) -> tuple[Report, bool]:
    """Return the report, and whether its tasks were run for it."""
    (report,) = validate([root], options, lambda _message: None)
    assert report.passed
    return report, "known since" not in (report.stages[-1].detail or "")


def test_a_bundle_of_a_known_digest_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate, commit, pack, and somebody else's clone: once is enough, and a changed byte is not."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    root = make_bundle(tmp_path / "bundle", {"pyproject.toml": _SMOKE})
    first, ran = _validated(root)
    assert ran
    clone = Path(shutil.copytree(root, tmp_path / "clone"))

    again, ran = _validated(clone)
    packed = pack(clone, PackOptions(output=tmp_path / "a.tar.zst", validation=_OPTIONS), lambda _message: None)

    assert not ran
    assert again.digest == first.digest
    assert isinstance(packed, Packed)
    assert packed.report is not None
    assert "known since" in (packed.report.stages[-1].detail or "")
    assert _validated(tmp_path / "a.tar.zst")[1] is False
    assert _validated(clone, ValidateOptions())[1] is True
    (clone / "model/wire.py").write_text(f"{GOOD_WIRE}# changed\n")
    assert _validated(clone)[1] is True

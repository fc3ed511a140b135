"""BK507, BK509, BK510, BK512, BK515 and BK518: requirements and Pythons that contradict each other, move, or are gone."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity

_WARNING, _ERROR, _INFO = Severity.WARNING, Severity.ERROR, Severity.INFO


def _found(root: Path, code: str) -> list[Finding]:
    return [finding for finding in findings_of(root) if finding.code == code]


_CONTRADICTORY: dict[str, tuple[str, str]] = {
    "bounds-of-two": ('["numpy>=2", "numpy<1.20"]', "no version of 'numpy' satisfies 'numpy>=2' and 'numpy<1.20'"),
    "bounds-of-one": ('["numpy>=2,<1.20"]', "no version of 'numpy' satisfies"),
    "two-pins": ('["numpy==1.26.0", "NumPy==2.0"]', "'numpy==1.26.0' and 'NumPy==2.0'"),
    "pin-and-bound": ('["numpy==1.26", "numpy>=2"]', "'numpy'"),
    "open-at-the-same": ('["numpy>1", "numpy<=1"]', "'numpy'"),
    "compatible-release": ('["numpy~=1.26", "numpy>=2"]', "'numpy'"),
    "series-excluded": ('["numpy>=1,<2,!=1.*"]', "'numpy'"),
    "two-places": ('["lab @ https://a.invalid/l.whl", "lab @ https://b.invalid/l.whl"]', "from different places"),
    "same-marker": ("[\"numpy>=2 ; python_version > '3.11'\", \"numpy<2 ; python_version > '3.11'\"]", "'numpy'"),
}


@pytest.mark.parametrize(("declared", "said"), _CONTRADICTORY.values(), ids=_CONTRADICTORY)
def test_requirements_without_any_version_are_found(declared: str, said: str, tmp_path: Path) -> None:
    """No resolver finds what does not exist, and each says so in pages."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f"dependencies = {declared}")})
    (found,) = _found(tmp_path, "BK509")
    assert found.severity is _ERROR
    assert said in found.message


_AGREEING: dict[str, str] = {
    "range": '["numpy>=1.26,<3"]',
    "two-bounds": '["numpy>=1.26", "numpy<3"]',
    "pin-twice": '["numpy==2.0", "numpy==2.0.0"]',
    "between-releases": '["numpy>1.0,<1.0.1"]',
    "pre-release": '["numpy>=2.0rc1,<=2.0rc2"]',
    "local-version": '["torch==2.0+cpu", "torch>=2"]',
    "excluded-series": '["numpy>=1.2,<2,!=1.2.*,!=1.3.*"]',
    "series-and-one-of-it": '["numpy==1.*", "numpy==1.26.4"]',
    "arbitrary": '["numpy===1.0", "numpy>=2"]',
    "markers-apart": "[\"numpy<2 ; python_version < '3.12'\", \"numpy>=2 ; python_version >= '3.12'\"]",
    "not-valid": '["numpy=>2", "numpy<1"]',
    "no-such-version": '["numpy==abc", "numpy<1"]',
    "same-place-twice": '["lab @ https://a.invalid/l.whl", "lab @ https://a.invalid/l.whl"]',
    "without-name": '["./lab", "numpy"]',
    "epochs": '["numpy>=1!2", "numpy<1!3"]',
    "developers": '["numpy>=2.dev0,<2.0.dev5"]',
}


@pytest.mark.parametrize("declared", _AGREEING.values(), ids=_AGREEING)
def test_requirements_with_a_version_are_left_alone(declared: str, tmp_path: Path) -> None:
    """However narrow, one version is enough."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f"dependencies = {declared}")})
    assert _found(tmp_path, "BK509") == []


_REPOSITORIES: dict[str, tuple[str, str | None]] = {
    "newest": ("lab @ git+https://h.invalid/x/lab.git", "whatever is newest"),
    "user-of-the-host": ("lab @ git+ssh://git@h.invalid/x/lab.git", "whatever is newest"),
    "user-of-another-form": ("lab @ git+git@h.invalid:x/lab.git", "whatever is newest"),
    "branch": ("lab @ git+https://h.invalid/x/lab@main#subdirectory=a", "the branch 'main'"),
    "mercurial": ("lab @ hg+https://h.invalid/x/lab", "whatever is newest"),
    "with-marker": ("lab @ git+https://h.invalid/x/lab ; python_version > '3'", "whatever is newest"),
    "tag": ("lab @ git+https://h.invalid/x/lab@v1.2", None),
    "commit": ("lab @ git+ssh://git@h.invalid/x/lab.git@0123abc", None),
    "archive": ("lab @ https://h.invalid/x/lab.tar.gz", None),
    "index": ("lab>=1", None),
}


@pytest.mark.parametrize(("requirement", "said"), _REPOSITORIES.values(), ids=_REPOSITORIES)
def test_a_repository_without_a_commit_moves(requirement: str, said: str | None, tmp_path: Path) -> None:
    """Today's task and tomorrow's run other code under the same hash."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]')})
    found = _found(tmp_path, "BK510")
    assert [finding.severity for finding in found] == ([_WARNING] if said else [])
    assert all(said is not None and said in finding.message for finding in found)


def test_a_repository_in_requirements_txt_is_found_without_its_password(tmp_path: Path) -> None:
    """Findings go into logs (HOSTILE_CORPUS V22)."""
    (tmp_path / "wire.py").write_text(GOOD_WIRE)
    (tmp_path / "requirements.txt").write_text("numpy\ngit+https://me:CANARY-1@h.invalid/lab.git\n")
    (found,) = _found(tmp_path, "BK510")
    assert (found.path, found.line) == ("requirements.txt", 2)
    assert "CANARY" not in str(found)


def test_a_lock_holds_a_repository_still(tmp_path: Path) -> None:
    """It records the commit."""
    text = pyproject(project='dependencies = ["lab @ git+https://h.invalid/lab"]')
    make_bundle(tmp_path, {"pyproject.toml": text, "uv.lock": "version = 1\n"})
    assert _found(tmp_path, "BK510") == []


_PYTHONS: dict[str, tuple[str, str, str | None]] = {
    "setting": (">=3.11,<3.12", '[tool.bundlekit]\npython = "3.12"', "[tool.bundlekit] python asks for Python 3.12"),
    "worker": (
        ">=3.12",
        '[tool.bundlekit.worker]\npython = "3.11"',
        "[tool.bundlekit.worker] python asks for Python 3.11",
    ),
    "exact": ("!=3.12.1", '[tool.bundlekit.worker]\npython = "3.12.1"', "3.12.1"),
    "none-at-all": (">=3.12,<3.11", "", "admits no Python at all"),
    "none-at-all-by-pins": ("==3.11.*,==3.12.*", "", "admits no Python at all"),
    "fits": (">=3.11", '[tool.bundlekit.worker]\npython = "3.12"', None),
    "some-release-fits": (">=3.11.5", '[tool.bundlekit.worker]\npython = "3.11"', None),
    "path": (">=3.11", '[tool.bundlekit]\npython = "/usr/bin/python3.9"', None),
    "empty": ("", '[tool.bundlekit.worker]\npython = "3.12"', None),
    "invalid": ("3.11 or newer", '[tool.bundlekit.worker]\npython = "3.12"', None),
}


@pytest.mark.parametrize(("specifier", "after", "said"), _PYTHONS.values(), ids=_PYTHONS)
def test_a_python_that_requires_python_excludes_is_found(
    specifier: str, after: str, said: str | None, tmp_path: Path
) -> None:
    """The environment is refused before anything is installed (HOSTILE_CORPUS P12)."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'requires-python = "{specifier}"', after=after)})
    found = _found(tmp_path, "BK512")
    assert [finding.severity for finding in found] == ([_ERROR] if said else [])
    assert all(said is not None and said in finding.message for finding in found)


@pytest.mark.parametrize(
    ("value", "is_found"), [("3.12", False), ("3.12.1", False), ("3", True), ("3.x", True), ("latest", True)]
)
def test_the_workers_python_is_a_version(value: str, is_found: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a row's verdict
    """Found at its place, before anything is resolved for it."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=f'[tool.bundlekit.worker]\npython = "{value}"')})
    found = _found(tmp_path, "BK518")
    assert [(finding.line, finding.column) for finding in found] == ([(8, 10)] if is_found else [])


_LOOSE: dict[str, tuple[str, str, str | None]] = {
    "open": ('["numpy>=2", "scipy==1.0"]', "import numpy, scipy\n", "exact version: numpy>=2"),
    "several": ('["numpy", "scipy"]', "import numpy, scipy\n", "numpy, scipy"),
    "hashes": ('["numpy>=2 --hash=sha256:0a"]', "import numpy\n", "exact version: numpy>=2"),
    "many": (
        '["numpy", "scipy", "pandas", "polars", "numba", "dask", "jax"]',
        "import dask, jax, numba, numpy, pandas, polars, scipy\n",
        "numpy, scipy, pandas, polars, numba and 2 more",
    ),
    "series": ('["numpy==2.*"]', "import numpy\n", "numpy==2.*"),
    "pinned": ('["numpy==2.1.0", "scipy (==1.0)"]', "import numpy, scipy\n", None),
    "not-loaded": ('["numpy"]', "import math\n", None),
    "url": ('["numpy @ https://h.invalid/n.whl"]', "import numpy\n", None),
    "nothing": ("[]", "import math\n", None),
}


@pytest.mark.parametrize(("declared", "source", "said"), _LOOSE.values(), ids=_LOOSE)
def test_open_requirements_without_a_lock_are_information(
    declared: str, source: str, said: str | None, tmp_path: Path
) -> None:
    """Another month, other versions, other results; only what tasks load has a say."""
    make_bundle(
        tmp_path,
        {"pyproject.toml": pyproject(project=f"dependencies = {declared}"), "model/wire.py": source + GOOD_WIRE},
    )
    found = _found(tmp_path, "BK515")
    assert [finding.severity for finding in found] == ([_INFO] if said else [])
    assert all(said is not None and said in finding.message for finding in found)


_STANDARD: dict[str, tuple[str, str, Severity | None, str]] = {
    "removed": (
        'requires-python = ">=3.11"',
        "import telnetlib\n",
        _WARNING,
        "until 3.12 only, and requires-python admits others (3.13, 3.14)",
    ),
    "removed-without-bound": ("", "import cgi\n", _WARNING, "3.13, 3.14"),
    "submodule": ("", "import distutils.core\n", _WARNING, "until 3.11 only"),
    "added": (
        'requires-python = ">=3.9"',
        "import tomllib\n",
        _WARNING,
        "from 3.11 on, and requires-python admits others (3.9, 3.10)",
    ),
    "added-submodule": ("", "import concurrent.interpreters\n", _WARNING, "from 3.14 on"),
    "in-none": ('requires-python = ">=3.13"', "import imp\n", _ERROR, "the worker is linux x86_64"),
    "of-python-2": (
        "",
        "import urllib2\n",
        _ERROR,
        "'urllib2', which Python has in version 2 only: the worker is linux",
    ),
    "windows": ("", "import winreg\n", _ERROR, "only on win32"),
    "in-a-function": ('requires-python = ">=3.13"', "def f():\n    import imp\n", _WARNING, "until 3.11 only"),
    "not-removed-yet": ('requires-python = ">=3.11,<3.13"', "import telnetlib\n", None, ""),
    "added-before": ('requires-python = ">=3.11"', "import tomllib, zoneinfo, graphlib\n", None, ""),
    "guarded": ("", "try:\n    import cgi\nexcept ImportError:\n    cgi = None\n", None, ""),
    "on-a-condition": (
        'requires-python = ">=3.11"',
        "import sys\nif sys.version_info < (3, 12):\n    import distutils\n",
        None,
        "",
    ),
    "replaced-by-a-distribution": ('dependencies = ["legacy-cgi==1"]', "import cgi\n", None, ""),
    "replaced-by-setuptools": ('dependencies = ["setuptools==80"]', "import distutils.core\n", None, ""),
    "windows-in-a-function": ("", "def f():\n    import winreg\n", None, ""),
    "pythons-own-tests": ("", "import test.support\n", None, ""),
    "newer-than-all-that-is-known": ('requires-python = ">=3.99"', "import tomllib\n", None, ""),
}


@pytest.mark.parametrize(("line", "source", "severity", "said"), _STANDARD.values(), ids=_STANDARD)
def test_a_standard_module_is_held_against_the_admitted_pythons(
    line: str, source: str, severity: Severity | None, said: str, tmp_path: Path
) -> None:
    """It imports well here, whatever Python here is."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=line), "model/wire.py": source + GOOD_WIRE})
    found = _found(tmp_path, "BK507")
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all(said in finding.message for finding in found)


def test_a_standard_module_is_an_error_where_the_workers_python_lacks_it(tmp_path: Path) -> None:
    """Then it is known which Python it is."""
    text = pyproject(project='requires-python = ">=3.9"', after='[tool.bundlekit.worker]\npython = "3.13"')
    make_bundle(
        tmp_path,
        {"pyproject.toml": text, "model/wire.py": "import cgi\nimport cgi\n" + GOOD_WIRE, "tests/a.py": "import imp\n"},
    )
    (found,) = _found(tmp_path, "BK507")
    assert (found.severity, found.line) == (_ERROR, 1)
    assert "the worker is Python 3.13 on linux x86_64" in found.message


def test_an_own_module_that_is_called_like_a_removed_one_is_left_alone(tmp_path: Path) -> None:
    """The root is on the import path; that it shadows another is BK204's business."""
    make_bundle(tmp_path, {"imp.py": "", "pipes.py": "", "model/wire.py": "import imp\n" + GOOD_WIRE})
    assert _found(tmp_path, "BK507") == []

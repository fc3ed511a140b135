"""BK513 and BK514: locks that cannot be read, and locks that are older than what they should pin."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity

_WARNING, _ERROR = Severity.WARNING, Severity.ERROR
_DECLARED = 'requires-python = ">=3.11"\ndependencies = ["six>=1.16"]'
_ROOT = '[[package]]\nname = "model"\nversion = "1.0"\nsource = { virtual = "." }\n'
_SIX = '\n[[package]]\nname = "six"\nversion = "1.17.0"\nsource = { registry = "https://pypi.org/simple" }\n'


def _lock(requires: str, *, requires_python: str = ">=3.11", version: str = "1", packages: str = _SIX) -> str:
    head = f'version = {version}\nrevision = 9\nrequires-python = "{requires_python}"\n[new-table]\nkey = 1\n\n'
    return f'{head}{_ROOT}dependencies = [{{ name = "six" }}]\n[package.metadata]\nrequires-dist = [{requires}]\n{packages}'


_RECORDED = '{ name = "six", specifier = ">=1.16" }'


def _found(root: Path, code: str) -> list[Finding]:
    return [finding for finding in findings_of(root) if finding.code == code]


_STALE: dict[str, tuple[str, str, Severity, str]] = {
    "not-listed": (_DECLARED.replace("six>=1.16", "numpy"), _lock(_RECORDED), _ERROR, "does not list 'numpy'"),
    "not-listed-on-a-condition": (
        _DECLARED.replace("six>=1.16", "six>=1.16\", \"numpy ; python_version > '3.0'"),
        _lock(_RECORDED),
        _WARNING,
        "does not list",
    ),
    "not-satisfied": (
        _DECLARED.replace("1.16", "2"),
        _lock(_RECORDED),
        _WARNING,
        "lists six 1.17.0, and 'six>=2' is required",
    ),
    "required-otherwise": (
        _DECLARED.replace("1.16", "1.15"),
        _lock(_RECORDED),
        _WARNING,
        "written when 'six>=1.16' was required, now 'six>=1.15'",
    ),
    "required-anyhow": (_DECLARED, _lock('{ name = "six" }'), _WARNING, "written when 'six' was required"),
    "required-since": (_DECLARED, _lock(""), _WARNING, "before 'six>=1.16' was required"),
    "no-longer-required": (
        _DECLARED,
        _lock(f'{_RECORDED}, {{ name = "cycler" }}'),
        _WARNING,
        "'cycler' was still required",
    ),
    "other-extras": (
        _DECLARED.replace("six>", "six[B, a]>"),
        _lock('{ name = "six", extras = ["a"], specifier = ">=1.16" }'),
        _WARNING,
        "written when 'six[a]>=1.16' was required, now 'six[B, a]>=1.16'",
    ),
    "of-another-bundle": (
        _DECLARED,
        _lock(_RECORDED).replace('name = "model"', 'name = "workspace"'),
        _ERROR,
        "does not list the bundle itself, 'model'",
    ),
    "other-python": (_DECLARED, _lock(_RECORDED, requires_python=">=3.12"), _WARNING, "without 3.11"),
    "root-without-requirements": (
        _DECLARED,
        f"version = 1\n{_ROOT}{_SIX}",
        _WARNING,
        "before 'six>=1.16' was required",
    ),
}


@pytest.mark.parametrize(("project", "lock", "severity", "said"), _STALE.values(), ids=_STALE)
def test_a_stale_lock_is_found(project: str, lock: str, severity: Severity, said: str, tmp_path: Path) -> None:
    """What it lacks is not installed; what it pins is what nobody asks for any more (HOSTILE_CORPUS P14)."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=project), "uv.lock": lock})
    found = _found(tmp_path, "BK514")
    assert any(finding.severity is severity and said in finding.message for finding in found), found
    assert all(finding.hint == "run `uv lock`, and ship both" for finding in found)
    assert (tmp_path / "uv.lock").read_text() == lock


_FRESH: dict[str, tuple[str, str]] = {
    "same": (_DECLARED, _lock(_RECORDED)),
    "other-spelling": (
        _DECLARED.replace("six>=1.16", "Six >= 1.16 , < 2.0"),
        _lock('{ name = "six", specifier = "<2.0,>=1.16" }'),
    ),
    "with-extra-and-marker": (
        _DECLARED.replace("six>=1.16", "six[a]>=1.16 ; python_version >= '3.0'"),
        _lock('{ name = "six", extras = ["a"], marker = "python_full_version >= \'3\'", specifier = ">=1.16" }'),
    ),
    "of-an-extra": (_DECLARED, _lock(f'{_RECORDED}, {{ name = "cycler", marker = "extra == \'plot\'" }}')),
    "from-a-repository": (
        _DECLARED.replace("six>=1.16", "six @ git+https://h.invalid/six@v1"),
        _lock('{ name = "six", git = "https://h.invalid/six?rev=v1" }'),
    ),
    "source-of-uv": (_DECLARED, _lock('{ name = "six", directory = "lib/six" }')),
    "newer-format": (_DECLARED, _lock("", version="2", packages="")),
    "wider-python": (_DECLARED, _lock(_RECORDED, requires_python=">=3.9")),
    "other-zeros": (_DECLARED.replace("1.16", "1.16.0"), _lock(_RECORDED)),
    "no-metadata": (_DECLARED, f'version = 1\n{_ROOT}dependencies = [{{ name = "six" }}]\n{_SIX}'),
    "by-several-markers": (
        'requires-python = ">=3.11"\ndependencies = ["six>=1 ; python_version < \'3.12\'", "six>=1 ; python_version >= \'3.12\'"]',
        _lock('{ name = "six", specifier = ">=1" }'),
    ),
    "not-valid": (_DECLARED.replace(">=1.16", "=>1"), _lock('{ name = "six", specifier = "=>1" }')),
    "version-that-is-none": (_DECLARED, _lock(_RECORDED, packages=_SIX.replace("1.17.0", "one"))),
    "from-a-directory": (
        _DECLARED,
        _lock(_RECORDED, packages='\n[[package]]\nname = "six"\nsource = { editable = "lib" }\n'),
    ),
    "specifier-of-another-type": (_DECLARED, _lock('{ name = "six", specifier = 3 }')),
    "build-tells": ('dynamic = ["dependencies"]', _lock(_RECORDED)),
    "path": (_DECLARED.replace("six>=1.16", 'six>=1.16", "./lib'), _lock(_RECORDED)),
}


@pytest.mark.parametrize(("project", "lock"), _FRESH.values(), ids=_FRESH)
def test_a_lock_that_fits_is_left_alone(project: str, lock: str, tmp_path: Path) -> None:
    """Whatever a newer uv writes into it."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=project), "uv.lock": lock})
    assert [finding for code in ("BK513", "BK514") for finding in _found(tmp_path, code)] == []


_PYLOCK = 'lock-version = "1.0"\ncreated-by = "test"\n\n[[packages]]\nname = "six"\nversion = "1.17.0"\nwheels = []\n'

_OTHER_LOCKS: dict[str, tuple[str, str, str, Severity | None]] = {
    "pylock": ("six>=1.16", "pylock.toml", _PYLOCK, None),
    "pylock-without": ("numpy", "pylock.toml", _PYLOCK, _ERROR),
    "pylock-of-another-version": ("six>=2", "pylock.toml", _PYLOCK, _WARNING),
    "pylock-of-a-newer-minor": ("six", "pylock.toml", _PYLOCK.replace("1.0", "1.7"), None),
    "pylock-of-a-newer-major": ("numpy", "pylock.toml", _PYLOCK.replace("1.0", "2.0"), None),
    "hashed": (
        "six>=1.16",
        "requirements.txt",
        "six==1.17.0 \\\n    --hash=sha256:aa\nnumpy[x]==2.1 ; python_version > '3' --hash=sha256:bb\n",
        None,
    ),
    "hashed-without": ("scipy", "requirements.txt", "six==1.17.0 --hash=sha256:aa\n", _ERROR),
    "not-hashed": ("scipy", "requirements.txt", "six==1.17.0\n", None),
}


@pytest.mark.parametrize(("requirement", "name", "lock", "severity"), _OTHER_LOCKS.values(), ids=_OTHER_LOCKS)
def test_every_lock_must_satisfy_what_is_declared(
    requirement: str, name: str, lock: str, severity: Severity | None, tmp_path: Path
) -> None:
    """They record no requirements, so it is their versions that must fit."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]'), name: lock})
    assert [finding.severity for finding in _found(tmp_path, "BK514")] == ([severity] if severity else [])


_DAMAGED: dict[str, tuple[str, str | bytes, str]] = {
    "no-toml": ("uv.lock", "version = \n", "not valid TOML"),
    "no-utf-8": ("uv.lock", b"version = 1 # \xff\n", "not UTF-8"),
    "no-version": ("uv.lock", "x = 1\n", "it has no 'version'"),
    "package-without-name": ("uv.lock", 'version = 1\n[[package]]\nversion = "1"\n', "package item 1 has no 'name'"),
    "no-list": ("uv.lock", "version = 1\npackage = 3\n", "must be an array of tables"),
    "pylock-without-version": ("pylock.toml", "packages = []\n", "it has no 'lock-version'"),
    "pylock-without-packages": ("pylock.toml", 'lock-version = "1.0"\n', "it has no 'packages'"),
}


@pytest.mark.parametrize(("name", "lock", "said"), _DAMAGED.values(), ids=_DAMAGED)
def test_a_damaged_lock_is_found_and_left_as_it_is(name: str, lock: str | bytes, said: str, tmp_path: Path) -> None:
    """Installers refuse it; today's preflight deletes it (HOSTILE_CORPUS P14)."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=_DECLARED), name: lock})
    (found,) = _found(tmp_path, "BK513")
    assert (found.severity, found.path) == (_ERROR, name)
    assert said in found.message
    assert (tmp_path / name).read_bytes() == (lock if isinstance(lock, bytes) else lock.encode())
    assert _found(tmp_path, "BK514") == []


def test_imports_are_not_held_against_a_lock_that_cannot_be_read(tmp_path: Path) -> None:
    """One mistake, one finding: nothing is known of what it would list."""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(project=_DECLARED),
            "uv.lock": "x = 1\n",
            "model/wire.py": "import numpy\n" + GOOD_WIRE,
        },
    )
    assert [finding.severity for finding in _found(tmp_path, "BK505")] == [_WARNING]

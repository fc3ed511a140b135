"""Where packages come from: private indexes, constraints, git and no network, all by the user's own settings."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.environments import Kitchen, local_index, make_wheel, own_bundle, without_uv, write_bundle
from builders.private_index import PrivateIndex, private_index
from uv import find_uv_bin

from bundlekit.cold_runner.runner_error import RunnerError

pytestmark = pytest.mark.process

_USER = "institute"
_PASSWORD = "CANARY/4711@%:"  # noqa: S105 - made up, with every character that has to be escaped in an address
_PREFIX = "CANARY"


class World(NamedTuple):
    """A clean cache and an empty home of the user."""

    kitchen: Kitchen
    home: Path
    patch: pytest.MonkeyPatch

    def installs_with(self, installer: str) -> None:
        """Leave `installer` (``uv`` or ``pip``) as the one that is found."""
        if installer == "pip":
            without_uv(self.patch)


@pytest.fixture
def world(kitchen: Kitchen, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a clean world."""
    return World(kitchen, home, monkeypatch)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home; nothing of the machine's own settings counts, and nothing of its caches."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "GIT_", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())
    return home


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    """Return a clean cache."""
    return Kitchen(tmp_path / "cache")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PrivateIndex]:
    """Return a private index with one package."""
    wheels = make_wheel(tmp_path / "wheels", "tiny_dependency", source="VALUE = 7\n").parent
    with private_index(wheels, _USER, _PASSWORD) as running:
        yield running


def _assert_unseen(kitchen: Kitchen, *texts: str) -> None:
    assert _PREFIX not in "\n".join([*kitchen.said, *texts])
    for path in kitchen.cache.rglob("*"):
        if path.is_file():
            assert _PREFIX.encode() not in path.read_bytes(), path


def _in_variables(name: str) -> "Callable[[PrivateIndex, Path, pytest.MonkeyPatch], None]":
    return lambda index, _home, patch: patch.setenv(name, index.url_with())


def _in_named_variables(index: PrivateIndex, _home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("UV_INDEX", f"corp={index.url}")
    patch.setenv("UV_INDEX_CORP_USERNAME", index.user)
    patch.setenv("UV_INDEX_CORP_PASSWORD", index.password)


def _in_pip_conf(index: PrivateIndex, home: Path, _patch: pytest.MonkeyPatch) -> None:
    write_bundle(home / ".config" / "pip", {"pip.conf": f"[global]\nindex-url = {index.url_with()}\n"})


def _in_pip_conf_as_second(index: PrivateIndex, home: Path, _patch: pytest.MonkeyPatch) -> None:
    lines = f"[install]\nno-index = false\nextra-index-url =\n    http://127.0.0.1:9/a\n    {index.url_with()}\n"
    write_bundle(home / ".config" / "pip", {"pip.conf": lines.replace("    http://127.0.0.1:9/a\n", "")})


def _in_uv_toml(index: PrivateIndex, home: Path, _patch: pytest.MonkeyPatch) -> None:
    write_bundle(home / ".config" / "uv", {"uv.toml": f'[[index]]\nurl = "{index.url_with()}"\ndefault = true\n'})
    write_bundle(home / ".config" / "pip", {"pip.conf": "[global]\nindex-url = http://127.0.0.1:9/simple\n"})


def _in_netrc(index: PrivateIndex, home: Path, patch: pytest.MonkeyPatch) -> None:
    write_bundle(home, {".netrc": f"machine 127.0.0.1 login {index.user} password {index.password}\n"})
    (home / ".netrc").chmod(0o600)
    patch.setenv("PIP_INDEX_URL", index.url)
    patch.setenv("UV_DEFAULT_INDEX", index.url)


_WAYS = {
    "uv-UV_DEFAULT_INDEX": _in_variables("UV_DEFAULT_INDEX"),
    "uv-UV_INDEX_URL": _in_variables("UV_INDEX_URL"),
    "uv-UV_INDEX-by-name": _in_named_variables,
    "uv-uv.toml-before-pip.conf": _in_uv_toml,
    "uv-netrc": _in_netrc,
    "uv-PIP_INDEX_URL": _in_variables("PIP_INDEX_URL"),
    "uv-pip.conf": _in_pip_conf,
    "uv-pip.conf-extra": _in_pip_conf_as_second,
    "pip-PIP_INDEX_URL": _in_variables("PIP_INDEX_URL"),
    "pip-pip.conf": _in_pip_conf,
    "pip-netrc": _in_netrc,
    "pip-UV_INDEX_URL": _in_variables("UV_INDEX_URL"),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_private_index_is_used_as_the_user_has_set_it_and_its_password_is_seen_nowhere(
    tmp_path: Path, world: World, index: PrivateIndex, way: str
) -> None:
    """Not in the log, nor in the cache, nor in what a package that is missing there makes the installer say (X04)."""
    kitchen = world.kitchen
    world.installs_with(way.partition("-")[0])
    _WAYS[way](index, world.home, world.patch)
    with kitchen.prepared(write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))) as ready:
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "7"
    assert [path for path in index.served if path.startswith("/files/tiny_dependency-1.0")]
    missing = write_bundle(tmp_path / "missing", own_bundle("not-there-at-all"))
    with pytest.raises(RunnerError, match="not-there-at-all") as failure, kitchen.prepared(missing):
        pass
    assert failure.value.code == "E_VENV"
    _assert_unseen(kitchen, json.dumps(failure.value.document()))


@pytest.mark.parametrize(
    ("installer", "words", "retryable"),
    [("uv", "The package index cannot be reached", True), ("pip", "that the index knows you", False)],
)
def test_a_wrong_password_is_told_as_the_index_refusing_and_shown_nowhere(
    world: World, tmp_path: Path, index: PrivateIndex, *, installer: str, words: str, retryable: bool
) -> None:
    """HOSTILE_CORPUS V22: 401 is the index's word, not the requirement's fault; asked to tell all, it shows nothing."""
    kitchen, _, monkeypatch = world
    world.installs_with(installer)
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.setenv(name, index.url_with("CANARY-wrong"))
    monkeypatch.setenv("PIP_VERBOSE", "3")
    monkeypatch.setenv("RUST_LOG", "trace")
    bundle = write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))
    with pytest.raises(RunnerError, match=words) as failure, kitchen.prepared(bundle):
        pass
    assert failure.value.retryable is retryable
    assert index.refused
    assert not index.served
    _assert_unseen(kitchen, json.dumps(failure.value.document()))


@pytest.mark.parametrize(
    ("installer", "variable"),
    [("uv", "UV_CONSTRAINT"), ("uv", "PIP_CONSTRAINT"), ("uv", "pip.conf"), ("pip", "UV_CONSTRAINT")],
)
def test_constraints_of_the_user_hold_for_either_installer_and_are_part_of_the_key(
    tmp_path: Path, world: World, installer: str, variable: str
) -> None:
    """A path is meant from the user's directory; another content is another environment."""
    kitchen, home, monkeypatch = world
    world.installs_with(installer)
    for version in ("1.0", "2.0", "3.0"):
        make_wheel(tmp_path / "wheels", "tiny_dependency", version, f"VALUE = '{version}'\n")
    local_index(monkeypatch, tmp_path / "wheels")
    constraints = tmp_path / "constraints.txt"
    bundle = write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))
    monkeypatch.chdir(tmp_path)
    if variable == "pip.conf":
        write_bundle(home / ".config" / "pip", {"pip.conf": f"[global]\nconstraint = {constraints}\n"})
    else:
        monkeypatch.setenv(variable, "constraints.txt")
    found = []
    for limit in ("2.0", "1.0"):
        constraints.write_text(f"tiny-dependency<={limit}\n")
        with kitchen.prepared(bundle) as ready:
            found.append(kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency"))
    # What stands in a configuration file alone is looked at when an environment is built, and not again.
    assert found == (["2.0", "2.0"] if variable == "pip.conf" else ["2.0", "1.0"])


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_offline_nothing_is_asked_for_and_what_is_at_hand_is_enough(
    tmp_path: Path, kitchen: Kitchen, index: PrivateIndex, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """UV_OFFLINE counts for pip too; a folder of wheels still serves, and the message says what was missing and why."""
    if installer == "pip":
        without_uv(monkeypatch)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url_with())
    bundle = write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))
    with pytest.raises(RunnerError, match="UV_OFFLINE is set, so nothing is downloaded") as failure:
        kitchen.prepared(bundle).__enter__()
    assert (failure.value.code, failure.value.retryable) == ("E_VENV", False)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    with kitchen.prepared(bundle) as ready:
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "7"
    assert index.served == index.refused == []


def test_offline_a_package_that_uv_has_cached_is_installed_by_copy(
    tmp_path: Path, kitchen: Kitchen, index: PrivateIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an edit in the environment does not reach uv's cache, from which others install (HOSTILE_CORPUS V16)."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url_with())
    bundle = write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))
    with kitchen.prepared(bundle) as ready:
        module = Path(ready.dependency_site, "tiny_dependency.py")
        assert module.stat().st_nlink == 1
        assert not module.is_symlink()
        module.write_text("VALUE = 8\n")
    monkeypatch.setenv("UV_OFFLINE", "1")
    again = Kitchen(tmp_path / "another")
    with again.prepared(bundle) as ready:
        assert again.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "7"


def test_settings_of_a_project_that_the_cache_lies_in_do_not_count(
    tmp_path: Path, kitchen: Kitchen, index: PrivateIndex, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked for upwards from where uv runs; a bundle may have its cache inside."""
    _in_uv_toml(index, home, monkeypatch)
    write_bundle(tmp_path, {"uv.toml": '[[index]]\nurl = "http://127.0.0.1:9/simple"\ndefault = true\n'})
    with kitchen.prepared(write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))) as ready:
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "7"


def _git(*arguments: str, cwd: Path) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def _repository(root: Path) -> str:
    """Make a repository of one package that needs nothing to be built, and return its commit."""
    files = own_bundle()
    files = {path.replace("mine/", "from_git/"): text for path, text in files.items()}
    files["pyproject.toml"] = files["pyproject.toml"].replace("mine", "from_git").partition("[project.entry")[0]
    write_bundle(root, files | {"from_git/__init__.py": "VALUE = 'git'\n"})
    _git("init", "--quiet", cwd=root)
    _git("add", ".", cwd=root)
    _git("commit", "--quiet", "-m", "one", cwd=root)
    return _git("rev-parse", "HEAD", cwd=root)


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("how", [".gitconfig", "GIT_CONFIG variables"])
def test_a_git_dependency_is_had_by_the_users_own_git_configuration_which_stays_as_it_is(
    tmp_path: Path, world: World, installer: str, how: str
) -> None:
    """An address is rewritten to a local repository, as others rewrite https to ssh or add a token (DEFECTS 27)."""
    kitchen, home, monkeypatch = world
    world.installs_with(installer)
    commit = _repository(tmp_path / "repository")
    base = f"url.file://{tmp_path}/repository.insteadOf"
    config = f'[url "file://{tmp_path}/repository"]\n\tinsteadOf = https://git.invalid/institute/from_git\n'
    if how == ".gitconfig":
        write_bundle(home, {".gitconfig": config})
    else:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", base)
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.invalid/institute/from_git")
        monkeypatch.setenv("GIT_CONFIG_KEY_1", "http.extraHeader")
        monkeypatch.setenv("GIT_CONFIG_VALUE_1", "Authorization: Basic CANARYCANARY")
    before = sorted(path.name for path in home.iterdir())
    requirement = f"from_git @ git+https://git.invalid/institute/from_git@{commit}"
    with kitchen.prepared(write_bundle(tmp_path / "bundle", own_bundle(requirement))) as ready:
        assert kitchen.evaluate(ready, "from_git.VALUE", "import from_git") == "git"
    other = write_bundle(tmp_path / "other", own_bundle(requirement.replace("institute", "elsewhere")))
    with pytest.raises(RunnerError, match=r"git\.invalid/elsewhere") as failure, kitchen.prepared(other):
        pass
    assert sorted(path.name for path in home.iterdir() if path.name not in {".cache", ".local"}) == before
    if how == ".gitconfig":
        assert (home / ".gitconfig").read_text() == config
    _assert_unseen(kitchen, json.dumps(failure.value.document()))

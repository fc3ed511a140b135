import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from project_checkout import Ran, commit_everything, copy_of_project, git, run, write_tree

pytestmark = pytest.mark.process

GOOD = {
    # No index has this requirement: whoever tried to install it would fail.
    "pyproject.toml": """\
[project]
name = "growth"
version = "1.0.0"
dependencies = ["bundlekit-test-requirement-that-no-index-has"]

[project.entry-points."modelops.wire"]
execute = "growth.wire:wire"

[tool.bundlekit]
targets = ["growth.targets:cases_target"]
""",
    "growth/__init__.py": "",
    # Whoever imported this would leave a file behind.
    "growth/wire.py": """\
from pathlib import Path

Path(__file__).with_name("imported").touch()


def wire(entrypoint, params, seed):
    return {"cases": b"1"}
""",
    "growth/targets.py": """\
def cases_target(sim_returns, target_data=None):
    return {"loss": 0.0}
""",
}
BAD = {**GOOD, "growth/targets.py": GOOD["growth/targets.py"].replace("cases_target", "case_target")}


class Hook(NamedTuple):
    """This checkout as a hook repository, and the folder in which pre-commit keeps what it installs."""

    repository: Path
    commit: str
    home: Path


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Hook:
    """Commit this checkout to a repository of its own and let pre-commit install the hook from there."""
    repository = copy_of_project(tmp_path_factory.mktemp("hook"))
    hook = Hook(repository, commit_everything(repository), tmp_path_factory.mktemp("pre-commit"))
    installed = _pre_commit(_repository(tmp_path_factory.mktemp("first"), {}, hook), hook, "install-hooks")
    assert installed.status == 0, installed.output
    return hook


@pytest.fixture
def repository(tmp_path: Path, hook: Hook) -> Callable[[dict[str, str]], Path]:
    """Return a function that makes a git repository which uses the hook and has `files` staged."""

    def make(files: dict[str, str], args: str = "[]") -> Path:
        directory = _repository(tmp_path, files, hook, args)
        installed = _pre_commit(directory, hook, "install")
        assert installed.status == 0, installed.output
        git(directory, "add", "--all")
        return directory

    return make


def test_a_good_bundle_is_committed_without_being_installed_or_run(
    repository: Callable[[dict[str, str]], Path], hook: Hook
) -> None:
    """A hook cannot have the dependencies of what it checks (pre-commit issue 2061), so it must not need them."""
    directory = repository(GOOD)
    ran = _commit(directory, hook)
    assert ran.status == 0, ran.output
    assert git(directory, "log", "--format=%s").strip() == "A change"
    assert not (directory / "growth" / "imported").exists()


def test_a_bad_bundle_is_refused_with_its_finding(repository: Callable[[dict[str, str]], Path], hook: Hook) -> None:
    """The commit is stopped, and the message says what to change and where."""
    directory = repository(BAD)
    ran = _commit(directory, hook)
    assert ran.status == 1, ran.output
    assert "pyproject.toml:10" in ran.output
    assert "BK405" in ran.output
    assert "case_target" in ran.output
    assert run(["git", "rev-parse", "--verify", "HEAD"], directory).status != 0


def test_every_bundle_of_a_repository_is_found_and_the_bad_one_named(
    repository: Callable[[dict[str, str]], Path], hook: Hook
) -> None:
    """Models of one group often live side by side; the good one must not hide the bad one."""
    files = {f"models/good/{path}": text for path, text in GOOD.items()}
    files |= {f"models/bad/{path}": text for path, text in BAD.items()}
    ran = _commit(repository(files), hook)
    assert ran.status == 1, ran.output
    assert re.search(r"^models/bad[/\n]pyproject\.toml:10", ran.output, re.MULTILINE), ran.output
    assert ran.output.count("BK405") == 1


def test_two_good_bundles_are_committed(repository: Callable[[dict[str, str]], Path], hook: Hook) -> None:
    """The twin of the test above: two bundles are no fault."""
    files = {f"models/{name}/{path}": text for name in ("one", "two") for path, text in GOOD.items()}
    ran = _commit(repository(files), hook)
    assert ran.status == 0, ran.output


def test_a_repository_without_bundles_is_left_alone(repository: Callable[[dict[str, str]], Path], hook: Hook) -> None:
    """The hook may be part of a template that projects of every kind start from."""
    ran = _commit(repository({"README.md": "Notes.\n", "analysis.py": "print('figures')\n"}), hook)
    assert ran.status == 0, ran.output


def test_a_commit_that_only_deletes_is_checked_too(repository: Callable[[dict[str, str]], Path], hook: Hook) -> None:
    """pre-commit hands deleted files to no hook, and a deleted target is the mistake this project began with."""
    directory = repository(GOOD)
    assert _commit(directory, hook).status == 0
    git(directory, "rm", "--quiet", "growth/targets.py")
    ran = _commit(directory, hook)
    assert ran.status == 1, ran.output
    assert "BK404" in ran.output


def test_arguments_reach_the_command(repository: Callable[..., Path], hook: Hook) -> None:
    """A group that lives with a finding writes so in its configuration."""
    directory = repository(BAD, args='[--ignore, BK405, "--select", "BK"]')
    assert _commit(directory, hook).status == 0
    directory.joinpath("growth", "wire.py").write_text("def wire(entrypoint):\n    return {}\n", encoding="utf-8")
    git(directory, "add", "--all")
    ran = _commit(directory, hook)
    assert ran.status == 1, ran.output
    assert "BK307" in ran.output
    assert "BK405" not in ran.output


def test_a_baseline_keeps_what_is_known_from_the_commit(repository: Callable[..., Path], hook: Hook) -> None:
    """A repository that takes the hook on must not have to mend everything first."""
    directory = repository(BAD, args="[--baseline, known.json]")
    known = ["--level", "static", "--baseline", "known.json", "--write-baseline"]
    wrote = run([sys.executable, "-m", "bundlekit", "validate", *known], directory)
    assert wrote.status == 0, wrote.output
    git(directory, "add", "--all")
    ran = _commit(directory, hook)
    assert ran.status == 0, ran.output


def test_a_commit_that_touches_no_bundle_checks_none_and_a_later_one_that_does_is_refused(
    repository: Callable[..., Path], hook: Hook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A hook that costs seconds at each commit is removed, and one that forgets is worse than none."""
    cache = tmp_path_factory.mktemp("cache")
    directory = repository({f"models/growth/{path}": text for path, text in GOOD.items()} | {"notes.md": "One.\n"})
    time.sleep(2.1)  # a file that was written just now is not trusted to be unchanged
    assert _commit(directory, hook, cache).status == 0
    [known] = (cache / "known").iterdir()
    kept = known.stat().st_mtime_ns
    (directory / "notes.md").write_text("Two.\n", encoding="utf-8")
    git(directory, "add", "--all")
    assert _commit(directory, hook, cache).status == 0
    assert known.stat().st_mtime_ns == kept
    git(directory, "rm", "--quiet", "models/growth/growth/targets.py")
    for _again in range(2):
        ran = _commit(directory, hook, cache)
        assert ran.status == 1, ran.output
        assert "BK404" in ran.output


def _repository(directory: Path, files: dict[str, str], hook: Hook, args: str = "[]") -> Path:
    configuration = f"""\
repos:
  - repo: {hook.repository.as_uri()}
    rev: {hook.commit}
    hooks:
      - id: bundlekit-validate
        args: {args}
"""
    write_tree(directory, {**files, ".pre-commit-config.yaml": configuration})
    git(directory, "init", "--quiet", "--initial-branch=main")
    return directory


def _pre_commit(directory: Path, hook: Hook, *arguments: str) -> Ran:
    return run([sys.executable, "-m", "pre_commit", *arguments], directory, PRE_COMMIT_HOME=str(hook.home))


def _commit(directory: Path, hook: Hook, cache: Path | None = None) -> Ran:
    # The hook's environment stands by now: from here on no network is needed, so none is given.
    nowhere = "http://127.0.0.1:9"
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "http_proxy": nowhere, "https_proxy": nowhere}
    kept = {} if cache is None else {"VENVS_DIR": str(cache)}
    return run(["git", "commit", "--message=A change"], directory, PRE_COMMIT_HOME=str(hook.home), **offline, **kept)

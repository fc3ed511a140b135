"""This checkout as other programs meet it: a git repository that holds the working tree as one commit."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["PROJECT", "Ran", "commit_everything", "copy_of_project", "git", "run", "write_tree"]

PROJECT = Path(__file__).resolve().parent.parent

GIT_IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A Scientist",
    "GIT_AUTHOR_EMAIL": "scientist@example.invalid",
    "GIT_COMMITTER_NAME": "A Scientist",
    "GIT_COMMITTER_EMAIL": "scientist@example.invalid",
}
"""A person of its own, so that neither the user's hooks nor a machine without any identity changes a result."""


class Ran(NamedTuple):
    """A process that ended: its exit status and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything it printed, standard output first."""
        return self.stdout + self.stderr


def run(command: Sequence[str], directory: Path, **env: str) -> Ran:
    """Run `command` in `directory` and return its exit status and what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**inherited, **GIT_IDENTITY, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def git(directory: Path, *arguments: str) -> str:
    """Run git in `directory` and return what it printed; a failure fails the test with git's own words."""
    ran = run(["git", *arguments], directory)
    assert ran.status == 0, ran.output
    return ran.output


def commit_everything(directory: Path) -> str:
    """Make `directory` a git repository with all its files as one commit, and return the commit's hash."""
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--no-verify", "--allow-empty", "--message=Everything")
    return git(directory, "rev-parse", "HEAD").strip()


def copy_of_project(destination: Path) -> Path:
    """Copy the working tree as git would commit it, ignored files left out, and return `destination`."""
    if (PROJECT / ".git").exists():
        listed = git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for path in filter(None, listed.split("\0")):
            if (PROJECT / path).is_file():  # a file that was deleted is still listed until that is committed
                (destination / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / path, destination / path)
    else:
        shutil.copytree(PROJECT, destination, ignore=shutil.ignore_patterns(".venv*", "__pycache__", ".*_cache"))
    return destination


def write_tree(directory: Path, files: Mapping[str, str]) -> Path:
    """Write `files`, path to text, into `directory` and return it."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    return directory

import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_checkout import PROJECT, run, write_tree

pytestmark = pytest.mark.process

README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of the section "A first bundle" as its reader would."""
    directory = tmp_path_factory.mktemp("tutorial")
    files = {}
    for language, text in _blocks("A first bundle in five minutes"):
        if language == "toml":
            files["pyproject.toml"] = text
        elif language == "python":
            files[text.partition("\n")[0].removeprefix("# ")] = text
    write_tree(directory / "coin", files)
    return directory


def test_the_tutorial_prints_what_the_readme_shows(tutorial: Path) -> None:
    """A first reader copies every line of it; one that fails, or answers otherwise, is where they stop."""
    [text] = [text for language, text in _blocks("A first bundle in five minutes") if language == "console"]
    _replay(text, tutorial)


def test_a_mistake_in_the_tutorial_is_told_as_the_readme_shows(tutorial: Path, tmp_path: Path) -> None:
    """The finding that the README promises is the finding that a misspelt name gets."""
    text = (tutorial / "coin" / "pyproject.toml").read_text(encoding="utf-8")
    copied = {path.relative_to(tutorial).as_posix(): path.read_text() for path in (tutorial / "coin").rglob("*.py")}
    misspelt = text.replace("heads_target", "head_target")
    write_tree(tmp_path, {**copied, "coin/pyproject.toml": misspelt})
    [shown] = [text for language, text in _blocks("When something is wrong") if language == "console"]
    _replay(shown, tmp_path)


def _replay(console: str, directory: Path) -> None:
    entries = re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        command, _, expected = entry.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "bundlekit"
        ran = run([sys.executable, "-m", "bundlekit", *arguments], directory, VENVS_DIR=str(directory / "environments"))
        assert _steady(ran.stdout) == _steady(expected), ran.output


def _steady(text: str) -> str:
    # Seconds, memory, dates and interpreter are the machine's, and the size of an archive that of one Zstandard.
    steady = r"(?<=files, )[\d,]+ bytes(?=, digest)|\d+\.\d s\b|[\d.]+ MiB of memory|Python 3[\d.]+"
    return re.sub(rf"{steady}|(?<=since )[\d-]+ [\d:]+", "~", text)


def _blocks(section: str) -> Iterator[tuple[str, str]]:
    body = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for indent, language, text in re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", body, re.MULTILINE | re.DOTALL):
        yield language, textwrap.dedent(text) if indent else text

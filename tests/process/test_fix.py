"""`validate --fix` and `--diff` as people run them: what is printed, what is written, and the exit status."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bundlekit.probe.example_bundle import SOUND

pytestmark = pytest.mark.process


def bundlekit(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return what `bundlekit ARGUMENTS` did; line ends are those that it printed."""
    command = [sys.executable, "-m", "bundlekit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, cwd=cwd, check=False, timeout=120)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a small bundle whose target is misspelt."""
    root = tmp_path / "tiny"
    (root / "tiny").mkdir(parents=True)
    for path, text in SOUND.items():
        (root / path).write_text(text.replace("tiny.model:loss", "tiny.model:los"), encoding="utf-8")
    return root


def test_the_diff_writes_nothing_even_with_fix(bundle: Path) -> None:
    """Who adds an option to look first means to look."""
    before = (bundle / "pyproject.toml").read_text()
    shown = bundlekit("validate", "--level", "static", "--fix", "--diff", "tiny", cwd=bundle.parent)
    assert shown.returncode == 1
    assert shown.stdout.startswith("--- tiny/pyproject.toml\n+++ tiny/pyproject.toml\n@@ ")
    assert (
        shown.stderr == "would fix 1 finding in 1 file, and leave 0 findings; --fix goes on with what that uncovers\n"
    )
    assert (bundle / "pyproject.toml").read_text() == before


class Mistake(NamedTuple):
    """One change that breaks the sound bundle, and what fixing it writes: `new` for `old` in the file at `path`."""

    breaking: tuple[str, str]
    path: str
    old: str
    new: str
    told: str
    level: str = "static"


_DECLARED = '[project.entry-points."modelops.wire"]\nexecute = "tiny.model:wire"\n'
_MISTAKES: dict[str, Mistake] = {
    "missing-init": Mistake(
        ('packages = ["tiny"]', "packages.find.namespaces = false"),
        "tiny/fits/__init__.py",
        "",
        "",
        "tiny/tiny/fits/__init__.py: fixed BK139 create the file",
    ),
    "missing-init-as-it-ships": Mistake(
        ('packages = ["tiny"]', "packages.find.namespaces = false"),
        "tiny/fits/__init__.py",
        "",
        "",
        "tiny/tiny/fits/__init__.py: fixed BK139 create the file",
        level="smoke",
    ),
    "missing-dependency": Mistake(
        ("import base64", "import base64\nimport yaml"),
        "pyproject.toml",
        "dependencies = []",
        'dependencies = ["PyYAML"]',
        "tiny/pyproject.toml: fixed BK505 declare the dependency 'PyYAML'",
    ),
    "missing-entry-point": Mistake(
        (_DECLARED, ""),
        "pyproject.toml",
        "dependencies = []\n",
        f"dependencies = []\n\n{_DECLARED}\n",
        "tiny/pyproject.toml: fixed BK301 declare the entry point execute = 'tiny.model:wire' in the group",
    ),
    "misspelt-name": Mistake(
        ("tiny.fits.all:loss", "tiny.fits.all:los"),
        "pyproject.toml",
        "tiny.fits.all:los",
        "tiny.fits.all:loss",
        "tiny/pyproject.toml: fixed BK405 replace 'tiny.fits.all:los' by 'tiny.fits.all:loss'",
    ),
}


def _content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _restore(root: Path, content: dict[str, bytes]) -> None:
    for path in _content(root).keys() - content.keys():
        (root / path).unlink()
    for path, data in content.items():
        (root / path).write_bytes(data)


@pytest.mark.parametrize("mistake", _MISTAKES.values(), ids=_MISTAKES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_each_kind_of_mistake_is_shown_fixed_and_gone(mistake: Mistake, line_end: str, tmp_path: Path) -> None:
    """The diff is a patch that does what the fix then does: one place of one file, every other byte as it was."""
    root = tmp_path / "tiny"
    loss = "def loss(sim_returns, target_data=None):\n    return {'loss': 1.0}\n"
    files = {**SOUND, "tiny/fits/all.py": f"{loss}# caf\u00e9"}
    for path, text in files.items():
        broken = text.replace("tiny.model:loss", "tiny.fits.all:loss").replace(*mistake.breaking)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(broken, encoding="utf-8", newline=line_end)
    before = _content(root)
    command = ("validate", "--level", mistake.level, "tiny")
    shown = bundlekit(*command, "--diff", cwd=tmp_path)
    assert shown.returncode == 1
    assert f"+++ tiny/{mistake.path}\n" in shown.stdout
    assert _content(root) == before
    fixed = bundlekit(*command, "--fix", cwd=tmp_path)
    assert (fixed.returncode, mistake.told in fixed.stdout) == (0, True), fixed.stdout
    old, new = (text.replace("\n", line_end).encode() for text in (mistake.old, mistake.new))
    assert _content(root) == before | {mistake.path: before.get(mistake.path, b"").replace(old, new, 1)}
    after = _content(root)
    _restore(root, before)
    patch = ["git", "apply", "-p0", "-"]
    assert subprocess.run(patch, input=shown.stdout.encode(), cwd=tmp_path, check=False).returncode == 0
    assert _content(root) == after
    again = bundlekit(*command, "--fix", "--output", "json", cwd=tmp_path)
    assert (again.returncode, json.loads(again.stdout)["fixed"]) == (0, [])
    assert _content(root) == after


def test_a_sound_bundle_has_no_diff(bundle: Path) -> None:
    """Status 0 and nothing on standard output: a pipeline needs to read neither."""
    (bundle / "pyproject.toml").write_text(SOUND["pyproject.toml"])
    done = bundlekit("validate", "--level", "static", "--diff", cwd=bundle)
    assert (done.returncode, done.stdout) == (0, "")


def test_errors_that_nothing_fixes_keep_the_status(bundle: Path) -> None:
    """An empty diff does not say that the bundle is sound."""
    (bundle / "pyproject.toml").write_text(SOUND["pyproject.toml"].replace("tiny.model:loss", "tiny.model:deaths"))
    done = bundlekit("validate", "--level", "static", "--diff", cwd=bundle)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "would fix 0 findings in 0 files, and leave 1 finding\n"


def test_the_document_holds_the_diff_and_the_fixes(bundle: Path) -> None:
    """`--output json` is one document, whatever else was asked for."""
    shown = bundlekit("validate", "--level", "static", "--diff", "--output", "json", cwd=bundle)
    document = json.loads(shown.stdout)
    assert document["difference"].startswith("--- pyproject.toml\n+++ pyproject.toml\n")
    assert document["findings"][0]["fixable"] is True
    fixed = bundlekit("validate", "--level", "static", "--fix", "--output", "json", cwd=bundle)
    document = json.loads(fixed.stdout)
    assert document["findings"] == []
    assert document["fixed"] == [
        {
            "code": "BK405",
            "message": "the target 'tiny.model:los' names 'los', which tiny/model.py does not define",
            "path": "pyproject.toml",
            "change": "replace 'tiny.model:los' by 'tiny.model:loss'",
        }
    ]


def test_an_archive_is_refused_and_its_findings_are_not_called_fixable(bundle: Path) -> None:
    """Its digest says what it holds."""
    text = SOUND["pyproject.toml"] + "[tool.bundlekit.worker]\npyhton = '3.12'\n"
    (bundle / "pyproject.toml").write_text(text)
    packed = bundlekit("pack", "tiny", "-o", "a.tar.zst", "--no-validate", cwd=bundle.parent)
    assert packed.returncode == 0, packed.stderr
    refused = bundlekit("validate", "--fix", "a.tar.zst", cwd=bundle.parent)
    assert refused.returncode == 2
    assert "a.tar.zst is an archive, which nothing can mend: name the directory that it came from" in refused.stderr
    checked = bundlekit("validate", "--level", "static", "--diff", "a.tar.zst", "--output", "json", cwd=bundle.parent)
    document = json.loads(checked.stdout)
    assert [(each["code"], each["fixable"]) for each in document["findings"]] == [("BK107", False)]
    assert checked.returncode == 0


def test_a_default_task_that_fails_becomes_one_to_fill_in(bundle: Path) -> None:
    """What is unproved is not proved by being written down: the report says what the task still lacks."""
    text = SOUND["pyproject.toml"].partition("[[tool.bundlekit.smoke]]")[0]
    (bundle / "pyproject.toml").write_text(text)
    code = (bundle / "tiny/model.py").read_text()
    (bundle / "tiny/model.py").write_text(code.replace('{"raw": b"ok"}', '{"raw": params["beta"]}'))
    fixed = bundlekit("validate", "--fix", cwd=bundle)
    assert fixed.returncode == 1
    assert "fixed BK702 describe the smoke task 'main'" in fixed.stdout
    assert "error BK701 smoke task 'main' with seed 0 failed" in fixed.stdout
    written = (bundle / "pyproject.toml").read_text()
    assert written == f'{text}\n[[tool.bundlekit.smoke]]\nentrypoint = "main"\nparams = {{}}\nseed = 0\n'


def test_control_characters_of_a_file_reach_a_pipe_as_they_are(bundle: Path) -> None:
    """A patch with other bytes would not apply; a terminal gets them escaped."""
    text = (bundle / "pyproject.toml").read_text()
    (bundle / "pyproject.toml").write_text(text.replace("[tool.bundlekit]", "# \u202e\n[tool.bundlekit]"))
    done = bundlekit("validate", "--level", "static", "--diff", cwd=bundle)
    assert "\u202e" in done.stdout

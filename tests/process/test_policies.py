"""What keeps findings from counting, as the hook, a smoke run and `pack` meet it: real processes on a real bundle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bundlekit.probe.example_bundle import SOUND, varied

pytestmark = pytest.mark.process

_TARGETS = 'targets = ["tiny.model:loss"]'
_UNREADABLE = ("float(len(data))", "float(data)")
_IGNORED = (_TARGETS, f"{_TARGETS}  # bundlekit: ignore[BK703] no data yet")


def bundlekit(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Return what `bundlekit ARGUMENTS` did."""
    command = [sys.executable, "-m", "bundlekit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120)


def written(root: Path, *changes: tuple[str, str]) -> Path:
    """Write the sound bundle with `changes` to `root` and return it."""
    for path, text in varied(*changes).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_a_finding_that_a_comment_ignores_does_not_stop_the_hook(tmp_path: Path) -> None:
    """The twin without a reason does."""
    short = ("def wire(entrypoint, params, seed):", "def wire(entrypoint):  # bundlekit: ignore[BK307] adapted later")
    hook = ("validate", "--level", "static")
    ignored = bundlekit(*hook, written(tmp_path / "a", short))
    assert (ignored.returncode, ignored.stdout.split(", static")[0]) == (0, "passed: tiny 1, 0 errors, 1 ignored")
    refused = bundlekit(*hook, written(tmp_path / "b", (short[0], short[1].replace(" adapted later", ""))))
    assert refused.returncode == 1
    assert "BK307" in refused.stdout
    assert "BK108" in refused.stdout


def test_a_comment_ignores_what_a_run_finds_and_is_unused_when_the_run_finds_nothing(tmp_path: Path) -> None:
    """One policy decides for what is read and for what is run, and `pack` holds to it where it validates."""
    ignored = written(tmp_path / "a", _UNREADABLE, _IGNORED)
    assert bundlekit("validate", ignored).returncode == 0
    packed = bundlekit("pack", ignored, "-o", tmp_path / "a.tar.zst")
    assert (packed.returncode, "1 ignored" in packed.stdout) == (0, True), packed.stderr
    assert bundlekit("validate", tmp_path / "a.tar.zst").returncode == 0
    assert bundlekit("pack", written(tmp_path / "b", _UNREADABLE), "-o", tmp_path / "b.tar.zst").returncode == 1

    mended = written(tmp_path / "c", _IGNORED)
    assert "BK109" not in bundlekit("validate", mended, "--level", "import").stdout
    unused = bundlekit("validate", mended)
    assert (unused.returncode, "warning BK109 the comment ignores BK703, of which nothing" in unused.stdout) == (
        0,
        True,
    )


def test_a_baseline_learns_of_all_stages_at_once_and_shrinks(tmp_path: Path) -> None:
    """A known error ends no run, so the one command that writes the file gets to the last stage."""
    wrong = (_TARGETS, f'{_TARGETS}\nignore = ["BK999"]\n[tool.bundlekit.severity]\nBK110 = "error"\n')
    root, file = written(tmp_path / "tiny", _UNREADABLE, wrong), tmp_path / "known.json"
    learnt = bundlekit("validate", root, "--baseline", file, "--write-baseline", "--output", "json")
    report = json.loads(learnt.stdout)
    assert (learnt.returncode, learnt.stderr) == (0, "2 findings are in the baseline now\n")
    assert (report["passed"], report["suppressed"]) == (True, {"baseline": 2})
    known = json.loads(file.read_text(encoding="utf-8"))["bundles"]["tiny"]
    assert [each["code"] for each in known] == ["BK110", "BK703"]
    assert bundlekit("validate", root).returncode == 1

    written(root, wrong)
    static = bundlekit("validate", root, "--baseline", file, "--level", "static").stdout
    assert "1 known from the baseline, static passed" in static
    assert (
        "1 known from the baseline, 1 gone from the baseline" in bundlekit("validate", root, "--baseline", file).stdout
    )


def test_no_baseline_is_written_where_a_bundle_has_no_verdict(tmp_path: Path) -> None:
    """Half a baseline would make the other bundles' old findings new."""
    root, file = written(tmp_path / "tiny"), tmp_path / "known.json"
    done = bundlekit(
        "validate", root, tmp_path / "nowhere", "--level", "static", "--baseline", file, "--write-baseline"
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"no baseline is written, since {tmp_path / 'nowhere'} has no verdict\n",
    )
    assert not file.exists()


def test_mending_and_learning_are_two_steps(tmp_path: Path) -> None:
    """What has become known is not mended any more."""
    done = bundlekit("validate", tmp_path, "--fix", "--write-baseline", "--baseline", tmp_path / "known.json")
    assert (done.returncode, "mend first, then write" in done.stderr) == (2, True)


def test_a_damaged_baseline_is_a_usage_error_with_its_place(tmp_path: Path) -> None:
    """Taken for an empty one, it would turn every old finding into a new one."""
    file = tmp_path / "known.json"
    file.write_text('{"schema": \n}', encoding="utf-8")
    done = bundlekit("validate", written(tmp_path / "tiny"), "--level", "static", "--baseline", file)
    assert done.returncode == 2
    assert f"error E_USAGE: {file}:2:1: the baseline is not JSON" in done.stdout


def test_the_sound_bundle_has_nothing_that_is_ignored(tmp_path: Path) -> None:
    """The twin of all of the above."""
    report = json.loads(bundlekit("validate", written(tmp_path / "tiny"), "--output", "json").stdout)
    assert (report["passed"], report["suppressed"], report["reweighed"], report["gone"]) == (True, {}, 0, 0)
    assert set(SOUND) == {path.relative_to(tmp_path / "tiny").as_posix() for path in tmp_path.glob("tiny/**/*.*")}

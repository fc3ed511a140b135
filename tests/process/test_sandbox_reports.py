"""What `validate` says of the sandbox: the level that held, the network, and when it may be what a task failed of."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builders.bundles import make_bundle, pyproject
from builders.held_runs import level_here, needs_layers, without_calls

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the level is always process"),
]
VALIDATE = (sys.executable, "-m", "bundlekit", "validate", "--output", "json")
SMOKE = '[[tool.bundlekit.smoke]]\nentrypoint = "main"\n'
BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def validated(root: Path, wire: str, *options: str, settings: str = "", command: Sequence[str] = VALIDATE) -> Any:  # noqa: ANN401 - a JSON document
    """Return the report of a bundle with the module `wire`, which needs no build."""
    files = {"wire.py": wire, "pyproject.toml": f"[tool.bundlekit]\n{settings}{SMOKE}"}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    done = subprocess.run([*command, str(root), *options], capture_output=True, check=False, env=dict(os.environ))
    return json.loads(done.stdout)


GOOD = "def wire(entrypoint, params, seed):\n    return {'a': b'x'}\n"
FETCHES = (
    "import urllib.request\ndef wire(entrypoint, params, seed):\n"
    "    return {'a': urllib.request.urlopen('http://192.0.2.1/').read()}\n"
)


def test_validation_holds_what_it_can_and_says_what(tmp_path: Path) -> None:
    """`auto` is its default; a network is for who asks for it."""
    report = validated(tmp_path / "bundle", GOOD)
    assert report["passed"], report
    assert report["sandbox"] == level_here()
    opened = validated(tmp_path / "open", GOOD, settings="network = true\n")
    assert (opened["sandbox"], opened["network"]) == (level_here(network_open=True), "open")
    off = validated(tmp_path / "off", GOOD, "--sandbox", "off")
    assert (off["sandbox"], off["network"]) == ("off", "open")
    static = validated(tmp_path / "static", GOOD, "--level", "static")
    assert (static["sandbox"], static["network"]) == ("none", "none")


@needs_layers("landlock")
@pytest.mark.parametrize(
    ("wire", "hint"),
    [
        (FETCHES, "there is no network while a bundle is validated, unless [tool.bundlekit] sets network = true"),
        (GOOD.replace("b'x'", "open({path!r}, 'rb').read()"), "the sandbox of validation shows no files but"),
        ("open({path!r})\n" + GOOD, "the sandbox of validation shows no files but"),
        (GOOD.replace("b'x'", "open('/etc/x', 'w')"), "the sandbox of validation shows no files but"),
    ],
    ids=["network", "file", "file of an import", "write"],
)
def test_a_failure_that_the_sandbox_may_have_made_says_so(wire: str, hint: str, tmp_path: Path) -> None:
    """Else its user would look for the mistake in the model."""
    outside = tmp_path / "outside.csv"
    outside.write_text("x", encoding="ascii")
    report = validated(tmp_path / "bundle", wire.replace("{path!r}", repr(str(outside))))
    (finding,) = [finding for finding in report["findings"] if finding["severity"] == "error"]
    assert finding["hint"].startswith(hint), finding
    assert "it last said: " in finding["hint"]


def test_other_failures_do_not_mention_it(tmp_path: Path) -> None:
    """A hint that is always there helps nobody."""
    report = validated(tmp_path / "bundle", GOOD.replace("b'x'", "open('absent.csv').read()"))
    (finding,) = [finding for finding in report["findings"] if finding["severity"] == "error"]
    assert finding["hint"].startswith("it last said: ")


def test_run_tells_in_its_log_what_held_and_why_not_more(tmp_path: Path) -> None:
    """Its one line is the runner's; whoever asks for a sandbox there reads the rest."""
    bundle = make_bundle(tmp_path / "bundle", {})
    command = [sys.executable, "-m", "bundlekit", "run", str(bundle), "--sandbox", "auto"]
    done = subprocess.run(without_calls(command, "landlock"), capture_output=True, check=True, text=True)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Sandbox: ")]
    assert "no Landlock: there is none" in line
    assert "landlock" not in line.partition(",")[0]


def test_require_that_cannot_be_held_is_no_verdict_and_builds_nothing(tmp_path: Path) -> None:
    """Exit 2, the reason, and what to do; the bundle's build, which is its code too, has not run."""
    marker = tmp_path / "built"
    bundle = make_bundle(
        tmp_path / "bundle",
        {"pyproject.toml": pyproject(after=BUILD), "backend.py": f"open({str(marker)!r}, 'w')\n"},
    )
    command = without_calls([*VALIDATE, str(bundle), "--sandbox", "require"], "landlock")
    done = subprocess.run(command, capture_output=True, check=False)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["error_code"]) == (2, "E_USAGE")
    assert "no Landlock" in error["message"]
    assert "Use auto to run with level" in error["message"]
    assert not marker.exists()

import json
import os
import re
import sys
from pathlib import Path

import pytest
from project_checkout import PROJECT, Ran, run

pytestmark = pytest.mark.process

EXAMPLES = PROJECT / "examples"
BROKEN = sorted(path.name for path in (EXAMPLES / "broken").iterdir() if path.is_dir())
GOOD = {
    "leaky-cpp": {"BK515", "BK810"},
    "leaky-python": {"BK804"},
    "mywire": set(),
    "nondeterministic": set(),
    "sir": {"BK515"},
}
"""Examples that run, and what is noted about each: they ship no lock, so that they install on any reader's Python."""

VERDICTS = ["leaky-cpp", "leaky-cpp-fixed", "leaky-python", "nondeterministic"]
if os.environ.get("BUNDLEKIT_LONG_TESTS"):
    # Its environment takes 700 MB and a minute, too much for every change.
    VERDICTS.append("starsim-sir")

STAGES = ["static", "environment", "import", "smoke"]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep environments in a cache of this module's own: the first test builds them, the others use them again."""
    return tmp_path_factory.mktemp("environments")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_example_is_proved_packed_and_comes_back_the_same(name: str, environments: Path, tmp_path: Path) -> None:
    """The whole promise on a real bundle: proved, packed, verified, unpacked, and the same digest when packed again."""
    before = _contents(EXAMPLES / name)
    packed = _json(environments, "pack", EXAMPLES / name, "-o", tmp_path / "first.tar.zst")
    report = json.loads((tmp_path / "first.tar.zst.report.json").read_text(encoding="utf-8"))
    stages = report["validation"]["stages"]
    assert [(stage["name"], stage["status"]) for stage in stages] == [(stage, "passed") for stage in STAGES]
    assert {finding["code"] for finding in report["validation"]["findings"]} == GOOD[name]
    verified = _json(environments, "verify", tmp_path / "first.tar.zst")
    unpacked = _json(environments, "unpack", tmp_path / "first.tar.zst", tmp_path / "unpacked")
    again = _json(environments, "pack", tmp_path / "unpacked", "-o", tmp_path / "again.tar.zst", "--no-validate")
    assert {verified["digest"], unpacked["digest"], again["digest"]} == {packed["digest"]}
    assert (tmp_path / "again.tar.zst").read_bytes() == (tmp_path / "first.tar.zst").read_bytes()
    assert _contents(EXAMPLES / name) == before


@pytest.mark.parametrize("name", VERDICTS)
def test_an_example_has_the_verdict_that_its_readme_expects(name: str, environments: Path, tmp_path: Path) -> None:
    """They stand for what people bring: if the experiment were wrong about them, whom would it be right about?"""
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    [expected] = re.findall(r"Expected verdict: `(\w+)`", readme)
    command = ["isolation", f"examples/{name}", "--grid-spec", f"examples/{name}/grid.json"]
    document = tmp_path / "found.json"
    ran = _bundlekit(environments, *command, "--output", "text", "--output", f"json:{document}")
    found = json.loads(document.read_text(encoding="utf-8"))
    assert (found["verdict"], found["budget"]["used_up"]) == (expected, False), ran.output
    assert ran.status == int(expected != "isolated")
    for shown, printed in re.findall(r"^\$ bundlekit ([^\n]*)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
        assert shown.split() == command
        assert _steady(ran.stdout) == _steady(printed)


@pytest.mark.parametrize("seed", [1, 2**64 - 1])
def test_one_seed_gives_one_epidemic(seed: int, environments: Path) -> None:
    """Calibration compares parameter sets by their losses: a result that the seed does not fix compares nothing."""
    task = ["--entrypoint", "sir.model/baseline", "--params", '{"beta": 0.3, "gamma": 0.1}', "--seed", str(seed)]
    first, second = (_json(environments, "run", EXAMPLES / "sir", *task) for _ in range(2))
    assert first == second
    assert sorted(first["outputs"]) == ["incidence", "prevalence"]


def test_the_largest_example_reads_without_a_fault(environments: Path) -> None:
    """Its environment is too large to be built at each change; what can be known without it is."""
    findings = _json(environments, "validate", "--level", "static", EXAMPLES / "starsim-sir")["findings"]
    assert [finding["code"] for finding in findings] == ["BK515"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_example_is_found_out_without_being_run(name: str, environments: Path) -> None:
    """Each is a scientist's mistake; the golden file beside it is all that its author would be told."""
    ran = _bundlekit(environments, "validate", "--level", "static", "--output", "json", EXAMPLES / "broken" / name)
    golden = EXAMPLES / "broken" / f"{name}.findings.txt"
    assert _golden_form(json.loads(ran.stdout)["findings"]) == golden.read_text(encoding="utf-8")
    assert ran.status == int(": error " in golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_example_says_what_is_wrong_with_it(name: str) -> None:
    """A reader opens the README first: a title and one paragraph."""
    text = (EXAMPLES / "broken" / name / "README.md").read_text(encoding="utf-8")
    title, blank, paragraph = text.partition("\n\n")
    assert title.startswith("# ")
    assert blank
    assert "\n\n" not in paragraph


def test_every_golden_file_has_its_bundle() -> None:
    """A bundle that was renamed must not leave its findings behind, unread."""
    assert sorted(path.name.removesuffix(".findings.txt") for path in (EXAMPLES / "broken").glob("*.txt")) == BROKEN


def _bundlekit(environments: Path, *arguments: object) -> Ran:
    command = [sys.executable, "-m", "bundlekit", *map(str, arguments)]
    return run(command, PROJECT, VENVS_DIR=str(environments))


def _json(environments: Path, *arguments: object) -> dict[str, object]:
    output = [] if arguments[0] == "run" else ["--output", "json"]
    ran = _bundlekit(environments, *arguments, *output)
    assert ran.status == 0, ran.output
    return json.loads(ran.stdout)


def _steady(text: str) -> str:
    # Times, the interpreter and what a sandbox can do here are the machine's.
    return re.sub(r"\d+ executions in [\d.]+ s|cpython-\w+|sandbox .*", "~", text)


def _golden_form(findings: list[dict[str, object]]) -> str:
    lines = []
    for finding in findings:
        place = ":".join(str(part) for part in (finding["path"] or ".", finding["line"], finding["column"]) if part)
        lines.append(f"{place}: {finding['severity']} {finding['code']} {finding['message']}\n")
        if finding["hint"]:
            lines.append(f"  hint: {finding['hint']}\n")
    return "".join(lines)


def _contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}

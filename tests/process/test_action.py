import json
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from project_checkout import PROJECT, copy_of_project, run

pytestmark = pytest.mark.process


class Step(NamedTuple):
    """What the action's shell step did, as the workflow that uses it would see it."""

    status: int
    log: str
    report: dict[str, object]
    outputs: str
    summary: str


class Runner(NamedTuple):
    """A stand-in for GitHub's machine: the action's files and the folder that lasts for the job."""

    action: Path
    temporary: Path
    source: Path
    """What the step installs: the action's own folder, or what was built of it, which takes no time a second time."""

    def preflight(self, workspace: Path, **inputs: str) -> Step:
        """Run the shell step of action.yml in `workspace` as GitHub does: bash, the inputs in its variables."""
        action = yaml.safe_load((self.action / "action.yml").read_text(encoding="utf-8"))
        [step] = [step for step in action["runs"]["steps"] if "run" in step]
        values = {name: declared["default"] for name, declared in action["inputs"].items()}
        values |= {"python": sys.executable, **inputs}
        variables = {name: _expanded(text, values) for name, text in step["env"].items()}
        script = self.temporary / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        outputs = self.temporary / "outputs"
        outputs.write_text("", encoding="utf-8")
        summary = self.temporary / "summary.md"
        summary.write_text("What the step said before.\n", encoding="utf-8")
        ran = run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            workspace,
            GITHUB_ACTIONS="true",
            GITHUB_ACTION_PATH=str(self.source),
            GITHUB_OUTPUT=str(outputs),
            GITHUB_STEP_SUMMARY=str(summary),
            GITHUB_WORKSPACE=str(workspace),
            RUNNER_TEMP=str(self.temporary),
            VENVS_DIR=str(self.temporary / "environments"),
            **variables,
        )
        report = workspace / values["report"]
        found = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
        texts = [file.read_text(encoding="utf-8") for file in (outputs, summary)]
        return Step(ran.status, ran.output, found, *texts)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Copy the action as a workflow would get it, with one temporary folder for all steps of the job."""
    action, built = copy_of_project(tmp_path_factory.mktemp("action")), tmp_path_factory.mktemp("built")
    ran = run([sys.executable, "-m", "build", "--wheel", "--outdir", str(built), str(action)], built)
    assert ran.status == 0, ran.output
    [wheel] = built.glob("*.whl")
    return Runner(action, tmp_path_factory.mktemp("runner"), wheel)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Lay out a repository with one good bundle in it."""
    shutil.copytree(PROJECT / "examples" / "mywire", tmp_path / "models" / "mywire")
    return tmp_path


def test_the_preflight_of_a_good_bundle_passes_with_a_report(runner: Runner, workspace: Path) -> None:
    """The step goes as far as a real task, and leaves its report where the next step looks for it."""
    step = runner._replace(source=runner.action).preflight(workspace, path="models/mywire")
    assert step.status == 0, step.log
    assert step.report["passed"] is True
    assert step.report["level"] == "smoke"
    assert step.outputs == "report=bundlekit-report.json\nsarif=\n"
    assert step.summary.startswith("What the step said before.\n## bundlekit: 1 passed\n")
    assert "::error" not in step.log


def test_the_preflight_of_a_bad_bundle_fails_and_annotates_the_line(runner: Runner, workspace: Path) -> None:
    """The annotation must carry the path from the root of the repository, or GitHub shows it on no line."""
    shutil.copytree(PROJECT / "examples" / "broken" / "wire-without-seed", workspace / "models" / "coin")
    step = runner.preflight(workspace, path="models/mywire\nmodels/coin\n")
    assert step.status == 1, step.log
    [annotation] = [line for line in step.log.splitlines() if line.startswith("::error")]
    assert "file=models/coin/coin/wire.py,line=7" in annotation
    assert "BK307" in annotation
    assert [report["passed"] for report in step.report["reports"]] == [True, False]
    assert "| error | BK307 | <code>models/coin/coin/wire.py:7</code> |" in step.summary


def test_bundles_below_a_folder_are_annotated_from_the_root(runner: Runner, workspace: Path) -> None:
    """A repository may keep its bundles in a folder, and the action be told that folder alone."""
    shutil.copytree(PROJECT / "examples" / "broken" / "wire-without-seed", workspace / "models" / "coin")
    step = runner.preflight(workspace, path="models", level="static")
    assert step.status == 1, step.log
    assert "file=models/coin/coin/wire.py,line=7" in step.log


def test_the_step_writes_sarif_and_junit_where_it_is_told_to(runner: Runner, workspace: Path) -> None:
    """Code scanning and the reporters of tests read files, which a later step uploads although this one failed."""
    shutil.copytree(PROJECT / "examples" / "broken" / "wire-without-seed", workspace / "coin")
    step = runner.preflight(workspace, path="coin", level="static", sarif="b k.sarif", junit="junit.xml")
    assert step.status == 1, step.log
    assert step.outputs == "report=bundlekit-report.json\nsarif=b k.sarif\n"
    [run_] = json.loads((workspace / "b k.sarif").read_text(encoding="utf-8"))["runs"]
    assert [result["ruleId"] for result in run_["results"]] == ["BK307", "BK805"]
    assert 'failures="2"' in (workspace / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("inputs", "status", "codes"),
    [
        pytest.param({}, 1, ["BK307", "BK805"], id="all rules"),
        pytest.param({"select": "BK1\n\n BK2 \n"}, 0, [], id="two families selected"),
        pytest.param({"select": "BK3\nBK4"}, 1, ["BK307"], id="its family selected"),
        pytest.param({"ignore": "BK307\n"}, 0, ["BK805"], id="its code ignored"),
        pytest.param({"baseline": "known findings.json"}, 0, [], id="a baseline that knows it"),
    ],
)
def test_select_ignore_and_baseline_reach_the_command(
    runner: Runner, workspace: Path, inputs: dict[str, str], status: int, codes: list[str]
) -> None:
    """What a repository lives with must not keep its workflow red."""
    shutil.copytree(PROJECT / "examples" / "broken" / "wire-without-seed", workspace / "coin")
    known = ["--baseline", "known findings.json", "--write-baseline"]
    wrote = run([sys.executable, "-m", "bundlekit", "validate", "coin", "--level", "static", *known], workspace)
    assert wrote.status == 0, wrote.output
    step = runner.preflight(workspace, path="coin", level="static", **inputs)
    assert step.status == status, step.log
    assert [finding["code"] for finding in step.report["findings"]] == codes


@pytest.mark.parametrize("name", ["report", "sarif", "junit", "baseline"])
def test_an_input_of_two_lines_is_refused(runner: Runner, workspace: Path, name: str) -> None:
    """The second line of a file's name would be an output of the step that nobody meant."""
    step = runner.preflight(workspace, path="models/mywire", level="static", **{name: "a\nreport=b"})
    assert (step.status, step.outputs) == (2, "")
    assert f"the input {name} has more than one line" in step.log


@pytest.mark.parametrize("name", ["select", "ignore", "baseline", "sarif", "junit"])
def test_no_input_is_an_option_or_run_as_shell(runner: Runner, workspace: Path, name: str) -> None:
    """As for the path below: `$(...)` and quotes are part of a name."""
    step = runner.preflight(
        workspace, path="models/mywire", level="static", **{name: '--fix"; touch owned; $(touch owned)'}
    )
    assert step.status == (0 if name in {"sarif", "junit"} else 2), step.log
    assert not (workspace / "owned").exists()


def test_an_input_is_never_run_as_shell(runner: Runner, workspace: Path) -> None:
    """Inputs may come from a pull request of a stranger: they are values, never text of the script."""
    step = runner.preflight(workspace, path='models/mywire"; touch owned; "', level="static")
    assert step.status == 2, step.log
    assert not (workspace / "owned").exists()


def test_every_input_reaches_a_step() -> None:
    """An input that no step reads would be set by users to no effect."""
    text = (PROJECT / "action.yml").read_text(encoding="utf-8")
    declared = set(yaml.safe_load(text)["inputs"])
    assert set(re.findall(r"inputs\.([a-z]+)", text)) == declared


def _expanded(text: str, inputs: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z]+) \}\}", lambda match: inputs[match[1]], text)

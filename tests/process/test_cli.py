"""The command line as scripts and people meet it: real processes, exit statuses, one sentence for a mistake."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bundlekit import __version__
from bundlekit.probe.example_bundle import SOUND
from bundlekit.report.json_schemas import schema_texts

pytestmark = pytest.mark.process


def bundlekit(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Return what `bundlekit ARGUMENTS` did."""
    command = [sys.executable, "-m", "bundlekit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=cwd, check=False, timeout=120)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a small sound bundle."""
    root = tmp_path / "tiny"
    (root / "tiny").mkdir(parents=True)
    for path, text in SOUND.items():
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_the_version_is_answered_without_loading_the_command_line() -> None:
    """Scripts ask for it often (PERFORMANCE: at most 4 bare interpreter starts)."""
    command = [sys.executable, "-X", "importtime", "-m", "bundlekit", "--version"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == f"bundlekit {__version__}\n"
    assert "typer" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param(["validatee"], 2, "No such command 'validatee'", id="unknown command"),
        pytest.param(["validate", "--output", "yaml"], 2, "expected FORMAT or FORMAT:FILE", id="output format"),
        pytest.param(["validate", "--grid-spec", "a", "--job-spec", "b"], 2, "give one of them", id="two specs"),
        pytest.param(["explain", "BK999"], 2, "there is no rule 'BK999'", id="unknown rule"),
        pytest.param(["validate", "--select", "BK9999"], 2, "no rule's code begins with 'BK9999'", id="select nothing"),
        pytest.param(["validate", "--ignore", "E501"], 2, "no rule's code begins with 'E501'", id="ignore nothing"),
        pytest.param(["validate", "--job-spec", "no.json"], 2, "no.json is no file: expected a job", id="no job spec"),
        pytest.param(["validate", "--output", "json:no/r.json"], 2, "no is not a directory", id="no directory"),
        pytest.param(["validate", "--output", "json:tiny"], 2, "it is a directory", id="output is a directory"),
        pytest.param(
            ["validate", "--output", "json:tiny/model.py"], 2, "was not written by bundlekit", id="json on code"
        ),
        pytest.param(["pack", "-o", "tiny/model.py"], 2, "exists and is no archive: it is left", id="pack on code"),
        pytest.param(["runner", "export", "tiny/model.py"], 2, "exists and is no runner", id="export on code"),
        pytest.param(["pack", "nowhere"], 2, "nowhere is not a directory", id="pack nothing"),
        pytest.param(["verify", "pyproject.toml"], 3, "pyproject.toml", id="verify no archive"),
        pytest.param(["unpack", "pyproject.toml", "out"], 3, "pyproject.toml", id="unpack no archive"),
    ],
)
def test_a_mistake_gets_one_sentence_and_its_exit_status(
    bundle: Path, arguments: list[str], status: int, sentence: str
) -> None:
    """No traceback, nothing written, and a status that a script can tell apart (DESIGN decision 9)."""
    before = sorted(each.name for each in bundle.iterdir())
    done = bundlekit(*arguments, cwd=bundle)
    assert done.returncode == status, done.stderr
    assert sentence in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(each.name for each in bundle.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param(["--executor", "warm"], 2, "executor 'warm' is not in this version", id="executor"),
        pytest.param(["--params", "{'a': 1}"], 6, "--params is not strict JSON", id="params"),
        pytest.param(["--params", "[1]"], 6, "expected a JSON object, found [1]", id="params list"),
        pytest.param(["--timeout-s", "nan"], 2, "expected a number of seconds above 0", id="no deadline"),
        pytest.param(["--outputs-dir", "tiny/model.py"], 7, "--outputs-dir tiny/model.py: File exists", id="outputs"),
    ],
)
def test_a_refused_run_gives_the_one_line_too(bundle: Path, arguments: list[str], status: int, sentence: str) -> None:
    """Whoever reads `_fatal_error` from the line must find it there for our refusals as well as for the task's."""
    done = bundlekit("run", ".", *arguments, cwd=bundle)
    error = json.loads(done.stdout)["_fatal_error"]
    assert (done.returncode, error["code"]) == (status, status)
    assert sentence in error["message"]
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_report_beside_an_archive_replaces_nothing_of_somebody_else(bundle: Path, tmp_path: Path) -> None:
    """The archive's name may be free while the name of its report is not."""
    notes = tmp_path / "t.tar.zst.report.json"
    notes.write_text("my own notes", encoding="utf-8")
    refused = bundlekit("pack", bundle, "--no-validate", "-o", tmp_path / "t.tar.zst")
    assert (refused.returncode, notes.read_text(encoding="utf-8")) == (2, "my own notes")
    assert not (tmp_path / "t.tar.zst").exists()
    notes.unlink()
    for _again in range(2):
        assert bundlekit("pack", bundle, "--no-validate", "-o", tmp_path / "t.tar.zst").returncode == 0


def test_a_full_disk_behind_standard_output_is_no_bug_of_ours(bundle: Path) -> None:
    """Status 7, one sentence, and no traceback that asks for a bug report."""
    command = [sys.executable, "-m", "bundlekit", "rules"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", cwd=bundle, check=False)
    assert done.returncode == 7
    assert done.stderr == "error: cannot write the result: No space left on device\n"


def test_a_scratch_directory_that_is_not_there_is_an_obstacle_and_no_finding(bundle: Path, tmp_path: Path) -> None:
    """The bundle is not to blame for where its tasks cannot be copied to (DESIGN decision 9: status 7)."""
    environment = {**os.environ, "TMPDIR": str(tmp_path / "not-there")}
    command = [sys.executable, "-m", "bundlekit", "validate", str(bundle), "--output", "json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 7
    assert report["error"]["error_code"] == "E_IO"
    assert [each for each in report["findings"] if each["severity"] == "error"] == []


@pytest.mark.parametrize(("arguments", "status"), [(["rules"], 0), (["validate", ".", "--select", "BK3"], 1)])
def test_a_reader_who_went_away_changes_no_status(bundle: Path, arguments: list[str], status: int) -> None:
    """`bundlekit validate | head` must not turn a failing bundle green, nor a sound one red."""
    (bundle / "tiny" / "model.py").write_text("def wire(entrypoint): ...\n", encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "bundlekit", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", cwd=bundle, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (status, "")


def test_a_missing_interpreter_that_was_asked_for_is_a_wrong_option(bundle: Path) -> None:
    """--python is the user's word, so its typo is not a finding about the bundle."""
    done = bundlekit("validate", bundle, "--python", "no-such-python", "--output", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["message"].startswith("--python no-such-python: ")


def test_a_stage_that_is_not_shown_does_not_pass(bundle: Path) -> None:
    """Looking at one family must not turn a bundle green that cannot even be imported."""
    code = bundle / "tiny" / "model.py"
    code.write_text("import module_that_is_nowhere\n" + code.read_text(encoding="utf-8"), encoding="utf-8")
    done = bundlekit("validate", bundle, "--select", "BK4")
    assert (done.returncode, done.stdout[:8]) == (1, "failed: ")


def test_a_damaged_archive_is_never_the_same_as_a_sound_one(bundle: Path, tmp_path: Path) -> None:
    """Only the manifest's promise is compared, so the promise is held against the bytes first."""
    bundlekit("pack", bundle, "--no-validate", "-o", tmp_path / "a.tar.zst")
    whole = (tmp_path / "a.tar.zst").read_bytes()
    (tmp_path / "b.tar.zst").write_bytes(whole[:-20])
    assert bundlekit("diff", tmp_path / "a.tar.zst", tmp_path / "b.tar.zst").returncode == 3


def test_a_cancelled_pack_leaves_nothing_behind(bundle: Path, tmp_path: Path) -> None:
    """CI ends a job with SIGTERM; half an archive would lie there for ever."""
    (bundle / "data.bin").write_bytes(os.urandom(64 << 20))
    command = [
        sys.executable,
        "-m",
        "bundlekit",
        "pack",
        str(bundle),
        "--no-validate",
        "-o",
        str(tmp_path / "a.tar.zst"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("*.pack")) and not list(tmp_path.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tiny"]


def test_a_sound_bundle_is_validated_packed_verified_and_unpacked(bundle: Path, tmp_path: Path) -> None:
    """The main job, as the README shows it, with the JSON that scripts read at each step."""
    report = json.loads(bundlekit("validate", bundle, "--output", "json").stdout)
    assert report["passed"] is True
    assert [stage["status"] for stage in report["stages"]] == ["passed"] * 4

    packed = json.loads(bundlekit("pack", bundle, "-o", tmp_path / "t.tar.zst", "--output", "json").stdout)
    assert packed["digest"] == report["bundle"]["digest"]
    beside = json.loads(Path(packed["report"]).read_text(encoding="utf-8"))
    assert beside["validation"]["passed"] is True

    verified = json.loads(bundlekit("verify", tmp_path / "t.tar.zst", "--output", "json").stdout)
    assert verified["verified"] is True
    assert bundlekit("unpack", tmp_path / "t.tar.zst", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "tiny" / "model.py").read_text(encoding="utf-8") == SOUND["tiny/model.py"]
    same = bundlekit("diff", tmp_path / "t.tar.zst", tmp_path / "out")
    assert (same.returncode, same.stdout.split()[:2]) == (0, ["same", "digest"])

    schemas = schema_texts()
    for name, document in [
        ("report", report),
        ("pack", packed),
        ("pack-report", beside),
        ("inspection", verified),
        ("manifest", verified["manifest"]),
    ]:
        Draft202012Validator(json.loads(schemas[f"{name}.schema.json"])).validate(document)


def test_validate_reports_a_path_that_is_no_bundle_and_goes_on_with_the_others(bundle: Path) -> None:
    """A pipeline reads the document whatever happens, and one wrong path must not hide the other verdicts."""
    done = bundlekit("validate", "nowhere", bundle, "--level", "static", "--output", "json", cwd=bundle)
    first, second = json.loads(done.stdout)["reports"]
    assert first["error"]["error_code"] == "E_USAGE"
    assert first["error"]["message"].startswith("nowhere does not exist: expected a bundle directory")
    assert second["passed"] is True
    assert done.returncode == 2
    text = bundlekit("validate", "nowhere", cwd=bundle).stdout.splitlines()
    assert text[0].startswith("error E_USAGE: nowhere does not exist")
    assert text[-1] == "no verdict (E_USAGE): nowhere, 0 errors"


def test_run_prints_the_runners_one_line_and_logs_beside_it(bundle: Path) -> None:
    """Scripts pipe the line into a JSON reader, and the guide's greps find the process on standard error."""
    done = bundlekit("run", bundle, "--params", '{"beta": 0.3}', "--seed", "7", "--cold-mode")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["outputs"]["raw"]["size"] == 2
    assert "Cold runner started: PID " in done.stderr
    assert "Starting simulation " in done.stderr


def test_a_failing_task_gives_the_fatal_error_and_its_exit_status(bundle: Path) -> None:
    """A task that names a module that is not there fails, although this wire would ignore the entrypoint."""
    done = bundlekit("run", bundle, "--entrypoint", "does.not.exist:fn")
    (line,) = done.stdout.splitlines()
    error = json.loads(line)["_fatal_error"]
    assert error["error_code"] == "E_ENTRYPOINT"
    assert done.returncode == error["code"] == 5
    Draft202012Validator(json.loads(schema_texts()["result.schema.json"])).validate(json.loads(line))


def test_pack_refuses_an_unproved_bundle_unless_told_otherwise(bundle: Path, tmp_path: Path) -> None:
    """Nobody described a task and the default one failed: the archive would carry a promise that nobody made."""
    project = bundle / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").partition("[[tool.bundlekit.smoke]]")[0], encoding="utf-8")
    code = bundle / "tiny" / "model.py"
    code.write_text(code.read_text(encoding="utf-8").replace('b"ok"', 'params["beta"]'), encoding="utf-8")
    refused = bundlekit("pack", bundle, "-o", tmp_path / "t.tar.zst")
    assert refused.returncode == 1
    assert "passed but unproved" in refused.stdout
    assert "not packed: the bundle is unproved" in refused.stderr
    assert not (tmp_path / "t.tar.zst").exists()
    allowed = bundlekit("pack", bundle, "-o", tmp_path / "t.tar.zst", "--allow-unproved")
    assert allowed.returncode == 0, allowed.stderr


def test_ignored_codes_do_not_fail_and_a_missing_environment_always_does(bundle: Path) -> None:
    """Who ignores a rule takes the blame for what it says, and still gets no green light where nothing ran."""
    code = bundle / "tiny" / "model.py"
    text = code.read_text(encoding="utf-8").replace("float(len(data))", "float(data and 'nan')")
    code.write_text(text, encoding="utf-8")
    assert bundlekit("validate", bundle).returncode == 1
    ignored = bundlekit("validate", bundle, "--ignore", "BK703")
    assert (ignored.returncode, ignored.stdout.splitlines()[-1][:8]) == (0, "passed: ")
    project = bundle / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace("dependencies = []", 'dependencies = ["six==0.0.0.1"]')
    project.write_text(text, encoding="utf-8")
    blind = bundlekit("validate", bundle, "--ignore", "BK6")
    assert (blind.returncode, blind.stdout[:8]) == (1, "failed: ")


def test_a_repository_without_bundles_is_nothing_to_validate(tmp_path: Path) -> None:
    """The pre-commit hook runs in repositories that have no bundle (yet): that is no mistake."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = bundlekit("validate", tmp_path, "--level", "static")
    assert (done.returncode, done.stdout) == (0, "no bundle found: nothing to validate\n")


def test_explain_and_rules_tell_of_every_rule() -> None:
    """The catalogue is read on the command line, with the same text that README's table is made of."""
    listed = bundlekit("rules").stdout.splitlines()
    documents = json.loads(bundlekit("rules", "--output", "json").stdout)
    assert [line.split()[0] for line in listed] == [each["code"] for each in documents]
    Draft202012Validator(json.loads(schema_texts()["rules.schema.json"])).validate(documents)
    page = bundlekit("explain", "bk701").stdout
    for heading in ("BK701 (error): ", "Why it matters", "What is found", "How to mend it", "How to ignore it"):
        assert heading in page

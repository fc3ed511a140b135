"""The store of known reports: it answers only where nothing changed, and whatever is odd about it is no error."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, make_bundle, pyproject

from bundlekit.api import known_reports, known_store
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.finding import Level, Report

_OPTIONS = ValidateOptions(level=Level.STATIC, reuse=True)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the store's directory; a file may change right before a report is kept, as no test can wait for clocks."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(known_reports, "_TICK_NS", 0)
    return tmp_path / "cache" / "known"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a bundle that fails."""
    return make_bundle(tmp_path / "bundle", {"model/wire.py": "def wire(entrypoint):\n    return {}\n"})


def _checked(bundle: Path, options: ValidateOptions = _OPTIONS) -> tuple[Report, bool]:
    """Return the report of the bundle, and whether it was checked rather than recalled."""
    told: list[str] = []
    [report] = validate([bundle], options, told.append)
    return report, bool(told)


def _without_times(report: Report) -> Report:
    return report._replace(stages=tuple(stage._replace(seconds=0.0) for stage in report.stages))


def test_an_unchanged_bundle_is_not_checked_again_and_fails_with_the_same_findings(store: Path, bundle: Path) -> None:
    """The second commit costs little, and a bad bundle is refused as often as it is committed."""
    first, _ = _checked(bundle)
    second, checked = _checked(bundle)
    assert not checked
    assert _without_times(second) == _without_times(first)
    assert not second.passed
    assert [each.name.endswith(".report") for each in store.iterdir()] == [True]


def test_a_changed_bundle_is_checked_again(store: Path, bundle: Path) -> None:
    """The twin of the test above, in the order of a scientist's day."""
    _checked(bundle)
    (bundle / "model" / "wire.py").write_text(GOOD_WIRE, encoding="utf-8")
    mended, checked = _checked(bundle)
    assert (mended.passed, checked) == (True, True)
    (bundle / "model" / "wire.py").unlink()
    assert _checked(bundle)[0].passed is False
    assert len(list(store.iterdir())) == 1


def _another_interpreter(_root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sys.version", "another interpreter")


def _job_changes(root: Path, _patch: pytest.MonkeyPatch) -> None:
    (root.parent / "job.json").write_text('{"entrypoint": "b"}', encoding="utf-8")


@pytest.mark.parametrize("change", [_another_interpreter, _job_changes])
def test_what_else_a_report_depends_on_counts(
    store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    """An upgrade brings new rules, and a job specification lies outside of the bundle."""
    job = bundle.parent / "job.json"
    job.write_text('{"entrypoint": "a"}', encoding="utf-8")
    options = _OPTIONS._replace(job_spec=job)
    _checked(bundle, options)
    assert not _checked(bundle, options)[1]
    with monkeypatch.context() as patch:
        change(bundle, patch)
        assert _checked(bundle, options)[1]
    assert store.is_dir()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(_OPTIONS._replace(select=("BK3",)), id="select"),
        pytest.param(_OPTIONS._replace(ignore=("BK307",)), id="ignore"),
        pytest.param(_OPTIONS._replace(reuse=False), id="no cache"),
        pytest.param(_OPTIONS._replace(python="3.11"), id="an interpreter"),
    ],
)
def test_other_options_are_another_question(store: Path, bundle: Path, options: ValidateOptions) -> None:
    """What one set of options passes, another may refuse."""
    _checked(bundle)
    assert _checked(bundle, options)[1]
    assert store.is_dir()


def test_a_change_shortly_before_is_not_trusted(store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second change within the same tick of the file system's clock would leave every time as it was."""
    monkeypatch.setattr(known_reports, "_TICK_NS", 3_600_000_000_000)
    _checked(bundle)
    assert _checked(bundle)[1]
    assert not store.exists()


def test_a_change_while_it_was_checked_is_not_kept(store: Path, bundle: Path) -> None:
    """The findings may be of either state."""

    def change(_told: str) -> None:
        (bundle / "new.py").touch()

    validate([bundle], _OPTIONS, change)
    assert not store.exists()


@pytest.mark.parametrize(
    ("files", "after"),
    [
        pytest.param(
            {"node_modules/x.csv": "1"}, 'include = ["node_modules/x.csv"]', id="a tool's directory is brought in"
        ),
        pytest.param({"venv/x.csv": "1"}, 'include = ["*env"]', id="a wildcard brings it in"),
        pytest.param({}, 'baseline = ".venv/known.json"', id="the baseline lies in one"),
        pytest.param({}, f'python = "{os.sep}usr/bin/python3"', id="an environment is looked into"),
    ],
)
def test_a_bundle_that_depends_on_more_than_its_tree_is_checked_each_time(
    store: Path, tmp_path: Path, files: dict[str, str], after: str
) -> None:
    """The state of the tree tells nothing about what lies elsewhere."""
    settings = pyproject(after=f"[tool.bundlekit]\n{after}")
    root = make_bundle(tmp_path / "bundle", {**files, "pyproject.toml": settings})
    _checked(root)
    assert _checked(root)[1]
    assert not store.exists()


def test_a_tools_directory_that_nothing_brings_in_is_no_obstacle(store: Path, tmp_path: Path) -> None:
    """The twin of the table above."""
    settings = pyproject(after='[tool.bundlekit]\ninclude = ["build/x.csv"]\nbaseline = "known.json"')
    root = make_bundle(tmp_path / "b", {"node_modules/x": "1", "build/x.csv": "1", "pyproject.toml": settings})
    _checked(root)
    assert not _checked(root)[1]
    assert store.is_dir()


def _damage_body(file: Path) -> None:
    file.write_text(file.read_text().replace("BK307", "BK308"))


def _damage_row(file: Path) -> None:
    file.write_text("bundlekit/known/0 x y\n{}")


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_damage_body, id="another body"),
        pytest.param(_damage_row, id="another version's"),
        pytest.param(lambda file: file.write_bytes(b"\xff" * 100), id="noise"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-9]), id="half of it"),
        pytest.param(lambda file: file.write_bytes(b""), id="nothing"),
        pytest.param(lambda file: file.chmod(0o666), id="anybody's file"),
        pytest.param(lambda file: file.parent.chmod(0o777), id="anybody's directory"),
        pytest.param(_link, id="a link"),
        pytest.param(_fifo, id="a FIFO"),
        pytest.param(_directory, id="a directory"),
    ],
)
def test_a_report_that_cannot_be_trusted_is_not_used(store: Path, bundle: Path, spoil: Callable[[Path], None]) -> None:
    """No error, no wait, and no report that somebody else may have written."""
    first, _ = _checked(bundle)
    [file] = store.iterdir()
    spoil(file)
    again, checked = _checked(bundle)
    assert checked
    assert _without_times(again) == _without_times(first)


def test_a_text_with_a_right_sum_that_is_no_report_is_not_used(store: Path, bundle: Path) -> None:
    """Whatever wrote it: the bundle is checked."""
    _checked(bundle)
    [file] = store.iterdir()
    state = file.read_text().split()[1]
    body = json.dumps({"path": "x"})
    file.write_text(f"{known_store._head(state, body)}\n{body}")  # noqa: SLF001 - a sum that no accident gives
    assert _checked(bundle)[1]


@pytest.mark.parametrize("place", ["cache/known", "cache"])
def test_a_file_where_the_store_would_be_is_left_alone(store: Path, bundle: Path, place: str) -> None:
    """There is no place to keep anything, which is no reason to complain."""
    file = bundle.parent / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    assert [_checked(bundle)[1] for _ in range(2)] == [True, True]
    assert file.read_text() == "mine"
    assert not store.is_dir()


def test_the_store_is_bounded(store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would grow for ever in a home directory with a quota."""
    monkeypatch.setattr(known_store, "MAX_KEPT", 2)
    for select in ("BK1", "BK2", "BK3"):
        _checked(bundle, _OPTIONS._replace(select=(select,)))
        os.utime(max(store.iterdir(), key=lambda file: file.stat().st_mtime_ns), ns=(0, int(select[2])))
    assert len(list(store.iterdir())) == 2
    assert not _checked(bundle, _OPTIONS._replace(select=("BK3",)))[1]
    assert _checked(bundle, _OPTIONS._replace(select=("BK1",)))[1]


def test_a_report_beyond_the_size_is_not_kept(store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle with thousands of findings is checked anew."""
    monkeypatch.setattr(known_store, "_MAX_BYTES", 100)
    _checked(bundle)
    assert not store.exists()

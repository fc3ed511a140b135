"""What a bundle has passed is known for its digest, under the same versions, for a week; and nothing else is."""

import os
import time
from pathlib import Path

import pytest
from builders.reports import finding

from bundlekit.api.known_runs import MAX_AGE_S, KnownRun
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.digest import Digest
from bundlekit.model.envelope import Envelope, TaskEnvelope
from bundlekit.model.finding import Obstacle, Severity, Stage, StageName, StageStatus
from bundlekit.model.outcome import MemoryUse
from bundlekit.model.policy import Judgement, Means, Suppressed
from bundlekit.model.stages import StagesOutcome

_DIGEST, _OTHER = (Digest("sha256:" + character * 64) for character in "12")
_ASKED = ("smoke", "auto", "None", "policy")
_STAGES = (
    Stage(StageName.ENVIRONMENT, StageStatus.PASSED, 1.5, "Python 3.12.1"),
    Stage(StageName.SMOKE, StageStatus.PASSED, 0.5, "1 task"),
)
_PASSED = StagesOutcome(
    _DIGEST,
    "landlock",
    _STAGES,
    Judgement((finding(severity=Severity.WARNING),), (Suppressed(finding(), Means.BASELINE),), 1),
    None,
    "closed",
    Envelope((TaskEnvelope("main", 0, MemoryUse(1 << 20, 2), 0.5, 7), TaskEnvelope("main", 1, None, 0.25, 7))),
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory where it is kept."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "known"


def _known(
    digest: Digest = _DIGEST,
    asked: tuple[str, ...] = _ASKED,
    files: tuple[Path, ...] = (),
    pass_env: tuple[str, ...] = (),
) -> KnownRun:
    return KnownRun.of(digest, asked, files, pass_env)


def test_what_passed_is_known_and_says_since_when() -> None:
    """Nobody should take it for a run of now."""
    _known().keep(_PASSED)

    recalled = _known().recall()

    assert recalled is not None
    assert recalled._replace(stages=()) == _PASSED._replace(stages=())
    first, last = (stage.detail or "" for stage in recalled.stages)
    assert first == "Python 3.12.1"
    assert last.startswith(f"1 task, known since {time.strftime('%Y-%m-%d')}")
    assert [stage.seconds for stage in recalled.stages] == [0.0, 0.0]


_NOT_KEPT = {
    "failed": _PASSED._replace(stages=(_STAGES[0]._replace(status=StageStatus.FAILED),)),
    "unproved": _PASSED._replace(stages=(*_STAGES, _STAGES[1]._replace(status=StageStatus.UNPROVED))),
    "skipped": _PASSED._replace(stages=(_STAGES[0]._replace(status=StageStatus.SKIPPED),)),
    "obstacle": _PASSED._replace(obstacle=Obstacle(ErrorCode.IO, "the disk is full")),
    "nothing": StagesOutcome(_DIGEST),
    "no-digest": _PASSED._replace(digest=None),
}


@pytest.mark.parametrize("outcome", _NOT_KEPT.values(), ids=_NOT_KEPT)
def test_nothing_else_is_kept(outcome: StagesOutcome, store: Path) -> None:
    """A failure may have had a reason that is gone by now: the index was down, the machine was full."""
    _known().keep(outcome)

    assert _known().recall() is None
    assert not store.exists()


def test_another_digest_or_other_options_are_another_question(tmp_path: Path) -> None:
    """What one interpreter passes, another may refuse."""
    job = tmp_path / "job.json"
    job.write_text("{}")
    _known(files=(job,)).keep(_PASSED)

    assert _known(files=(job,)).recall() is not None
    assert _known().recall() is None
    assert _known(_OTHER, files=(job,)).recall() is None
    assert _known(asked=("import", *_ASKED[1:]), files=(job,)).recall() is None
    job.write_text('{"entrypoint": "b"}')
    assert _known(files=(job,)).recall() is None


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("PATH", True),
        ("UV_INDEX", True),
        ("MODELOPS_COLD_DEBUG", True),
        ("MY_MODEL_DATA", True),
        ("SOME_OTHER", False),
    ],
)
def test_variables_that_reach_a_task_or_an_installer_count(
    monkeypatch: pytest.MonkeyPatch, name: str, *, counts: bool
) -> None:
    """And the others do not: a shell sets a new one every minute."""
    _known(pass_env=("MY_MODEL_DATA",)).keep(_PASSED)

    monkeypatch.setenv(name, f"{os.environ.get(name, '')}:changed")

    assert (_known(pass_env=("MY_MODEL_DATA",)).recall() is None) is counts


@pytest.mark.parametrize(("age_s", "is_known"), [(MAX_AGE_S - 60, True), (MAX_AGE_S + 60, False), (-3600, False)])
def test_nothing_is_known_for_longer_than_a_week(store: Path, age_s: int, *, is_known: bool) -> None:
    """Without a lock, numpy of next month is another one; and a clock that was set back proves nothing."""
    _known().keep(_PASSED)
    (file,) = store.iterdir()
    then = time.time() - age_s
    os.utime(file, (then, then))

    assert (_known().recall() is not None) is is_known


def test_a_text_that_is_none_of_ours_is_not_used(store: Path) -> None:
    """Whatever wrote it: the bundle is run."""
    from bundlekit.api.known_store import write_kept  # noqa: PLC0415 - a sum that no accident gives

    write_kept(_known().file, _known().state, '{"digest": "x"}')

    assert store.is_dir()
    assert _known().recall() is None

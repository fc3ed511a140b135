"""What `cache ls`, `verify` and `gc` tell and do, on small entries made by the cache's own locks and markers."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bundlekit.api.caches import Limits, clear_cache, list_cache, verify_cache
from bundlekit.cold_runner.environments.cache_entry import MARKER, held_entry
from bundlekit.cold_runner.environments.cached_entries import CachedEntry
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import CacheUnusableError, FileAccessError
from bundlekit.model.cache import Cleared, Contents, Verified
from bundlekit.report import caches
from bundlekit.report.json_schemas import schema_texts

_DAY_S = 86400.0
_OWNER = "a" * 64
_DIGEST = "b" * 64


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache; TMPDIR and the working directory are this test's own too."""
    for name in ("cache", "tmp", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "cache"


def _held(cache: Path, folder: str, *names: str, size: int = 100) -> AbstractContextManager[bool]:
    """Build the entry of these names if it is not there, and hold it."""

    def build(path: str, _descriptor: int) -> None:
        for part in ("bin", "venv/bin", "lib"):
            Path(path, part).mkdir(parents=True)
        for link in ("bin/python", "venv/bin/python"):
            Path(path, link).symlink_to("/bin/sh")
        Path(path, "lib", "module.py").write_bytes(b"x" * size)

    key = {"schema": "test", "version": "3.11.9", "installer": "uv 0.9", "name": names[-1]}
    directory, lock = cache.joinpath(folder, *names), cache.joinpath("locks", folder, *names)
    return held_entry(
        str(directory),
        key,
        build,
        lock_path=f"{lock}.lock",
        needs=(),
        deadline=time.monotonic() + 5,
        log=_silent,
    )


def _silent(_line: str) -> None:
    """Take words that nobody reads."""


def _made(cache: Path, folder: str, *names: str, age_s: float = 0.0, size: int = 100) -> Path:
    """Return the directory of a complete entry that was last used so long ago."""
    with _held(cache, folder, *names, size=size):
        pass
    lock = cache.joinpath("locks", folder, *names)
    moment = time.time() - age_s
    os.utime(f"{lock}.lock", (moment, moment))
    return cache.joinpath(folder, *names)


def _aged(path: Path, age_s: float = _DAY_S) -> Path:
    moment = time.time() - age_s
    for each in [*path.rglob("*"), path]:
        os.utime(each, (moment, moment))
    return path


def _plain(text: str, _word: str) -> str:
    return text


def _valid(schema: str, document: object) -> None:
    Draft202012Validator(json.loads(schema_texts()[f"{schema}.schema.json"])).validate(document)


def _listed(contents: Contents) -> str:
    _valid("cache", caches.contents_document(contents))
    return "\n".join(caches.contents_lines(contents, _plain))


def _judged(verified: Verified) -> str:
    _valid("cache-verification", caches.verification_document(verified))
    return "\n".join(caches.verification_lines(verified, _plain))


def _told(cleared: Cleared) -> str:
    _valid("cache-gc", caches.clearing_document(cleared))
    return "\n".join(caches.clearing_lines(cleared, _plain))


def _gone(cleared: Cleared) -> list[str]:
    return [Path(each.entry.directory).name for each in cleared.removals]


def _names(entries: tuple[CachedEntry, ...]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        yield entry.kind, entry.name


def test_a_cache_that_is_not_there_is_empty(cache: Path) -> None:
    """Nobody has run anything yet: no error, and nothing is made by looking."""
    cache.rmdir()
    assert _listed(list_cache()) == f"0 entries, 0 B in {cache}"
    assert _judged(verify_cache(_silent)) == "0 of 0 entries are as they were installed"
    assert _told(clear_cache(Limits(0.0, 0), _silent)) == f"freed 0 B; 0 B left in {cache}"
    assert not cache.exists()


def test_entries_are_listed_with_size_last_use_and_state(cache: Path) -> None:
    """So that a full disk can be explained."""
    _made(cache, "environments", _OWNER, age_s=3 * _DAY_S, size=2_500_000)
    _made(cache, "code", _OWNER, _DIGEST, age_s=2 * 3600.0)
    (cache / "requirements" / "half").mkdir(parents=True)
    (cache / "fresh" / "kept1").mkdir(parents=True)
    (cache / "fresh" / "kept1" / "kept").touch()
    (cache / "fresh" / "dead1").mkdir()
    with _held(cache, "environments", "c" * 64):
        contents = list_cache()
        text = _listed(contents)
    assert [line.split() for line in text.splitlines() if line.startswith(("code", "environment  "))][:2] == [
        ["environment", "2.5", "MB", _OWNER[:12], "3", "d", "ago", "Python", "3.11.9,", "uv", "0.9"],
        [
            "code",
            str(contents.entries[3].size_bytes),
            "B",
            _DIGEST[:12],
            "2",
            "h",
            "ago",
            "Python",
            "3.11.9,",
            "uv",
            "0.9",
        ],
    ]
    assert "in use" in text
    assert text.count("incomplete") == 2 + 1  # two entries, and the hint
    assert set(_names(contents.entries)) == {
        ("environment", _OWNER),
        ("environment", "c" * 64),
        ("code", _DIGEST),
        ("requirements", "half"),
        ("fresh", "dead1"),
        ("kept", "kept1"),
    }
    assert f"6 entries, 2.5 MB in {cache}" in text


def test_an_edited_installed_file_is_found_and_built_again_once_removed(cache: Path) -> None:
    """A quick fix inside an environment gives results that nobody can repeat (HOSTILE_CORPUS V16)."""
    sound, damaged = _made(cache, "environments", _OWNER), _made(cache, "environments", "c" * 64)
    (damaged / "lib" / "module.py").write_bytes(b"y" * 100)
    (damaged / "lib" / "extra.py").touch()
    (damaged / "bin" / "python").unlink()
    (damaged / "bin" / "python").symlink_to("/bin/false")
    (sound / "lib" / "__pycache__").mkdir()
    (sound / "lib" / "__pycache__" / "module.cpython-311.pyc").touch()
    verified = verify_cache(_silent)
    assert [(each.path, each.change) for each in verified.damaged[0].differences] == [
        ("bin/python", "edited"),
        ("lib/extra.py", "added"),
        ("lib/module.py", "edited"),
    ]
    text = _judged(verified)
    assert f"damaged {damaged}\n  edited bin/python\n" in text
    assert "1 of 2 entries are as they were installed" in text
    assert "cache verify --remove" in text
    assert "removed 1; the next task" in _judged(verify_cache(_silent, remove=True))
    assert not damaged.exists()
    with _held(cache, "environments", "c" * 64) as reused:
        assert not reused
    assert not verify_cache(_silent).damaged


def test_many_differences_are_counted(cache: Path) -> None:
    """An environment that somebody upgraded differs in thousands of files."""
    damaged = _made(cache, "environments", _OWNER)
    for number in range(12):
        (damaged / f"{number:02}.py").touch()
    (damaged / "lib" / "module.py").unlink()
    text = _judged(verify_cache(_silent))
    assert "and 3 more" in text
    assert text.count("  added") == 10
    assert ("lib/module.py", "missing") in verify_cache(_silent).damaged[0].differences


def test_what_cannot_be_verified_is_said_and_is_no_damage(cache: Path) -> None:
    """An inventory that is gone, an entry that was cut short, one that is being built."""
    (_made(cache, "environments", _OWNER) / "bundlekit-inventory.json").unlink()
    (_made(cache, "environments", "c" * 64) / "bundlekit-inventory.json").write_text("[]")
    (cache / "environments" / "half").mkdir()
    verdicts: list[str] = []

    def build(path: str, _descriptor: int) -> None:
        Path(path).mkdir()
        verdicts.extend(each.verdict for each in verify_cache(_silent).verifications)

    lock_path = str(cache / "locks" / "environments" / "new.lock")
    directory, deadline = str(cache / "environments" / "new"), time.monotonic() + 5
    with held_entry(directory, {}, build, lock_path=lock_path, needs=(), deadline=deadline, log=_silent):
        pass
    assert verdicts == ["unknown", "unknown", "incomplete", "busy"]
    text = _judged(verify_cache(_silent))
    assert f"unknown {cache / 'environments' / _OWNER}" in text
    assert f"incomplete {cache / 'environments' / 'half'}" in text
    assert "0 of 4 entries" in text


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        pytest.param(Limits(), ["half"], id="no-limit-takes-debris-alone"),
        pytest.param(Limits(max_age_s=5 * _DAY_S), ["old-code", "half", "old"], id="age"),
        pytest.param(Limits(max_age_s=0.0), ["old-code", "half", "old", "young", "used"], id="all"),
        pytest.param(Limits(max_bytes=25_000), ["old-code", "half", "old"], id="size-takes-the-least-recently-used"),
        pytest.param(Limits(max_bytes=10**9), ["half"], id="size-that-is-not-reached"),
    ],
)
def test_clearing_removes_what_is_beyond_the_limits_and_never_what_is_held(
    cache: Path, limits: Limits, gone: list[str]
) -> None:
    """HOSTILE_CORPUS V18; what is held counts in the size."""
    (cache / "environments" / "half").mkdir(parents=True)
    _aged(cache / "environments" / "half", 20 * _DAY_S)
    _made(cache, "environments", "old", age_s=10 * _DAY_S, size=10_000)
    _made(cache, "code", "old", "old-code", age_s=10 * _DAY_S, size=10_000)
    _made(cache, "environments", "young", age_s=_DAY_S, size=10_000)
    _made(cache, "environments", "used", age_s=60.0, size=10_000)
    _made(cache, "environments", "held", age_s=30 * _DAY_S, size=100)
    before = sorted(path.name for path in cache.rglob("*"))
    with _held(cache, "environments", "held"):
        trial = clear_cache(limits, _silent, dry_run=True)
        assert _gone(trial) == gone
        assert "would remove" in _told(trial)
        assert sorted(path.name for path in cache.rglob("*")) == before
        cleared = clear_cache(limits, _silent)
        assert _gone(cleared) == gone
        assert "1 in use: not touched" in _told(cleared)
        assert not verify_cache(_silent).damaged
    left = {entry.name for entry in list_cache().entries}
    assert left == {"half", "old", "old-code", "young", "used", "held"} - set(gone)
    assert not [path for name in gone for path in cache.rglob(f"{name}*")]


def test_code_goes_with_its_environment(cache: Path) -> None:
    """Without it no task can run it."""
    _made(cache, "environments", _OWNER, age_s=10 * _DAY_S)
    _made(cache, "code", _OWNER, _DIGEST, age_s=0.0)
    cleared = clear_cache(Limits(max_age_s=_DAY_S), _silent)
    assert [(each.entry.kind, each.reason) for each in cleared.removals] == [
        ("code", "its environment goes"),
        ("environment", "not used for so long"),
    ]
    assert not (cache / "code" / _OWNER).exists()
    assert not (cache / "locks" / "code" / _OWNER).exists()


def test_answers_that_were_kept_go_by_age_and_are_no_leftovers(cache: Path) -> None:
    """One for each state of each bundle: they add up."""
    old, young = (cache / "declarations" / f"{letter * 64}.json" for letter in "01")
    old.parent.mkdir()
    for path in (old, young):
        path.write_text("{}")
    _aged(old)
    assert list_cache().leftovers == ()
    assert clear_cache(Limits(), _silent).leftovers == ()
    assert [each.path for each in clear_cache(Limits(max_age_s=3600.0), _silent).leftovers] == [str(old)]
    assert young.exists()


def test_a_clock_that_was_set_back_makes_nothing_old(cache: Path) -> None:
    """HOSTILE_CORPUS V17: a stamp of the future counts as now."""
    _made(cache, "environments", _OWNER, age_s=-10 * _DAY_S)
    assert "0 s ago" in _listed(list_cache())
    assert _gone(clear_cache(Limits(max_age_s=1.0), _silent)) == []
    assert _gone(clear_cache(Limits(max_bytes=0), _silent)) == [_OWNER]


def test_an_entry_that_was_used_after_it_was_judged_stays(cache: Path) -> None:
    """Between looking and removing, a task may have come and gone."""
    _made(cache, "environments", _OWNER, age_s=10 * _DAY_S)
    cleared = clear_cache(Limits(max_age_s=_DAY_S), lambda _line: _held(cache, "environments", _OWNER).__enter__())
    assert _gone(cleared) == []
    assert [each.name for each in cleared.spared] == [_OWNER]
    assert (cache / "environments" / _OWNER / MARKER).exists()


def test_what_preserve_tmp_kept_goes_by_age_alone(cache: Path) -> None:
    """The user asked for it to stay."""
    for name in ("kept1", "dead1"):
        (cache / "fresh" / name).mkdir(parents=True)
        (cache / "fresh" / f"{name}.lock").touch()
    (cache / "fresh" / "kept1" / "kept").touch()
    (cache / "fresh" / "kept1" / "file").write_bytes(b"123")
    assert _gone(clear_cache(Limits(max_bytes=0), _silent)) == ["dead1"]
    assert _gone(clear_cache(Limits(max_age_s=0.0), _silent)) == ["kept1"]
    assert list((cache / "fresh").iterdir()) == []


def test_leftovers_of_killed_runs_are_named_and_removed(cache: Path, tmp_path: Path) -> None:
    """Scratch directories and unfinished archives, once nothing has written to them for an hour."""
    dead = [
        tmp_path / "tmp" / f"bundlekit-{'0' * 32}",
        tmp_path / "tmp" / "bundlekit-unpacked-abcd_123",
        tmp_path / "here" / ".bundlekit-abc123.pack",
        tmp_path / "here" / ".bundlekit-x_y.unpack",
        cache / "probes" / f"{'0' * 64}.json.77",
    ]
    kept = tmp_path / "tmp" / f"bundlekit-kept-{'0' * 32}"
    others = [tmp_path / "tmp" / "bundlekit-examples", tmp_path / "here" / "bundlekit.pack"]
    young = tmp_path / "tmp" / f"bundlekit-{'1' * 32}"
    for path in [*dead, kept, *others, young]:
        path.mkdir(parents=True)
        (path / "file").write_bytes(b"123")
    for path in [*dead, kept, *others]:
        _aged(path)
    (cache / "locks" / "environments").mkdir(parents=True)
    orphan = cache / "locks" / "environments" / "gone.lock"
    orphan.touch()
    contents = list_cache()
    assert {each.path for each in contents.leftovers} == {str(path) for path in [*dead, kept, orphan]}
    text = _listed(contents)
    assert f"{'leftover':<12}         3 B  {dead[0]}: scratch directory of a run that was killed" in text
    assert "`bundlekit cache gc` removes" in text
    cleared = clear_cache(Limits(), _silent)
    assert cleared.freed_bytes == 3 * len(dead)
    assert f"{dead[2]}: unfinished archive of a pack that was killed" in _told(cleared)
    assert [path for path in [*dead, orphan] if path.exists()] == []
    assert all(path.exists() for path in [kept, *others, young])
    clear_cache(Limits(max_age_s=0.0), _silent)
    assert not kept.exists()


def test_a_scratch_directory_that_a_live_process_has_claimed_stays(cache: Path, tmp_path: Path) -> None:
    """A task may compute for days without writing a byte."""
    from bundlekit.cold_runner.environments.scratch_claim import claimed  # noqa: PLC0415 - this test's own subject

    assert cache.exists()
    scratch = tmp_path / "tmp" / f"bundlekit-{'0' * 32}"
    descriptor = claimed(str(scratch))
    assert descriptor is not None
    _aged(scratch)
    assert clear_cache(Limits(), _silent).leftovers == ()
    os.close(descriptor)
    assert [each.path for each in clear_cache(Limits(), _silent).leftovers] == [str(scratch)]


def test_what_cannot_be_removed_is_an_error_that_names_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache on a read-only disk."""
    _made(cache, "environments", _OWNER)

    def refuse(_path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bundlekit.cold_runner.environments.cache_removal.remove_tree", refuse)
    with pytest.raises(CacheUnusableError, match=f"the cache cannot be used: .*{_OWNER}: Permission denied") as failure:
        clear_cache(Limits(max_age_s=0.0), _silent)
    assert failure.value.exit_status == 7

    def fill(_path: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bundlekit.cold_runner.environments.cache_removal.remove_tree", fill)
    with pytest.raises(FileAccessError, match="the disk of the cache is full"):
        clear_cache(Limits(max_age_s=0.0), _silent)


def test_an_entry_that_vanishes_while_it_is_built_is_an_error_and_no_endless_building(cache: Path) -> None:
    """Something else tidies the directory; a build that loses its marker must not be repeated for ever."""
    directory = str(cache / "environments" / "x")

    def build(path: str, _descriptor: int) -> None:
        Path(path).mkdir()

    lock_path = str(cache / "locks" / "x.lock")
    entry = held_entry(
        directory, {}, build, lock_path=lock_path, needs=("gone",), deadline=time.monotonic() + 5, log=_silent
    )
    with pytest.raises(RunnerError, match="part of it was gone at once") as failure, entry:
        pass
    assert failure.value.code == "E_CACHE"

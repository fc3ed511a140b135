"""The cache under creators that race and die, full disks, foreign hands and odd names (HOSTILE_CORPUS V01 to V21).

V05 cannot be built: an environment is never written to once it is complete, and whoever would build it again needs the
lock alone. Of V08 there is no network file system without locks here, only its error; of V12 no quota, only its errno.
"""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import environments
from builders.cold_runs import MODULE, SIMULATION, run, runner_environment, wire_bundle
from builders.environments import BACKEND, Kitchen, local_index, make_wheel, own_backend_project, without_uv
from builders.privileges import without_privileges
from uv import find_uv_bin

from bundlekit.api.caches import Limits, clear_cache, list_cache, verify_cache
from bundlekit.cold_runner.environments.cache_entry import MARKER
from bundlekit.cold_runner.runner_error import RunnerError

pytestmark = pytest.mark.process

_COUNTING = "import os, time\nopen(os.environ['COUNTER'], 'a').write('x')\ntime.sleep(0.3)\n" + BACKEND
_ALL = Limits(max_age_s=0.0)


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """Return a clean cache, which is VENVS_DIR too; packages come from a folder of this test's own."""
    for number in range(4):
        make_wheel(tmp_path / "wheels", f"dependency_{number}", source=f"VALUE = {number}\n")
    local_index(monkeypatch, tmp_path / "wheels")
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return Kitchen(tmp_path / "cache")


def _bundle(root: Path, *, number: int = 0, answer: str = "", backend: str = BACKEND) -> Path:
    return environments.write_bundle(
        root,
        {
            "pyproject.toml": own_backend_project(f"dependency-{number}"),
            "backend/own.py": backend,
            "mine/__init__.py": "",
            "mine/wire.py": f"import dependency_{number} as d\ndef wire(e, p, s):\n    return {answer!r} or d.VALUE\n",
        },
    )


def _answer(kitchen: Kitchen, bundle: Path) -> str:
    with kitchen.prepared(bundle, pass_env=("COUNTER",)) as ready:
        return kitchen.evaluate(ready, "wire('', {}, 1)", "from mine.wire import wire")


def _creator(kitchen: Kitchen, bundle: Path, *, unprivileged: bool = False) -> subprocess.Popen[str]:
    """Start a process that prepares the bundle, says how, and holds it until its stdin ends."""
    command = [sys.executable, str(environments.__file__), str(bundle), str(kitchen.cache), "60"]
    pipe = subprocess.PIPE
    command = without_privileges(command) if unprivileged else command
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _ready(creators: Sequence[subprocess.Popen[str]]) -> list[tuple[bool, bool, str]]:
    """Return what each creator says once it holds its bundle."""
    lines = [creator.stdout.readline() for creator in creators if creator.stdout]
    assert all(lines), [creator.communicate()[1][-2000:] for creator in creators]
    return [tuple(json.loads(line)) for line in lines]


@contextmanager
def _ended(creators: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
    try:
        yield
    finally:
        for creator in creators:
            creator.communicate(timeout=60)
    assert [creator.returncode for creator in creators] == [0] * len(creators)


def test_v01_an_empty_directory_in_the_place_of_either_entry_is_built(tmp_path: Path, kitchen: Kitchen) -> None:
    """A crash leaves it, and today's runners fail on it for ever (DEFECTS 39)."""
    bundle = _bundle(tmp_path / "bundle")
    with kitchen.prepared(bundle) as ready:
        entries = [Path(ready.dependency_site).parents[2], Path(ready.tree).parent]
    for entry in entries:
        subprocess.run(["rm", "-r", str(entry)], check=True)
        entry.mkdir()
    found = {each.directory: each.is_complete for each in list_cache().entries}
    assert [found[str(entry)] for entry in entries] == [False, False]
    assert _answer(kitchen, bundle) == "0"


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_v02_creators_killed_at_random_points_leave_nothing_that_counts(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """15 times with each installer: the next task builds, all is as installed, and no debris is left inside."""
    if installer == "pip":
        without_uv(monkeypatch)
    bundle = _bundle(tmp_path / "bundle", backend=_COUNTING)
    pauses = random.Random(11)  # noqa: S311 - the same pauses in every run
    for _ in range(15):
        creator = _creator(kitchen, bundle)
        time.sleep(pauses.uniform(0.1, 2.0 if installer == "pip" else 1.0))
        creator.send_signal(signal.SIGKILL)
        creator.communicate(timeout=30)
    assert _answer(kitchen, bundle) == "0"
    assert {each.verdict for each in verify_cache(lambda _line: None).verifications} == {"sound"}
    assert [path for name in ("building", "installing", "*.part") for path in kitchen.cache.rglob(name)] == []


def test_v02_runners_killed_at_random_points_do_no_harm_either(tmp_path: Path, kitchen: Kitchen) -> None:
    """The process that the caller knows: what it had started dies with it, and the next task has its result."""
    bundle = _bundle(tmp_path / "bundle", backend="import time\ntime.sleep(0.3)\n" + BACKEND)
    wire = bundle / "mine" / "wire.py"
    wire.write_text(wire.read_text().replace("'' or d.VALUE", "{'raw': str(d.VALUE).encode()}"))
    pauses = random.Random(12)  # noqa: S311 - the same pauses in every run
    for _ in range(8):
        command = [*MODULE, "--bundle-path", str(bundle)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=runner_environment(kitchen.cache, TMPDIR=str(tmp_path / "tmp")),
        ) as runner:
            assert runner.stdin is not None
            runner.stdin.write(json.dumps(SIMULATION).encode())
            runner.stdin.close()
            time.sleep(pauses.uniform(0.05, 1.2))
            runner.kill()
    done = run(bundle, kitchen.cache)
    assert done.outputs["raw"]["inline"] == "MA=="
    assert {each.verdict for each in verify_cache(lambda _line: None).verifications} == {"sound"}


def test_v03_sixteen_creators_on_an_empty_cache_give_one_build(tmp_path: Path, kitchen: Kitchen) -> None:
    """Today: six of eight succeed with uv, four with pip (DEFECTS 39)."""
    bundle = _bundle(tmp_path / "bundle", backend=_COUNTING)
    creators = [_creator(kitchen, bundle) for _ in range(16)]
    with _ended(creators):
        answers = _ready(creators)
    assert sorted(answer[:2] for answer in answers) == [(False, False)] + [(True, True)] * 15
    assert (tmp_path / "counter").read_text() == "x"


def test_v04_creators_of_four_bundles_with_gc_and_verify_beside_them_all_succeed(
    tmp_path: Path, kitchen: Kitchen
) -> None:
    """Everything that nobody holds is removed all the time; what somebody holds is whole."""
    bundles = [_bundle(tmp_path / f"bundle-{number}", number=number) for number in range(4)]
    stop = threading.Event()
    wrong: list[object] = []

    def tidy() -> None:
        while not stop.is_set():
            clear_cache(_ALL, lambda _line: None)
            wrong.extend(verify_cache(lambda _line: None).damaged)
            time.sleep(0.02)

    thread = threading.Thread(target=tidy)
    thread.start()
    try:
        creators = [_creator(kitchen, bundles[number % 4]) for number in range(16)]
        with _ended(creators):
            for number, (_, _, python) in enumerate(_ready(creators)):
                script = "from mine.wire import wire; print(wire('', {}, 1))"
                done = subprocess.run([python, "-B", "-c", script], capture_output=True, text=True, check=False, env={})
                assert (done.stdout, done.stderr) == (f"{number % 4}\n", "")
    finally:
        stop.set()
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "content", ["", "1", "99999999", "{", "x" * 5000], ids=["empty", "init", "dead", "json", "long"]
)
def test_v06_what_stands_in_a_lock_file_means_nothing(tmp_path: Path, kitchen: Kitchen, content: str) -> None:
    """Kernel locks only: the pid in a stale lock file may be somebody else's by now."""
    bundle = _bundle(tmp_path / "bundle")
    assert _answer(kitchen, bundle) == "0"
    for lock in (kitchen.cache / "locks").rglob("*.lock"):
        lock.write_text(content)
    for entry in kitchen.cache.glob("*/*/**/" + MARKER):
        entry.unlink()
    assert _answer(kitchen, bundle) == "0"


@pytest.mark.parametrize("obstacle", ["read-only-directory", "file-of-another-user"])
def test_v08_a_lock_that_cannot_be_had_is_said(tmp_path: Path, kitchen: Kitchen, obstacle: str) -> None:
    """Never a build without a lock; the message names the file and what to do."""
    ready, absent = _bundle(tmp_path / "ready"), _bundle(tmp_path / "absent", number=1)
    assert _answer(kitchen, ready) == "0"
    locks = [path for path in (kitchen.cache / "locks").rglob("*.lock") if path.is_file()]
    if obstacle == "read-only-directory":
        bundle, changed, mode = absent, [path for path in (kitchen.cache / "locks").rglob("*") if path.is_dir()], 0o500
    elif os.geteuid() != 0:
        pytest.skip("only root can give files away")
    else:
        bundle, changed, mode = ready, locks, 0o600
        for path in locks:
            os.chown(path, 12345, 12345)
    for path in changed:
        path.chmod(mode)
    try:
        _, stderr = _creator(kitchen, bundle, unprivileged=True).communicate(timeout=60)
    finally:
        for path in changed:
            path.chmod(0o700)
    assert "RunnerError: the cache cannot be used" in stderr
    assert "Permission denied; make it writable or set VENVS_DIR" in stderr


def test_v08_a_file_system_without_locks_is_said(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have none: going on without would give two builders one directory."""

    def refuse(_descriptor: int, _kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    bundle = _bundle(tmp_path / "bundle")
    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(RunnerError, match="No locks available; make it writable or set VENVS_DIR") as failure:
        kitchen.prepared(bundle).__enter__()
    assert failure.value.code == "E_CACHE"


_ON_A_SMALL_DISK = """
import json, os, subprocess, sys, time
from pathlib import Path
from builders.environments import Kitchen
from bundlekit.cold_runner.runner_error import RunnerError
bundle, cache, size, free, inodes = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes=2000", "tmpfs", cache], check=True)
filler = cache / "filler"
filler.mkdir()
(filler / "bytes").write_bytes(b"x" * (size - free))
for number in range(2000 - os.statvfs(cache).f_files + os.statvfs(cache).f_ffree - inodes if inodes else 0):
    (filler / str(number)).touch()
kitchen = Kitchen(cache)
try:
    with kitchen.prepared(bundle):
        print(json.dumps("prepared"))
except RunnerError as error:
    print(json.dumps(error.document()))
subprocess.run(["rm", "-r", filler], check=True)
with kitchen.prepared(bundle) as ready:
    print(json.dumps(kitchen.evaluate(ready, "wire('', {}, 1)", "from mine.wire import wire")))
"""


@pytest.mark.parametrize(
    ("free", "inodes"),
    [
        pytest.param(0, 0, id="nothing-free"),
        pytest.param(64 * 1024, 0, id="full-while-installing"),
        pytest.param(600 * 1024, 0, id="full-while-building"),
        pytest.param(8 << 20, 3, id="no-inodes-for-a-lock"),
        pytest.param(8 << 20, 25, id="no-inodes-while-installing"),
        pytest.param(8 << 20, 60, id="no-inodes-while-building"),
    ],
)
def test_v11_a_full_disk_is_said_and_once_there_is_room_the_task_runs(
    tmp_path: Path, kitchen: Kitchen, free: int, inodes: int
) -> None:
    """E_IO, worth another try; nothing half-made counts as complete."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("a small disk needs the right to mount one")
    bundle = _bundle(tmp_path / "bundle")
    (bundle / "mine" / "data.csv").write_bytes(os.urandom(400_000))
    kitchen.cache.mkdir()
    arguments = [str(bundle), str(kitchen.cache), str(16 << 20), str(free), str(inodes)]
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", _ON_A_SMALL_DISK, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path / "tmp")},
    )
    assert done.returncode == 0, done.stderr
    error, answer = (json.loads(line) for line in done.stdout.splitlines())
    assert answer == "0"
    assert (error["error_code"], error["code"], error["retryable"]) == ("E_IO", 7, True), error


@pytest.mark.parametrize("name", ["schema", "version", "platform", "abi", "implementation", "installer", "executable"])
def test_v13_a_marker_of_another_making_counts_as_none(tmp_path: Path, kitchen: Kitchen, name: str) -> None:
    """A cache that was carried to another machine, or kept over an upgrade."""
    bundle = _bundle(tmp_path / "bundle")
    with kitchen.prepared(bundle) as ready:
        entry = Path(ready.dependency_site).parents[2]
    key = json.loads((entry / MARKER).read_text())
    (entry / MARKER).write_text(json.dumps(key | {name: key[name] + "x"}, sort_keys=True, indent=1))
    (entry / "debris").touch()
    with kitchen.prepared(bundle) as ready:
        assert not ready.environment_reused
    assert not (entry / "debris").exists()


def test_v15_a_cache_path_that_is_too_long_is_said(tmp_path: Path, kitchen: Kitchen) -> None:
    """4,000 characters: at once, and with nothing left behind."""
    kitchen.cache = tmp_path.joinpath(*["x" * 200] * 20)
    with pytest.raises(RunnerError, match="File name too long") as failure:
        kitchen.prepared(_bundle(tmp_path / "bundle")).__enter__()
    assert failure.value.code == "E_CACHE"


def test_v18_a_hundred_clearings_never_take_what_a_run_holds(tmp_path: Path, kitchen: Kitchen) -> None:
    """A run may last for days after the last use of its environment was noted."""
    bundles = [_bundle(tmp_path / f"bundle-{number}", number=number) for number in range(3)]
    creators = [_creator(kitchen, bundle) for bundle in bundles[:2]]
    with _ended(creators):
        _ready(creators)
        with kitchen.prepared(bundles[2]):
            pass
        for lock in (kitchen.cache / "locks").rglob("*.lock"):
            os.utime(lock, (1, 1))
        removed = [len(clear_cache(_ALL, lambda _line: None).removals) for _ in range(100)]
        # The third bundle's environment and code, and the environment that all three were built in.
        assert removed == [3] + [0] * 99
        verdicts = [(each.entry.is_held, each.verdict) for each in verify_cache(lambda _line: None).verifications]
        assert verdicts == [(True, "sound")] * 4
    assert len(clear_cache(_ALL, lambda _line: None).removals) == 4


def test_v18_tasks_succeed_while_everything_is_cleared_all_the_time(tmp_path: Path, kitchen: Kitchen) -> None:
    """Between two tasks the environment may go; never under one."""
    source = "import time\ndef wire(e, p, s):\n    time.sleep(0.1)\n    import json.tool\n    return {'raw': b'ok'}\n"
    bundle = wire_bundle(tmp_path, source)
    stop = threading.Event()
    removed: list[int] = []

    def clear() -> None:
        while not stop.is_set():
            removed.append(len(clear_cache(_ALL, lambda _line: None).removals))

    thread = threading.Thread(target=clear)
    thread.start()
    try:
        assert [run(bundle, kitchen.cache).status for _ in range(12)] == [0] * 12
    finally:
        stop.set()
        thread.join()
    assert sum(removed) >= 2


@pytest.mark.parametrize("home", ["unset", "/proc/nonexistent", "read-only"])
def test_v19_a_home_that_is_none_is_no_obstacle_where_the_cache_is_named(
    tmp_path: Path, kitchen: Kitchen, home: str
) -> None:
    """Batch systems run jobs without one."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s):\n    return {'raw': b'ok'}\n")
    (tmp_path / "home").mkdir(mode=0o500)
    env = runner_environment(kitchen.cache, HOME=str(tmp_path / "home") if home == "read-only" else home)
    if home == "unset":
        del env["HOME"]
    command = without_privileges([*MODULE, "--bundle-path", str(bundle)])
    done = subprocess.run(command, input=json.dumps(SIMULATION).encode(), capture_output=True, check=False, env=env)
    assert done.returncode == 0, done.stderr


def test_v19_without_a_home_for_the_cache_it_is_said_where_it_should_be(tmp_path: Path) -> None:
    """And how to have it elsewhere."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s):\n    return {'raw': b'ok'}\n")
    done = run(bundle, Path(), env={"HOME": "/proc/nonexistent", "VENVS_DIR": "", "XDG_CACHE_HOME": ""})
    assert done.error["error_code"] == "E_CACHE"
    assert "/proc/nonexistent/.cache" in str(done.error["message"])
    assert "set VENVS_DIR" in str(done.error["message"])


def test_v21_a_cache_that_others_can_write_to_is_used_with_a_warning(tmp_path: Path, kitchen: Kitchen) -> None:
    """Whoever may write there decides what code runs; a group may want that, so it is said and not refused."""
    kitchen.cache.mkdir()
    kitchen.cache.chmod(0o777)
    assert _answer(kitchen, _bundle(tmp_path / "bundle")) == "0"
    assert f"Warning: other users can write to the cache {kitchen.cache}" in "\n".join(kitchen.said)
    made = [path for path in kitchen.cache.rglob("*") if not path.is_symlink() and path.parent == kitchen.cache]
    assert [oct(path.stat().st_mode & 0o022) for path in made] == ["0o0"] * len(made)

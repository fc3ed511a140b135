"""What bundle code can still do in the sandbox: one that breaks good models is switched off by everybody."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.cold_runs import MODULE
from builders.held_runs import (
    as_user,
    attempts,
    held,
    needs_user_namespaces,
    without_namespaces,
)

from bundlekit.cold_runner.export import export_runner

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the level is always process"),
]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


MODELS = """
    import asyncio, concurrent.futures, multiprocessing, pathlib, sqlite3, subprocess, tempfile, threading
    from multiprocessing import shared_memory
    def square(x):
        return x * x
    def pooled(method):
        with multiprocessing.get_context(method).Pool(2) as pool:
            return pool.map(square, range(4))
    def executed():
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            return list(pool.map(square, range(4)))
    def threaded():
        found = []
        threads = [threading.Thread(target=lambda: found.append(1)) for _ in range(3)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return sum(found)
    def database():
        with sqlite3.connect("own.db") as one:
            one.execute("pragma journal_mode = wal")
            one.execute("create table t (a)")
            one.execute("insert into t values (7)")
            return one.execute("select a from t").fetchone()[0]
    def shared():
        block = shared_memory.SharedMemory(create=True, size=64)
        block.buf[0] = 5
        value = block.buf[0]
        block.close()
        block.unlink()
        return value
    async def served():
        async def answer(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\\n")
        line = await reader.readline()
        writer.close()
        server.close()
        return line.decode()
    def temporary():
        with tempfile.TemporaryDirectory() as place:
            pathlib.Path(place, "x").write_text("y")
            return pathlib.Path(place, "x").read_text()
    def started(*command):
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
"""
USES = """
    import asyncio, importlib.resources, os, pwd, ssl, sys, zoneinfo
    from models import *
    def attempts(params):
        return {
            "spawn": lambda: pooled("spawn"),
            "fork": lambda: pooled("fork"),
            "forkserver": lambda: pooled("forkserver"),
            "executor": executed,
            "threads": threaded,
            "sqlite": database,
            "shared memory": shared,
            "asyncio": lambda: asyncio.run(served()),
            "tempfile": temporary,
            "hard-coded /tmp": lambda: open("/tmp/model.tmp", "w").close(),
            "python": lambda: started(sys.executable, "-c", "import models; print(models.square(3))"),
            "sh": lambda: started("sh", "-c", "ls /usr >/dev/null && echo ok"),
            "data": lambda: open("data.csv").read(),
            "resource": lambda: importlib.resources.files("pack").joinpath("table.txt").read_text(),
            "append": lambda: open("log.txt", "a").write("x"),
            "user": lambda: bool(pwd.getpwuid(os.getuid()).pw_name),
            "zone": lambda: str(zoneinfo.ZoneInfo("Europe/Paris")),
            "certificates": lambda: bool(ssl.create_default_context()),
            "random": lambda: len(os.urandom(8)),
            "cores": lambda: os.cpu_count() >= 1,
            "memory": lambda: "MemTotal" in open("/proc/meminfo").read(),
            "null": lambda: open("/dev/null", "w").write("x"),
            "errors": lambda: open("/dev/stderr", "w").write("x"),
            "home": lambda: open(os.path.expanduser("~/cache"), "w").write("x"),
        }
"""
WORKS = {
    "spawn": [0, 1, 4, 9],
    "fork": [0, 1, 4, 9],
    "forkserver": [0, 1, 4, 9],
    "executor": [0, 1, 4, 9],
    "threads": 3,
    "sqlite": 7,
    "shared memory": 5,
    "asyncio": "hello\n",
    "tempfile": "y",
    "hard-coded /tmp": None,
    "python": "9",
    "sh": "ok",
    "data": "1,2\n",
    "resource": "table",
    "append": 1,
    "user": True,
    "zone": "Europe/Paris",
    "certificates": True,
    "random": 8,
    "cores": True,
    "memory": True,
    "null": 1,
    "errors": 1,
    "home": 1,
}
NEEDS_NETWORK_OF_ITS_OWN = {"asyncio"}
NEEDS_FILES_OF_ITS_OWN = {"hard-coded /tmp"}


def machines() -> Iterator[tuple[str, list[str]]]:
    """Yield this machine and what lacks a part of it, with the command that runs there."""
    yield "whole", list(MODULE)
    if os.geteuid() == 0:
        yield "unprivileged", as_user(MODULE)
    yield "no namespaces", without_namespaces(MODULE, "net", "mnt", "user")


@needs_user_namespaces()
@pytest.mark.parametrize("runner", [each for _, each in machines()], ids=[name for name, _ in machines()])
def test_what_models_do_works_in_the_sandbox(runner: list[str], tmp_path: Path, cache: Path) -> None:
    """A sandbox that breaks good models is switched off by everybody."""
    check_models(runner, tmp_path, cache)


def check_models(runner: list[str], place: Path, cache: Path, **env: str) -> None:
    """Assert that what models do works on the machine where `runner` runs, as far as its level promises."""
    files = {
        "models.py": textwrap.dedent(MODELS),
        "data.csv": "1,2\n",
        "pack/__init__.py": "",
        "pack/table.txt": "table",
    }
    got = held(place, cache, USES, runner=runner, files=files, env=env)
    assert got.found, got.ran.stderr
    expected = dict(WORKS)
    if "netns" not in got.level:
        expected = {name: value for name, value in expected.items() if name not in NEEDS_NETWORK_OF_ITS_OWN}
    if "mountns" not in got.level:
        expected = {name: value for name, value in expected.items() if name not in NEEDS_FILES_OF_ITS_OWN}
    assert {name: got.found[name] for name in expected} == expected
    assert not Path("/tmp/model.tmp").exists()  # noqa: S108 - that is the point


SYSTEM_PYTHON = "/usr/bin/python3"


def _serves_strangers() -> bool:
    command = [SYSTEM_PYTHON, "-c", "import sys, ctypes; sys.exit(sys.version_info < (3, 11))"]
    known = os.geteuid() == 0 and shutil.which("setpriv") and Path(SYSTEM_PYTHON).exists()
    return bool(known) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def strangers_place() -> Iterator[Path]:
    """A directory that every user may write to, under a short path."""
    place = Path(tempfile.mkdtemp(prefix="bundlekit-test-", dir="/tmp"))
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


@pytest.mark.skipif(not _serves_strangers(), reason="takes root, to become another user, and a Python for everybody")
def test_what_models_do_works_for_a_user_who_is_not_root(strangers_place: Path) -> None:
    """A process that hides its memory has its files in /proc owned by root: only another user notices."""
    runner = strangers_place / "runner.pyz"
    export_runner(str(runner))
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SYSTEM_PYTHON, str(runner)]
    # The paths of sockets are short, and multiprocessing puts its own into TMPDIR.
    check_models(command, strangers_place, strangers_place / "cache", HOME="/nonexistent", TMPDIR="/tmp")  # noqa: S108


def test_what_a_passed_variable_names_can_be_read_and_not_written(tmp_path: Path, cache: Path) -> None:
    """`pass-env` is where a bundle says what of the machine it needs, and its user agrees by setting it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "x.csv").write_text("7", encoding="ascii")
    source = attempts(
        read="open(os.environ['MODEL_DATA'] + '/x.csv').read()", write="open(os.environ['MODEL_DATA'] + '/y', 'w')"
    )
    got = held(tmp_path, cache, source, settings='pass-env = ["MODEL_DATA"]\n', env={"MODEL_DATA": str(data)})
    assert got.found["read"] == "7"
    if "landlock" in got.level:
        assert str(got.found["write"]).startswith(("PermissionError", "OSError"))


@pytest.mark.parametrize("place", ["home", "linked", "run"])
def test_cache_and_scratch_may_lie_where_files_are_hidden(place: str, tmp_path: Path) -> None:
    """In the user's home, as they do by default; behind links, as on clusters; nobody chooses them for the sandbox."""
    home = tmp_path / "home"
    (home / "real").mkdir(parents=True)
    (home / "linked").symlink_to(home / "real")
    if place == "run" and not os.access("/run", os.W_OK):
        pytest.skip("/run is not ours to write")
    top = (
        Path(f"/run/bundlekit-test-{os.getpid()}") if place == "run" else home / ("linked" if place == "linked" else "")
    )
    for name in ("cache", "scratch"):
        (top / name).mkdir(parents=True, exist_ok=True)
    source = attempts(
        temporary="__import__('tempfile').mkdtemp().startswith(os.environ['TMPDIR'])",
        own="open('own.txt', 'w').close()",
        python="__import__('subprocess').check_call([__import__('sys').executable, '-c', 'import wire'])",
    )
    try:
        got = held(tmp_path, top / "cache", source, env={"HOME": str(home), "TMPDIR": str(top / "scratch")})
        assert got.ran.status == 0, got.ran.stderr
        assert got.found == {"temporary": True, "own": None, "python": 0}
        assert list((top / "scratch").iterdir()) == []
    finally:
        if place == "run":
            shutil.rmtree(top)

"""Two ways to start a task's process: an interpreter of its own, or a fork of one that has loaded nothing.

Neither may let anything of one task reach another, and a task cannot tell which of them it was.
"""

import base64
import json
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.cold_runs import SIMULATION, wire_bundle
from builders.cold_servers import Server
from builders.environments import own_bundle, write_bundle

from bundlekit.cold_runner.environments.overlay import Overlays

pytestmark = pytest.mark.process

WAYS = ("exec", "fork")
TASKS = 100
"""The soak does more."""

_COUNTING = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools", "pybind11"]
build-backend = "setuptools.build_meta"
[project]
name = "counting"
version = "1"
[project.entry-points."modelops.wire"]
execute = "counting.wire:wire"
""",
    "setup.py": """
from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup
setup(packages=["counting"], ext_modules=[Pybind11Extension("counting._native", ["counting/native.cpp"])])
""",
    "counting/native.cpp": """
#include <pybind11/pybind11.h>
namespace { int calls = 0; }
int count() { static int inside = 0; return 100 * ++inside + ++calls; }
PYBIND11_MODULE(_native, m) { m.def("count", &count); }
""",
    "counting/__init__.py": "",
    "counting/wire.py": """
import os, random, threading
from counting import _native
calls = 0
first = random.random()
def wire(entrypoint, params, seed):
    global calls
    calls += 1
    os.environ["LEFT_BEHIND"] = os.environ.get("LEFT_BEHIND", "") + "x"
    left = os.path.exists("left_behind")
    open("left_behind", "w").close()
    started_in = os.getcwd()
    os.chdir("/")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    threads = threading.active_count()
    seen = [_native.count(), calls, os.environ["LEFT_BEHIND"], left, started_in != "/", threads]
    return {"seen": repr(seen).encode(), "drawn": repr(first).encode()}
""",
}

_WORLD = """
    import os, sys
    modules = sorted(name for name in sys.modules if not name.startswith("_"))
    def wire(entrypoint, params, seed):
        import gc, json, locale, signal, threading
        seen = {
            "environ": {k: v for k, v in os.environ.items() if k not in ("HOME", "TMPDIR")},
            "own": [os.environ["HOME"].startswith(os.environ["TMPDIR"].rpartition("/")[0])],
            "path": [entry.replace(os.getcwd(), "TREE") for entry in sys.path],
            "modules": modules,
            "flags": repr(sys.flags),
            "argv": sys.argv,
            "encoding": [sys.stdout.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding()],
            "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
            "session": os.getsid(0) == os.getpid(),
            "threads": threading.active_count(),
            "sigpipe": str(signal.getsignal(signal.SIGPIPE)),
            "set": list({"a", "b", "c", "d", "e"}),
            "limits": gc.get_threshold(),
            "executable": sys.executable,
            "prefix": sys.prefix,
        }
        return {"seen": json.dumps(seen).encode()}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def server(cache: Path, scratch: Path) -> Iterator[Server]:
    """A server process."""
    server = Server(cache, scratch)
    yield server
    server.close()


def _output(answer: dict[str, Any], name: str) -> bytes:
    assert "outputs" in answer["result"], answer["result"]
    return base64.b64decode(answer["result"]["outputs"][name]["inline"])


def _named(bundle: Path, digit: str) -> dict[str, object]:
    return {"path": str(bundle), "digest": "sha256:" + digit * 64, "files": None}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_hundreds_of_tasks_reaches_another(way: str, server: Server, tmp_path: Path) -> None:
    """Statics of C++, globals, variables, files, the working directory, threads: always as in a first call."""
    bundle = write_bundle(tmp_path / "bundle", _COUNTING)
    named = _named(bundle, "c")
    server.ask(bundle, "prepare", bundle=named, timeout_s=300.0)
    pids: set[tuple[int, float]] = set()
    drawn: set[bytes] = set()
    for seed in range(TASKS):
        answer = server.ask(bundle, "simulate", bundle=named, task={**SIMULATION, "seed": seed}, start=way)
        assert _output(answer, "seen") == b"[101, 1, 'x', False, True, 2]"
        pids.add((answer["pid"], answer["started_s"]))
        drawn.add(_output(answer, "drawn"))
    assert len(pids) == len(drawn) == TASKS


_SHARING = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def wire(entrypoint, params, seed):
        found = [os.path.exists("/dev/shm/left"), libc.shmget(4711, 4096, 0) >= 0, libc.semget(4711, 1, 0) >= 0]
        found.append(libc.mq_open(b"/left", os.O_RDONLY) >= 0)
        open("/dev/shm/left", "w").close()
        os.makedirs("/dev/shm/directory/inner", exist_ok=True)
        made = [libc.shmget(4711, 4096, 0o1600), libc.semget(4711, 1, 0o1600)]
        made.append(libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o600, None))
        return {"found": str(found).encode(), "made": str([each >= 0 for each in made]).encode()}
"""


@pytest.mark.parametrize("way", WAYS)
def test_nothing_shared_by_name_reaches_another_task(way: str, server: Server, tmp_path: Path) -> None:
    """Shared memory, semaphores and queues are no files of the task's, and outlive its processes."""
    if subprocess.run(["unshare", "--mount", "--ipc", "true"], check=False).returncode != 0:
        pytest.skip("this process may have no namespaces of its own")
    bundle = wire_bundle(tmp_path, _SHARING)
    for _ in range(3):
        answer = server.ask(bundle, "simulate", task=SIMULATION, start=way)
        assert _output(answer, "found") == b"[False, False, False, False]"
        assert _output(answer, "made") == b"[True, True, True]"


def test_a_task_cannot_tell_how_it_was_started(server: Server, tmp_path: Path) -> None:
    """Variables, import path, loaded modules, descriptors, session, order of sets: all as in a new interpreter."""
    bundle = wire_bundle(tmp_path, _WORLD)
    seen = [
        json.loads(_output(server.ask(bundle, "simulate", task={**SIMULATION, "env": {"A": "1"}}, start=way), "seen"))
        for way in WAYS
    ]
    assert seen[0] == seen[1]
    assert seen[0]["environ"]["A"] == "1"


def test_what_counts_at_the_start_of_a_program_is_there_then(server: Server, tmp_path: Path) -> None:
    """A library path that the task brings cannot reach a process that was started without it."""
    source = "import os\ndef wire(e, p, s): return {'a': open('/proc/self/environ', 'rb').read()}\n"
    bundle = wire_bundle(tmp_path, source)
    for way in WAYS:
        for value in ("/first", "/second"):
            task = {**SIMULATION, "env": {"LD_LIBRARY_PATH": value}}
            assert f"LD_LIBRARY_PATH={value}".encode() in _output(
                server.ask(bundle, "simulate", task=task, start=way), "a"
            )


def test_a_task_has_the_time_zone_that_it_brings(server: Server, tmp_path: Path) -> None:
    """Python asks for it when it starts, and the C library once."""
    source = "import time\ndef wire(e, p, s): return {'a': time.strftime('%H', time.localtime(0)).encode()}\n"
    bundle = wire_bundle(tmp_path, source)
    for way in WAYS:
        for zone, hour in (("UTC", b"00"), ("XYZ-5", b"05"), ("XYZ+1", b"23")):
            answer = server.ask(bundle, "simulate", task={**SIMULATION, "env": {"TZ": zone}}, start=way)
            assert _output(answer, "a") == hour


def test_a_home_that_a_task_brings_is_not_its_home(server: Server, tmp_path: Path) -> None:
    """It is told that it is not used, and the task runs in its own."""
    source = "import os\ndef wire(e, p, s): return {n: os.environ[n].encode() for n in ('HOME', 'TMPDIR')}\n"
    bundle = wire_bundle(tmp_path, source)
    for way in WAYS:
        task = {**SIMULATION, "env": {"HOME": "/brought", "TMPDIR": "/brought"}}
        answer = server.ask(bundle, "simulate", task=task, start=way)
        assert b"/brought" not in {_output(answer, "HOME"), _output(answer, "TMPDIR")}


def test_a_bundle_that_shadows_a_standard_module_is_never_forked(server: Server, tmp_path: Path) -> None:
    """Which of two modules is found must not depend on what an interpreter has loaded before."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n", keyword="OWN = 1\n")
    answer = server.ask(bundle, "simulate", task=SIMULATION, start="fork")
    assert _output(answer, "a") == b"x"
    assert answer["start"] == "exec"


def test_what_is_preloaded_is_told_and_seeded_anew(server: Server, tmp_path: Path) -> None:
    """A global generator that was there before the fork would give each task the same numbers."""
    source = """
        import sys
        loaded = "random" in sys.modules
        import random
        def wire(e, p, s): return {"loaded": repr(loaded).encode(), "drawn": repr(random.random()).encode()}
    """
    bundle = wire_bundle(tmp_path, source)
    answers = [server.ask(bundle, "simulate", task=SIMULATION, start="fork", preload=["random"]) for _ in range(5)]
    assert {_output(answer, "loaded") for answer in answers} == {b"True"}
    assert len({_output(answer, "drawn") for answer in answers}) == 5
    assert all(answer["start"] == "fork" and answer["preload"] == ["random"] for answer in answers)


def test_numpy_can_be_preloaded(server: Server, tmp_path: Path) -> None:
    """Its legacy generator is seeded from the operating system in each child, and it starts no thread."""
    bundle = write_bundle(
        tmp_path / "bundle",
        {
            "pyproject.toml": '[project]\nname = "m"\nversion = "1"\ndependencies = ["numpy"]\n'
            '[project.entry-points."modelops.wire"]\nexecute = "m:wire"\n[tool.setuptools]\npy-modules = ["m"]\n',
            "m.py": "import sys\nloaded = 'numpy' in sys.modules\nimport numpy\n"
            "def wire(e, p, s): return {'a': repr((loaded, numpy.random.random())).encode()}\n",
        },
    )
    named = _named(bundle, "d")
    server.ask(bundle, "prepare", bundle=named, timeout_s=300.0)
    ask = [
        server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start="fork", preload=["numpy"]) for _ in range(4)
    ]
    drawn = {_output(answer, "a") for answer in ask}
    assert len(drawn) == 4
    assert all(text.startswith(b"(True, ") for text in drawn)


def test_what_is_preloaded_sees_the_variables_that_the_task_brings(server: Server, tmp_path: Path) -> None:
    """OpenBLAS takes the number of its threads when it is loaded; it must be the task's in every way of starting."""
    bundle = write_bundle(
        tmp_path / "bundle",
        {
            "pyproject.toml": '[project]\nname = "m"\nversion = "1"\n[project.entry-points."modelops.wire"]\n'
            'execute = "m:wire"\n[tool.setuptools]\npy-modules = ["m", "seer"]\n',
            "m.py": "import seer\ndef wire(e, p, s): return {'a': seer.SEEN.encode()}\n",
            "seer.py": "import os\nSEEN = os.environ.get('OWN', 'nothing')\n",
        },
    )
    named = _named(bundle, "b")
    server.ask(bundle, "prepare", bundle=named, timeout_s=300.0)
    for way in WAYS:
        for value in ("1", "2"):
            task = {**SIMULATION, "env": {"OWN": value}}
            answer = server.ask(bundle, "simulate", bundle=named, task=task, start=way, preload=["seer"])
            assert _output(answer, "a") == value.encode()


def test_a_preload_that_starts_a_thread_is_refused(server: Server, tmp_path: Path) -> None:
    """A fork takes only one thread along; what the others held would stay locked for ever."""
    thread = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    bundle = write_bundle(
        tmp_path / "bundle",
        {
            "pyproject.toml": '[project]\nname = "m"\nversion = "1"\n[project.entry-points."modelops.wire"]\n'
            'execute = "m:wire"\n[tool.setuptools]\npy-modules = ["m", "threaded"]\n',
            "m.py": "def wire(e, p, s): return {'a': b'x'}\n",
            "threaded.py": thread,
        },
    )
    named = _named(bundle, "e")
    refused = server.ask(
        bundle, "simulate", bundle=named, task=SIMULATION, start="fork", preload=["threaded"], timeout_s=120.0
    )
    error = refused["result"]["_fatal_error"]
    assert error["error_code"] == "E_USAGE"
    assert "found 2 threads" in error["message"]
    absent = server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start="fork", preload=["no_such_module"])
    assert absent["result"]["_fatal_error"]["error_code"] == "E_USAGE"
    assert "outputs" in server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start="fork")["result"]


def test_an_environment_that_starts_a_thread_by_itself_is_not_forked(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    """Nobody asked for that thread: the task runs, as in every other way of starting, and the answer tells how."""
    wire = "def wire(e, p, s): return {'a': b'x'}\n"
    bundle = write_bundle(tmp_path / "bundle", {**own_bundle(), "mine/wire.py": wire})
    named = _named(bundle, "8")
    server.ask(bundle, "prepare", bundle=named)
    (site,) = cache.glob("code/*/" + "8" * 64 + "/venv/lib/python*/site-packages")
    thread = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (site / "startup.pth").write_text(thread, encoding="utf-8")
    for _ in range(2):
        answer = server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start="fork")
        assert _output(answer, "a") == b"x"
        assert answer["start"] == "exec"


@pytest.mark.parametrize("way", WAYS)
def test_what_waits_may_be_killed_or_stopped_by_a_task(way: str, server: Server, tmp_path: Path) -> None:
    """The next task gets a process all the same: who waits is found dead, or is woken."""
    source = """
        import os, signal
        def wire(entrypoint, params, seed):
            # Those of this server alone: other tests run at the same time.
            with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as file:
                beside = {int(word) for word in file.read().split()} - {os.getpid()}
            for pid in beside:
                os.kill(pid, params["number"])
            return {"a": b"x"}
    """
    bundle = wire_bundle(tmp_path, textwrap.dedent(source))
    named = _named(bundle, "f")
    for number in (9, 19, 9, 19, 0):
        task = {**SIMULATION, "params": {"number": number}}
        assert _output(server.ask(bundle, "simulate", bundle=named, task=task, start=way), "a") == b"x"


def test_a_server_leaves_no_zygote_behind(cache: Path, scratch: Path, tmp_path: Path) -> None:
    """Nobody else would end it."""
    bundle = wire_bundle(tmp_path, "import os\ndef wire(e, p, s): return {'a': str(os.getppid()).encode()}\n")
    server = Server(cache, scratch)
    parent = int(_output(server.ask(bundle, "simulate", task=SIMULATION, start="fork"), "a"))
    below = _children_of(parent)
    assert below
    server.close()
    assert not below & _children_of(parent)


def _children_of(parent: int) -> set[str]:
    pids = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {pid for pid in pids if _parent_of(pid) == parent}


def _parent_of(pid: str) -> int | None:
    try:
        stat = Path("/proc", pid, "stat").read_text(encoding="utf-8")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("way", WAYS)
def test_code_that_runs_at_the_start_does_not_find_the_users_home(
    way: str, server: Server, scratch: Path, tmp_path: Path
) -> None:
    """Without a HOME it would be that of the list of users; each task then has its own."""
    telling = "import os\nSEEN = [os.path.expanduser('~'), os.environ['TMPDIR']]\n"
    wire = "import os, sitecustomize\ndef wire(e, p, s):\n    own = [os.environ['HOME'], os.environ['TMPDIR']]\n"
    wire += "    return {'a': ' '.join(sitecustomize.SEEN + own).encode()}\n"
    bundle = write_bundle(tmp_path / "bundle", {**own_bundle(), "mine/wire.py": wire, "sitecustomize.py": telling})
    named = _named(bundle, "6" if way == "exec" else "7")
    for _ in range(2):
        answer = server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start=way)
        places = _output(answer, "a").decode().split()
        assert all(place.startswith(str(scratch)) for place in places), places
        assert len(set(places)) == 3


_STARTED = """
import os
with open(os.path.join(os.path.dirname(__file__), "starts"), "a") as file:
    file.write("x")
"""


@pytest.mark.parametrize("way", WAYS)
def test_what_an_interpreter_writes_at_its_start_is_thrown_away_too(way: str, server: Server, tmp_path: Path) -> None:
    """Bundles can have code that runs then; a process that is started ahead is a fresh task's from its first step."""
    counting = "import os, sitecustomize\ndef wire(e, p, s):\n    folder = os.path.dirname(sitecustomize.__file__)\n"
    counting += "    return {'a': open(os.path.join(folder, 'starts'), 'rb').read()}\n"
    files = {**own_bundle(), "mine/wire.py": counting, "sitecustomize.py": _STARTED}
    bundle = write_bundle(tmp_path / "bundle", files)
    named = _named(bundle, "0" if way == "exec" else "1")
    if not server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start=way, fresh=True)["layered"]:
        pytest.skip("no overlay can be mounted here")
    for _ in range(3):
        time.sleep(0.2)  # for what is started ahead to have started
        answer = server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start=way, fresh=True)
        assert _output(answer, "a") == b"x"


@pytest.mark.parametrize("files", [1, 40], ids=["a copy for each", "an overlay for each"])
@pytest.mark.parametrize("way", WAYS)
def test_a_process_from_before_the_layers_is_not_used_in_them(
    way: str, files: int, server: Server, tmp_path: Path
) -> None:
    """It would write into what is kept for all: a server is asked for a cached environment, then for fresh ones."""
    source = """
        import os, sysconfig
        def wire(e, p, s):
            if not p["writes"]:
                return {"a": b"none"}
            path = os.path.join(sysconfig.get_path("purelib"), "left")
            with open(path, "ab+") as file:
                file.write(b"x")
                file.seek(0)
                return {"a": file.read()}
    """
    bundle = wire_bundle(tmp_path, source, **{f"more{number}": "" for number in range(files)})
    named = _named(bundle, "2345"[WAYS.index(way) + 2 * (files > 1)])
    plain, writing = ({**SIMULATION, "params": {"writes": writes}} for writes in (False, True))
    for _ in range(2):
        server.ask(bundle, "simulate", bundle=named, task=plain, start=way)
        answers = [server.ask(bundle, "simulate", bundle=named, task=writing, start=way, fresh=True) for _ in range(2)]
        assert {_output(answer, "a") for answer in answers} == {b"x"}


@pytest.mark.parametrize("way", WAYS)
def test_a_fresh_environment_is_a_layer_that_is_thrown_away(way: str, server: Server, tmp_path: Path) -> None:
    """Building one for each task costs a hundred times as much; what a task writes there is gone all the same."""
    source = """
        import os, sys, sysconfig
        def wire(e, p, s):
            site = sysconfig.get_path("purelib")
            found = os.path.exists(os.path.join(site, "left.py"))
            if p["writes"]:
                with open(os.path.join(site, "left.py"), "w") as file:
                    file.write("x = 1")
                import left
            return {"found": repr((found, "left" in sys.modules)).encode()}
    """
    bundle = wire_bundle(tmp_path, source)
    named = _named(bundle, "a")
    for _ in range(3):
        task = {**SIMULATION, "params": {"writes": True}}
        answer = server.ask(bundle, "simulate", bundle=named, task=task, start=way, fresh=True)
        assert _output(answer, "found") == b"(False, True)"
    assert answer["layered"] is Overlays(str(tmp_path / "probe")).possible
    plain = server.ask(bundle, "simulate", bundle=named, task={**SIMULATION, "params": {"writes": False}}, start=way)
    assert _output(plain, "found") == b"(False, False)"

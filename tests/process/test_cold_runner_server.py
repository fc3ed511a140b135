"""The server form: one request and one answer a line, prepared bundles held open, nothing left at the end."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.cold_runs import (
    HOSTILE_TREE,
    SIMULATION,
    await_death,
    await_pids,
    children_of,
    run,
    runner_environment,
    wire_bundle,
)
from builders.cold_servers import Server
from builders.environments import DAEMONISING_BUILDS, own_bundle, write_bundle

import bundlekit.cold_runner

pytestmark = pytest.mark.process


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def server(cache: Path, scratch: Path) -> Iterator[Server]:
    """A server process; asserts that it ends by itself when its stdin is closed."""
    server = Server(cache, scratch)
    yield server
    server.close()


def test_a_server_answers_in_order_with_a_fresh_pid_each(tmp_path: Path, server: Server) -> None:
    """One process serves all tasks of a host; each task still has a process of its own."""
    source = """
        n = 0
        def wire(e, p, s):
            global n
            n += 1
            open("w.txt", "w").close()
            return {"n": b"%d" % n}
    """
    bundle = wire_bundle(tmp_path, source)
    answers = [server.ask(bundle, "simulate", task={**SIMULATION, "seed": seed}) for seed in range(3)]
    assert len({answer["pid"] for answer in answers}) == 3
    assert [answer["result"]["outputs"]["n"]["inline"] for answer in answers] == ["MQ=="] * 3
    assert all(answer["writes"] == [{"path": "w.txt", "change": "created"}] for answer in answers)
    assert all((answer["sandbox"], answer["network"]) == ("off", "open") for answer in answers)


def test_a_server_survives_whatever_a_task_does(tmp_path: Path, server: Server) -> None:
    """A failed task is an answer; the next one is served as if nothing had been."""
    bundle = wire_bundle(
        tmp_path, "import os\ndef wire(e, p, s):\n    os.kill(os.getpid(), p['number'])\n    return {'a': b'x'}\n"
    )
    bad = server.ask(bundle, "simulate", task={**SIMULATION, "params": {"number": 11}})
    assert bad["result"]["_fatal_error"]["signal"] == "SIGSEGV"
    late = server.ask(bundle, "simulate", task={**SIMULATION, "params": {"number": 19}}, timeout_s=1.5)
    assert late["result"]["_fatal_error"]["error_code"] == "E_TIMEOUT"
    good = server.ask(bundle, "simulate", task={**SIMULATION, "params": {"number": 0}, "env": {"OWN": "1"}})
    assert "outputs" in good["result"]


def test_a_file_whose_name_is_no_text_is_told_all_the_same(tmp_path: Path, server: Server) -> None:
    """Answers are UTF-8, names of files are bytes."""
    source = "def wire(e, p, s):\n    open(b'\\xff', 'w').close()\n    return {'a': b'x'}\n"
    answer = server.ask(wire_bundle(tmp_path, source), "simulate", task=SIMULATION)
    assert "outputs" in answer["result"]
    assert answer["writes"] == [{"path": "\\xff", "change": "created"}]


@pytest.mark.parametrize("forged", [b"[]", b"{}", b"no JSON", b'{"file": "\\ud800"}'])
def test_a_forged_description_is_no_fault_of_the_runner(forged: bytes, tmp_path: Path, server: Server) -> None:
    """Whoever found the pipe may write anything into it; the server answers, and goes on."""
    source = f"""
        import os
        def frame(kind, *fields):
            body = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
            os.write(4, kind + len(body).to_bytes(8, "big") + body)
        frame(b"J", {forged!r})
        frame(b"D")
        os._exit(0)
    """
    bundle = wire_bundle(tmp_path, source)
    for _ in range(2):
        assert server.ask(bundle, "probe")["result"]["_fatal_error"]["error_code"] == "E_WIRE_RESULT"


def test_who_waits_for_the_answer_is_woken_when_a_task_stops_it(tmp_path: Path, cache: Path, scratch: Path) -> None:
    """The guardian prints the line, or ends when a server is closed; a host would wait for ever."""
    source = """
        import os, signal
        def wire(entrypoint, params, seed):
            with open(f"/proc/{os.getppid()}/stat") as file:
                guardian = int(file.read().rpartition(")")[2].split()[1])
            os.kill(guardian, signal.SIGSTOP)
            return {"a": b"x"}
    """
    bundle = wire_bundle(tmp_path, source)
    server = Server(cache, scratch)
    assert "outputs" in server.ask(bundle, "simulate", task=SIMULATION)["result"]
    server.close()
    assert run(bundle, cache).outputs


_LASTING = """
    import os, subprocess
    def wire(entrypoint, params, seed):
        home, tmp = os.environ["HOME"], os.environ["TMPDIR"]
        if entrypoint == "mount":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=700", "none", tmp], check=True)
        if entrypoint == "fix":
            subprocess.run(["chattr", "+i", home], check=True)
        if entrypoint == "fix the bundle":
            subprocess.run(["chattr", "+i", "wire.py"], check=True)
        if entrypoint == "main":
            for directory in (home, tmp, "."):
                open(os.path.join(directory, "own"), "x").close()
        return {"a": b"x"}
"""
"""Makes what cannot be removed, as root may; other users can by way of a container that has users of its own."""


@pytest.fixture
def removable(tmp_path: Path) -> Iterator[Path]:
    """A TMPDIR in which all can be removed again afterwards."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    yield scratch
    for mounted in scratch.glob("bundlekit-*/*/tmp"):
        subprocess.run(["umount", str(mounted)], check=False, capture_output=True)
    subprocess.run(["chattr", "-R", "-i", str(scratch)], check=False, capture_output=True)


@pytest.mark.parametrize("deed", ["mount", "fix", "fix the bundle"])
def test_what_cannot_be_removed_harms_no_other_task(deed: str, tmp_path: Path, removable: Path, cache: Path) -> None:
    """The task itself has its result, in the one-shot form too; the log tells what stays."""
    if os.geteuid() != 0:
        pytest.skip("only root can make such things here")
    bundle = wire_bundle(tmp_path, _LASTING)
    bad = {**SIMULATION, "entrypoint": deed}
    server = Server(cache, removable)
    first = server.ask(bundle, "simulate", task=bad)
    if "outputs" not in first["result"]:
        pytest.skip(f"this cannot be done here: {first['result']['_fatal_error']['message']}")
    for _ in range(3):
        answer = server.ask(bundle, "simulate", task=SIMULATION)
        assert "outputs" in answer["result"], answer["result"]
    server.close()
    alone = run(bundle, cache, bad, env={"TMPDIR": str(removable)})
    assert alone.outputs
    # A mount in a namespace of the runner's own is gone with it; everything else stays, and is told.
    assert (b"cannot be removed" in alone.stderr) is bool(list(removable.glob("bundlekit-*")))


def test_a_prepared_bundle_is_kept_by_its_digest(tmp_path: Path, server: Server) -> None:
    """After the first request of a digest its directory is not read again: it may be gone."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    named = {"path": str(bundle), "digest": "sha256:" + "ab" * 32, "files": None}
    prepared = server.ask(bundle, "prepare", bundle=named)["result"]
    assert prepared["wire"] == {"source": "wire.py", "name": "wire", "value": "wire.py:wire", "distribution": None}
    (bundle / "wire.py").unlink()
    assert "outputs" in server.ask(bundle, "simulate", bundle=named, task=SIMULATION)["result"]


@pytest.mark.parametrize("start", ["exec", "fork"])
def test_a_server_whose_cache_was_cleared_by_hand_builds_again(start: str, tmp_path: Path, scratch: Path) -> None:
    """``rm -r`` asks nobody; a host must not have to be started again for it."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    named = {"path": str(bundle), "digest": "sha256:" + "b" * 64, "files": None}
    server = Server(tmp_path / "cache", scratch)
    for _ in range(2):
        for _ in range(2):
            answer = server.ask(bundle, "simulate", bundle=named, task=SIMULATION, start=start)
            assert "outputs" in answer["result"], answer["result"]
        shutil.rmtree(tmp_path / "cache")
    server.close()


def test_a_server_holds_no_more_bundles_than_it_has_descriptors_for(tmp_path: Path, cache: Path, scratch: Path) -> None:
    """A worker of a cluster meets many bundles in its life."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    server = Server(cache, scratch)
    assert "code" in server.ask(bundle, "prepare")["result"]
    supervisor = children_of(server.process.pid)[0]
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (256, 256))
    for number in range(130):
        named = {"path": str(bundle), "digest": f"sha256:{number:064x}", "files": None}
        assert "code" in server.ask(bundle, "prepare", bundle=named)["result"]
    server.close()


def test_a_server_obeys_its_own_environment_before_a_request(tmp_path: Path, scratch: Path) -> None:
    """An operator who forces fresh environments means all of them (DESIGN decision 4)."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    named = {"path": str(bundle), "digest": "sha256:" + "cd" * 32, "files": None}
    own = tmp_path / "cache"
    server = Server(own, scratch, MODELOPS_FORCE_FRESH_VENV="1", PRESERVE_TMP="1")
    first, second = (server.ask(bundle, "prepare", bundle=named, fresh=False)["result"] for _ in range(2))
    server.close()
    for prepared in (first, second):
        assert not prepared["environment"]["reused"]
        assert not prepared["code"]["reused"]
        assert Path(prepared["environment"]["python"]).is_relative_to(own / "fresh")
        assert Path(prepared["environment"]["python"]).exists()
    assert first["environment"]["python"] != second["environment"]["python"]


def test_a_server_preserves_what_its_tasks_write(tmp_path: Path, cache: Path) -> None:
    """Asked by its own environment or by a request; what was only looked at leaves nothing."""
    source = "def wire(e, p, s):\n    open('made.txt', 'w').write(e)\n    return {'a': b'x'}\n"
    bundle = wire_bundle(tmp_path, source)
    kept_in = tmp_path / "scratch"
    kept_in.mkdir()
    server = Server(cache, kept_in, PRESERVE_TMP="1")
    server.ask(bundle, "simulate", task=SIMULATION)
    server.ask(bundle, "probe", reference=None)
    server.close()
    server = Server(cache, kept_in)
    server.ask(bundle, "simulate", task={**SIMULATION, "entrypoint": "asked"}, preserve=True)
    server.ask(bundle, "simulate", task=SIMULATION)
    server.close()
    assert sorted(path.read_text() for path in kept_in.rglob("made.txt")) == ["asked", "main"]
    assert len(list(kept_in.iterdir())) == 2


@pytest.mark.parametrize("name", ["MODELOPS_FORCE_FRESH_VENV", "PRESERVE_TMP"])
def test_a_server_with_a_setting_that_means_nothing_does_not_start(name: str, tmp_path: Path) -> None:
    """The one-shot form refuses it too; a default in its place would be found out too late."""
    done = subprocess.run(
        [sys.executable, "-m", "bundlekit.cold_runner", "--serve"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=runner_environment(tmp_path, **{name: "perhaps"}),
        check=False,
    )
    assert done.returncode == 2
    assert name in json.loads(done.stdout)["_fatal_error"]["message"]


@pytest.mark.parametrize("backend", DAEMONISING_BUILDS.values(), ids=DAEMONISING_BUILDS)
def test_a_daemon_that_a_build_leaves_behind_is_gone(
    backend: str, tmp_path: Path, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the session that is killed with the build, and would live as long as the server."""
    pids = tmp_path / "pids"
    monkeypatch.setenv("PIDS", str(pids))
    bundle = write_bundle(tmp_path / "bundle", own_bundle(backend=backend))
    server = Server(cache, scratch)
    answer = server.ask(bundle, "prepare", pass_env=["PIDS"], timeout_s=4.0)["result"]
    assert ("_fatal_error" in answer) == (backend != DAEMONISING_BUILDS["succeeds"])
    assert await_death(await_pids(pids, 1), 1) == []
    server.close()


REQUESTS = {
    "no JSON": (b"{", "E_USAGE"),
    "unknown verb": (b'{"verb":"fly","bundle":{"path":"/"},"timeout_s":1}', "E_USAGE"),
    "unknown sandbox": (b'{"verb":"prepare","bundle":{"path":"/"},"timeout_s":1,"sandbox":"firm"}', "E_USAGE"),
    "limit of 0": (b'{"verb":"prepare","bundle":{"path":"/"},"timeout_s":1,"limits":{"cpu-s":0}}', "E_USAGE"),
    "limits that are a list": (b'{"verb":"prepare","bundle":{"path":"/"},"timeout_s":1,"limits":[1]}', "E_USAGE"),
    "no time": (b'{"verb":"prepare","bundle":{"path":"/"},"timeout_s":0}', "E_USAGE"),
    "bad task": (b'{"verb":"simulate","bundle":{"path":"/"},"timeout_s":1,"task":{}}', "E_TASK"),
}


@pytest.mark.parametrize(("line", "error_code"), REQUESTS.values(), ids=REQUESTS)
def test_a_bad_request_is_answered(server: Server, line: bytes, error_code: str) -> None:
    """One request, one answer: a host that miscounts would hang."""
    assert server.process.stdin
    assert server.process.stdout
    server.process.stdin.write(line + b"\n")
    server.process.stdin.flush()
    answer = json.loads(server.process.stdout.readline())
    assert answer["result"]["_fatal_error"]["error_code"] == error_code


def test_closing_stdin_in_the_middle_of_a_task_ends_everything(tmp_path: Path, cache: Path, scratch: Path) -> None:
    """A host that died by any signal has closed it."""
    server = Server(cache, scratch)
    pids = tmp_path / "pids"
    task = {**SIMULATION, "entrypoint": "sleep", "params": {"pids": str(pids)}}
    server.send(wire_bundle(tmp_path, HOSTILE_TREE), "simulate", task=task)
    found = await_pids(pids, 6)
    supervisors = children_of(server.process.pid)
    started = time.monotonic()
    server.close()
    assert time.monotonic() - started < 2
    assert await_death([*found, *supervisors], 0.2) == []


@pytest.mark.parametrize("requests", [0, 1])
def test_a_server_that_is_closed_between_requests_says_nothing(
    requests: int, tmp_path: Path, cache: Path, scratch: Path
) -> None:
    """Its own end and that of the leash race; whichever comes first, no task was interrupted."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    for _ in range(25):
        server = Server(cache, scratch, stderr=subprocess.PIPE)
        assert server.process.stderr
        with server.process.stderr as stderr:
            for _ in range(requests):
                server.ask(bundle, "prepare")
            server.close()
            said = stderr.read().decode()
        assert server.process.returncode == 0
        assert "Failed" not in said
        assert "Traceback" not in said


def test_a_server_that_is_ended_between_requests_says_by_what(cache: Path, scratch: Path) -> None:
    """Its host did not ask for that; once is enough."""
    server = Server(cache, scratch, stderr=subprocess.PIPE)
    assert server.process.stdin
    assert server.process.stdout
    assert server.process.stderr
    server.process.stdin.write(b"{}\n")
    server.process.stdin.flush()
    server.process.stdout.readline()
    server.process.terminate()
    assert server.process.wait(10) == 130
    with server.process.stderr as stderr:
        said = stderr.read().decode()
    assert said.count("E_INTERRUPTED: the runner was interrupted by SIGTERM") == said.count("E_INTERRUPTED") == 1
    server.close()


def test_a_probe_tells_signature_origin_and_errors(tmp_path: Path, server: Server) -> None:
    """What `validate` compares with the static answer."""
    source = """
        import os, json, functools
        def wire(entrypoint, params, /, seed=1, *rest, key, **more): return {}
        async def later(a): ...
        def many(a): yield a
        limited = functools.partial(many, 1)
        number = 3
    """
    bundle = wire_bundle(tmp_path, source, helper="def f(x): ...\n", broken="raise OSError('gone')\n")
    result = server.ask(bundle, "probe", reference=None)["result"]
    assert isinstance(result, dict)
    assert (result["callable"], result["origin"], result["relative"]) == (True, "tree", "wire.py")
    assert result["signature"]["parameters"] == [
        ["entrypoint", "POSITIONAL_ONLY", False],
        ["params", "POSITIONAL_ONLY", False],
        ["seed", "POSITIONAL_OR_KEYWORD", True],
        ["rest", "VAR_POSITIONAL", False],
        ["key", "KEYWORD_ONLY", False],
        ["more", "VAR_KEYWORD", False],
    ]
    kinds = {
        name: server.ask(bundle, "probe", reference=f"wire:{name}")["result"] for name in ("later", "many", "limited")
    }
    assert {name: each["signature"]["kind"] for name, each in kinds.items()} == {
        "later": "coroutine",
        "many": "generator",
        "limited": "generator",
    }
    number = server.ask(bundle, "probe", reference="wire:number")["result"]
    assert (number["callable"], number["signature"]) == (False, None)
    origins = {name: server.ask(bundle, "probe", reference=name)["result"] for name in ("json:dumps", "helper:f")}
    assert [each["origin"] for each in origins.values()] == ["stdlib", "tree"]
    codes = [
        server.ask(bundle, "probe", reference=name)["result"]["_fatal_error"]["error_code"]
        for name in ("nowhere:f", "wire:absent", "broken:f")
    ]
    assert codes == ["E_ENTRYPOINT", "E_ENTRYPOINT", "E_WIRE_RAISED"]


def test_large_replicates_arrive_as_bytes_and_as_text_and_leave_no_file(
    server: "Server", tmp_path: Path, scratch: Path
) -> None:
    """They go from the request into a file, and from there to the child; several requests may come at once."""
    source = """
        import hashlib
        def f(sim_returns):
            found = [each["outputs"]["x"]["inline"] for each in sim_returns]
            said = [[type(one).__name__, len(one), one[-1]] for one in found]
            return {"loss": 1, "diagnostics": {"said": said}}
    """
    bundle = wire_bundle(tmp_path, "", targets=source)
    returns = [{"outputs": {"x": {"inline": "A" * size}}} for size in (4_000_000, 8, 400_000)]
    task = {"target_entrypoint": "targets:f", "sim_returns": returns}
    for form in ("bytes", "str"):
        server.send(bundle, "aggregate", task=task, inline_as=form)
    assert server.process.stdout
    for form, last in (("bytes", 0), ("str", "A")):
        answer = json.loads(server.process.stdout.readline())
        sizes = [size if form == "str" else size // 4 * 3 for size in (4_000_000, 8, 400_000)]
        assert answer["result"]["diagnostics"]["said"] == [[form, size, last] for size in sizes]
    assert not list(scratch.glob("*/texts-*"))


def test_a_request_limits_each_phase(server: "Server", tmp_path: Path) -> None:
    """As the options of the one-shot form do."""
    bundle = wire_bundle(tmp_path, "import time\ndef wire(e, p, s): time.sleep(60)\n")
    answer = server.ask(bundle, "simulate", task=SIMULATION, call_timeout_s=0.5, grace_s=0.1)
    assert answer["result"]["_fatal_error"]["error_code"] == "E_TIMEOUT"
    assert answer["seconds"] < 3
    refused = server.ask(bundle, "simulate", task=SIMULATION, import_timeout_s=-1)
    assert "import_timeout_s" in refused["result"]["_fatal_error"]["message"]


def test_a_failed_request_leaves_its_log_and_its_reproduction(server: "Server", tmp_path: Path) -> None:
    """A host's log says little of one task in thousands."""
    bundle = wire_bundle(tmp_path, "import sys\ndef wire(e, p, s):\n    sys.exit(p['code'])\n")
    parameters = "A" * 200_000
    task = {**SIMULATION, "params": {"code": 3, "inline": parameters}}
    error = server.ask(bundle, "simulate", task=task)["result"]["_fatal_error"]
    repro = Path(error["log_path"]).parent / "repro.json"
    request = json.loads(repro.read_text(encoding="utf-8"))["request"]
    assert request["task"] == task
    again = subprocess.run(
        [sys.executable, str(Path(bundlekit.cold_runner.__file__).parent), "--replay", str(repro)],
        capture_output=True,
        check=False,
        timeout=60,
        env=runner_environment(tmp_path / "cache"),
    )
    assert json.loads(again.stdout)["_fatal_error"]["message"] == error["message"]

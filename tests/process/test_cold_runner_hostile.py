"""Whatever bundle code does to its process, the caller gets one line that tells the truth (HOSTILE_CORPUS G)."""

import base64
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.cold_runs import MODULE, Ran, run, runner_environment, wire_bundle

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("start")]

FORGED = r"""b'{"outputs":{"x":{"size":1,"checksum":"00","inline":"eA=="}},"task_id":"x"}\n'"""
GOOD = 'return {"raw": f"ok-{seed}".encode()}'


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def ran(tmp_path: Path, cache: Path, body: str, *, header: str = "", options: tuple[str, ...] = ()) -> Ran:
    """Run a wire function with `body`, in a module that starts with `header`."""
    lines = "\n".join("    " + line for line in body.splitlines())
    source = f"import os, sys\n{header}\ndef wire(entrypoint, params, seed):\n{lines}\n"
    return run(wire_bundle(tmp_path, source), cache, {"entrypoint": "main", "params": {}, "seed": 7}, *options)


NOISE = {
    "print at import": ('print("NOISE")', GOOD),
    "print in the call": ("", 'print("NOISE")\n' + GOOD),
    "print in a thread": (
        "import threading",
        't = threading.Thread(target=print, args=("NOISE",))\nt.start()\nt.join()\n' + GOOD,
    ),
    "print at exit": ('import atexit\natexit.register(print, "NOISE")', GOOD),
    "os.write(1) of a forged result": (
        f"os.write(1, {FORGED})",
        f'os.write(1, {FORGED})\nos.write(1, b"NOISE")\n{GOOD}',
    ),
    "a child process that echoes": ("", 'os.system("echo NOISE")\n' + GOOD),
    "C printf, flushed at exit": (
        "import ctypes",
        'ctypes.CDLL(None).printf(b"NOISE")\nimport atexit\natexit.register(int)\n' + GOOD,
    ),
    "stdout replaced at import": ('sys.stdout = os.fdopen(1, "w", closefd=False)', 'print("NOISE")\n' + GOOD),
    "bytes that are no UTF-8": ("", 'os.write(2, b"\\xff\\xfe NOISE \\x00")\n' + GOOD),
    "logging to stdout": (
        "import logging\nlogging.basicConfig(stream=sys.stdout)",
        'logging.warning("NOISE")\n' + GOOD,
    ),
}


@pytest.mark.parametrize(("header", "body"), NOISE.values(), ids=NOISE)
def test_noise_goes_to_stderr_and_the_result_is_intact(tmp_path: Path, cache: Path, header: str, body: str) -> None:
    """Import-time prints and C output lose valid results in runners that share stdout with the bundle."""
    result = ran(tmp_path, cache, body, header=header)
    assert result.outputs["raw"]["inline"] == base64.b64encode(b"ok-7").decode()
    assert b"NOISE" in result.stderr


HARMLESS = {
    "closes 0, 1 and 2": "for fd in (0, 1, 2):\n    os.close(fd)\n" + GOOD,
    "sys.stdout is None": "sys.stdout = sys.stderr = None\n" + GOOD,
    "dup2 over 1": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n" + GOOD,
    "reads stdin": "assert sys.stdin.read() == ''\n" + GOOD,
    "replaces os.write": "os.write = os._exit = os.fstat = None\n" + GOOD,
    "replaces __main__": "sys.modules['__main__'] = None\n" + GOOD,
    "bytearray": "return {'raw': bytearray(b'ok-7')}",
    "memoryview with gaps": "return {'raw': memoryview(b'oXkX-X7X')[::2]}",
    "dict subclass": "import collections\nreturn collections.OrderedDict(raw=b'ok-7')",
    "leaves a thread running": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    + GOOD,
    "a fork that returns too": "os.fork()\n" + GOOD,
    "SIGTERM to the supervisor's group": "import signal\nos.kill(0, signal.SIGCONT)\n" + GOOD,
}


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_odd_but_honest_code_gets_its_result(tmp_path: Path, cache: Path, body: str) -> None:
    """None of these is a reason to lose what was computed."""
    result = ran(tmp_path, cache, body)
    assert result.outputs["raw"]["inline"] == base64.b64encode(b"ok-7").decode()
    assert result.seconds < 8


class Case(NamedTuple):
    """A wire function and how it fails."""

    error_code: str
    phase: str
    body: str
    header: str
    kind: str | None
    signal: str | None
    says: str


def fails(
    error_code: str,
    phase: str,
    body: str,
    *,
    header: str = "",
    kind: str | None = None,
    signal: str | None = None,
    says: str = "",
) -> Case:
    """Return a row of the table below."""
    return Case(error_code, phase, body, header, kind, signal, says)


FAILURES = {
    "forges a result and exits": fails("E_WIRE_EXIT", "call", f"os.write(1, {FORGED})\nos._exit(0)", says="status 0"),
    "os._exit(3)": fails("E_WIRE_EXIT", "call", "os._exit(3)", says="status 3"),
    "os._exit at import": fails("E_WIRE_EXIT", "import", GOOD, header="os._exit(0)", says="status 0"),
    "sys.exit()": fails("E_WIRE_EXIT", "call", "sys.exit()", kind="SystemExit", says="None"),
    "sys.exit text": fails("E_WIRE_EXIT", "call", "sys.exit('no more')", kind="SystemExit", says="no more"),
    "segfault": fails(
        "E_SIGNAL", "call", "ctypes.string_at(0)", header="import ctypes", signal="SIGSEGV", says="SIGSEGV"
    ),
    "abort": fails("E_SIGNAL", "call", "os.abort()", signal="SIGABRT", says="SIGABRT"),
    "alarm": fails(
        "E_SIGNAL",
        "call",
        "signal.alarm(1)\ntime.sleep(30)",
        header="import signal, time",
        signal="SIGALRM",
        says="SIGALRM",
    ),
    "SIGKILL to itself": fails("E_KILLED", "call", "os.kill(os.getpid(), 9)", signal="SIGKILL", says="SIGKILL"),
    "raises": fails("E_WIRE_RAISED", "call", "raise ValueError('beta is 7')", kind="ValueError", says="beta is 7"),
    "raises its own": fails(
        "E_WIRE_RAISED", "call", "raise Bad('x')", header="class Bad(Exception): ...", kind="bundle_wire.Bad", says="x"
    ),
    "KeyboardInterrupt": fails("E_WIRE_RAISED", "call", "raise KeyboardInterrupt", kind="KeyboardInterrupt"),
    "GeneratorExit": fails("E_WIRE_RAISED", "call", "raise GeneratorExit", kind="GeneratorExit"),
    "BaseException": fails("E_WIRE_RAISED", "call", "raise BaseException('b')", kind="BaseException", says="b"),
    "exception group": fails(
        "E_WIRE_RAISED",
        "call",
        "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])",
        kind="ExceptionGroup",
        says="two",
    ),
    "failing __str__": fails(
        "E_WIRE_RAISED",
        "call",
        "raise Bad",
        header="class Bad(Exception):\n    def __str__(self): raise RuntimeError('no')",
        kind="bundle_wire.Bad",
        says="RuntimeError",
    ),
    "lone surrogate in the message": fails(
        "E_WIRE_RAISED", "call", "raise ValueError('\\ud800')", kind="ValueError", says="d800"
    ),
    "10 MB message": fails("E_WIRE_RAISED", "call", "raise ValueError('x' * 10**7)", kind="ValueError", says="..."),
    "recursion": fails("E_WIRE_RAISED", "call", "return wire(entrypoint, params, seed)", kind="RecursionError"),
    "import fails": fails(
        "E_WIRE_RAISED",
        "import",
        GOOD,
        header="import no_such_module",
        kind="ModuleNotFoundError",
        says="no_such_module",
    ),
    "too few parameters": fails("E_WIRE_RESULT", "result", "", says="NoneType"),
    "returns a list": fails("E_WIRE_RESULT", "result", "return []", says="list"),
    "returns an int": fails("E_WIRE_RESULT", "result", "return 3", says="int"),
    "returns a str": fails("E_WIRE_RESULT", "result", "return 'x'", says="str"),
    "is a generator": fails("E_WIRE_RESULT", "result", "yield 1", says="generator"),
    "returns a coroutine": fails(
        "E_WIRE_RESULT", "result", "return later()", header="async def later(): ...", says="coroutine"
    ),
    "returns {}": fails("E_WIRE_RESULT", "result", "return {}", says="empty"),
    "all outputs empty": fails("E_WIRE_RESULT", "result", "return {'a': b'', 'b': b''}", says="empty"),
    "value is a str": fails("E_WIRE_RESULT", "result", "return {'table': 'x'}", says="'table', found str"),
    "value is a dict": fails("E_WIRE_RESULT", "result", "return {'table': {}}", says="'table', found dict"),
    "value is None": fails("E_WIRE_RESULT", "result", "return {'table': None}", says="found NoneType"),
    "value is an array": fails(
        "E_WIRE_RESULT", "result", "return {'t': array.array('d')}", header="import array", says="array"
    ),
    "key is an int": fails("E_WIRE_RESULT", "result", "return {1: b'x'}", says="1 (int)"),
    "key is empty": fails("E_WIRE_RESULT", "result", "return {'': b'x'}", says="non-empty"),
    "key is no Unicode": fails("E_WIRE_RESULT", "result", "return {'\\ud800': b'x'}", says="d800"),
    "error in the metadata": fails(
        "E_WIRE_RESULT", "result", "return {'metadata': b'{\"error\": \"diverged\"}', 'table': b'x'}", says="diverged"
    ),
    "error as the only output": fails(
        "E_WIRE_RESULT",
        "result",
        'return {\'error\': b\'{"error": "diverged", "type": "SolverError"}\'}',
        kind="SolverError",
        says="diverged",
    ),
    "closes all descriptors": fails("E_WIRE_RESULT", "call", "os.closerange(3, 4096)\n" + GOOD, says="result pipe"),
    "opens a file over the result pipe": fails(
        "E_WIRE_RESULT",
        "call",
        "os.closerange(3, 4096)\nfds = [os.open('victim', os.O_CREAT | os.O_RDWR) for _ in range(9)]\n" + GOOD,
        says="result pipe",
    ),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_told_by_its_kind_and_phase(tmp_path: Path, cache: Path, case: Case) -> None:
    """A user who reads the one line must know who erred and when, without a log."""
    result = ran(tmp_path, cache, case.body or "pass", header=case.header)
    error = result.error
    assert (error["error_code"], error["phase"]) == (case.error_code, case.phase), error
    assert result.status == (9 if case.signal else 8)
    assert (error["type"], error["signal"]) == (case.kind, case.signal)
    assert case.says in str(error["message"])
    assert len(str(error["message"])) < 10_000
    assert error["retryable"] is (case.error_code == "E_KILLED")
    assert result.seconds < 10


def test_the_last_lines_of_the_traceback_are_kept_without_frames_of_the_runner(tmp_path: Path, cache: Path) -> None:
    """Keeping the head of stderr loses the exception; frames of the runner are noise to a modeller."""
    result = ran(tmp_path, cache, "raise ValueError('beta is 7')", header="print('x' * 100_000)")
    tail = str(result.error["stderr_tail"])
    assert tail.rstrip().endswith("ValueError: beta is 7")
    assert "bytes left out" in tail
    assert "child.py" not in tail
    assert "<bundlekit" not in tail
    assert len(tail) < 10_000


def test_a_segfault_leaves_the_python_stack_in_the_log(tmp_path: Path, cache: Path) -> None:
    """A crash in C++ code says nothing by itself; faulthandler names the line that called it."""
    result = ran(tmp_path, cache, "ctypes.string_at(0)", header="import ctypes")
    assert "wire.py" in str(result.error["stderr_tail"])


def test_a_flood_of_stderr_passes_through_and_only_its_ends_are_kept(tmp_path: Path, cache: Path) -> None:
    """The whole goes to whoever reads our stderr; a result document must not carry it."""
    body = "os.write(2, b'HEAD')\nfor _ in range(64):\n    os.write(2, b'x' * 2**20)\nraise ValueError('TAIL')"
    result = ran(tmp_path, cache, body)
    assert result.stderr.count(b"x") >= 64 * 2**20
    assert str(result.error["stderr_tail"]).startswith("HEAD")
    assert "ValueError: TAIL" in str(result.error["stderr_tail"])


def test_a_stderr_that_nobody_reads_does_not_stop_the_clock(tmp_path: Path, cache: Path) -> None:
    """A host that forgot to drain our stderr must still get its answer at the deadline."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s):\n    while True: print('x' * 10_000)\n")
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [*MODULE, "--bundle-path", str(bundle), "--timeout-s", "2"],
            input=b'{"entrypoint":"main","params":{},"seed":1}',
            stdout=subprocess.PIPE,
            stderr=writing,
            env=runner_environment(cache),
            check=False,
            timeout=20,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 124
    assert b"E_TIMEOUT" in done.stdout

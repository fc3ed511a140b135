"""Wires and targets that harm their process, their runner or themselves (HOSTILE_CORPUS G); each id names its row.

Not here, with the reason:
W02 Fortran: there is no compiler where tests run; unit 6 is descriptor 1, as that of printf is.
W11 1 GB and W27 1 GB: tests/bench/bench_payloads.py measures the first; the second runs with 64 MB.
W19 a kill by a control group: tests may not make groups on every machine; tests/unit/test_memory_events.py holds the
    verdict against files as the kernel writes them.
W31 pid 1 and every process of the user: nothing here keeps them apart, so the test would be an attack on the machine.
W39 is a matter for comparing runs; here only that the order of sets does not differ between them (T17).
"""

import base64
import hashlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.cold_runs import SIMULATION
from builders.invariants import Ground

pytestmark = pytest.mark.process

FORGED = r"""b'{"outputs":{"x":{"size":1,"checksum":"00","inline":"eA=="}},"task_id":"x"}\n'"""
GOOD = 'return {"raw": f"ok-{seed}".encode()}'


def source_of(body: str, header: str = "") -> str:
    """Return a wire function with `body`, in a module that starts with `header`."""
    lines = "\n".join("    " + line for line in (body or "pass").splitlines())
    return f"import os, signal, sys, time\n{header}\ndef wire(entrypoint, params, seed):\n{lines}\n"


NOISE = {
    "W01-print-at-import": ('print("NOISE")', GOOD),
    "W01-print-in-call": ("", 'print("NOISE")\n' + GOOD),
    "W01-print-in-thread": (
        "import threading",
        't = threading.Thread(target=print, args=("NOISE",))\nt.start()\nt.join()\n' + GOOD,
    ),
    "W01-print-at-exit": ('import atexit\natexit.register(print, "NOISE")', GOOD),
    "W01-print-in-del": (
        "import atexit\nclass Noisy:\n    def __del__(self): print('NOISE')\nnoisy = Noisy()\natexit.register(int)",
        GOOD,
    ),
    "W02-forged-result-on-1": (
        f"os.write(1, {FORGED})",
        f'os.write(1, {FORGED})\nos.write(1, b"NOISE")\n{GOOD}',
    ),
    "W02-child-echoes": ("", 'os.system("echo NOISE")\n' + GOOD),
    "W02-printf-flushed-at-exit": (
        "import ctypes",
        'ctypes.CDLL(None).printf(b"NOISE")\nimport atexit\natexit.register(int)\n' + GOOD,
    ),
    "W27-no-UTF-8": ("", 'os.write(2, b"\\xff\\xfe NOISE \\x00 \\x1b[2J\\x1b]0;x\\x07")\n' + GOOD),
    "W38-stdout-replaced": ('sys.stdout = os.fdopen(1, "w", closefd=False)', 'print("NOISE")\n' + GOOD),
    "W38-logging-to-stdout": (
        "import logging\nlogging.basicConfig(stream=sys.stdout)",
        'logging.warning("NOISE")\n' + GOOD,
    ),
}


@pytest.mark.parametrize(("header", "body"), NOISE.values(), ids=NOISE)
def test_noise_goes_to_stderr_and_the_result_is_intact(ground: Ground, header: str, body: str) -> None:
    """Import-time prints and C output lose valid results in runners that share stdout with the bundle."""
    result = ground.simulate(source_of(body, header))
    assert result.outputs["raw"]["inline"] == base64.b64encode(b"ok-7").decode()
    assert b"NOISE" in result.stderr


POOL = """
import multiprocessing
pool = multiprocessing.get_context({!r}).Pool(2)
assert pool.map(abs, [-1, -2]) == [1, 2]
"""
HARMLESS = {
    "W03-closes-0-1-2": "for fd in (0, 1, 2):\n    os.close(fd)\n" + GOOD,
    "W03-streams-None": "sys.stdout = sys.stderr = None\n" + GOOD,
    "W03-dup2-over-1": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n" + GOOD,
    "W08-bytearray": "return {'raw': bytearray(b'ok-7')}",
    "W08-memoryview-with-gaps": "return {'raw': memoryview(b'oXkX-X7X')[::2]}",
    "W08-dict-subclass": "import collections\nreturn collections.OrderedDict(raw=b'ok-7')",
    "W08-mapping": "import types\nreturn types.MappingProxyType({'raw': b'ok-7'})",
    "W14-a-fork-that-returns-too": "os.fork()\n" + GOOD,
    "W14-leaves-a-thread": "import threading\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + GOOD,
    "W16-continues-its-group": "os.kill(0, signal.SIGCONT)\n" + GOOD,
    "W16-stops-its-parent": "os.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(0.2)\n" + GOOD,
    "W23-no-main": "sys.modules['__main__'] = None\n" + GOOD,
    "W23-no-os": "os.write = os._exit = os.fstat = os.dup2 = None\n" + GOOD,
    "W23-settrace": "sys.settrace(lambda *_: 1 / 0 if _[1] == 'return' else None)\n" + GOOD,
    "W23-gc-hooks": "import gc\ngc.callbacks.append(lambda *_: 1 / 0)\ngc.collect()\n" + GOOD,
    "W23-excepthooks": "import threading\nsys.excepthook = threading.excepthook = sys.unraisablehook = None\n" + GOOD,
    "W25-pool-fork": POOL.format("fork") + GOOD,
    "W25-pool-spawn": POOL.format("spawn") + GOOD,
    "W25-pool-forkserver": POOL.format("forkserver") + GOOD,
    "W25-semaphores": "import multiprocessing\nkept = [multiprocessing.Semaphore() for _ in range(9)]\n" + GOOD,
    "W28-stdin": "assert sys.stdin.read() == '' and os.read(0, 9) == b''\n" + GOOD,
    "W34-clock": "time.time = time.monotonic = lambda: 0.0\n" + GOOD,
}


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_odd_but_honest_code_gets_its_result(ground: Ground, body: str) -> None:
    """None of these is a reason to lose what was computed."""
    result = ground.simulate(source_of(body))
    assert result.outputs["raw"]["inline"] == base64.b64encode(b"ok-7").decode()


class Case(NamedTuple):
    """A wire function and how it fails; `options` and `params` are for the runner."""

    error_code: str
    phase: str
    body: str
    header: str
    kind: str | None
    signal: str | None
    says: str
    options: tuple[str, ...]


def fails(
    error_code: str,
    phase: str,
    body: str,
    *,
    header: str = "",
    kind: str | None = None,
    signal: str | None = None,
    says: str = "",
    options: tuple[str, ...] = (),
) -> Case:
    """Return a row of the tables below."""
    return Case(error_code, phase, body, header, kind, signal, says, options)


def crashes(name: str, body: str, header: str = "import ctypes") -> Case:
    """Return a row whose wire function ends by the signal `name`."""
    return fails("E_SIGNAL", "call", body, header=header, signal=name, says=name)


def late(body: str, header: str = "") -> Case:
    """Return a row whose wire function is not done in time."""
    return fails("E_TIMEOUT", "call", body, header=header, options=("--call-timeout-s", "1"))


ENDINGS = {
    "W03-closes-all": fails("E_WIRE_RESULT", "call", "os.closerange(3, 4096)\n" + GOOD, says="result pipe"),
    "W03-opens-over-the-pipe": fails(
        "E_WIRE_RESULT",
        "call",
        "os.closerange(3, 4096)\nfds = [os.open('victim', os.O_CREAT | os.O_RDWR) for _ in range(9)]\n" + GOOD,
        says="result pipe",
    ),
    "W03-writes-into-the-pipe": fails("E_WIRE_RESULT", "call", "os.write(4, b'junk' * 9)\n" + GOOD, says="result pipe"),
    "W04-forges-and-exits": fails("E_WIRE_EXIT", "call", f"os.write(1, {FORGED})\nos._exit(0)", says="status 0"),
    "W05-exit-3": fails("E_WIRE_EXIT", "call", "os._exit(3)", says="status 3"),
    "W05-exit-at-import": fails("E_WIRE_EXIT", "import", GOOD, header="os._exit(0)", says="status 0"),
    "W05-sys.exit": fails("E_WIRE_EXIT", "call", "sys.exit()", kind="SystemExit", says="None"),
    "W05-sys.exit-0": fails("E_WIRE_EXIT", "call", "sys.exit(0)", kind="SystemExit", says="0"),
    "W05-sys.exit-text": fails("E_WIRE_EXIT", "call", "sys.exit('no more')", kind="SystemExit", says="no more"),
    "W12-loop": late("while True: pass"),
    "W12-loop-in-C": late("sum(iter(int, 1))"),
    "W12-C-holding-the-GIL": late("ctypes.PyDLL(None).sleep(600)", "import ctypes"),
    "W12-sleep": late("time.sleep(1e9)"),
    "W12-input-is-at-its-end": fails("E_WIRE_RAISED", "call", "input()", kind="EOFError"),
    "W13-ignores-signals": late(
        "for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)"
    ),
    "W13-blocks-signals": late("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(600)"),
    "W16-stops-itself": late("os.kill(os.getpid(), signal.SIGSTOP)"),
    "W16-stops-its-group": late("os.kill(0, signal.SIGSTOP)"),
    "W17-segfault": crashes("SIGSEGV", "ctypes.string_at(0)"),
    "W17-abort": crashes("SIGABRT", "os.abort()"),
    "W17-ill": crashes("SIGILL", "os.kill(os.getpid(), signal.SIGILL)"),
    "W17-fpe": crashes("SIGFPE", "os.kill(os.getpid(), signal.SIGFPE)"),
    "W17-bus": crashes(
        "SIGBUS",
        "f = open('m', 'w+b')\nf.truncate(9999)\nm = mmap.mmap(f.fileno(), 9999)\nf.truncate(0)\nm[0]",
        "import mmap",
    ),
    "W17-stack-overflow-in-C": crashes(
        "SIGSEGV",
        "call = ctypes.CFUNCTYPE(ctypes.c_int)\ndef again(): return found[0]()\nfound = [call(again)]\n"
        "sys.setrecursionlimit(10**9)\nthreading.stack_size(1 << 16)\n"
        "t = threading.Thread(target=again)\nt.start()\nt.join()",
        "import ctypes, threading",
    ),
    "W18-kills-itself": fails("E_KILLED", "call", "os.kill(os.getpid(), 9)", signal="SIGKILL", says="SIGKILL"),
    "W18-137": fails("E_KILLED", "call", "os._exit(137)", signal="SIGKILL", says="SIGKILL"),
    "W19-memory": fails(
        "E_WIRE_RAISED",
        "call",
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\nreturn {'raw': bytes(2 << 30)}",
        header="import resource",
        kind="MemoryError",
    ),
    "W20-file-size": fails(
        "E_WIRE_RAISED",
        "call",
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nopen('big', 'wb', 0).write(bytes(999))\n"
        "open('big', 'ab', 0).write(bytes(9))\nopen('big', 'ab', 0).write(bytes(9))",
        header="import resource",
        kind="OSError",
        says="File too large",
    ),
    "W26-recursion": fails("E_WIRE_RAISED", "call", "return wire(entrypoint, params, seed)", kind="RecursionError"),
    "W26-recursion-without-limit": fails(
        "E_SIGNAL",
        "call",
        "sys.setrecursionlimit(10**9)\nclass A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nA().a",
        signal="SIGSEGV",
    ),
    "W29-descriptors": fails(
        "E_WIRE_RAISED", "call", "kept = [open(os.devnull) for _ in range(10**6)]", kind="OSError", says="Too many open"
    ),
    "W31-kills-its-parent": fails("E_KILLED", "call", "os.kill(os.getppid(), 9)\ntime.sleep(600)", signal="SIGKILL"),
    "W32-faulthandler-exits": fails(
        "E_WIRE_EXIT",
        "call",
        "faulthandler.dump_traceback_later(0.2, exit=True)\ntime.sleep(600)",
        header="import faulthandler",
        says="status 1",
    ),
    "W32-alarm": crashes("SIGALRM", "signal.alarm(1)\ntime.sleep(600)", ""),
    "W34-clock-then-late": late("time.time = time.monotonic = lambda: 0.0\ntime.sleep(600)"),
    "W35-returns-while-it-is-ended": late(
        "got = []\nsignal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
        "while not got: time.sleep(0.01)\nreturn {'raw': b'late'}"
    ),
}
RAISES = {
    "W06-ValueError": fails(
        "E_WIRE_RAISED", "call", "raise ValueError('beta is 7')", kind="ValueError", says="beta is 7"
    ),
    "W06-its-own": fails(
        "E_WIRE_RAISED", "call", "raise Bad('x')", header="class Bad(Exception): ...", kind="bundle_wire.Bad", says="x"
    ),
    "W06-KeyboardInterrupt": fails("E_WIRE_RAISED", "call", "raise KeyboardInterrupt", kind="KeyboardInterrupt"),
    "W06-GeneratorExit": fails("E_WIRE_RAISED", "call", "raise GeneratorExit", kind="GeneratorExit"),
    "W06-BaseException": fails("E_WIRE_RAISED", "call", "raise BaseException('b')", kind="BaseException", says="b"),
    "W06-group": fails(
        "E_WIRE_RAISED",
        "call",
        "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])",
        kind="ExceptionGroup",
        says="two",
    ),
    "W06-failing-str": fails(
        "E_WIRE_RAISED",
        "call",
        "raise Bad",
        header="class Bad(Exception):\n    def __str__(self): raise RuntimeError('no')",
        kind="bundle_wire.Bad",
        says="RuntimeError",
    ),
    "W06-str-that-exits": fails(
        "E_WIRE_RAISED",
        "call",
        "raise Bad",
        header="class Bad(Exception):\n    def __str__(self): raise SystemExit(0)",
        kind="bundle_wire.Bad",
        says="SystemExit",
    ),
    "W06-lone-surrogate": fails("E_WIRE_RAISED", "call", "raise ValueError('\\ud800')", kind="ValueError", says="d800"),
    "W06-10-MB": fails("E_WIRE_RAISED", "call", "raise ValueError('x' * 10**7)", kind="ValueError", says="..."),
    "W06-import": fails(
        "E_WIRE_RAISED", "import", GOOD, header="import no_such", kind="ModuleNotFoundError", says="no_such"
    ),
    "W06-while-it-is-read": fails(
        "E_WIRE_RAISED",
        "result",
        "return Bad(a=b'x')",
        header="class Bad(dict):\n    def items(self): raise LookupError('gone')",
        kind="LookupError",
        says="gone",
    ),
}
RETURNS = {
    "W07-None": ("", "", "NoneType"),
    "W07-list": ("return []", "", "list"),
    "W07-int": ("return 3", "", "int"),
    "W07-str": ("return 'x'", "", "str"),
    "W07-generator": ("yield 1", "", "generator"),
    "W07-coroutine": ("return later()", "async def later(): ...", "coroutine"),
    "W07-not-a-mapping": ("return M()", "class M:\n    def items(self): return [('a', b'x')]", "found M"),
    "W07-name-twice": (
        "return M()",
        (
            "from collections.abc import Mapping\nclass M(Mapping):\n    def __getitem__(self, n): return b'x'\n"
            "    def __iter__(self): return iter('aa')\n    def __len__(self): return 2"
        ),
        "'a' twice",
    ),
    "W08-str": ("return {'table': 'x'}", "", "'table', found str; encode it"),
    "W08-dict": ("return {'table': {}}", "", "'table', found dict"),
    "W08-None": ("return {'table': None}", "", "found NoneType"),
    "W08-NaN-dict": ("return {'table': {'x': float('nan')}}", "", "found dict"),
    "W08-set": ("return {'table': {1}}", "", "found set"),
    "W08-file": ("return {'table': open(os.devnull, 'rb')}", "", "found BufferedReader"),
    "W08-array": ("return {'table': array.array('d')}", "import array", "found array"),
    "W08-int-name": ("return {1: b'x'}", "", "1 (int)"),
    "W08-empty-name": ("return {'': b'x'}", "", "non-empty"),
    "W08-name-no-Unicode": ("return {'\\ud800': b'x'}", "", "d800"),
    "W08-name-with-NUL": ("return {'a\\0b': b'x'}", "", "control characters"),
    "W08-long-name": ("return {'a' * 256: b'x'}", "", "at most 255 bytes"),
    "W10-empty-dict": ("return {}", "", "empty dict"),
    "W10-all-empty": ("return {'a': b'', 'b': b''}", "", "all of them empty"),
    "W10-all-empty-but-metadata": ("return {'a': b'', 'metadata': b'{}'}", "", "all of them empty"),
    "error-in-metadata": ("return {'metadata': b'{\"error\": \"diverged\"}', 'table': b'x'}", "", "diverged"),
    "error-alone": ('return {\'error\': b\'{"error": "diverged", "type": "SolverError"}\'}', "", "diverged"),
}
FAILURES = {
    **ENDINGS,
    **RAISES,
    **{
        row: fails(
            "E_WIRE_RESULT",
            "result",
            body,
            header=header,
            says=says,
            kind="SolverError" if row == "error-alone" else None,
        )
        for row, (body, header, says) in RETURNS.items()
    },
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_told_by_its_kind_and_phase(ground: Ground, case: Case) -> None:
    """A user who reads the one line must know who erred and when, without a log; and has one."""
    result = ground.simulate(source_of(case.body, case.header), *case.options)
    error = result.error
    assert (error["error_code"], error["phase"]) == (case.error_code, case.phase), error
    assert (error["type"], error["signal"]) == (case.kind, case.signal)
    assert case.says in str(error["message"])
    assert len(str(error["message"])) < 10_000
    assert len(str(error["stderr_tail"])) < 20_000
    assert error["retryable"] is (case.error_code == "E_KILLED")
    # With the supervisor goes what it had kept.
    assert "getppid" in case.body or Path(str(error["log_path"])).is_file()


def test_a_daemon_keeps_nobody_waiting(ground: Ground) -> None:
    """W14: twice forked, in a session of its own, with our descriptors; R: a peer waited 22 s for one."""
    body = (
        "for _ in range(3):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            signal.signal(signal.SIGTERM, signal.SIG_IGN)\n            time.sleep(600)\n        os._exit(0)\n"
        + GOOD
    )
    result = ground.simulate(source_of(body))
    assert result.outputs
    assert result.seconds < 5


def test_three_hundred_forks_are_all_dead(ground: Ground) -> None:
    """W15: bounded, since an unbounded one is a matter of limits."""
    body = (
        "made = os.environ['TMPDIR'] + '/made'\nfd = os.open(made, os.O_CREAT | os.O_APPEND | os.O_WRONLY)\n"
        "while os.stat(made).st_size < 300:\n    if os.fork() == 0:\n        os.write(fd, b'.')\n        os.setsid()\n"
        "time.sleep(600)"
    )
    result = ground.simulate(source_of(body), "--call-timeout-s", "3", most_s=15)
    assert result.error["error_code"] == "E_TIMEOUT"


def test_many_files_in_scratch_are_gone(ground: Ground) -> None:
    """W20: with names and modes that removal must get over; the corpus asks for 100,000, which takes minutes here."""
    body = (
        "tmp = os.environ['TMPDIR']\nfor n in range(5000): open(f'{tmp}/{n}', 'w').close()\n"
        "os.makedirs(f'{tmp}/d/' + 'e/' * 300)\nos.symlink('/', f'{tmp}/root')\nos.chmod(f'{tmp}/d', 0)\n" + GOOD
    )
    assert ground.simulate(source_of(body)).outputs


def test_what_a_task_does_to_the_bundle_is_gone_with_its_layer(ground: Ground) -> None:
    """W21: deletes, edits, changes modes and adds; the next run of the same bundle is as the first."""
    body = (
        "before = sorted(os.listdir('.')), open('wire.py').read()\nopen('added', 'w').close()\n"
        "os.mkdir('__pycache__')\n"
        "open('__pycache__/wire.pyc', 'wb').write(b'junk')\nopen('wire.py', 'a').write('raise SystemExit')\n"
        "os.chmod('other.py', 0)\nos.unlink('other.py')\nreturn {'raw': repr(before).encode()}"
    )
    first = ground.simulate(source_of(body), other="x = 1\n")
    assert ground.again().document == first.document


def test_a_flood_of_stderr_keeps_both_ends_and_the_reason(ground: Ground) -> None:
    """W27: the whole goes to whoever reads our stderr; a document must not carry it, a log up to its limit."""
    body = "os.write(2, b'HEAD')\nfor _ in range(64):\n    os.write(2, b'x' * 2**20)\nraise ValueError('TAIL')"
    result = ground.simulate(source_of(body))
    assert result.stderr.count(b"x") >= 64 * 2**20
    tail = str(result.error["stderr_tail"])
    assert tail.startswith("HEAD")
    assert tail.endswith("ValueError: TAIL\n")
    assert "bytes left out" in tail
    log = Path(str(result.error["log_path"])).read_text(encoding="utf-8")
    assert log.startswith("HEAD")
    assert log.endswith("ValueError: TAIL\n")


def test_a_crash_shows_the_line_that_called_what_crashed(ground: Ground) -> None:
    """W17: a fault in C++ says nothing by itself."""
    assert "wire.py" in str(ground.simulate(source_of("ctypes.string_at(0)", "import ctypes")).error["stderr_tail"])


SIZES = {"nothing": 0, "limit": 512 * 1024, "above": 512 * 1024 + 1, "32 MB": 32_000_000}


@pytest.mark.parametrize("by_file", [False, True], ids=["inline", "by file"])
def test_outputs_of_each_size_arrive(ground: Ground, tmp_path: Path, *, by_file: bool) -> None:
    """W11: inline up to the limit, by file above it where there is a place."""
    kept = tmp_path / "kept"
    body = f"return {{name: bytes(size) for name, size in {SIZES!r}.items()}}"
    result = ground.simulate(source_of(body), *(["--outputs-dir", str(kept)] if by_file else []))
    for name, size in SIZES.items():
        output = result.outputs[name]
        data = bytes(size)
        assert output["size"] == size
        assert output["checksum"] == hashlib.blake2b(data, digest_size=32).hexdigest()
        assert ("ref" in output) == (by_file and size > 512 * 1024)
        found = Path(str(output["ref"])).read_bytes() if "ref" in output else base64.b64decode(str(output["inline"]))
        assert found == data
    if by_file:
        assert sorted(path.name for path in kept.iterdir()) == sorted(
            f"{result.outputs[name]['checksum']}.bin" for name in ("above", "32 MB")
        )


def test_outputs_of_a_failure_leave_no_file(ground: Ground, tmp_path: Path) -> None:
    """W11: half of a result is none."""
    body = "return {'a': bytes(10**6), 'b': 'text'}"
    result = ground.simulate(source_of(body), "--outputs-dir", str(tmp_path / "kept"))
    assert result.error["error_code"] == "E_WIRE_RESULT"
    assert list((tmp_path / "kept").iterdir()) == []


def test_ten_thousand_outputs_arrive_and_too_many_are_a_limit(ground: Ground) -> None:
    """W11: each costs a row somewhere."""
    result = ground.simulate(source_of("return {str(n): b'x' for n in range(params['n'])}"), task=outputs_task(10_000))
    assert len(result.outputs) == 10_000
    assert ground.again(task=outputs_task(100_001)).error["error_code"] == "E_LIMIT"


def outputs_task(count: int) -> Mapping[str, object]:
    """Return a task that asks for so many outputs."""
    return {**SIMULATION, "params": {"n": count}}


def test_what_the_host_has_set_for_its_own_python_is_not_seen(ground: Ground, tmp_path: Path) -> None:
    """W40: the task's interpreter starts as if the host had set nothing."""
    body = (
        "import locale\nflags = sys.flags.utf8_mode, sys.flags.safe_path, sys.flags.no_user_site, sys.warnoptions\n"
        "names = sorted(n for n in os.environ if n.startswith(('PYTHON', 'LC_ALL')))\n"
        "said = flags, names, sys.stdout.encoding, 'I'.lower()\nreturn {'raw': repr(said).encode()}"
    )
    (tmp_path / "startup.py").write_text("raise SystemExit('started')", encoding="utf-8")
    env = {
        "LANG": "C",
        "LC_ALL": "tr_TR.UTF-8",
        "PYTHONIOENCODING": "ascii",
        "PYTHONWARNINGS": "error",
        "PYTHONSTARTUP": str(tmp_path / "startup.py"),
        "PYTHONHASHSEED": "random",
    }
    result = ground.simulate(source_of(body), env=env)
    said = base64.b64decode(str(result.outputs["raw"]["inline"])).decode()
    assert said == repr(((1, True, 1, []), ["PYTHONHASHSEED"], "utf-8", "i"))


def replicate(data: bytes) -> dict[str, object]:
    """Return a simulation return with one output."""
    checksum = hashlib.blake2b(data, digest_size=32).hexdigest()
    inline = base64.b64encode(data).decode()
    return {"outputs": {"x": {"size": len(data), "checksum": checksum, "inline": inline}}}


LOSSES = {
    "W36-NaN": ("float('nan')", "loss must be finite"),
    "W36-inf": ("float('inf')", "loss must be finite"),
    "W36-text": ("'1'", "loss must be finite"),
    "W36-bool": ("True", "loss must be finite"),
    "W36-complex": ("1j", "loss must be finite"),
    "W36-None": ("None", "loss must be finite"),
    "W36-beyond-a-double": ("10**400", "loss must be finite"),
    "W37-huge-diagnostics": ("1, 'diagnostics': {'a': 'x' * 70_000}", "at most 65536 characters"),
    "W37-set-in-diagnostics": ("1, 'diagnostics': {'a': {1}}", "set"),
    "W37-NaN-in-diagnostics": ("1, 'diagnostics': {'a': float('nan')}", "diagnostics"),
    "W37-surrogate-in-diagnostics": ("1, 'diagnostics': {'a': '\\ud800'}", "surrogate"),
    "W37-int-key-in-diagnostics": ("1, 'diagnostics': {1: 2}", "1 (int)"),
    "W37-diagnostics-in-themselves": ("1, 'diagnostics': endless", "diagnostics"),
    "W37-deep-diagnostics": ("1, 'diagnostics': deep", "nesting"),
    "W37-list-as-diagnostics": ("1, 'diagnostics': []", "list"),
    "W37-n_replicates": ("1, 'n_replicates': -1", "n_replicates"),
}


@pytest.mark.parametrize(("loss", "says"), LOSSES.values(), ids=LOSSES)
def test_what_is_no_loss_is_refused(ground: Ground, loss: str, says: str) -> None:
    """R: a peer prints NaN, which is no JSON, and exits with 0."""
    source = (
        "endless = {}\nendless['a'] = endless\ndeep = {}\nfor _ in range(500): deep = {'a': deep}\n"
        f"def f(sim_returns): return {{'loss': {loss}}}\n"
    )
    result = ground.aggregate(source, [replicate(b"abc")])
    assert result.error["error_code"] == "E_WIRE_RESULT"
    assert says in str(result.error["message"])


@pytest.mark.parametrize("returned", ["None", "[]", "{}", "3", "'loss'"], ids=lambda text: f"W37-{text}")
def test_a_target_that_returns_no_result_is_refused(ground: Ground, returned: str) -> None:
    """W37: the message names what came instead."""
    result = ground.aggregate(f"def f(sim_returns): return {returned}\n", [replicate(b"abc")])
    assert result.error["error_code"] == "E_WIRE_RESULT"
    assert "no loss in" in str(result.error["message"])


def test_exits_and_noise_of_targets_are_told_as_those_of_wires(ground: Ground) -> None:
    """One runner, one verdict."""
    source = "import os\nos.write(1, b'{}')\nprint('x')\ndef f(r):\n    os._exit(3)\n"
    result = ground.aggregate(source)
    assert (result.error["error_code"], result.error["phase"]) == ("E_WIRE_EXIT", "call")
    assert signal.Signals.SIGKILL.name not in str(result.error["message"])

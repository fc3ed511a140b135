"""Runs the cold runner for long, and against what wants to break it; prints what was lost, which must be nothing.

``soak.py [--tier short|long] [--seed N] [PART ...]``; parts are `tasks`, `kills`, `creators`, `documents`,
`trees`, `warm`, `store`, `archives` and `faults`.
The short tier takes minutes and is for every change, the long one is for releases. Everything is seeded but the moments
at which processes are killed, which the machine decides. The exit status is 1 when anything was lost.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders import environments
from builders.cold_runs import HOSTILE_TREE, MODULE, runner_environment, wire_bundle
from builders.environments import BACKEND, own_bundle, write_bundle
from builders.warm_runs import executor
from soak_archives import break_calls, kill_commands, read_mutants
from soak_store import StoreTier, soak_store
from uv import find_uv_bin

from bundlekit.api.caches import verify_cache
from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.task import parse_simulation, read_task
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.outcome import Aggregated, Failure, Simulated

AT_ONCE = 16
_WIRE = """
    import ctypes, os, signal, sys, time
    n = 0
    def wire(entrypoint, params, seed):
        global n
        n += 1
        if entrypoint == "raise":
            raise ValueError(seed)
        if entrypoint == "exit":
            os._exit(3)
        if entrypoint == "segv":
            ctypes.string_at(0)
        if entrypoint == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if entrypoint == "daemon" and os.fork() == 0:
            os.setsid()
            time.sleep(600)
        if entrypoint == "flood":
            os.write(2, bytes(range(256)) * 4096)
        if entrypoint == "litter":
            for number in range(200):
                with open(f"litter{number}", "w") as file:
                    file.write("x")
            os.remove("wire.py")
        if entrypoint == "wrong":
            return {"seen": "text"}
        if entrypoint == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        return {"seen": b"%d %d" % (n, seed)}
"""
_VERDICTS = {
    "raise": "E_WIRE_RAISED",
    "exit": "E_WIRE_EXIT",
    "segv": "E_SIGNAL",
    "kill": "E_KILLED",
    "wrong": "E_WIRE_RESULT",
    "stop": "E_TIMEOUT",
    "daemon": None,
    "flood": None,
    "litter": None,
}
"""What each hostile task must give; None: its result, as if nothing were."""


class Tier(NamedTuple):
    """How often each part is done."""

    tasks: int
    kills: int
    caches: int
    documents: int
    trees: int
    warm_calls: int
    warm_kills: int
    store: StoreTier
    mutants: int
    every_call: int
    archive_kills: int


TIERS = {
    "short": Tier(200, 40, 3, 2_000, 6, 5_000, 200, StoreTier(6, 15, 1.5), 600, 20, 2),
    "long": Tier(2_000, 1_000, 50, 20_000, 200, 100_000, 4_000, StoreTier(400, 2_000, 120.0), 40_000, 1, 200),
}


def main(argv: Sequence[str]) -> int:
    """Do the parts that are asked for, print a line for each, and return the exit status."""
    parser = argparse.ArgumentParser(description="Soak the cold runner.")
    parser.add_argument("--tier", choices=TIERS, default="short")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}; all of them if none is named"
    )
    options = parser.parse_args(argv)
    unknown = set(options.parts) - _PARTS.keys()
    if unknown:
        parser.error(f"expected parts of {', '.join(_PARTS)}, found {', '.join(sorted(unknown))}")
    chance = random.Random(options.seed)  # noqa: S311 - the same tasks each time, no secret
    lost = 0
    for name in options.parts or _PARTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bundlekit-soak-") as directory:
            part_lost, figures = _PARTS[name](TIERS[options.tier], chance, Path(directory))
        lost += part_lost
        print(f"{name}: lost {part_lost}; {figures}; {time.monotonic() - started:.0f} s", flush=True)
    print(f"lost in all: {lost}")
    return int(lost > 0)


def tasks(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Run many tasks at once on one cache, a tenth of them hostile, half of them forked; each gets its own verdict."""
    bundle = _bundle(wire_bundle(top, _WIRE))
    hostile = list(_VERDICTS)
    asked = [(chance.choice(hostile) if chance.random() < 0.1 else "main", seed) for seed in range(tier.tasks)]
    wrong: list[str] = []
    growth = []
    with _variables(VENVS_DIR=str(top / "cache"), TMPDIR=str(_made(top / "tmp"))):
        for start in ("exec", "fork"):
            with ColdPool(bundle, ColdOptions(start=start), lambda _line: None, AT_ONCE) as pool:
                _run_all(pool, [("main", seed) for seed in range(2 * AT_ONCE)], wrong)
                before = _resources()
                _run_all(pool, asked[::2] if start == "exec" else asked[1::2], wrong)
                growth.append(tuple(after - old for after, old in zip(_resources(), before, strict=True)))
    left = [*(top / "tmp").iterdir()]
    kinds = Counter(entrypoint for entrypoint, _ in asked if entrypoint != "main")
    memory = max(grown for _, grown in growth)
    descriptors = max(grown for grown, _ in growth)
    lost = len(wrong) + len(left) + max(descriptors, 0) + int(memory > _MOST_GROWTH_KB)
    figures = f"{len(asked)} tasks, {sum(kinds.values())} hostile, {AT_ONCE} at once; wrong {wrong[:3] or 0}"
    return (
        lost,
        f"{figures}, left {len(left)}, descriptors {descriptors:+d}, memory of all supervisors {memory / 1024:+.1f} MB",
    )


_MOST_GROWTH_KB = 16 * 4 * 1024
"""Sixteen supervisors with their guardians may differ by this much from one moment to the next."""


def _run_all(pool: ColdPool, asked: Sequence[tuple[str, int]], wrong: list[str]) -> None:
    def run(task: tuple[str, int]) -> None:
        entrypoint, seed = task
        timeout_s = 2.0 if entrypoint == "stop" else 60.0
        outcome = pool.simulate({"entrypoint": entrypoint, "params": {}, "seed": seed}, timeout_s).outcome
        wanted = _VERDICTS.get(entrypoint)
        if isinstance(outcome, Failure):
            found: object = str(outcome.error_code)
        else:
            found = (
                None if isinstance(outcome, Simulated) and outcome.outputs["seen"].inline == b"1 %d" % seed else outcome
            )
        if found != wanted:
            wrong.append(f"{entrypoint}: {found}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(run, asked))


def kills(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Kill the runner at random points of building and running: nothing lives on, and the next task succeeds."""
    files = own_bundle() | {
        "mine/wire.py": "import time\ndef wire(e, p, s):\n    time.sleep(0.2)\n    return {'a': b'x'}\n"
    }
    bundle = write_bundle(top / "bundle", files)
    environment = runner_environment(top / "cache", TMPDIR=str(_made(top / "tmp")), BUNDLEKIT_UV=find_uv_bin())
    command = [*MODULE, "--bundle-path", str(bundle)]
    task = json.dumps({"entrypoint": "main", "params": {}, "seed": 1}).encode()
    survivors = failures = killed = 0
    for turn in range(tier.kills):
        building = turn % 2 == 0
        if building:
            subprocess.run(["rm", "-rf", str(top / "cache")], check=True)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        assert process.stdin
        process.stdin.write(task)
        process.stdin.close()
        time.sleep(chance.uniform(0, 1.2 if building else 0.5))
        victims = [process.pid, *_below(process.pid)]
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(victims[:2]), signal.SIGKILL)
            killed += 1
        process.wait(30)
        survivors += not _gone(top, 3.0)
        if turn % 5 == 0:
            done = subprocess.run(command, input=task, capture_output=True, env=environment, check=False)
            failures += done.returncode != 0
    with _variables(VENVS_DIR=str(top / "cache")):
        damaged = len(verify_cache(lambda _message: None).damaged)
    figures = f"{killed} kills, survivors {survivors}, next task failed {failures}, damaged entries {damaged}"
    return survivors + failures + damaged, figures


def creators(tier: Tier, _chance: random.Random, top: Path) -> tuple[int, str]:
    """Start many creators on each of several empty caches: each cache is built once."""
    backend = "import os, time\nopen(os.environ['COUNTER'], 'a').write('x')\ntime.sleep(0.2)\n" + BACKEND
    bundle = write_bundle(top / "bundle", own_bundle(backend=backend))
    builds = failed = 0
    for number in range(tier.caches):
        counter = top / f"counter{number}"
        script = str(environments.__file__)
        command = [sys.executable, script, str(bundle), str(top / f"cache{number}"), "120"]
        with _variables(COUNTER=str(counter), BUNDLEKIT_UV=find_uv_bin()):
            started = [
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                for _ in range(AT_ONCE)
            ]
        for each in started:
            each.communicate(timeout=180)
        failed += sum(each.returncode != 0 for each in started)
        builds += len(counter.read_text()) if counter.exists() else 0
    lost = failed + abs(builds - tier.caches)
    return lost, f"{AT_ONCE} creators on each of {tier.caches} empty caches: {builds} builds, failed {failed}"


def documents(tier: Tier, chance: random.Random, _top: Path) -> tuple[int, str]:
    """Read mutated task documents: each is a task, or refused with E_TASK or E_LIMIT, at once."""
    sound = json.dumps({"entrypoint": "main", "params": {"a": [1, 2.5, "x", None, {"b": True}]}, "seed": 7}).encode()
    pieces = [
        b"NaN",
        b"1e999",
        b'"',
        b"{",
        b"]",
        b"\\ud800",
        b"\xff",
        b"\0",
        b"-0",
        b"9" * 400,
        b",",
        b":",
        b"\xef\xbb\xbf",
        sound,
    ]
    verdicts: Counter[str] = Counter()
    slowest = 0.0
    for _ in range(tier.documents):
        data = bytearray(sound)
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[place:place] = chance.choice(pieces)
                case 1:
                    del data[place : place + chance.randrange(1, 20)]
                case 2:
                    data[place : place + 1] = bytes([chance.randrange(256)])
                case _:
                    data[place:place] = data[: chance.randrange(len(data) + 1)]
        started = time.perf_counter()
        try:
            parse_simulation(read_task(bytes(data)), lambda _line: None)
            verdicts["accepted"] += 1
        except RunnerError as error:
            verdicts[str(error.code)] += 1
        slowest = max(slowest, time.perf_counter() - started)
    lost = sum(count for code, count in verdicts.items() if code not in {"accepted", "E_TASK", "E_LIMIT"})
    return lost, f"{tier.documents} documents: {dict(verdicts)}, slowest {slowest * 1e3:.1f} ms"


def trees(tier: Tier, _chance: random.Random, top: Path) -> tuple[int, str]:
    """Let trees of processes that ignore every signal run into their deadline: none of them lives on."""
    bundle = _bundle(wire_bundle(top, HOSTILE_TREE))
    survivors = wrong = processes = 0
    with _variables(VENVS_DIR=str(top / "cache"), TMPDIR=str(_made(top / "tmp"))):
        for start in ("exec", "fork"):
            with ColdPool(bundle, ColdOptions(start=start), lambda _line: None, 1) as pool:
                for turn in range(tier.trees // 2):
                    pids = top / f"pids-{start}-{turn}"
                    task = {"entrypoint": "sleep" if turn % 2 else "loop", "params": {"pids": str(pids)}, "seed": turn}
                    outcome = pool.simulate(task, 1.5).outcome
                    wrong += not (isinstance(outcome, Failure) and outcome.error_code == "E_TIMEOUT")
                    noted = pids.read_text().split() if pids.exists() else []
                    processes += len(noted)
                    survivors += sum(_lives(int(pid)) for pid in noted)
    return (
        survivors + wrong,
        f"{tier.trees} timeouts of {processes} processes: survivors {survivors}, wrong verdicts {wrong}",
    )


_WARM_WIRE = """
    import os, time
    def wire(entrypoint, params, seed):
        if entrypoint == "slow":
            time.sleep(0.01)
        if entrypoint == "raise":
            raise ValueError(seed)
        return {"seen": b"%d" % seed, "more": bytes(params["size"])}
"""
_WARM_THREADS = 8
_WARM_KINDS = (*["main"] * 15, *["slow"] * 4, "raise")
_WARM_SIZES = (0, 10, 1 << 12, 1 << 17)


def warm(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Call warm processes from eight threads while they are killed: each call is answered once, nothing lives on."""
    bundle = _bundle(wire_bundle(top, _WARM_WIRE))
    asked = [(chance.choice(_WARM_KINDS), chance.choice(_WARM_SIZES)) for _ in range(tier.warm_calls)]
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    pids: set[int | None] = set()
    verdicts: Counter[str] = Counter()
    with _variables(VENVS_DIR=str(top / "cache"), TMPDIR=str(_made(top / "tmp"))):
        before = _descriptors()
        with executor(_WARM_THREADS, max_process_reuse=500) as pool:

            def call(number: int) -> None:
                entrypoint, size = asked[number]
                task = {"entrypoint": entrypoint, "params": {"size": size}, "seed": number}
                run = pool.simulate(bundle, task, 60.0)
                pids.add(run.pid)
                verdict = _warm_verdict(run.outcome, number, size)
                verdicts[verdict] += 1
                if verdict not in {"E_KILLED", "E_WIRE_RAISED" if entrypoint == "raise" else "right"}:
                    wrong.append(f"{entrypoint} {number}: {verdict}")
                answers[number] += 1

            with ThreadPoolExecutor(_WARM_THREADS + 1) as threads:
                killed = threads.submit(_kill_some, tier, chance, lambda: len(answers))
                list(threads.map(call, range(tier.warm_calls)))
            at_most = len([pid for pid in _below(os.getpid()) if _is_warm(pid)])
        survivors = [pid for pid in pids if pid is not None and _lives(pid) and _is_warm(pid)]
        descriptors, left = _descriptors() - before, [*(top / "tmp").iterdir()]
    unanswered = tier.warm_calls - sum(count == 1 for count in answers.values())
    lost = len(wrong) + len(survivors) + len(left) + unanswered + max(0, descriptors) + max(0, at_most - _WARM_THREADS)
    figures = f"{tier.warm_calls} calls from {_WARM_THREADS} threads, {killed.result()} kills: {dict(verdicts)}"
    figures += f"; not answered once {unanswered}, wrong {wrong[:3] or 0}, processes {len(pids)}"
    return lost, f"{figures}, survivors {len(survivors)}, left {len(left)}, descriptors {descriptors:+d}"


def _warm_verdict(outcome: Simulated | Aggregated | Failure, number: int, size: int) -> str:
    if isinstance(outcome, Failure):
        return str(outcome.error_code)
    outputs = outcome.outputs if isinstance(outcome, Simulated) else {}
    found = {name: output.inline for name, output in outputs.items()}
    return "right" if found == {"seen": b"%d" % number, "more": bytes(size)} else "another's"


def _kill_some(tier: Tier, chance: random.Random, answered: Callable[[], int]) -> int:
    """Kill processes, evenly over the calls, and return how many."""
    killed = 0
    while killed < tier.warm_kills and answered() < tier.warm_calls:
        victims = [pid for pid in _below(os.getpid()) if _is_warm(pid)]
        if not victims or answered() < killed * tier.warm_calls // (tier.warm_kills + 1):
            time.sleep(0.002)
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(victims), signal.SIGKILL)
            killed += 1
    return killed


def _is_warm(pid: int) -> bool:
    try:
        return b"_bundlekit_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def store(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Kill, change and crowd the store of bundles and what pushes and pulls: see `soak_store`."""
    return soak_store(tier.store, chance, top)


def archives(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Read mutants of an archive; see :func:`soak_archives.read_mutants`."""
    return read_mutants(tier.mutants, chance, top)


def faults(tier: Tier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Break pack and unpack at numbered system calls and at random moments."""
    broken, told = break_calls(tier.every_call, top)
    lost, more = kill_commands(tier.archive_kills, chance, top)
    return broken + lost, f"{told}; {more}"


_PARTS = {part.__name__: part for part in (tasks, kills, creators, documents, trees, warm, store, archives, faults)}


def _bundle(root: Path) -> BundleToRun:
    listed = inventory(str(root), lambda _line: None)
    files = tuple(ManifestFile(path=path, size=size, mode=mode, sha256=digest) for path, mode, size, digest in listed)
    return BundleToRun(root, files, Digest.parse("sha256:" + "ab" * 32))


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@contextlib.contextmanager
def _variables(**variables: str) -> Iterator[None]:
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _resources() -> tuple[int, int]:
    """Return the descriptors of this process, and the memory in KB of the supervisors below it, zygotes left out."""
    memory = 0
    for pid in _below(os.getpid()):
        with contextlib.suppress(OSError):
            if b"--serve" in Path(f"/proc/{pid}/cmdline").read_bytes():
                text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
                memory += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon"))
    return _descriptors(), memory


def _pids() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _below(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for name in _pids():
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    found: list[int] = []
    pending = [root]
    while pending:
        children = parents.get(pending.pop(), [])
        found += children
        pending += children
    return found


def _gone(top: Path, seconds: float) -> bool:
    """Whether no process works in `top` any more, or none does soon."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if not any(_works_in(name, str(top)) for name in _pids()):
            return True
        time.sleep(0.05)
    return False


def _works_in(pid: str, top: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        return top.encode() in words or str(Path(f"/proc/{pid}/cwd").readlink()).startswith(top)
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main(sys.argv[1:]))

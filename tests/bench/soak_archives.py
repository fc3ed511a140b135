"""The parts of the soak that pack and unpack: mutants of archives, and system calls that fail. Each returns losses."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from builders.archives import FILES
from builders.faults import Fault, broken_calls, compiler
from builders.mutants import good_archive, mutants
from builders.projects import bundle_project, write_tree

from bundlekit.errors import BundlekitError
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive

__all__ = ["break_calls", "kill_commands", "read_mutants"]

_HOST = Path(__file__).parents[1] / "builders" / "fault_runs.py"
_COMMAND = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from builders.projects import bundle_project
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.unpack import unpack_archive

source, place = map(Path, sys.argv[2:])
project = bundle_project(source) if source.is_dir() else None
print("ready", flush=True)
write_archive(project, place) if project else unpack_archive(source, place)
"""


def read_mutants(count: int, chance: random.Random, top: Path) -> tuple[int, str]:
    """Read `count` mutants of an archive: what is accepted as the bundle has its files, all of them and no others."""
    path, out = top / "mutant.tar.zst", _made(top / "out")
    path.write_bytes(good_archive())
    digest = verify_archive(path).digest
    verdicts: Counter[str] = Counter()
    lost = 0
    slowest = 0.0
    for number, (layer, data) in enumerate(mutants(chance, count)):
        path.write_bytes(data)
        started = time.perf_counter()
        try:
            found = unpack_archive(path, out / str(number)).digest
        except BundlekitError as error:
            verdicts[str(error.code)] += 1
            lost += (out / str(number)).exists()
        else:
            # A manifest that was changed with its checksum is another bundle, and says so by its digest.
            verdicts["accepted" if found == digest else "another digest"] += 1
            lost += found == digest and _content(out / str(number)) != FILES
            lost += found != digest and layer != "tar"
        slowest = max(slowest, time.perf_counter() - started)
    return lost, f"{count} mutants: {dict(verdicts)}, slowest {slowest * 1e3:.0f} ms"


def break_calls(step: int, top: Path) -> tuple[int, str]:
    """Break every `step`-th system call of pack and unpack in each way: there is the old or the whole new, no other."""
    if compiler() is None:
        return 0, "not done: gcc, which makes the calls fail, is not here"
    environment = os.environ | {"LD_PRELOAD": str(broken_calls(top))}
    lost, told = 0, []
    for fault in (Fault.KILL, Fault.NO_SPACE, Fault.INPUT_OUTPUT):
        command = [sys.executable, str(_HOST), str(_made(top / fault.name)), str(int(fault)), str(step)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        for name, seen in json.loads(done.stdout).items():
            lost += len(seen["violations"])
            wrong = f", wrong {seen['violations'][:3]}" if seen["violations"] else ""
            told.append(f"{name} {fault.name} at {seen['points']} of {seen['calls']} calls: {seen['endings']}{wrong}")
    return lost, "; ".join(told)


def kill_commands(count: int, chance: random.Random, top: Path) -> tuple[int, str]:
    """Kill pack and unpack, as users run them, at random moments: each leaves the old or the new, and works again."""
    root = write_tree(top / "bundle", {f"data/{number}": chance.randbytes(30_000) for number in range(400)})
    archive, out, packed = top / "a.tar.zst", top / "out", top / "packed"
    _made(packed)
    write_archive(bundle_project(root), archive)
    (packed / "a").write_bytes(b"old")
    content, whole = _content(root), archive.read_bytes()
    lost, seen = 0, Counter[str]()
    for number in range(count):
        source, place = ((root, packed / "a"), (archive, out / "tree"))[number % 2]
        out.mkdir(exist_ok=True)
        command = [sys.executable, "-c", _COMMAND, str(_HOST.parents[1]), str(source), str(place)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.12))
            process.send_signal(signal.SIGKILL)
        is_new = place.read_bytes() == whole if number % 2 == 0 else place.exists()
        seen["new" if is_new else "old"] += 1
        lost += number % 2 == 0 and place.read_bytes() not in {b"old", whole}
        lost += number % 2 == 1 and is_new and _content(place) != content
        _again(source, place)
        lost += [entry.name for entry in place.parent.iterdir()] != [place.name]
        (packed / "a").write_bytes(b"old")
        shutil.rmtree(out)
    return lost, f"{count} kills at random moments: {dict(seen)}"


def _again(source: Path, place: Path) -> None:
    """Do it once more, which also takes away what the killed process left there."""
    if source.is_dir():
        write_archive(bundle_project(source), place)
    else:
        shutil.rmtree(place, ignore_errors=True)
        unpack_archive(source, place)


def _content(directory: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory

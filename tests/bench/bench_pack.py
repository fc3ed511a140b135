"""Digest, pack, verify and unpack of a generated tree, as ratios to floors measured in the same run.

Run as a script: ``python tests/bench/bench_pack.py [MEGABYTES]``. Floors and goals: PERFORMANCE. Beside the ratio of
wall times stands that of processor times, which says more where others use the machine.
"""

import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from builders.projects import bundle_project

from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.verify import verify_archive
from bundlekit.read.secrets import find_secrets

_SMALL_FILES = 2000
_LARGE_FILES = 20
_FIRST_MB = 256
_ROUNDS = 5
_SYNTHETIC_LINES = 4000


def _synthetic(generator: random.Random, size: int) -> bytes:
    """Return text that compresses about as scientific CSV does."""
    lines = [
        f"{generator.random():.6f},{generator.randint(0, 9999)},district-{i % 77}\n" for i in range(_SYNTHETIC_LINES)
    ]
    block = "".join(lines).encode()
    start = generator.randrange(len(block))
    return ((block[start:] + block[:start]) * (size // len(block) + 1))[: size // 2] + generator.randbytes(
        size - size // 2
    )


def _make_tree(root: Path, megabytes: int) -> None:
    generator = random.Random(20_24)  # noqa: S311 - a repeatable tree, no secret
    (root / "pyproject.toml").write_text("[project]\nname = 'bench'\nversion = '1'\n")
    small = megabytes * 400_000 // _SMALL_FILES
    for index in range(_SMALL_FILES):
        path = root / f"package{index % 40}" / f"module{index}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(_synthetic(generator, generator.randint(small // 2, small * 3 // 2)))
    for index in range(_LARGE_FILES):
        (root / f"data{index}.bin").write_bytes(_synthetic(generator, megabytes * 600_000 // _LARGE_FILES))


def _seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Return wall time, and the processor time of this process and of those that it waited for."""
    start, before = time.perf_counter(), os.times()
    action()
    return time.perf_counter() - start, sum(os.times()[:4]) - sum(before[:4])


def _sha256_in_memory(contents: list[bytes]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda data: hashlib.sha256(data).digest(), contents))


def _decompress_and_hash(frames: list[bytes]) -> None:
    def one(frame: bytes) -> bytes:
        return hashlib.sha256(zstandard.ZstdDecompressor().decompress(frame)).digest()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, frames))


def _shell(command: str) -> None:
    subprocess.run(["bash", "-c", command], check=True)


def main(megabytes: int) -> int:
    """Print one line for each measurement: floor, ours, ratio, goals; return 1 when a first goal is missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        tree = base / "tree"
        tree.mkdir()
        _make_tree(tree, megabytes)
        project = bundle_project(tree)
        contents = [(tree / member.path).read_bytes() for member in project.members]
        archive = base / "ours.tar.zst"
        write_archive(project, archive)
        frames = [zstandard.ZstdCompressor(level=1).compress(data) for data in _chunks(contents)]
        print(
            f"{len(contents)} files, {sum(map(len, contents)) / 1e6:.0f} MB,",
            f"archive {archive.stat().st_size / 1e6:.0f} MB",
        )
        quoted_tree, out = f"'{tree}'", base / "out"

        def fresh(name: str) -> Path:
            shutil.rmtree(base / name, ignore_errors=True)
            return base / name

        rows: list[tuple[str, Callable[[], object], Callable[[], object], str]] = [
            ("digest", lambda: _sha256_in_memory(contents), lambda: hash_tree(tree, project.members), "3.0 / 1.2"),
            (
                "pack",
                lambda: _shell(f"tar c -C {quoted_tree} . | zstd -q -1 -T0 -f -o '{base}/floor.tar.zst'"),
                lambda: write_archive(project, archive),
                "2.0 / 1.0",
            ),
            (
                "secrets",
                lambda: [(tree / member.path).read_bytes() for member in project.members],
                lambda: find_secrets(tree, project.members, (), {}),
                "- / -",
            ),
            ("verify", lambda: _decompress_and_hash(frames), lambda: verify_archive(archive), "3.0 / 1.2"),
            (
                "unpack",
                lambda: _shell(f"mkdir '{fresh('floor')}' && zstd -q -d -c '{archive}' | tar x -C '{base}/floor'"),
                lambda: unpack_archive(archive, fresh(out.name)),
                "- / 1.2",
            ),
        ]
        for name, floor, ours, goals in rows:
            rows_s = [(*_seconds(floor), *_seconds(ours)) for _ in range(_ROUNDS)]
            floor_s, floor_cpu, ours_s, ours_cpu = (statistics.median(column) for column in zip(*rows_s, strict=True))
            figures = f"floor {floor_s * 1e3:7.1f} ms  ours {ours_s * 1e3:7.1f} ms  ratio {ours_s / floor_s:5.2f}"
            print(f"{name:8} {figures}  of processor time {ours_cpu / floor_cpu:5.2f}  goals {goals}", flush=True)
            first = goals.partition(" /")[0]
            missed += first != "-" and ours_s / floor_s > float(first)
        missed += _memory_missed(tree, archive, fresh("memory"))
    return 1 if missed else 0


def _chunks(contents: list[bytes]) -> list[bytes]:
    joined = b"".join(contents)
    return [joined[start : start + (1 << 20)] for start in range(0, len(joined), 1 << 20)]


def _memory_missed(tree: Path, archive: Path, destination: Path) -> int:
    """Measure each in a process of its own, since peak memory does not go down again; return how many are too high."""
    missed = 0
    for name in ("pack", "verify", "unpack"):
        arguments = ["--memory", name, str(tree), str(archive), str(destination)]
        missed += subprocess.run([sys.executable, __file__, *arguments], check=False).returncode != 0
    return missed


def _memory(name: str, tree: Path, archive: Path, destination: Path) -> int:
    if name == "pack":
        write_archive(bundle_project(tree), archive)
    elif name == "verify":
        verify_archive(archive)
    else:
        unpack_archive(archive, destination)
    # VmHWM and not getrusage, whose peak a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(f"{name:8} peak {peak:5.0f} MB  goals {_FIRST_MB} / 64")
    return 1 if peak > _FIRST_MB else 0


if __name__ == "__main__":
    if "--memory" in sys.argv:
        sys.exit(_memory(sys.argv[2], *map(Path, sys.argv[3:6])))
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))

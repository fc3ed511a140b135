"""The soak's part `store`: the store and a real registry, killed at every point, changed, and used by many at once.

A process that is killed is a fork of this one that ends itself by SIGKILL when it is about to do something for the
N-th time: to open, rename, make, remove or lock a file, or to connect (`sys.addaudithook`). Others meet an I/O error or
a full disk there instead, and have to refuse in good order.
"""

import contextlib
import errno
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from builders.bundles import make_bundle
from builders.registries import docker_registry

from bundlekit.api.archives import inspect
from bundlekit.api.caches import Limits, clear_cache, verify_cache
from bundlekit.api.registries import Layout, PushOptions, pull_bundle, push_bundle
from bundlekit.errors import BundlekitError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.copies import copy_file
from bundlekit.store.stored_bundle import damage_of

__all__ = ["StoreTier", "soak_store"]

_POINTS = frozenset(
    {
        "open",
        "os.rename",
        "os.mkdir",
        "os.remove",
        "os.rmdir",
        "os.chmod",
        "os.scandir",
        "fcntl.flock",
        "socket.connect",
    }
)
_BUNDLES = 3


class StoreTier(NamedTuple):
    """How much is done: kills and faults of each of three works, changes, and seconds of many at once."""

    kills: int
    changes: int
    seconds: float


def soak_store(tier: StoreTier, chance: random.Random, top: Path) -> tuple[int, str]:
    """Do all of it in `top`, and return what was lost, and the figures."""
    archives = [_archive(top / f"bundle{number}", number) for number in range(_BUNDLES)]
    lost, figures = 0, []
    with _variables(TMPDIR=str(_made(top / "tmp"))):
        with docker_registry(top / "registry") as host:
            for work in (_Publish, _Push, _Pull):
                found, said = _killed(work(top / work.__name__, archives[0], host), tier.kills, chance)
                lost += found
                figures.append(said)
        found, said = _changed(tier.changes, chance, top / "changed", archives[0])
        lost += found
        figures.append(said)
        found, said = _crowd(tier.seconds, top / "crowd", archives)
    return lost + found, "; ".join([*figures, said])


def _archive(bundle: Path, number: int) -> Path:
    noise = {f"data/{each}.bin": random.Random(each).randbytes(40_000) for each in range(4)}  # noqa: S311 - no secret
    make_bundle(bundle, {**noise, "model/number.py": f"NUMBER = {number}\n"})
    write_archive(read_project(bundle), bundle.with_suffix(".tar.zst"))
    return bundle.with_suffix(".tar.zst")


# ---------------------------------------------------------------- kills


class _Work(ABC):
    """Something that is killed: `do` begins anew each time, `wrong` tells what is not right after it."""

    layouts: tuple[Layout, ...] = tuple(Layout)

    def __init__(self, home: Path, archive: Path, host: str) -> None:
        self.home = _made(home)
        self.archive = archive
        self.digest = inspect(archive).digest
        self.host = host
        self.turn = 0

    def begin(self, layout: Layout) -> None:
        self.turn += 1
        self.layout = layout
        self.cache = self.home / f"cache{self.turn}"
        os.environ["VENVS_DIR"] = str(self.cache)

    @abstractmethod
    def do(self) -> None:
        """Do it, from the beginning."""

    @abstractmethod
    def wrong(self) -> list[str]:
        """Return what is not right after a kill, and after doing it again."""

    def _store_wrong(self) -> list[str]:
        with BundleStore(self.cache) as store:
            if not store.has(self.digest):
                return []
            damage = damage_of(store.adopt(self.archive), thorough=True)
        return [f"a visible bundle is damaged: {damage[0]}"] if damage or (self.cache / "damaged").exists() else []


class _Publish(_Work):
    """A bundle is put into the store."""

    layouts = (Layout.BUNDLEKIT,)

    def do(self) -> None:
        with BundleStore(self.cache) as store:
            store.adopt(self.archive)

    def wrong(self) -> list[str]:
        found = self._store_wrong()
        self.do()
        return found + self._store_wrong()


class _Push(_Work):
    """A bundle is pushed to a repository of its own, in one layout or the other."""

    @property
    def target(self) -> str:
        return f"oci://{self.host}/push/{self.turn}:v1"

    def do(self) -> None:
        push_bundle(str(self.archive), self.target, PushOptions(layout=self.layout), _quiet)

    def wrong(self) -> list[str]:
        found = []
        for again in (False, True):
            if again:
                self.do()
            try:
                pulled = pull_bundle(self.target, None, _quiet)
            except UsageError:
                found += ["not there after it was pushed again"] if again else []
            else:
                found += [] if pulled.digest == self.digest else [f"the tag is {pulled.digest}"]
        return found


class _Pull(_Work):
    """A bundle is pulled into a new cache and a directory."""

    def begin(self, layout: Layout) -> None:
        super().begin(layout)
        push_bundle(str(self.archive), self.source, PushOptions(layout=layout), _quiet)

    @property
    def source(self) -> str:
        return f"oci://{self.host}/pull:{self.layout.value}"

    def do(self) -> None:
        output = self.home / f"out{self.turn}"
        if not output.exists():
            pull_bundle(self.source, output, _quiet)

    def wrong(self) -> list[str]:
        found = self._store_wrong()
        output = self.home / f"out{self.turn}"
        for again in (False, True):
            if again:
                self.do()
            if output.exists() and _bytes_of(output) != _bytes_of(self.archive.with_suffix("").with_suffix("")):
                found.append("a directory that is not whole can be seen")
        return [*found, *self._store_wrong(), *([] if output.exists() else ["no directory"])]


def _killed(work: _Work, kills: int, chance: random.Random) -> tuple[int, str]:
    """Kill `work` at numbered points, evenly over all that it has, and at random moments; or let a point fail."""
    wrong: list[str] = []
    points: list[int] = []
    ended: Counter[str] = Counter()
    for layout in work.layouts:
        # What is imported for the first time is no point of the work.
        work.begin(layout)
        work.do()
        work.begin(layout)
        started = time.monotonic()
        points.append(int(_forked(work.do)))
        takes_s = time.monotonic() - started
        share = kills // len(work.layouts)
        for turn in range(share):
            point = 1 + turn * points[-1] // share
            for name, fate in (
                ("killed", _Fate(point=point)),
                ("killed at a moment", _Fate(after_s=chance.uniform(0, takes_s))),
                ("EIO", _Fate(point=point, error=errno.EIO)),
                ("ENOSPC", _Fate(point=point, error=errno.ENOSPC)),
            ):
                work.begin(layout)
                answer = _forked(work.do, fate)
                ended[name if answer in {"killed", "refused"} else "done"] += 1
                wrong += [f"{name} at {point}: {answer}"] if answer.startswith("broke") else []
                wrong += work.wrong()
                shutil.rmtree(work.cache, ignore_errors=True)
    name = type(work).__name__.strip("_").lower()
    return len(wrong), f"{name}: points {points}, {dict(ended)}, wrong {wrong[:3] or 0}"


class _Fate(NamedTuple):
    """What becomes of a fork: killed, or given `error`, when it is about to pass `point`; or killed after a while."""

    point: int = 0
    error: int = 0
    after_s: float | None = None


def _forked(do: Callable[[], None], fate: _Fate = _Fate()) -> str:  # noqa: B008 - frozen
    """Do it in a fork and return how many points it passed; or ``killed``, ``refused``, or ``broke`` and how."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        os.write(writable, _answer(do, fate).encode())
        os._exit(0)
    os.close(writable)
    if fate.after_s is not None:
        time.sleep(fate.after_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with os.fdopen(readable, "rb") as answers:
        answer = answers.read().decode()
    _, status = os.waitpid(child, 0)
    return answer if not os.WIFSIGNALED(status) else "killed"


def _answer(do: Callable[[], None], fate: _Fate) -> str:
    passed = 0

    def hook(event: str, _arguments: object) -> None:
        nonlocal passed
        if event not in _POINTS:
            return
        passed += 1
        if passed == fate.point and fate.error:
            raise OSError(fate.error, os.strerror(fate.error))
        if passed == fate.point:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        do()
    except BundlekitError:
        return "refused"
    except BaseException:  # noqa: BLE001 - whatever else comes is what is looked for
        return f"broke: {traceback.format_exc()[-500:]}"
    return str(passed)


# ---------------------------------------------------------------- changes


def _changed(changes: int, chance: random.Random, cache: Path, archive: Path) -> tuple[int, str]:
    """Change a stored bundle, one byte, mode or name at a time: what is given afterwards is as it was packed."""
    accepted = 0
    kinds: Counter[str] = Counter()
    with BundleStore(cache) as store:
        bundle = store.adopt(archive)
        whole = _bytes_of(bundle.tree)
    for _ in range(changes):
        kinds[_change(chance, bundle.tree.parent)] += 1
        with BundleStore(cache) as store:
            accepted += _bytes_of(store.adopt(archive).tree) != whole
        if not kinds.total() % 50:
            shutil.rmtree(cache / "damaged", ignore_errors=True)
    return accepted, f"{changes} changes {dict(kinds)}, accepted {accepted}"


def _change(chance: random.Random, entry: Path) -> str:
    files = sorted(path for path in entry.rglob("*") if path.is_file() and path.name != "bundlekit-complete.json")
    path = chance.choice(files)
    kind = chance.choice(["byte", "byte", "cut", "longer", "mode", "gone", "added", "link"])
    if kind == "byte":
        data = bytearray(path.read_bytes() or b"\0")
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-1] if path.stat().st_size else b"x")
    elif kind == "longer":
        path.write_bytes(path.read_bytes() + b"\n")
    elif kind == "mode":
        path.chmod(0o755)
    elif kind == "gone":
        path.unlink()
    elif kind == "added":
        (entry / "tree" / f"added{chance.random()}.py").write_bytes(b"")
    else:
        path.unlink()
        path.symlink_to("/dev/null")
    return kind


# ---------------------------------------------------------------- many at once


def _crowd(seconds: float, cache: Path, archives: list[Path]) -> tuple[int, str]:
    """Let two writers, eight readers, gc and verify at one cache, and look at the history that they write."""
    os.environ["VENVS_DIR"] = str(_made(cache))
    digests = [inspect(archive).digest for archive in archives]
    trees = [_bytes_of(archive.with_suffix("").with_suffix("")) for archive in archives]
    until = time.monotonic() + seconds
    works: list[Callable[[random.Random], str]] = [partial(_write, cache, archives, digests)] * 2
    works += [partial(_read, cache, archives, digests, trees)] * 8
    works += [_collect, _verify]
    history = cache.parent / "history"
    children = [_repeated(work, until, number, history) for number, work in enumerate(works)]
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    lines = [line.split() for line in history.read_text(encoding="utf-8").splitlines()]
    counts = Counter(line[0] for line in lines)
    made = Counter(line[1] for line in lines if line[0] == "made")
    removed = Counter(line[1] for line in lines if line[0] == "removed")
    # A bundle is made once more for each time that it was removed, and never otherwise.
    twice = sum(max(0, made[digest] - removed[digest] - 1) for digest in made)
    lost = failed + counts["wrong"] + counts["damaged"] + twice
    return lost, f"12 processes in {seconds:.0f} s: {dict(counts)}, made twice {twice}, failed {failed}"


def _repeated(work: Callable[[random.Random], str], until: float, number: int, history: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        chance = random.Random(number)  # noqa: S311 - no secret
        descriptor = os.open(history, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while time.monotonic() < until:
            os.write(descriptor, work(chance).encode())
            time.sleep(chance.uniform(0, 0.2))  # so that gc meets what nobody holds
        status = 0
    except BundlekitError as error:
        print(f"process {number}: {error}", flush=True)
    finally:
        os._exit(status)


def _write(cache: Path, archives: list[Path], digests: list[Digest], chance: random.Random) -> str:
    index = chance.randrange(len(archives))
    said = []

    def source(destination: Path) -> None:
        said.append(f"made {digests[index].hex}\n")
        copy_file(archives[index], destination)

    with BundleStore(cache) as store:
        store.hold(digests[index], source)
    return "".join([*said, "wrote\n"])


def _read(
    cache: Path, archives: list[Path], digests: list[Digest], trees: list[dict[str, bytes]], chance: random.Random
) -> str:
    index = chance.randrange(len(archives))
    said = []

    def source(destination: Path) -> None:
        said.append(f"made {digests[index].hex}\n")
        copy_file(archives[index], destination)

    with BundleStore(cache) as store:
        tree = store.hold(digests[index], source).tree
        time.sleep(chance.uniform(0, 0.02))
        right = _bytes_of(tree) == trees[index]
    return "".join([*said, "read\n" if right else "wrong\n"])


def _collect(_chance: random.Random) -> str:
    cleared = clear_cache(Limits(max_age_s=0), _quiet)
    return "".join(f"removed {each.entry.name}\n" for each in cleared.removals) + "collected\n"


def _verify(_chance: random.Random) -> str:
    damaged = verify_cache(_quiet).damaged
    return "".join(f"damaged {each.entry.name}\n" for each in damaged) + "verified\n"


# ---------------------------------------------------------------- what they share


def _quiet(_message: str) -> None:
    return


def _bytes_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


@contextlib.contextmanager
def _variables(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*variables, "VENVS_DIR")}
    os.environ.update(variables)
    tempfile.tempdir = None  # it remembers
    try:
        yield
    finally:
        tempfile.tempdir = None
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})

"""What must hold after every run of hostile input (HOSTILE_CORPUS, the six invariants), as one place to run it in."""

import hashlib
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from builders.cold_runs import MODULE, SIMULATION, Ran, run, wire_bundle

__all__ = ["EXIT_STATUS", "Ground"]

EXIT_STATUS = {
    **dict.fromkeys(("E_USAGE",), 2),
    **dict.fromkeys(("E_LIMIT",), 4),
    **dict.fromkeys(("E_NAME", "E_PYPROJECT", "E_ENTRYPOINT", "E_SOURCE"), 5),
    **dict.fromkeys(("E_TASK",), 6),
    **dict.fromkeys(("E_VENV", "E_CACHE", "E_IO"), 7),
    **dict.fromkeys(("E_WIRE_RAISED", "E_WIRE_RESULT", "E_WIRE_EXIT"), 8),
    **dict.fromkeys(("E_SIGNAL", "E_OOM", "E_KILLED"), 9),
    **dict.fromkeys(("E_TIMEOUT",), 124),
    **dict.fromkeys(("E_INTERNAL",), 70),
}
"""The corpus's own table, on purpose not the runner's."""

_MARK = "BUNDLEKIT_TEST_ID"
_OURS = ("bundlekit/cold_runner/", "<bundlekit child", "_bundlekit")


class Ground:
    """Directories of one hostile row, with canaries in and around them; every row of a session shares the cache.

    `scratch` is an empty directory with a short name: sockets in it must have room for their own. The cache must have
    served the ordinary task before, so that what a row adds can be told.
    """

    def __init__(self, top: Path, scratch: Path, cache: Path, ordinary: Path) -> None:
        self.top = top
        self.cache = cache
        self.canary = f"CANARY_{uuid.uuid4().hex}"
        self._id = uuid.uuid4().hex
        self._ordinary = self._bundle = ordinary
        self._home, self._outer = top / "home", top / "outer"
        self._scratch = scratch
        for directory in (self._home, self._outer):
            directory.mkdir()
        (self._home / ".gitconfig").write_text(f"[url]\n\tinsteadOf = {self.canary}\n", encoding="utf-8")
        (self._home / ".netrc").write_text(f"password {self.canary}\n", encoding="utf-8")
        (self._outer / "victim").write_text("untouched", encoding="utf-8")

    def simulate(
        self,
        source: str,
        *options: str,
        task: Mapping[str, object] = SIMULATION,
        env: Mapping[str, str] | None = None,
        most_s: float = 10.0,
        **files: str,
    ) -> Ran:
        """Run a wire function of this source and hold the invariants."""
        self._bundle = wire_bundle(self.top, source, **files)
        return self.again(*options, task=task, env=env, most_s=most_s)

    def again(
        self,
        *options: str,
        task: Mapping[str, object] = SIMULATION,
        env: Mapping[str, str] | None = None,
        most_s: float = 10.0,
    ) -> Ran:
        """Run the bundle of :meth:`simulate` once more and hold the invariants."""
        bundle, own = self._bundle, task.get("env")
        marked = {**task, "env": {_MARK: self._id, **(own if isinstance(own, dict) else {})}}

        def start(more: Mapping[str, str]) -> Ran:
            return run(bundle, self.cache, marked, *options, env={**more, **(env or {})})

        return self.hold(bundle, start, most_s)

    def aggregate(self, source: str, sim_returns: Sequence[object] = (), *options: str, most_s: float = 10.0) -> Ran:
        """Run a target function ``targets:f`` of this source and hold the invariants."""
        bundle = wire_bundle(self.top, "", targets=source)
        task = {"target_entrypoint": "targets:f", "sim_returns": list(sim_returns)}
        return self.hold(bundle, lambda env: run(bundle, self.cache, task, "--aggregation", *options, env=env), most_s)

    def send(self, data: bytes, *options: str, most_s: float = 10.0) -> Ran:
        """Send `data` as the task for an ordinary bundle and hold the invariants."""
        bundle = self._ordinary
        return self.hold(bundle, lambda env: run(bundle, self.cache, data, *options, env=env), most_s)

    def hold(self, bundle: Path, start: Callable[[Mapping[str, str]], Ran], most_s: float = 10.0) -> Ran:
        """Return what `start` gives with the variables of this ground, after all six invariants were found to hold."""
        before = {directory: _inventory(directory) for directory in (bundle, self._home, self._outer)}
        cached = _inventory(self.cache, by_content=False)
        ran = start(self._variables())
        _one_line(ran)
        _no_fault_of_ours(ran)
        assert ran.seconds < most_s
        self._nothing_runs()
        assert {directory: _inventory(directory) for directory in before} == before
        assert list(self._scratch.iterdir()) == []
        self._cache_only_grew(cached)
        self._no_secret_in(ran, cached)
        assert run(self._ordinary, self.cache, env=self._variables()).outputs, "the next ordinary task fails"
        return ran

    def _variables(self) -> dict[str, str]:
        secrets = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "MY_PASSWORD")
        places = {"HOME": str(self._home), "TMPDIR": str(self._scratch), "NETRC": str(self._home / ".netrc")}
        return {**dict.fromkeys(secrets, self.canary), **places, _MARK: self._id}

    def _nothing_runs(self) -> None:
        limit = time.monotonic() + 1
        while (found := _marked(self._id)) and time.monotonic() < limit:
            time.sleep(0.01)
        assert not found, f"processes run on: {found}"

    def _cache_only_grew(self, before: Mapping[str, tuple[object, ...]]) -> None:
        after = _inventory(self.cache, by_content=False)
        # What is remembered of bundles and kept of failures is bounded: the oldest makes room.
        kept = {path for path in before if not path.startswith(("declarations/", "failures/", "locks/"))}
        changed = {path: (before[path], after.get(path)) for path in kept if after.get(path) != before[path]}
        assert not changed, changed
        for path in after.keys() - before.keys():
            assert path.split("/")[0] in {"code", "declarations", "failures", "locks"}, path
            assert ".tmp" not in path
            assert "/building" not in path

    def _no_secret_in(self, ran: Ran, cached: Mapping[str, object]) -> None:
        canary = self.canary.encode()
        assert canary not in ran.stdout
        assert canary not in ran.stderr
        for path in self.cache.rglob("*"):
            if path.relative_to(self.cache).as_posix() not in cached and path.is_file():
                assert canary not in path.read_bytes(), path


def _one_line(ran: Ran) -> None:
    """I1 and the table of statuses."""
    assert b"\0" not in ran.stdout
    document = ran.document
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    error = document.get("_fatal_error")
    expected = EXIT_STATUS[str(error["error_code"])] if isinstance(error, dict) else 0
    assert ran.status == expected, (ran.status, document)


def _no_fault_of_ours(ran: Ran) -> None:
    """I2: a traceback shows bundle code only; C code writes the stacks of a crash, and knows no difference."""
    said = ran.stderr.decode("utf-8", "replace").splitlines()
    lines = [line for line in said if line.lstrip().startswith('File "') and ", in " in line]
    assert not [line for line in lines if any(ours in line for ours in _OURS) and "-task-" not in line], lines


def _inventory(directory: Path, *, by_content: bool = True) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in directory.rglob("*"):
        state = path.lstat()
        content: object = state.st_ino if stat.S_ISDIR(state.st_mode) else (state.st_size, state.st_ino)
        if by_content and stat.S_ISREG(state.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        # The time of a directory changes with every name in it, and names are compared already.
        changed = 0 if stat.S_ISDIR(state.st_mode) else state.st_mtime_ns
        links = 0 if stat.S_ISDIR(state.st_mode) else state.st_nlink
        found[path.relative_to(directory).as_posix()] = (state.st_mode, links, changed, content)
    return found


def _marked(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


ORDINARY = "def wire(entrypoint, params, seed): return {'raw': repr((entrypoint, params, seed)).encode()}\n"


def ordinary_bundle(top: Path, cache: Path) -> Path:
    """Return a bundle that works, and has worked once on `cache`."""
    bundle = wire_bundle(top, ORDINARY)
    assert run(bundle, cache, runner=MODULE).outputs
    return bundle

"""The server form: requests on stdin, answers on stdout, one JSON line each and in order.

A host process starts one of these and keeps it, so that its children are reaped here and not by the host, and so that
a prepared bundle is held open between tasks. The shapes are those that `bundlekit/executors` writes and reads.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from .environments.bundle_code import Prepared, PrepareOptions, prepare
from .failures import record_failure
from .long_texts import LongTexts
from .phase_limits import PhaseLimits
from .request_lines import request_lines
from .runner_error import RunnerError
from .sandbox.asked import sandbox_of
from .server_request import Request, parse_request, reproduction
from .standard_output import write_whole
from .strict_json import dumps
from .supervisor import Supervisor
from .task import parse_aggregation, parse_simulation
from .task_settings import Circumstances, TaskSettings

__all__ = ["Standing", "answer_one", "serve"]


class Standing(NamedTuple):
    """What the server's own environment says for every request, whatever that asks for (DESIGN decision 4).

    With `own_settings` the bundle's own settings count too; hosts have read them and say what they say.
    """

    fresh: bool
    preserve: bool
    own_settings: bool = False


class _Key(NamedTuple):
    digest: str
    python: str | None
    cache_dir: str
    keep_symbols: bool


def serve(supervisor: Supervisor, stdout: int, standing: Standing) -> None:
    """Answer requests until stdin ends."""
    with ExitStack() as held:
        kept = _Kept(supervisor, standing, held)
        supervisor.is_idle = True
        for line, texts in request_lines(0, supervisor.scratch_file):
            supervisor.is_idle = False
            answer = (dumps(_answer(line, texts, supervisor, kept)) + "\n").encode("utf-8")
            texts.remove()
            # Before it is written: a host may close stdin as soon as it has read the last byte.
            supervisor.is_idle = True
            write_whole(stdout, answer)
            supervisor.make_ready()


def answer_one(
    request: Request, deadline: float, supervisor: Supervisor, standing: Standing, circumstances: Circumstances
) -> dict[str, object]:
    """Return the result of one request, as the only one.

    Raises:
        RunnerError: whatever went wrong.
    """
    with ExitStack() as held:
        kept = _Kept(supervisor, standing, held)
        return _VERBS[request.verb](request, deadline, supervisor, kept, circumstances)


_MOST_PREPARED = 64
"""Each holds two descriptors, of which a process may have few."""


class _Kept:
    """The prepared bundles of this server, those used last, each held as long as it is one of them."""

    def __init__(self, supervisor: Supervisor, standing: Standing, held: ExitStack) -> None:
        self._supervisor = supervisor
        self._standing = standing
        self._prepared: dict[_Key, tuple[Prepared, ExitStack]] = {}
        held.callback(self._let_go, 0)

    @contextmanager
    def prepared(self, request: Request, deadline: float) -> Iterator[Prepared]:
        """Yield the bundle of `request`, prepared; it stays so for the next request if it has a digest."""
        digest = request.bundle.digest
        if digest is None or (self._is_fresh(request) and not self.layers(request)):
            with ExitStack() as once:
                yield self._prepare(request, deadline, once)
            return
        key = _Key(digest, request.python, request.cache_dir, request.keep_symbols)
        kept = self._prepared.pop(key, None)
        if kept is not None and not kept[0].is_there:
            kept[1].close()
            kept = None
        if kept is None:
            with ExitStack() as once:
                kept = self._prepare(request, deadline, once), once.pop_all()
        self._prepared[key] = kept
        self._let_go(_MOST_PREPARED)
        yield kept[0]

    def _let_go(self, most: int) -> None:
        while len(self._prepared) > most:
            _, held = self._prepared.pop(next(iter(self._prepared)))
            held.close()

    def layers(self, request: Request) -> bool:
        """Return whether a task's fresh environment is a throw-away layer over one that is kept and never changed.

        That is as good as one that was built for it, and costs nothing (PERFORMANCE, "Environments").
        """
        return self._is_fresh(request) and not self.preserves(request) and self._supervisor.overlays.possible

    def _is_fresh(self, request: Request) -> bool:
        return request.fresh or self._standing.fresh

    def preserves(self, request: Request) -> bool:
        """Return whether what is thrown away otherwise is to stay."""
        return request.preserve or self._standing.preserve

    def _prepare(self, request: Request, deadline: float, held: ExitStack) -> Prepared:
        options = PrepareOptions(
            python=request.python,
            fresh=self._is_fresh(request) and not self.layers(request),
            cache_dir=request.cache_dir,
            preserve=self.preserves(request),
            deadline=_environment_deadline(request, deadline),
            pass_env=request.pass_env,
            own_settings=self._standing.own_settings,
            keep_symbols=request.keep_symbols,
        )
        try:
            return held.enter_context(prepare(request.bundle, options, self._supervisor.log.line))
        finally:
            # A build that leaves its session outlives its tool; it would live as long as this server.
            self._supervisor.kill_strays()


def _answer(line: bytearray, texts: LongTexts, supervisor: Supervisor, kept: _Kept) -> dict[str, object]:
    started = time.monotonic()
    circumstances = Circumstances()
    request: Request | None = None
    try:
        supervisor.check_room()
        request = parse_request(line, texts)
        circumstances.sandbox = sandbox_of(request)
        deadline = started + request.timeout_s
        result = _VERBS[request.verb](request, deadline, supervisor, kept, circumstances)
    except RunnerError as error:
        supervisor.log.line(f"Failed: {error.code}: {error.message}")
        if request is not None:
            has_run = circumstances.pid is not None
            same = reproduction(request)
            record_failure(error, same, request.cache_dir, supervisor.log, has_run=has_run, expand=texts.expanded)
        result = {"_fatal_error": error.document()}
    return {
        "result": result,
        "pid": circumstances.pid,
        "started_s": circumstances.started_s,
        "seconds": time.monotonic() - started,
        "start": circumstances.start,
        "preload": list(circumstances.preload),
        "layered": circumstances.is_layered,
        "memory": circumstances.memory,
        "writes": [{"path": _shown(write.path), "change": write.change} for write in circumstances.writes],
        "sandbox": circumstances.sandbox.level,
        "network": circumstances.sandbox.network,
    }


def _shown(path: str) -> str:
    """Return `path` as text: a task may give a file a name that is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _prepared_document(
    request: Request, deadline: float, supervisor: Supervisor, kept: _Kept, circumstances: Circumstances
) -> dict[str, object]:
    if request.sandbox != "off":
        supervisor.log.line(str(circumstances.sandbox))
    with kept.prepared(request, deadline) as prepared:
        return {
            "environment": {
                "key": prepared.environment_key,
                "python": prepared.python,
                "version": prepared.interpreter_version,
                "installer": prepared.installer,
                "reused": prepared.environment_reused,
                "seconds": prepared.environment_seconds,
            },
            "code": {
                "reused": prepared.code_reused,
                "seconds": prepared.code_seconds,
                "installed_top_level": list(prepared.installed_top_level),
                "site": prepared.site,
            },
            "wire": None if prepared.wire is None else prepared.wire._asdict(),
            "wire_error": prepared.wire_error,
        }


def _probed(
    request: Request, deadline: float, supervisor: Supervisor, kept: _Kept, circumstances: Circumstances
) -> dict[str, object]:
    with kept.prepared(request, deadline) as prepared:
        settings = _settings(request, deadline, kept, circumstances)
        return supervisor.probe(prepared, request.reference, settings, circumstances)


def _simulated(
    request: Request, deadline: float, supervisor: Supervisor, kept: _Kept, circumstances: Circumstances
) -> dict[str, object]:
    task = parse_simulation(request.task, supervisor.log.line)
    with kept.prepared(request, deadline) as prepared:
        settings = _settings(request, deadline, kept, circumstances)
        return supervisor.simulate(prepared, task, settings, circumstances)


def _aggregated(
    request: Request, deadline: float, supervisor: Supervisor, kept: _Kept, circumstances: Circumstances
) -> dict[str, object]:
    texts = None if request.texts is None else request.texts.path
    task = parse_aggregation(request.task, supervisor.log.line, as_text=request.inline_as == "str", texts=texts)
    with kept.prepared(request, deadline) as prepared:
        settings = _settings(request, deadline, kept, circumstances)
        return supervisor.aggregate(prepared, task, settings, circumstances)


_Verb = Callable[[Request, float, Supervisor, _Kept, Circumstances], dict[str, object]]
_VERBS: Mapping[str, _Verb] = {
    "prepare": _prepared_document,
    "probe": _probed,
    "simulate": _simulated,
    "aggregate": _aggregated,
}


def _environment_deadline(request: Request, deadline: float) -> float:
    allowed = request.environment_timeout_s
    return deadline if allowed is None else min(deadline, time.monotonic() + allowed)


def _settings(request: Request, deadline: float, kept: _Kept, circumstances: Circumstances) -> TaskSettings:
    return TaskSettings(
        phases=PhaseLimits(deadline, request.import_timeout_s, request.call_timeout_s, request.grace_s),
        pass_env=request.pass_env,
        task_env=request.env,
        outputs_dir=request.outputs_dir,
        tells_writes=True,
        preserve=kept.preserves(request),
        resources=request.limits,
        sandbox=circumstances.sandbox,
        layered=kept.layers(request),
        forks=request.forks,
        preload=request.preload,
        hash_seed=request.hash_seed,
        measured=request.measured,
    )

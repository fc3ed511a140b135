"""The runner's command line: the one-shot form, which reads one task and prints one line, and the server form.

Environment: REUSE, PRESERVE_TMP, VENVS_DIR, MODELOPS_FORCE_FRESH_VENV, BUNDLEKIT_UV; an empty variable counts as unset.
See: DESIGN, "Shapes".
"""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .codes import EXIT_STATUS, ErrorCode, Phase
from .environments.bundle_code import BundleSource, Prepared, PrepareOptions, prepare
from .environments.cache_dir import default_cache_dir
from .guardian import Work, fatal_line, guard
from .long_texts import KEPT_IN_FILE, LongTexts
from .phase_limits import DEFAULT_GRACE_S, PhaseLimits
from .runner_error import RunnerError
from .sandbox.layers import NO_SANDBOX, SANDBOX_MODES, Sandbox
from .standard_output import answer
from .stderr_log import StderrLog
from .strict_json import JsonValue, dumps
from .supervisor import Supervisor
from .task import AggregationTask, SimulationTask, parse_aggregation, parse_simulation, read_long_task
from .task_settings import Circumstances, TaskSettings

__all__ = ["main"]

_PHASES = ("--environment-timeout-s", "--import-timeout-s", "--call-timeout-s", "--grace-s")
_VALUES = frozenset(
    {
        *("--bundle-path", "--timeout-s", "--bundle-digest", "--python", "--outputs-dir", "--replay"),
        *("--sandbox", "--start", *_PHASES),
    }
)
_STARTS = ("exec", "fork")
_SWITCHES = frozenset({"--aggregation", "--keep", "--serve"})
_DEFAULT_TIMEOUT_S = "3600"
_HELP = """\
usage: cold_runner --bundle-path DIR [--aggregation] [--timeout-s S] [--bundle-digest D] [--python P] < task.json
       cold_runner --replay FILE [--bundle-path DIR] [--timeout-s S] [--python P]

Run one task of a bundle in a fresh process and print one JSON line.

  --bundle-path DIR    the bundle's directory
  --aggregation        the task on stdin is an aggregation
  --timeout-s S        seconds for everything, the environment included (3600)
  --environment-timeout-s, --import-timeout-s, --call-timeout-s S
                       seconds for one phase, within those for everything
  --grace-s S          seconds between the request to end (SIGTERM) and the end of all processes (0.5)
  --bundle-digest D    sha256:..., if the bundle's digest is known
  --python P           an interpreter, by path or by version such as 3.12; else the bundle's own setting
  --sandbox M          auto, require or off (off): what must hold while code of the bundle runs
  --start exec|fork    a process is an interpreter of its own, or forked from one that has loaded nothing (exec)
  --outputs-dir DIR    where outputs over 512 KiB are written instead of inline
  --replay FILE        run again what the repro.json of a failure holds
  --serve              answer requests on stdin, one JSON line each (for hosts)
  --keep               start processes for many tasks each; stdin is a socket (for hosts)

Environment: REUSE=1 keeps environments for the next task, PRESERVE_TMP=1 keeps a throw-away one and the task's files,
VENVS_DIR is where environments are, MODELOPS_FORCE_FRESH_VENV=1 wins over REUSE, BUNDLEKIT_UV is the uv to install
with. A task meets none of these, nor any other variable but a few (PATH, LANG, TZ) unless the bundle's
[tool.bundlekit] pass-env names it, or the task brings it in its env.
"""
_LONGEST_S = 366 * 24 * 3600.0
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class _Arguments(NamedTuple):
    bundle_path: str | None
    aggregation: bool
    timeout_s: str | None
    bundle_digest: str | None
    python: str | None
    sandbox: str
    serve: bool
    keep: bool
    start: str
    outputs_dir: str | None
    replay: str | None
    phases: Mapping[str, float]


class _OneShot(NamedTuple):
    bundle_path: str
    aggregation: bool
    deadline: float
    timeout_s: float
    phases: Mapping[str, float]
    bundle_digest: str | None
    python: str | None
    sandbox: str
    outputs_dir: str | None
    fresh: bool
    preserve: bool
    forks: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status, or end this process with it."""
    started = time.monotonic()
    _fill_standard_descriptors()
    log = StderrLog()
    words = sys.argv[1:] if argv is None else argv
    if "--help" in words or "-h" in words:
        return answer(_HELP.encode("utf-8"), 0, log)
    try:
        arguments = _parse(words)
        work = _work(arguments, started)
    except RunnerError as error:
        log.line(f"Failed: {error.code}: {error.message}")
        return answer(fatal_line(error).encode("utf-8"), EXIT_STATUS[error.code], log)
    log.line(f"Cold runner started: PID {os.getpid()}")
    status = guard(work, log, watches_stdin=arguments.serve or arguments.keep)
    # All is written and nothing is left to do. Taking this interpreter down would cost half of what starting one does.
    os._exit(status)


def _parse(argv: Sequence[str]) -> _Arguments:
    """Return the options in `argv`, as ``--name value`` or ``--name=value``; the last of a kind wins.

    By hand, since argparse and what it imports cost a whole interpreter start, and this is done for each task.
    """
    given: dict[str, str] = {}
    switches: set[str] = set()
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _VALUES:
            following = value if equals else next(rest, None)
            if following is None:
                raise _usage(f"expected a value after {name}, found none")
            given[name] = following
        elif word in _SWITCHES:
            switches.add(word)
        else:
            raise _usage(f"expected an option, found {word!r:.200}")
    return _Arguments(
        bundle_path=given.get("--bundle-path"),
        aggregation="--aggregation" in switches,
        timeout_s=given.get("--timeout-s"),
        bundle_digest=given.get("--bundle-digest"),
        python=given.get("--python"),
        sandbox=given.get("--sandbox", "off"),
        serve="--serve" in switches,
        keep="--keep" in switches,
        start=given.get("--start", "exec"),
        outputs_dir=given.get("--outputs-dir"),
        replay=given.get("--replay"),
        phases={name: _seconds(given[name], name) for name in _PHASES if name in given},
    )


def _seconds(text: str, name: str = "--timeout-s") -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_S:
        raise _usage(f"expected more than 0 and at most {_LONGEST_S:.0f} seconds in {name}, found {text!r:.100}")
    return seconds


def _usage(message: str) -> RunnerError:
    return RunnerError(ErrorCode.USAGE, Phase.TASK, f"{message}; see --help")


def _work(arguments: _Arguments, started: float) -> Work:
    if arguments.serve:
        return _server()
    if arguments.keep:
        return _keeper()
    if arguments.replay is not None:
        return _replay(arguments, started)
    return _one_shot(arguments, started)


def _replay(arguments: _Arguments, started: float) -> Work:
    from .replay import replay, replayed_request  # noqa: PLC0415 - tasks do without it

    request = replayed_request(
        str(arguments.replay),
        bundle_path=None if arguments.bundle_path is None else os.path.abspath(arguments.bundle_path),
        python=arguments.python,
        timeout_s=None if arguments.timeout_s is None else _seconds(arguments.timeout_s),
        outputs_dir=_directory(arguments.outputs_dir),
    )
    fresh, preserve = _switch("MODELOPS_FORCE_FRESH_VENV"), _switch("PRESERVE_TMP")
    return lambda supervisor, _stdout: replay(request, started, supervisor, fresh=fresh, preserve=preserve)


def _server() -> Work:
    from .server import Standing, serve  # noqa: PLC0415 - the one-shot form does without it

    standing = Standing(fresh=_switch("MODELOPS_FORCE_FRESH_VENV"), preserve=_switch("PRESERVE_TMP"))
    return lambda supervisor, stdout: serve(supervisor, stdout, standing)


def _keeper() -> Work:
    from .keeper import keep  # noqa: PLC0415 - tasks do without it

    host = os.getppid()
    return lambda supervisor, _stdout: keep(supervisor, host)


def _one_shot(arguments: _Arguments, started: float) -> Work:
    if arguments.bundle_path is None:
        raise _usage("expected --bundle-path DIR, found none")
    path = os.path.abspath(arguments.bundle_path)
    if not os.path.isdir(path):
        raise _usage(f"expected a directory in --bundle-path, found none at {arguments.bundle_path!r:.500}")
    digest = arguments.bundle_digest
    if digest is not None and not _is_digest(digest):
        raise _usage(f"expected sha256: and 64 lower-case hex digits in --bundle-digest, found {digest!r:.100}")
    if arguments.start not in _STARTS:
        raise _usage(f"expected exec or fork in --start, found {arguments.start!r:.100}")
    timeout_s = _seconds(_DEFAULT_TIMEOUT_S if arguments.timeout_s is None else arguments.timeout_s)
    order = _OneShot(
        bundle_path=path,
        aggregation=arguments.aggregation,
        deadline=started + timeout_s,
        timeout_s=timeout_s,
        phases=arguments.phases,
        bundle_digest=digest,
        python=arguments.python,
        sandbox=_sandbox_mode(arguments.sandbox),
        outputs_dir=_directory(arguments.outputs_dir),
        fresh=not _switch("REUSE") or _switch("MODELOPS_FORCE_FRESH_VENV"),
        preserve=_switch("PRESERVE_TMP"),
        forks=arguments.start == "fork",
    )
    return lambda supervisor, _stdout: _run(order, supervisor)


def _run(order: _OneShot, supervisor: Supervisor) -> str:
    texts = LongTexts(lambda: supervisor.scratch_file("sim_returns"))
    value = texts.restored(read_long_task(0, texts), KEPT_IN_FILE if order.aggregation else None)
    supervisor.check_room()
    warn = supervisor.log.line
    task = parse_simulation(value, warn) if not order.aggregation else parse_aggregation(value, warn, texts=texts.path)
    circumstances = Circumstances()
    try:
        return dumps(_document(order, task, supervisor, circumstances)) + "\n"
    except RunnerError as error:
        from .failures import record_failure  # noqa: PLC0415 - most tasks succeed

        has_run = circumstances.pid is not None
        request = _reproduction(order, value)
        record_failure(error, request, default_cache_dir(), supervisor.log, has_run=has_run, expand=texts.expanded)
        raise


def _document(
    order: _OneShot, task: SimulationTask | AggregationTask, supervisor: Supervisor, circumstances: Circumstances
) -> dict[str, object]:
    source = BundleSource(order.bundle_path, order.bundle_digest, None)
    options = PrepareOptions(
        python=order.python,
        fresh=order.fresh,
        cache_dir=default_cache_dir(),
        preserve=order.preserve,
        deadline=min(order.deadline, time.monotonic() + order.phases.get("--environment-timeout-s", math.inf)),
        pass_env=(),
        own_settings=True,
    )
    with prepare(source, options, supervisor.log.line) as prepared:
        settings = TaskSettings(
            phases=PhaseLimits(
                order.deadline,
                order.phases.get("--import-timeout-s"),
                order.phases.get("--call-timeout-s"),
                order.phases.get("--grace-s", DEFAULT_GRACE_S),
            ),
            pass_env=prepared.pass_env,
            outputs_dir=order.outputs_dir,
            preserve=order.preserve,
            forks=order.forks,
            resources=prepared.limits,
            sandbox=_sandbox(order, prepared, supervisor),
        )
        if isinstance(task, AggregationTask):
            return supervisor.aggregate(prepared, task, settings, circumstances)
        return supervisor.simulate(prepared, task, settings, circumstances)


def _reproduction(order: _OneShot, task: JsonValue) -> dict[str, object]:
    """Return the request that asks the server form for the same."""
    return {
        "verb": "aggregate" if order.aggregation else "simulate",
        "bundle": {"path": order.bundle_path, "digest": order.bundle_digest, "files": None},
        "python": order.python,
        "fresh": order.fresh,
        "timeout_s": order.timeout_s,
        **{name.strip("-").replace("-", "_"): seconds for name, seconds in order.phases.items()},
        "task": task,
    }


def _sandbox_mode(text: str) -> str:
    if text not in SANDBOX_MODES:
        raise _usage(f"expected one of {', '.join(SANDBOX_MODES)} in --sandbox, found {text!r:.100}")
    return text


def _sandbox(order: _OneShot, prepared: Prepared, supervisor: Supervisor) -> Sandbox:
    if order.sandbox == "off":
        return NO_SANDBOX
    from .sandbox.choice import choose_sandbox  # noqa: PLC0415 - a runner that is not asked for one starts faster

    chosen = choose_sandbox(order.sandbox, network_open=prepared.network)
    supervisor.log.line(str(chosen))
    return chosen


def _switch(name: str) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value and value not in _TRUE | _FALSE:
        message = f"expected 1, true, yes, on or their opposites in the variable {name}, found {value!r:.100}"
        raise RunnerError(ErrorCode.USAGE, Phase.TASK, message)
    return value in _TRUE


def _directory(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise _usage(f"expected a directory in --outputs-dir, found none at {path!r:.500}: {error.strerror}") from None
    return os.path.abspath(path)


def _is_digest(text: str) -> bool:
    algorithm, _, digits = text.partition(":")
    return algorithm == "sha256" and len(digits) == 64 and not digits.strip("0123456789abcdef")  # noqa: PLR2004 - sha256


def _fill_standard_descriptors() -> None:
    """Make sure that 0, 1 and 2 are taken: a pipe of ours that got such a number would be mistaken for them."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:  # noqa: PLR2004 - the last of the standard descriptors
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - the argument has no name

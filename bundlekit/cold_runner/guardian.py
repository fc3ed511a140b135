"""Two processes that watch each other: killing either, even with SIGKILL, leaves nothing running.

The guardian is the process that the caller knows. It forks the supervisor, which does the work in a session of its own,
and waits. Both are subreapers. When the supervisor dies, everything it had started falls to the guardian, which kills
it; when the guardian dies, its end of the leash pipe closes, and the supervisor kills what it has and ends. The parent
death signal of prctl(2) is not used: it follows the thread that forked, not the process.

See: DESIGN decision 5.
"""

import _thread
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from .child.process import Wakeups
from .codes import EXIT_STATUS, ErrorCode, Phase
from .environments.scratch_claim import claimed
from .process_tree import become_subreaper, become_unreadable, kill_descendants, reap
from .runner_error import RunnerError
from .standard_output import answer, write_whole
from .stderr_log import StderrLog
from .strict_json import dumps
from .supervisor import Supervisor
from .verdict import signal_name

__all__ = ["Work", "fatal_line", "guard"]

Work = Callable[[Supervisor, int], str | None]
"""Does the work in the supervisor: gets it and a descriptor of the real stdout, returns the one line to print, if any.

The exit status is read from the line's ``_fatal_error``, so a work that fails raises RunnerError instead.
"""

_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PATIENCE_S = 5.0
"""How long an orderly clean-up may take before it is cut short."""
_STDIN, _STDOUT = 0, 1


class _Interrupted(BaseException):
    """The guardian is gone or wants us to end; raised by a signal handler, so that every context is left in order."""


class _Ended(NamedTuple):
    status: int | None
    line: bytes | None
    interrupted_by: int | None
    is_stdin_closed: bool


def fatal_line(error: RunnerError) -> str:
    """Return the line that tells of `error`."""
    return dumps({"_fatal_error": error.document()}) + "\n"


def guard(work: Work, log: StderrLog, *, watches_stdin: bool) -> int:
    """Do `work` in a guarded supervisor, print its line on stdout and return the exit status.

    With `watches_stdin` it is a server: the closing of the other end of stdin ends everything at once, and only `work`
    writes to stdout.
    """
    become_subreaper()
    become_unreadable()
    # Whoever started us may have blocked signals in the thread that did so; that is inherited, and we wait for some.
    # A request to end waits until each of the two processes knows how to.
    signal.pthread_sigmask(signal.SIG_SETMASK, _ENDINGS)
    scratch = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"bundlekit-{os.urandom(16).hex()}")  # noqa: S108 - random and private
    leash_end, leash = os.pipe()
    line_end, line = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:
        os.close(leash)
        os.close(line_end)
        _supervise(work, log, scratch, leash_end, line)
    os.close(leash_end)
    os.close(line)
    if not watches_stdin:
        _redirect(_STDIN, os.open(os.devnull, os.O_RDONLY))
    ended = _wait(supervisor, leash, line_end, watches_stdin=watches_stdin)
    kill_descendants(group=supervisor)
    if os.path.lexists(scratch):
        from .environments.tree_removal import remove_tree  # noqa: PLC0415 - the supervisor does it unless it was killed

        try:
            remove_tree(scratch)
        except OSError as error:
            log.line(f"Warning: {scratch} cannot be removed: {error.strerror or error}")
    return _served(ended, log) if watches_stdin else _conclude(ended, log)


def _supervise(work: Work, log: StderrLog, scratch: str, leash: int, line: int) -> None:
    """Be the supervisor; never returns."""
    status = EXIT_STATUS[ErrorCode.INTERNAL]
    text: str | None = None
    try:
        os.setsid()
        become_subreaper()
        # Inherited by children: the memory of a crashed task may hold what it was given in secret.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        _obey_endings()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # Open until this process ends, whatever ends it: `bundlekit cache gc` sees by it that the directory is in use.
        claimed(scratch)
        _thread.start_new_thread(_follow_leash, (leash, _thread.get_ident()))
        stdout = os.dup(_STDOUT)
        os.dup2(2, _STDOUT)
        supervisor = Supervisor(log, Wakeups(), scratch)
        text, status = _worked(work, supervisor, stdout)
        _ignore_endings()
        kill_descendants()
        supervisor.overlays.close()
        supervisor.shared_objects.close()
        from .environments.tree_removal import discard_tree  # noqa: PLC0415 - loaded by the work long ago

        discard_tree(scratch)
        if text is not None:
            data = text.encode("utf-8")
            write_whole(line, len(data).to_bytes(8, "big") + data)
    except (_Interrupted, KeyboardInterrupt):
        # Between two steps of ours, before the work or after it: the guardian, which knows why, tells.
        status = EXIT_STATUS[ErrorCode.INTERRUPTED]
    except BaseException:  # noqa: BLE001 - the guardian tells the caller that we ended without an answer
        log.line(_traceback())
    finally:
        os._exit(status)


def _worked(work: Work, supervisor: Supervisor, stdout: int) -> tuple[str | None, int]:
    try:
        return work(supervisor, stdout), 0
    except RunnerError as error:
        failure = error
    except _Interrupted:
        if supervisor.is_idle:
            return None, 0
        failure = RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, "the runner was interrupted before the task was done")
    except Exception as error:  # noqa: BLE001 - our own fault, told as such
        supervisor.log.line(_traceback())
        message = f"the runner broke one of its own promises; please report it: {error!s:.500}"
        failure = RunnerError(ErrorCode.INTERNAL, Phase.CALL, message, type_name=type(error).__name__)
    supervisor.log.line(f"Failed: {failure.code}: {failure.message}")
    return fatal_line(failure), EXIT_STATUS[failure.code]


def _traceback() -> str:
    import traceback  # noqa: PLC0415 - costs a third of an interpreter's start, and is wanted only for our own faults

    return traceback.format_exc()


def _obey_endings() -> None:
    def interrupt(_number: int, _frame: object) -> None:
        _ignore_endings()
        raise _Interrupted

    for number in _ENDINGS:
        signal.signal(number, interrupt)


def _ignore_endings() -> None:
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)


def _follow_leash(leash: int, main_thread: int) -> None:
    """End this process when the guardian lets go of the leash, or is gone; in order, or else by force."""
    os.read(leash, 1)
    # To that thread and no other: whatever it waits for must be interrupted.
    signal.pthread_kill(main_thread, signal.SIGTERM)
    time.sleep(_PATIENCE_S)
    kill_descendants()
    os._exit(EXIT_STATUS[ErrorCode.INTERNAL])


def _wait(supervisor: int, leash: int, line: int, *, watches_stdin: bool) -> _Ended:
    wakeups = _signals()
    poll = select.poll()
    poll.register(wakeups.descriptor, select.POLLIN)
    poll.register(line, select.POLLIN)
    if watches_stdin:
        poll.register(_STDIN, 0)
    received = bytearray()
    interrupted_by: int | None = None
    is_stdin_closed = False
    limit: float | None = None
    while limit is None or time.monotonic() < limit:
        ready = {end for end, _ in poll.poll(None if limit is None else 1000)}
        if line in ready and not _received(line, received):
            poll.unregister(line)
        endings = [number for number in wakeups.clear() if number in _ENDINGS]
        if limit is None and (endings or _STDIN in ready):
            interrupted_by = endings[0] if endings else None
            is_stdin_closed = _STDIN in ready
            limit = time.monotonic() + _PATIENCE_S + 1
            os.close(leash)
            if watches_stdin:
                poll.unregister(_STDIN)
        status = (reap(stopped=True) or {}).get(supervisor)
        if status is not None and os.WIFSTOPPED(status):
            # Bundle code did that; nobody else knows this process.
            os.kill(supervisor, signal.SIGCONT)
        elif status is not None:
            while _received(line, received):
                pass
            return _Ended(os.waitstatus_to_exitcode(status), _complete(received), interrupted_by, is_stdin_closed)
    return _Ended(None, None, interrupted_by, is_stdin_closed)


def _signals() -> Wakeups:
    """Return what tells of children and of requests to end; one that the caller had ignored stays ignored."""
    wakeups = Wakeups()
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return wakeups


def _received(line: int, received: bytearray) -> bool:
    data = os.read(line, 1 << 20)
    received += data
    return bool(data)


def _complete(received: bytearray) -> bytes | None:
    data = bytes(received[8:])
    return data if data and len(data) == int.from_bytes(received[:8], "big") else None


def _served(ended: _Ended, log: StderrLog) -> int:
    """Return the exit status of a server; a line of ours on stdout would be taken for an answer."""
    if ended.is_stdin_closed or (ended.status == 0 and ended.interrupted_by is None):
        return 0
    if ended.line is not None and ended.status is not None:
        return ended.status
    error = _without_answer(ended)
    log.line(f"Failed: {error.code}: {error.message}")
    return EXIT_STATUS[error.code]


def _conclude(ended: _Ended, log: StderrLog) -> int:
    if ended.line is not None and ended.status is not None:
        return answer(ended.line, ended.status, log)
    error = _without_answer(ended)
    log.line(f"Failed: {error.code}: {error.message}")
    return answer(fatal_line(error).encode("utf-8"), EXIT_STATUS[error.code], log)


def _without_answer(ended: _Ended) -> RunnerError:
    if ended.interrupted_by is not None:
        name = signal_name(ended.interrupted_by)
        message = f"the runner was interrupted by {name} and cut short"
        return RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, message, signal_name=name)
    if ended.status is not None and ended.status < 0:
        name = signal_name(-ended.status)
        message = f"the supervisor was killed by {name}; what it had started was killed too"
        return RunnerError(ErrorCode.KILLED, Phase.CALL, message, signal_name=name)
    return RunnerError(ErrorCode.INTERNAL, Phase.CALL, "the supervisor ended without an answer; its log says why")


def _redirect(target: int, source: int) -> None:
    os.dup2(source, target)
    os.close(source)

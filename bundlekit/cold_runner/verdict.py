"""What the end of a child means: a result, or which of the ways there are to have none.

Returned, raised, exited, ended by a signal (by its name), out of memory (only with evidence), killed, timed out: each
is told apart, with the phase in which it happened.
"""

import signal

from .child.channel import CHANNEL_LOST
from .child.process import Ending
from .child.report import ChildReport
from .codes import ErrorCode, Phase
from .memory_events import OomKills
from .runner_error import RunnerError

__all__ = ["failure_of", "signal_name", "with_exception"]

_SHELL_SIGNALS = 128
_DEADLY = frozenset(
    {signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM}
)


def failure_of(report: ChildReport, ending: Ending, oom_kills: OomKills) -> RunnerError | None:
    """Return why there is no result, or None when there is one; `oom_kills` has counted since the child began."""
    if report.is_complete:
        return report.failure
    phase = report.phase
    if ending.overstepped is not None:
        message = f"the task was not done {ending.overstepped} and was killed, with everything it had started"
        return RunnerError(ErrorCode.TIMEOUT, phase, message)
    if ending.status is None:
        return RunnerError(ErrorCode.KILLED, phase, "the process could not be seen to its end")
    if ending.status == CHANNEL_LOST:
        message = "bundle code closed or replaced the runner's private result pipe: close only what it opened itself"
        return RunnerError(ErrorCode.WIRE_RESULT, phase, message)
    # Whatever starts a child for us, a sandbox for one, tells of a signal as a shell does.
    number = -ending.status if ending.status < 0 else ending.status - _SHELL_SIGNALS
    if ending.status >= 0 and number not in _DEADLY:
        message = f"the process exited with status {ending.status} and gave no result"
        return RunnerError(ErrorCode.WIRE_EXIT, phase, message)
    kills = oom_kills.since()
    if number == signal.SIGKILL and kills > 0:
        message = (
            f"the process was killed for lack of memory: {oom_kills.path} counted {kills} out-of-memory kill(s) "
            "while it ran; give it more memory, or run fewer at once"
        )
        return RunnerError(ErrorCode.OOM, phase, message, signal_name="SIGKILL")
    return _killed(number, phase)


def with_exception(tail: str, trace: str) -> str:
    """Return `tail`, and below it the end of the traceback `trace` unless it is there already."""
    last = trace.rstrip().rpartition("\n")[2]
    return tail if last in tail else f"{tail.rstrip()}\n{trace}".lstrip("\n")


def signal_name(number: int) -> str:
    """Return the name of a signal; most of the real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _killed(number: int, phase: Phase) -> RunnerError:
    name = signal_name(number)
    if number == signal.SIGKILL:
        message = "the process was killed by SIGKILL, not by this runner: perhaps it ran out of memory"
        return RunnerError(ErrorCode.KILLED, phase, message, signal_name=name)
    return RunnerError(ErrorCode.SIGNAL, phase, f"the process was ended by {name}", signal_name=name)

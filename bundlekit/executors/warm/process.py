"""One warm process, as the host talks to it: a call is one request and one answer, or else the reason there is none.

Whatever comes back comes from a process that holds bundle code, so it is bounded, and believed only after a look.
"""

import contextlib
import json
import os
import select
import time
from collections.abc import Mapping

from bundlekit.cold_runner.child import framing
from bundlekit.cold_runner.child.channel import EXITED, RAISED, REFUSED
from bundlekit.cold_runner.child.process import Ending
from bundlekit.cold_runner.child.report import ChildReport, told_failure
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.memory_events import OomKills
from bundlekit.cold_runner.phase_limits import DEFAULT_GRACE_S
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.verdict import failure_of
from bundlekit.executors.warm.keeper import Ended, Keeper, Started, ended

__all__ = ["NotBegunError", "WarmProcess"]

_SMALL, _LARGE = 1 << 16, 1 << 20
_PATIENCE_S = 30.0
"""How long the keeper may take to see a process to its end, though it kills: it sees to one after the other."""
_RETIREMENT_S = 2.0
"""How long a process may take to end in order, as one that has given its result in the cold runner."""
_PHASES = {b"i": Phase.IMPORT, b"c": Phase.CALL, b"r": Phase.RESULT}
_TEXTS = {
    RAISED.decode(): ("exc_type", "exc", "traceback"),
    EXITED.decode(): ("exc",),
    REFUSED.decode(): ("error_code", "exc"),
}
_SPENT = frozenset({"SystemExit", "MemoryError", "KeyboardInterrupt"})
"""Exceptions after which a process is of no more use: it was asked to end, or cannot be trusted to have memory."""
_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class NotBegunError(Exception):
    """The process ended before it looked at the request: another can do it, and nothing is done twice."""


class WarmProcess:
    """Talks to a process that the keeper has started; one thread at a time may use it.

    `tasks` counts its calls, `started_s` is when it was started, by the monotonic clock. One that `is_spent` is to be
    used no more, of one that `is_gone` nothing is left.
    """

    def __init__(self, started: Started, keeper: Keeper) -> None:
        self.pid = started.pid
        self.digest = started.digest
        self.wire_error = started.wire_error
        self.site, self.tree, self.sandbox = started.site, started.tree, started.sandbox
        self.life = started.life
        self.started_s = time.monotonic()
        self.tasks = 0
        self.is_spent = self.is_gone = False
        self._keeper = keeper
        self._state = started.state
        self._requests, self._answers = started.requests, started.answers
        os.set_blocking(self._requests, False)
        self._frames = framing.Frames()
        self._oom_kills = OomKills()
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self._answers, select.POLLIN)
        self._writable.register(self._requests, select.POLLOUT)

    @property
    def has_ended(self) -> bool:
        """Whether the keeper has told of its end."""
        poll = select.poll()
        poll.register(self.life, select.POLLIN)
        return bool(poll.poll(0))

    def call(self, method: str, params: Mapping[str, object], deadline: float) -> dict[str, object]:
        """Return the result of one call; `deadline` is of :func:`time.monotonic`, for all of it.

        Raises:
            RunnerError: E_TASK when `params` are no JSON; else why there is no result.
                If the process is at fault, it and its tree are gone.
            NotBegunError: it had ended before.
        """
        self.tasks += 1
        request = {"jsonrpc": "2.0", "id": self.tasks, "method": method, "params": params}
        try:
            body = _ENCODER.encode(request).encode()
        except ValueError as error:
            message = f"the task cannot be used: expected finite numbers and Unicode text: {error}"
            raise RunnerError(ErrorCode.TASK, Phase.TASK, message) from None
        if self.tasks > 1 and self._readable.poll(0):
            # It has nothing to say between two calls: this is its end, or bundle code that found the pipe.
            self._end()
            raise NotBegunError
        self._oom_kills.begin()
        # Until the answer is there: whoever is interrupted while waiting must not leave it to the next task.
        self.is_spent = True
        try:
            self._send(framing.framed(body), deadline)
            answer = self._received(deadline)
        except TimeoutError:
            raise self._overdue() from None
        except framing.FramingError as error:
            raise self._refused(error) from None
        except OSError:
            raise self._lost(deadline) from None
        return self._result(answer)

    def retire(self) -> None:
        """Have it end in order, soon; :attr:`life` tells when it has."""
        self.is_spent = True
        request = {"jsonrpc": "2.0", "id": None, "method": "shutdown"}
        with contextlib.suppress(OSError):
            os.write(self._requests, framing.framed(json.dumps(request).encode()))
        self._keeper.end(self.pid, _RETIREMENT_S, with_notice=False)

    def interrupt(self) -> None:
        """End it at once, from another thread than the one that waits for its answer."""
        self._keeper.end(self.pid, 0.0, with_notice=False)

    def close(self) -> None:
        """Let go of it; nothing of it is left by now, or soon."""
        if self._state >= 0:
            self._oom_kills.close()
            for end in (self._requests, self._answers, self._state, self.life):
                os.close(end)
            self._state = -1

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._requests, view) :]
            except BlockingIOError:
                _await(self._writable, deadline)

    def _received(self, deadline: float) -> bytes:
        while (body := self._frames.take()) is None:
            _await(self._readable, deadline)
            data = os.read(self._answers, _LARGE if self._frames.lacking > _SMALL else _SMALL)
            if not data:
                raise ConnectionResetError
            self._frames.feed(data)
        if not self._frames.is_empty:
            raise framing.FramingError("expected one answer, found more")
        return body

    def _result(self, body: bytes) -> dict[str, object]:
        try:
            answer = _DECODER.decode(body.decode())
        except (ValueError, RecursionError) as error:
            raise self._refused(framing.FramingError(str(error))) from None
        if not isinstance(answer, dict) or answer.get("id") != self.tasks:
            raise self._refused(framing.FramingError("expected an answer to this request"))
        self.is_spent = False
        result = answer.get("result")
        if isinstance(result, dict):
            return result
        raise self._told(answer.get("error"))

    def _told(self, error: object) -> RunnerError:
        data = error.get("data") if isinstance(error, dict) else None
        if not isinstance(data, dict) or data.get("kind") not in _TEXTS:
            self._end()
            message = f"a warm process did not understand its request: {error!r:.500}"
            return RunnerError(ErrorCode.INTERNAL, Phase.CALL, message)
        texts = [str(data.get(name)) for name in _TEXTS[data["kind"]]]
        phase = next((each for each in _PHASES.values() if each == data.get("phase")), Phase.CALL)
        failure = told_failure(data["kind"].encode(), texts, phase)
        self.is_spent = failure.type_name in _SPENT
        return failure

    def _overdue(self) -> RunnerError:
        self._keeper.end(self.pid, DEFAULT_GRACE_S, with_notice=True)
        return self._verdict(ended(self.life, _PATIENCE_S), "by its deadline")

    def _lost(self, deadline: float) -> RunnerError | NotBegunError:
        """Return what it means that a pipe is closed: bundle code may have done that, and run on."""
        end = ended(self.life, max(0.0, deadline - time.monotonic()))
        if end is None:
            return self._overdue()
        _, number = self._noted()
        # One that is new and does not even begin would be followed by others like it.
        has_begun = self.tasks in {1, number}
        return self._verdict(end, None) if has_begun else self._not_begun()

    def _refused(self, error: framing.FramingError) -> RunnerError:
        phase, _ = self._noted()
        self._end()
        if isinstance(error, framing.FrameLimitError):
            return RunnerError(ErrorCode.LIMIT, Phase.RESULT, str(error))
        return RunnerError(ErrorCode.WIRE_RESULT, phase, "bundle code wrote into the runner's private result pipe")

    def _verdict(self, end: Ended | None, overstepped: str | None) -> RunnerError:
        self.is_gone = True
        report = ChildReport()
        report.phase, _ = self._noted()
        status = None if end is None else end.status
        failure = failure_of(report, Ending(status, overstepped), self._oom_kills)
        if failure is None or (status is None and overstepped is None):
            message = "the keeper of the warm processes was killed, and what it had started with it"
            failure = RunnerError(ErrorCode.KILLED, report.phase, message)
        failure.stderr_tail = "" if end is None else end.stderr_tail
        return failure

    def _not_begun(self) -> NotBegunError:
        self.is_gone = True
        return NotBegunError()

    def _end(self) -> None:
        self._keeper.end(self.pid, 0.0, with_notice=False)
        ended(self.life, _PATIENCE_S)
        self.is_gone = True

    def _noted(self) -> tuple[Phase, int]:
        note = os.pread(self._state, framing.STATE_BYTES, 0)
        return _PHASES.get(note[:1], Phase.IMPORT), int.from_bytes(note[1:], "big")


def _await(poll: select.poll, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError

"""One process of a warm pool, as the keeper has it: its start, what it says, and what is left to do for its end."""

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import NamedTuple

from .child.channel import JOB_FD, STACK_SIGNAL
from .child.framing import ANSWER_FD, REQUEST_FD, STATE_BYTES, STATE_FD
from .child.job import Job, command, empty_job, warm_orders
from .child.starting import file_of, pipe, spawn
from .environments.bundle_code import Prepared
from .environments.layer import task_layer
from .environments.overlay import Overlays
from .environments.room import made_home
from .environments.scrubbed_environment import child_environment
from .environments.tree_removal import remove_tree
from .kept_log import KeptLog
from .process_tree import send_signal
from .sandbox.layers import NO_SANDBOX, Sandbox
from .stderr_log import StderrLog
from .strict_json import dumps

__all__ = ["KeptProcess", "WarmStart"]

_STACKS_S = 0.1
"""How long a process may take to show its stacks before it is asked to end."""
_PATIENCE_S = 1.0
_CHUNK = 1 << 16


class WarmStart(NamedTuple):
    """What a process is started with: `variables` are its task's own, `names` of others are passed on to it.

    The `sandbox` does not keep the process's memory to itself: whoever keeps it may look at the state that tasks leave.
    """

    prepared: Prepared
    names: tuple[str, ...]
    variables: Mapping[str, str]
    limits: Mapping[str, int]
    sandbox: Sandbox = NO_SANDBOX


class KeptProcess:
    """A process with directories of its own in `scratch`; `theirs` are the descriptors that the host gets.

    Raises:
        RunnerError: E_VENV when the interpreter cannot be started, E_IO when there is no room for its directories.
    """

    def __init__(self, start: WarmStart, scratch: str, overlays: Overlays) -> None:
        self.kept = KeptLog()
        self._steps: deque[tuple[float, int]] = deque()
        self._held = ExitStack()
        self._ends: list[int] = []
        try:
            self._begin(start, scratch, overlays)
        except BaseException:
            self.close()
            raise

    def _begin(self, start: WarmStart, scratch: str, overlays: Overlays) -> None:
        home = made_home(scratch)
        self._held.callback(remove_tree, home.own)
        layer = self._held.enter_context(task_layer(start.prepared.tree, home.own, overlays=overlays))
        self._held.callback(overlays.take_away, layer.path)
        environment = child_environment(
            os.environ, home=home.home, tmp=home.tmp, pass_env=start.names, task_env=start.variables
        )
        self.tree = layer.path
        job = _job(start, environment, layer.path)
        their_requests, requests = self._kept(*pipe())
        answers, their_answers = self._kept(*pipe())
        life, self.life = self._kept(*pipe())
        self.stderr, stderr = self._kept(*pipe())
        os.set_blocking(self.stderr, False)
        version = start.prepared.interpreter_version
        (orders,) = self._kept(file_of(warm_orders(job, start.prepared.digest, version)))
        (state,) = self._kept(file_of(bytes(STATE_BYTES)))
        places = [(stderr, 1), (stderr, 2), (orders, JOB_FD), (their_answers, ANSWER_FD)]
        places += [(their_requests, REQUEST_FD), (state, STATE_FD)]
        hold = _holder(start, environment, (home.own, layer.path))
        self.pid = spawn(command(start.prepared.python, "warm"), environment, places, hold)
        for end in (their_answers, their_requests, stderr, orders):
            self._let_go(end)
        self.theirs = (requests, answers, life, state)

    def handed_over(self) -> None:
        """Close what the host has got by now."""
        for end in self.theirs:
            self._let_go(end)

    @property
    def next_step(self) -> float | None:
        """When something is to be done for the end of this process, if it is to end."""
        return self._steps[0][0] if self._steps else None

    def end(self, grace_s: float, *, with_notice: bool) -> None:
        """Have it ended: asked, if `with_notice`, and shown where it is; killed after `grace_s`."""
        now = time.monotonic()
        self._steps.clear()
        if with_notice:
            self._steps += [(now, STACK_SIGNAL), (now + _STACKS_S, 15)]
            now += _STACKS_S
        self._steps.append((now + grace_s, 0))

    def stepped(self) -> bool:
        """Do what is due by now; return whether it is to be killed."""
        while self._steps and self._steps[0][0] <= time.monotonic():
            _, number = self._steps.popleft()
            if number == 0:
                return True
            send_signal(self.pid, number)
        return False

    def read(self, log: StderrLog) -> bool:
        """Take what it says, and pass it on; return False at the end."""
        try:
            data = os.read(self.stderr, _CHUNK)
        except BlockingIOError:
            return True
        self.kept.add(data)
        log.pass_on(data)
        return bool(data)

    def tell(self, status: int | None, log: StderrLog) -> None:
        """Tell the host that all is over: `status` is that of the process, None when we killed it."""
        limit = time.monotonic() + _PATIENCE_S
        before = -1
        while before != self.kept.total and time.monotonic() < limit:
            before = self.kept.total
            self.read(log)
        document = {"status": status, "stderr_tail": self.kept.tail()}
        with suppress(OSError):
            os.set_blocking(self.life, False)
            os.write(self.life, dumps(document).encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Let go of its descriptors and remove its directories."""
        for end in list(self._ends):
            self._let_go(end)
        self.kept.close()
        self._held.close()

    def _kept(self, *ends: int) -> tuple[int, ...]:
        self._ends += ends
        return ends

    def _let_go(self, end: int) -> None:
        self._ends.remove(end)
        os.close(end)


def _holder(start: WarmStart, environment: Mapping[str, str], own: tuple[str, ...]) -> Callable[[], None] | None:
    """Return what puts the process into its sandbox, as for a cold task; None for none."""
    if start.sandbox.layers is None:
        return None
    from .sandbox.confinement import holder  # noqa: PLC0415 - most processes run without a sandbox

    passed = {name: value for name, value in environment.items() if name not in start.variables}
    return holder(start.sandbox.layers, start.prepared.python, start.prepared.dependency_site, passed, own)


def _job(start: WarmStart, environment: dict[str, str], tree: str) -> Job:
    wire = start.prepared.wire
    job = empty_job("warm", "" if wire is None else wire.value)
    job["environment"], job["limits"] = environment, dict(start.limits)
    job["tree"], job["site"] = tree, start.prepared.site
    return job

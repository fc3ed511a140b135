"""Limits of the child's own process, set in it before bundle code is imported, however it was started.

Runs in the child, under the conditions of the module `main`.
"""

import resource

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from .job import Job

__all__ = ["renew", "restrain"]

_PR_SET_DUMPABLE = 4


def restrain(job: "Job") -> None:
    """Set the limits of `job` for this process and all that it starts; in a sandbox, keep its memory to itself."""
    for name, value in job["limits"].items():
        number = getattr(resource, name)
        _, highest = resource.getrlimit(number)
        soft = value if highest == resource.RLIM_INFINITY else min(value, highest)
        # A process that is kept has it renewed for each task, and no hard limit can be raised again.
        is_renewed = number == resource.RLIMIT_CPU and job["verb"] == "warm"
        # One second between the signal that says what it is (SIGXCPU) and the one that only kills.
        hard = soft + 1 if number == resource.RLIMIT_CPU and soft != highest else soft
        hard = highest if is_renewed else hard
        resource.setrlimit(number, (soft, hard))
    if job["sandboxed"]:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _become_undumpable()


def renew(job: "Job") -> None:
    """Give the next task of this process as much CPU time as the first one had, after what has been used."""
    seconds = job["limits"].get("RLIMIT_CPU")
    if seconds is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, highest = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if highest == resource.RLIM_INFINITY else min(soft, highest), highest)
    )


def _become_undumpable() -> None:
    # What starting a program resets, so it cannot be done before. Where a pipe takes core files, no limit holds.
    try:
        import _ctypes  # noqa: PLC0415 - as in the supervisor, the package would cost an interpreter's start

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # None is the program itself, as in dlopen(3)
        _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return

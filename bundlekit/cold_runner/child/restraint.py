"""Limits of the child's own process, set in it before bundle code is imported, however it was started.

Runs in the child, under the conditions of the module `main`.
"""

import resource

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from .job import Job

__all__ = ["restrain"]

_PR_SET_DUMPABLE = 4


def restrain(job: "Job") -> None:
    """Set the limits of `job` for this process and all that it starts; in a sandbox, keep its memory to itself."""
    for name, value in job["limits"].items():
        number = getattr(resource, name)
        _, highest = resource.getrlimit(number)
        soft = value if highest == resource.RLIM_INFINITY else min(value, highest)
        # One second between the signal that says what it is (SIGXCPU) and the one that only kills.
        hard = soft + 1 if number == resource.RLIMIT_CPU and soft != highest else soft
        resource.setrlimit(number, (soft, hard))
    if job["sandboxed"]:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _become_undumpable()


def _become_undumpable() -> None:
    # What starting a program resets, so it cannot be done before. Where a pipe takes core files, no limit holds.
    try:
        import _ctypes  # noqa: PLC0415 - as in the supervisor, the package would cost an interpreter's start

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # None is the program itself, as in dlopen(3)
        _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return

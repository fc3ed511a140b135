"""Jobs done on threads ahead of the caller, their results in the order of the jobs, with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["THREADS_FROM_BYTES", "in_order"]

ResultT = TypeVar("ResultT")

THREADS_FROM_BYTES = 2 << 20
"""With less work than this, importing the thread pool costs more than it saves."""

_THREADS = 2
"""More would help little at zstd level 1, and memory grows with each."""


def in_order(jobs: Iterable[Callable[[], ResultT]], *, total_bytes: int, threads: int = _THREADS) -> Iterator[ResultT]:
    """Yield the result of each job, in order; jobs are taken from the iterable only a few ahead.

    With one thread the jobs are also done in order. When the caller stops early or a job raises, the jobs not yet
    begun are dropped.
    """
    if total_bytes < THREADS_FROM_BYTES:
        for job in jobs:
            yield job()
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - see THREADS_FROM_BYTES

    pool = ThreadPoolExecutor(max_workers=threads)
    pending: deque[Future[ResultT]] = deque()
    try:
        for job in jobs:
            pending.append(pool.submit(job))
            # One more than is worked on: what waits holds memory.
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

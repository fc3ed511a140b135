"""The resource envelope -> one line for people."""

from bundlekit.model.envelope import ADVISED_ROOM_GIB, WORKER_RULE, Envelope, size_text

__all__ = ["needs"]


def needs(envelope: Envelope) -> str:
    """Return one line: what the smoke tasks took at most, and what to give a worker for that."""
    memory, limit = envelope.memory, envelope.worker_limit_bytes
    most = "" if len(envelope.tasks) == 1 else f", the most of {len(envelope.tasks)} smoke tasks each"
    rest = f"{envelope.seconds:.1f} s, {size_text(envelope.output_bytes)} of outputs{most}"
    if memory is None or limit is None:
        return rest
    among = "" if memory.processes == 1 else f" or more, in {memory.processes} processes"
    return (
        f"{size_text(memory.peak_bytes)} of memory{among}, {rest}; memory limit of a Dask worker with one thread: "
        f"{size_text(limit)} = {WORKER_RULE}; {envelope.workers_in(ADVISED_ROOM_GIB)} fit in {ADVISED_ROOM_GIB} GiB"
    )

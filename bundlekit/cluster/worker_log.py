"""Where a worker's own lines go: standard error, without anything before them, since people grep and cut them."""

import logging

__all__ = ["WORKER_LOG", "start_worker_log"]

WORKER_LOG = logging.getLogger("bundlekit")


def start_worker_log(level: str) -> None:
    """Write what bundlekit logs from `level` on to standard error; may be called again."""
    # Dask sets up its own loggers alone, and children's lines begin with what is searched for: "Child process PID 7".
    if not WORKER_LOG.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        WORKER_LOG.addHandler(handler)
        WORKER_LOG.propagate = False
    WORKER_LOG.setLevel(level)

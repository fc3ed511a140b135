"""Tell what this machine, or each worker of a cluster, is able to do."""

import sys

from bundlekit.api.validation import Progress
from bundlekit.errors import UsageError
from bundlekit.model.documents.doctor import ClusterDocument, DoctorDocument

__all__ = ["examine_cluster", "examine_machine"]


def examine_machine(progress: Progress) -> DoctorDocument:
    """Return what holds for this process and its environment variables; small tasks are run to find out."""
    from bundlekit.cluster.diagnosis import diagnosis  # noqa: PLC0415 - pydantic, for this command alone

    progress("running a small task in each executor")
    return diagnosis(sys.executable)


def examine_cluster(scheduler: str, timeout_s: float, progress: Progress) -> ClusterDocument:
    """Return what holds for each worker of the Dask cluster at the address `scheduler`.

    Raises:
        UsageError: this installation lacks the extra ``dask``, or no scheduler answers within `timeout_s`.
    """
    try:
        from bundlekit.cluster.cluster_diagnosis import cluster_diagnosis  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        msg = f"--scheduler needs Dask, which is not installed: there is no module {error.name}"
        raise UsageError(msg, subject=scheduler, hint="python -m pip install 'bundlekit[dask]'") from error

    progress(f"asking the workers of {scheduler}")
    return cluster_diagnosis(scheduler, timeout_s)

"""A backend for the tasks of one bundle, as a grid on this machine hands them out."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from bundlekit.errors import InternalError, UsageError
from bundlekit.executors.backend import Backend, BundleToRun
from bundlekit.model.outcome import Failure, TaskRun

__all__ = ["BackendPool", "PreparingBackend"]


class PreparingBackend(Backend, Protocol):
    """A backend that can be told of a bundle before there are tasks of it."""

    def prepare(self, bundle: BundleToRun) -> Failure | None:
        """Make the bundle ready; return why none of its tasks can be run."""


class BackendPool:
    """Runs tasks of `bundle` on `backend`, which belongs to it; any number of threads may use it."""

    def __init__(self, backend: PreparingBackend, bundle: BundleToRun) -> None:
        self._backend = backend
        self._bundle = bundle
        self._is_abandoned = False

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the backend."""
        self._backend.close()

    def prepare(self) -> Failure | None:
        """Make the bundle ready: no task waits for it."""
        return self._backend.prepare(self._bundle)

    def simulate(self, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once.

        Raises:
            InternalError: the pool was abandoned, or the backend has lost its processes.
        """
        try:
            return self._backend.simulate(self._bundle, task, timeout_s)
        except UsageError as error:
            raise self._abandoned(error) from error

    def aggregate(self, target: str, sim_returns: Sequence[Mapping[str, object]], timeout_s: float) -> TaskRun:
        """Run the target function once.

        Raises:
            InternalError: as :meth:`simulate`.
        """
        try:
            return self._backend.aggregate(self._bundle, target, sim_returns, None, timeout_s)
        except UsageError as error:
            raise self._abandoned(error) from error

    def abandon(self) -> None:
        """End what runs; the executor direct, in this very process, can only end once its task has."""
        self._is_abandoned = True
        self._backend.close()

    def _abandoned(self, error: UsageError) -> InternalError | UsageError:
        return InternalError("the pool was abandoned: nothing is run any more") if self._is_abandoned else error

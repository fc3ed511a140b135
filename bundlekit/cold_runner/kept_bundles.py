"""The bundles whose processes are kept: each prepared once, and held for as long as one of its processes lives."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from .environments.bundle_code import Prepared, PrepareOptions, prepare
from .server_request import Request

__all__ = ["BundleKey", "KeptBundles"]


class BundleKey(NamedTuple):
    """What a prepared bundle is known by."""

    digest: str | None
    path: str
    python: str | None
    cache_dir: str
    keep_symbols: bool


class _Kept:
    def __init__(self, prepared: Prepared, held: ExitStack) -> None:
        self.prepared = prepared
        self.held = held
        self.users = 0


class KeptBundles:
    """Prepares bundles, telling `log`; they have been built before, so that it takes no time that matters."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._kept: dict[BundleKey, _Kept] = {}

    def taken(self, request: Request) -> tuple[BundleKey, Prepared]:
        """Return the bundle of `request`, held until :meth:`leave` is called with its key.

        Raises:
            RunnerError: as :func:`prepare`.
        """
        key = BundleKey(
            request.bundle.digest, request.bundle.path, request.python, request.cache_dir, request.keep_symbols
        )
        kept = self._kept.get(key)
        if kept is None:
            held = ExitStack()
            options = PrepareOptions(
                python=request.python,
                fresh=False,
                cache_dir=request.cache_dir,
                preserve=False,
                deadline=time.monotonic() + request.timeout_s,
                pass_env=request.pass_env,
                keep_symbols=request.keep_symbols,
            )
            kept = self._kept[key] = _Kept(held.enter_context(prepare(request.bundle, options, self._log)), held)
        kept.users += 1
        return key, kept.prepared

    def leave(self, key: BundleKey) -> None:
        """Let go of what :meth:`taken` gave."""
        kept = self._kept[key]
        kept.users -= 1
        if kept.users == 0:
            del self._kept[key]
            kept.held.close()

    def close(self) -> None:
        """Let go of all of them."""
        while self._kept:
            self._kept.popitem()[1].held.close()

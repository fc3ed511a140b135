"""Runs again what the repro.json of a failure holds, as the one-shot form would: one line on stdout, and its status."""

import os

from .codes import ErrorCode, Phase
from .failures import SCHEMA, record_failure
from .runner_error import RunnerError
from .server import Standing, answer_one
from .server_request import Request, parse_request, reproduction
from .strict_json import StrictJsonError, dumps, loads
from .supervisor import Supervisor
from .task_settings import Circumstances

__all__ = ["replay", "replayed_request"]


def replayed_request(
    path: str, *, bundle_path: str | None, python: str | None, timeout_s: float | None, outputs_dir: str | None
) -> Request:
    """Return the request in the file `path`; whatever is given here wins over what it says.

    Variables that were left out of it because they look secret are taken from our own.

    Raises:
        RunnerError: E_USAGE when it cannot be read, or holds no reproduction of this version.
    """
    try:
        with open(path, "rb") as file:
            document = loads(file.read())
    except OSError as error:
        raise _usage(f"expected a file in --replay, found none at {path!r:.500}: {error.strerror}") from None
    except StrictJsonError as error:
        raise _usage(f"expected a repro.json in --replay: {error}") from None
    found = document.get("request") if isinstance(document, dict) and document.get("schema") == SCHEMA else None
    if not isinstance(found, dict):
        raise _usage(f"expected a reproduction of the schema {SCHEMA} in --replay, found another document")
    request = parse_request(dumps(found).encode("utf-8"))
    bundle = request.bundle if bundle_path is None else request.bundle._replace(path=bundle_path)
    if not os.path.isdir(bundle.path):
        message = f"expected the bundle of the reproduction at {bundle.path!r:.500}, found no directory"
        raise _usage(f"{message}; say where it is with --bundle-path")
    left_out = document.get("variables_left_out") if isinstance(document, dict) else None
    names = [name for name in left_out if isinstance(name, str)] if isinstance(left_out, list) else []
    own = {name: os.environ[name] for name in names if name in os.environ}
    return request._replace(
        bundle=bundle,
        env={**request.env, **own},
        python=python or request.python,
        timeout_s=timeout_s or request.timeout_s,
        outputs_dir=outputs_dir,
    )


def replay(request: Request, started: float, supervisor: Supervisor, *, fresh: bool, preserve: bool) -> str:
    """Return the line that tells what came of `request` this time; `started` is a value of :func:`time.monotonic`.

    Raises:
        RunnerError: it failed, again or in another way.
    """
    supervisor.check_room()
    circumstances = Circumstances()
    standing = Standing(fresh, preserve, own_settings=True)
    try:
        result = answer_one(request, started + request.timeout_s, supervisor, standing, circumstances)
    except RunnerError as error:
        has_run = circumstances.pid is not None
        record_failure(error, reproduction(request), request.cache_dir, supervisor.log, has_run=has_run)
        raise
    return dumps(result) + "\n"


def _usage(message: str) -> RunnerError:
    return RunnerError(ErrorCode.USAGE, Phase.TASK, message)

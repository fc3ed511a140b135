"""Calls a target function in the child, in whichever of the three styles its signature shows.

The styles: ``f(sim_returns)``, ``f(sim_returns, target_data)``, and Calabaria's, a callable without parameters (or with
``data_paths`` alone) that yields an object with ``model_output`` and ``evaluate``.

See: CONTRACT section 4.
"""

from __future__ import annotations

import binascii
import inspect
import io
import json
import math
import os

from .channel import DOCUMENT, Channel, RefusedError, described
from .main import resolve
from .returns import MAX_DIAGNOSTICS_CHARACTERS, diagnostics_of, field_of, loss_of, replicates_of

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable

    from .job import Job

__all__ = ["run"]

_NOT_TABLES = frozenset({"metadata", "error"})


def run(channel: Channel, job: Job) -> None:
    """Import and call the target of `job`; send loss, diagnostics and the number of replicates."""
    channel.phase("import")
    if job["texts"]:
        _fill(job["sim_returns"], job["texts"])
    target = _target(job["reference"])
    call, is_calabaria = _bound(target, job)
    channel.phase("call")
    returned = call()
    channel.phase("result")
    document = {
        "loss": _loss(returned, is_calabaria=is_calabaria),
        "diagnostics": diagnostics_of(field_of(returned, "diagnostics")),
        "n_replicates": replicates_of(field_of(returned, "n_replicates"), len(job["sim_returns"])),
    }
    try:
        text = json.dumps(document, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _bad_result(f"expected diagnostics that JSON can hold, found some that it cannot: {error}") from None
    if len(text) > MAX_DIAGNOSTICS_CHARACTERS:
        raise _bad_result(f"expected diagnostics of at most {MAX_DIAGNOSTICS_CHARACTERS} characters, found {len(text)}")
    channel.send(DOCUMENT, text.encode("utf-8", "backslashreplace"))


def _fill(sim_returns: list[dict[str, object]], path: str) -> None:
    """Put the data itself into the places of what stands for it."""
    with open(path, "rb") as file:
        for replicate in sim_returns:
            outputs = replicate.get("outputs")
            for artifact in outputs.values() if isinstance(outputs, dict) else ():
                if isinstance(artifact["inline"], tuple):
                    start, size, is_text = artifact["inline"]
                    file.seek(start)
                    text = file.read(size)
                    artifact["inline"] = text.decode("ascii") if is_text else binascii.a2b_base64(text)
    os.unlink(path)


def _target(reference: str) -> object:
    module_name, separator, name = reference.rpartition(":")
    if not separator:
        module_name, separator, name = reference.rpartition("/")
        if separator and not _is_importable(module_name):
            # `targets.compute_loss/anything`: the function stands before the separator.
            module_name, _, name = module_name.rpartition(".")
    if not module_name or not name:
        raise RefusedError("E_ENTRYPOINT", f"expected a target as module:function, found {reference!r:.200}")
    try:
        return resolve(f"{module_name}:{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        message = f"expected a module {module_name!r:.200} for the target {reference!r:.200}, found none"
        raise RefusedError("E_ENTRYPOINT", message) from None


def _is_importable(module_name: str) -> bool:
    try:
        __import__(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        return False
    return True


def _bound(target: object, job: Job) -> tuple[Callable[[], object], bool]:
    sim_returns, target_data = job["sim_returns"], job["target_data"]
    if not callable(target):
        if hasattr(target, "evaluate"):
            return lambda: _evaluated(target, sim_returns), True
        raise RefusedError("E_ENTRYPOINT", f"expected the target to be callable, found {type(target).__qualname__}")
    signature = inspect.signature(target)
    names = list(signature.parameters)
    if names in ([], ["data_paths"]):
        return lambda: _evaluated(target(), sim_returns), True
    if _binds(signature, sim_returns, target_data):
        return lambda: target(sim_returns, target_data), False
    if _binds(signature, sim_returns):
        return lambda: target(sim_returns), False
    message = f"expected a target that takes (sim_returns), (sim_returns, target_data) or nothing, found {signature}"
    raise RefusedError("E_ENTRYPOINT", message)


def _binds(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _evaluated(evaluator: object, sim_returns: list[dict[str, object]]) -> object:
    evaluate = getattr(evaluator, "evaluate", None)
    model_output = getattr(evaluator, "model_output", None)
    if not callable(evaluate) or not isinstance(model_output, str):
        found = type(evaluator).__qualname__
        raise _bad_result(f"expected an object with model_output and evaluate() from the target, found {found}")
    try:
        # Only targets of this style need it, and it comes from the bundle's environment.
        polars = __import__("polars")
    except ModuleNotFoundError as error:
        error.add_note("A target without parameters is evaluated on polars tables: add polars to the dependencies.")
        raise
    read: Callable[[io.BytesIO], object] = polars.read_ipc
    replicates = [_tables(each, position, read) for position, each in enumerate(sim_returns)]
    lacking = [position for position, tables in enumerate(replicates) if model_output not in tables]
    if lacking:
        message = f"expected the output {model_output!r} in each replicate, found none in replicates {lacking[:20]}"
        raise _bad_result(message)
    return evaluate(replicates)


def _tables(replicate: dict[str, object], position: int, read: Callable[[io.BytesIO], object]) -> dict[str, object]:
    tables: dict[str, object] = {}
    outputs = replicate.get("outputs")
    for name, artifact in outputs.items() if isinstance(outputs, dict) else ():
        if name in _NOT_TABLES:
            continue
        try:
            tables[name] = read(io.BytesIO(artifact["inline"]))
        except Exception as error:  # whatever the bundle's polars raises, which cannot be imported here by name
            message = f"expected an Arrow file in output {name!r} of replicate {position}, found data that is none: "
            raise _bad_result(message + f"{error!s:.300}") from error
    return tables


def _loss(returned: object, *, is_calabaria: bool) -> float:
    loss = field_of(returned, "loss")
    if loss is None and is_calabaria:
        per_replicate = getattr(returned, "loglik_per_rep", None)
        if per_replicate is not None:
            return loss_of(_negative_log_mean(list(per_replicate)))
    if loss is None:
        message = "loss must be finite: expected a finite number as the target's loss, found no loss in "
        raise _bad_result(message + described(returned))
    return loss_of(loss)


def _negative_log_mean(values: list[float]) -> float:
    highest = max(values)
    if not math.isfinite(highest):
        return math.nan
    return math.log(len(values)) - highest - math.log(sum(math.exp(value - highest) for value in values))


def _bad_result(message: str) -> RefusedError:
    return RefusedError("E_WIRE_RESULT", message)

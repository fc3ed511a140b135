"""The two kinds of tasks, as calls of a warm process, and what its answers make of them.

Parsing, the task id and the checks of results are the cold runner's own.
"""

import binascii
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bundlekit.cold_runner.child.report import MAX_RESULT_BYTES
from bundlekit.cold_runner.child.returns import MAX_OUTPUTS, name_problem
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.output_files import INLINE_LIMIT, OutputFiles
from bundlekit.cold_runner.result import aggregation_of, asked_names
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.strict_json import JsonValue, dumps, loads
from bundlekit.cold_runner.task import param_id, parse_aggregation, parse_simulation, task_id
from bundlekit.model.outcome import Aggregated, Output, Simulated

__all__ = ["Aggregation", "Simulation", "Work"]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_LARGE = 1 << 64
"""Above that the interpreter may have a limit of its own, which is for the parser to meet."""


class Work(Protocol):
    """A call of `method`, in a process that has the `variables` of the task besides those that all have."""

    @property
    def method(self) -> str:
        """The name of the method."""

    @property
    def needs_wire(self) -> bool:
        """Whether the bundle must have a wire function."""

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Names and values, sorted."""

    @property
    def announced(self) -> str:
        """What the log says when it starts."""

    def params(self, digest: str) -> str:
        """Return what the call is given, as JSON, in a process of the bundle `digest`."""

    def outcome(self, result: Mapping[str, object], digest: str) -> Simulated | Aggregated:
        """Return what the answer says.

        Raises:
            RunnerError: E_WIRE_RESULT when it is no result, E_LIMIT when it is too large.
        """


class Simulation:
    """A call of the wire function; outputs above INLINE_LIMIT go into files in `outputs_dir`, if given.

    Raises:
        RunnerError: E_TASK when `task` is none.
    """

    method = "execute"
    needs_wire = True

    def __init__(self, task: Mapping[str, object], warn: Callable[[str], None], outputs_dir: Path | None) -> None:
        self._task = parse_simulation(_plain(task) or _as_json(task), warn)
        # The one text of them, for both ids and for the call.
        self._params = dumps(self._task.params)
        self._outputs_dir = outputs_dir
        self.variables = tuple(sorted(self._task.env.items()))

    @property
    def announced(self) -> str:
        """What the log says when it starts."""
        return f"Starting simulation {param_id(self._params)[:8]}-seed{self._task.seed}"

    def params(self, digest: str) -> str:
        """Return entrypoint, params and seed."""
        task = self._task
        return (
            f'{{"entrypoint":{dumps(task.entrypoint)},"params":{self._params},"seed":{task.seed},'
            f'"bundle_digest":"{digest}"}}'
        )

    def outcome(self, result: Mapping[str, object], digest: str) -> Simulated:
        """Return the outputs that the task asks for, with sizes and checksums of our own."""
        outputs = _outputs(result)
        names = asked_names(self._task, outputs)
        files = None if self._outputs_dir is None else OutputFiles(str(self._outputs_dir.resolve()))
        try:
            taken = {name: _output(outputs[name], files) for name in names}
        finally:
            if files is not None:
                files.discard()
        return Simulated(task_id(digest, self._task, self._params), taken)


class Aggregation:
    """A call of a target function.

    Raises:
        RunnerError: E_TASK when the arguments make no task.
    """

    method = "aggregate"
    variables: tuple[tuple[str, str], ...] = ()
    needs_wire = False

    def __init__(
        self,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        warn: Callable[[str], None],
    ) -> None:
        task = {"target_entrypoint": target, "sim_returns": list(sim_returns), "target_data": target_data}
        self._task = parse_aggregation(_as_json(task), warn, as_text=True)
        self.announced = f"Starting aggregation {target}"

    def params(self, digest: str) -> str:
        """Return the target and its data, in which inline data is base64."""
        return _ENCODER.encode({**self._task._asdict(), "bundle_digest": digest})

    def outcome(self, result: Mapping[str, object], _digest: str) -> Aggregated:
        """Return the loss and what belongs to it."""
        document = aggregation_of(json.dumps(result).encode())
        return Aggregated(document["loss"], document["diagnostics"], document["n_replicates"])


def _plain(task: Mapping[str, object]) -> JsonValue:
    """Return a copy of a task that JSON would give back as it is, as most are; None for one of which that is not sure.

    Writing and reading it would cost more than the look.
    """
    copy: dict[str, JsonValue] = {}
    for name, value in task.items():
        if type(value) is dict and all(type(key) is str and key.isascii() for key in value):
            if not all(map(_is_plain, value.values())):
                return None
            copy[name] = {**value}
        elif _is_plain(value):
            copy[name] = value  # type: ignore[assignment]  # it is one of the types that were looked for
        else:
            return None
    return copy


def _is_plain(value: object) -> bool:
    if type(value) is str:
        # A lone surrogate is for the parser to find.
        return value.isascii()
    if type(value) is int:
        return -_LARGE < value < _LARGE
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) is bool


def _as_json(task: Mapping[str, object]) -> JsonValue:
    """Return `task` as whoever reads it from JSON has it: the same for every executor."""
    try:
        return loads(_ENCODER.encode(task))
    except (TypeError, ValueError, RecursionError) as error:
        raise RunnerError(ErrorCode.TASK, Phase.TASK, f"the task cannot be used: it is no JSON: {error}") from None


def _outputs(result: Mapping[str, object]) -> dict[str, bytes]:
    if len(result) > MAX_OUTPUTS:
        raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, f"expected at most {MAX_OUTPUTS} outputs, found {len(result)}")
    outputs: dict[str, bytes] = {}
    for name, text in result.items():
        problem = name_problem(name)
        if problem is not None:
            raise RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, problem)
        try:
            outputs[name] = binascii.a2b_base64(text, strict_mode=True)  # type: ignore[arg-type]  # checked by the call
        except (TypeError, ValueError):
            message = "bundle code wrote into the runner's private result pipe"
            raise RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, message) from None
    size = sum(map(len, outputs.values()))
    if size > MAX_RESULT_BYTES:
        message = f"expected at most {MAX_RESULT_BYTES} bytes of outputs, found {size}"
        raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, message)
    return outputs


def _output(data: bytes, files: OutputFiles | None) -> Output:
    if files is not None and len(data) > INLINE_LIMIT:
        file = files.open()
        file.extend(data)
        return Output(len(data), file.checksum, None, file.publish())
    return Output(len(data), hashlib.blake2b(data, digest_size=32).hexdigest(), data, None)

"""The cold runner's answers, one JSON line each, and the values that they become.

The runner is our own process and has validated whatever came from bundle code, so its shapes are taken as given.
"""

import base64
import json
from typing import NotRequired, TypedDict

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import FatalError, RunnerError
from bundlekit.executors.verification import OutputDocument, problem_of_outputs
from bundlekit.model.outcome import (
    Aggregated,
    Failure,
    Imported,
    MemoryUse,
    Output,
    Prepared,
    RunnerWire,
    Simulated,
    TaskRun,
    Write,
)
from bundlekit.model.signature import CallableKind, Parameter, ParameterKind, Signature

__all__ = [
    "error_of",
    "failure_of",
    "imported_of",
    "not_run",
    "prepared_of",
    "result_of",
    "simulated_document_of",
    "task_run_of",
]


class _Environment(TypedDict):
    key: str
    python: str
    version: str
    installer: str
    reused: bool
    seconds: float


class _Code(TypedDict):
    reused: bool
    seconds: float
    installed_top_level: list[str]
    site: str


class _Wire(TypedDict):
    source: str
    name: str
    value: str
    distribution: str | None


class _Signature(TypedDict):
    parameters: list[tuple[str, str, bool]]
    kind: str


class _Failed(TypedDict):
    _fatal_error: NotRequired[FatalError]


class _PrepareResult(_Failed):
    environment: _Environment
    code: _Code
    wire: _Wire | None
    wire_error: str | None


class _ProbeResult(_Failed):
    reference: str
    callable: bool
    signature: _Signature | None
    signature_error: str | None
    origin: str
    relative: str | None


class _TaskResult(_Failed):
    task_id: NotRequired[str]
    outputs: dict[str, OutputDocument]
    loss: float
    diagnostics: dict[str, object]
    n_replicates: int


class _PrepareAnswer(TypedDict):
    result: _PrepareResult
    sandbox: str
    network: str


class _ProbeAnswer(TypedDict):
    result: _ProbeResult


class _Memory(TypedDict):
    peak: int
    processes: int


class _TaskAnswer(TypedDict):
    result: _TaskResult
    pid: int | None
    seconds: float
    writes: list[dict[str, str]]
    started_s: float | None
    sandbox: str
    memory: NotRequired[_Memory | None]


class _AnyAnswer(TypedDict):
    result: dict[str, object]


def result_of(line: str) -> dict[str, object]:
    """Return the document that the one-shot form of the runner would have printed."""
    answer: _AnyAnswer = json.loads(line)
    return answer["result"]


def simulated_document_of(line: str) -> dict[str, object]:
    """Return the document of a simulation, its outputs held against their sizes and checksums."""
    answer: _TaskAnswer = json.loads(line)
    problem = problem_of_outputs(answer["result"].get("outputs", {}))
    return result_of(line) if problem is None else {"_fatal_error": _damaged(problem)}


def prepared_of(line: str) -> Prepared | Failure:
    """Return what preparing gave."""
    answer: _PrepareAnswer = json.loads(line)
    result = answer["result"]
    if "_fatal_error" in result:
        return failure_of(result["_fatal_error"])
    environment, code, wire = result["environment"], result["code"], result["wire"]
    return Prepared(
        environment_key=environment["key"],
        python=environment["python"],
        version=environment["version"],
        installer=environment["installer"],
        environment_reused=environment["reused"],
        environment_seconds=environment["seconds"],
        code_reused=code["reused"],
        code_seconds=code["seconds"],
        installed_top_level=tuple(code["installed_top_level"]),
        site=code["site"],
        wire=None if wire is None else RunnerWire(**wire),
        wire_error=result["wire_error"],
        sandbox=answer["sandbox"],
        network=answer["network"],
    )


def imported_of(line: str) -> Imported | Failure:
    """Return what a probe found."""
    answer: _ProbeAnswer = json.loads(line)
    result = answer["result"]
    if "_fatal_error" in result:
        return failure_of(result["_fatal_error"])
    signature = result["signature"]
    return Imported(
        reference=result["reference"],
        is_callable=result["callable"],
        signature=None if signature is None else _signature_of(signature),
        signature_error=result["signature_error"],
        origin=result["origin"],
        relative_path=result["relative"],
    )


def task_run_of(line: str) -> TaskRun:
    """Return how a task went."""
    answer: _TaskAnswer = json.loads(line)
    memory = answer.get("memory")
    return TaskRun(
        outcome=_outcome_of(answer["result"]),
        pid=answer["pid"],
        seconds=answer["seconds"],
        writes=tuple(Write(each["path"], each["change"]) for each in answer["writes"]),
        sandbox=answer["sandbox"],
        started_s=answer["started_s"],
        memory=None if memory is None else MemoryUse(memory["peak"], memory["processes"]),
    )


def _damaged(problem: str) -> FatalError:
    return RunnerError(ErrorCode.DIGEST, Phase.RESULT, problem, retryable=True).document()


def _outcome_of(result: _TaskResult) -> Simulated | Aggregated | Failure:
    if "_fatal_error" in result:
        return failure_of(result["_fatal_error"])
    if "task_id" in result:
        problem = problem_of_outputs(result["outputs"])
        if problem is not None:
            return failure_of(_damaged(problem))
        return Simulated(result["task_id"], {name: _output_of(output) for name, output in result["outputs"].items()})
    return Aggregated(result["loss"], result["diagnostics"], result["n_replicates"])


def _output_of(output: OutputDocument) -> Output:
    inline = base64.b64decode(output["inline"], validate=True) if "inline" in output else None
    return Output(output["size"], output["checksum"], inline, output.get("ref"))


def _signature_of(signature: _Signature) -> Signature:
    parameters = tuple(
        Parameter(name, ParameterKind(kind), has_default) for name, kind, has_default in signature["parameters"]
    )
    return Signature(parameters, CallableKind(signature["kind"]))


def failure_of(error: FatalError) -> Failure:
    """Return the failure that a ``_fatal_error`` document tells of."""
    return Failure(
        error_code=ErrorCode(error["error_code"]),
        phase=Phase(error["phase"]),
        type_name=error["type"],
        message=error["message"],
        signal_name=error["signal"],
        retryable=error["retryable"],
        stderr_tail=error["stderr_tail"],
        log_path=error["log_path"],
    )


def error_of(failure: Failure) -> RunnerError:
    """Return the error of the runner that :func:`failure_of` made `failure` of."""
    return RunnerError(
        failure.error_code,
        failure.phase,
        failure.message,
        type_name=failure.type_name,
        signal_name=failure.signal_name,
        stderr_tail=failure.stderr_tail,
        log_path=failure.log_path,
        retryable=failure.retryable,
    )


def not_run(failure: Failure) -> TaskRun:
    """Return how a task went that was given no process."""
    return TaskRun(outcome=failure, pid=None, seconds=0.0, writes=(), sandbox="off")

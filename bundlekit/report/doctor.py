"""What ``doctor`` found -> lines for people."""

from collections.abc import Iterator

from bundlekit.model.counted import counted
from bundlekit.model.documents.doctor import (
    ClusterDocument,
    DifferenceOfWorkersDocument,
    DoctorDocument,
    ExecutorDocument,
    WorkerDocument,
)
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

__all__ = ["cluster_lines", "machine_lines"]

_DIGITS_SHOWN = 19
_GIGABYTE = 10**9


def machine_lines(found: DoctorDocument, style: Style) -> Iterator[str]:
    """Yield everything that was found, the variables that are set, and the problems last."""
    machine, python, tool, uv, sandbox = (
        found["machine"],
        found["python"],
        found["bundlekit"],
        found["uv"],
        found["sandbox"],
    )
    yield _row("machine", f"{machine['host']}, {machine['platform']}, {counted(machine['cpus'], 'processor')}")
    yield _row("python", f"{python['implementation']} {python['version']}, {printable(python['executable'])}")
    yield _row("bundlekit", f"{tool['version']}, {tool['digest'][:_DIGITS_SHOWN]}")
    yield _row("runner", tool["runner_digest"][:_DIGITS_SHOWN])
    yield _row("installer", f"{uv['installer'] or 'none'}, {printable(uv['path'] or 'uv is not installed')}")
    yield _row("sandbox", "; ".join([f"{sandbox['level']}, network {sandbox['network']}", *sandbox["missing"]]))
    for each in found["executors"]:
        chosen = " (the variables ask for it)" if each["name"] == found["executor"] else ""
        yield _row("executor", f"{_executor(each, style)}{chosen}")
    for room in found["caches"]:
        free = "?" if room["free"] is None else f"{room['free'] / _GIGABYTE:.1f} GB"
        yield _row(
            room["purpose"], f"{free} free in {printable(room['path'])}{'' if room['writable'] else ', not writable'}"
        )
    are_set = [each for each in found["variables"] if each["value"] is not None]
    for variable in are_set:
        yield _row("variable", f"{variable['name']}={printable(variable['value'] or '')}  -> {variable['setting']}")
    unset = len(found["variables"]) - len(are_set)
    yield _row("variables", f"{unset} more are read and are not set; --output json lists them")
    yield from _conclusion(found["problems"], found["notes"], style)


def cluster_lines(found: ClusterDocument, style: Style) -> Iterator[str]:
    """Yield a line for each worker, what differs between them, and the problems."""
    for worker in found["workers"]:
        yield f"{style(printable(worker['address']), 'strong')}  {_worker(worker, style)}"
    for difference in found["differences"]:
        yield from _difference(difference, style)
    yield _row("workers", f"{len(found['workers'])} at {found['scheduler']}")
    yield from _conclusion(found["problems"], [], style)


def _worker(worker: WorkerDocument, style: Style) -> str:
    found = worker["diagnosis"]
    runtime = f"runs {worker['runtime']}" if worker["runtime"] else "plugin not registered"
    if found is None:
        return f"{style('no answer', 'error')}, {runtime}"
    works = ", ".join(_executor(each, style) for each in found["executors"])
    python, tool, rooms = found["python"], found["bundlekit"], found["caches"]
    free = min((room["free"] for room in rooms if room["free"] is not None), default=0)
    return "; ".join(
        (
            runtime,
            f"asked for {found['executor'] or 'nothing that can be read'}",
            works,
            f"Python {python['version']}",
            f"bundlekit {tool['version']} {tool['digest'][:_DIGITS_SHOWN]}",
            f"{found['uv']['installer'] or 'no uv'}",
            f"sandbox {found['sandbox']['level']}",
            f"{free / _GIGABYTE:.1f} GB free",
        )
    )


def _difference(difference: DifferenceOfWorkersDocument, style: Style) -> Iterator[str]:
    yield f"{style('differs', 'warning')} {difference['what']}:"
    for value, workers in difference["values"].items():
        yield f"  {printable(value)}: {', '.join(map(printable, workers))}"


def _executor(executor: ExecutorDocument, style: Style) -> str:
    if executor["works"]:
        return f"{executor['name']} {style('works', 'good')}, {executor['seconds']:.1f} s"
    return f"{executor['name']} {style('does not work', 'error')}: {printable(executor['problem'] or '?')}"


def _conclusion(problems: list[str], notes: list[str], style: Style) -> Iterator[str]:
    for note in notes:
        yield f"{style('warning', 'warning')} {printable(note)}"
    for problem in problems:
        yield f"{style('error', 'error')} {printable(problem)}"
    yield style(f"{counted(len(problems), 'problem')} found", "error") if problems else style("all is well", "good")


def _row(name: str, text: str) -> str:
    return f"{name:<13} {text}"

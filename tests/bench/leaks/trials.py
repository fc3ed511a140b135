"""Runs sequences of tasks of a bundle as plainly as can be, without bundlekit, to hold the plants against what is so.

As a program, ``trials.py ROOT PACKAGE`` takes lists of task documents on standard input, one JSON line each, and prints
a line for each: the last task's output in hexadecimal digits, null when it gave none, and false when the process was
gone before it began. Each list has a process of its
own, forked before anything of the bundle is imported, and a copy of the bundle's files.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

__all__ = ["contradictions", "sequences"]


def sequences(count: int) -> Iterator[tuple[int, ...]]:
    """Yield the orders that a plant is held against: all short ones, the whole grid both ways, and repetitions."""
    for length in (1, 2, 3):
        yield from permutations(range(count), length)
    yield from ((task, task) for task in range(count))
    yield from ((first, other, first) for first, other in permutations(range(count), 2))
    yield tuple(range(count))
    yield tuple(reversed(range(count)))


def contradictions(root: Path, truth: "Truth") -> list[str]:  # noqa: F821 - of the module that imports this one
    """Return where the bundle in `root` does something else than its plant says, a sentence for each sequence."""
    compile_native(root)
    tried = list(sequences(len(truth.tasks)))
    outputs = _outputs(root, tried)
    alone = {order[0]: output for order, output in zip(tried, outputs, strict=True) if len(order) == 1}
    said = []
    for order, output in zip(tried, outputs, strict=True):
        if output is False:
            continue
        changed = alone[order[-1]] is not None and output != alone[order[-1]]
        if changed != truth.plant.changes([truth.tasks[number] for number in order]):
            said.append(f"{truth.name}: {order} {'changes' if changed else 'does not change'} its last task")
    return said


def compile_native(root: Path) -> None:
    """Build the extension module of the bundle in place, where it has one."""
    for source in root.glob("native/module.c*"):
        program = f"import pathlib, own; own.compiled(pathlib.Path({str(source.relative_to(root))!r}))"
        environment = {**os.environ, "PYTHONPATH": "backend"}
        subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=True)
        [built] = root.glob("native/_native*.so")
        [package] = {path.parent for path in root.glob("*/wire.py")}
        built.rename(package / built.name)


def _outputs(root: Path, tried: Sequence[Sequence[int]]) -> list[str | bool | None]:
    documents = json.loads((root / "grid.json").read_text(encoding="utf-8"))["tasks"]
    lines = "".join(json.dumps([documents[number] for number in order]) + "\n" for order in tried)
    [package] = {path.parent.name for path in root.glob("*/wire.py")}
    command = [sys.executable, "-P", "-s", "-B", __file__, str(root), package]
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, input=lines, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _main(root: str, package: str) -> None:
    for line in sys.stdin:
        with tempfile.TemporaryDirectory(prefix="leak-trial-") as directory:
            shutil.copytree(root, f"{directory}/bundle")
            Path(directory, "tmp").mkdir()
            receiving, sending = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(receiving)
                _run(directory, package, json.loads(line), sending)
            os.close(sending)
            with os.fdopen(receiving, encoding="ascii") as pipe:
                answer = pipe.read()
            os.waitpid(child, 0)
        begun, _, output = answer.partition("=")
        print(output or json.dumps(None if len(begun) == line.count('"seed"') else False), flush=True)


def _run(directory: str, package: str, tasks: Sequence[dict[str, object]], sending: int) -> None:
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    os.chdir(f"{directory}/bundle")
    os.environ["TMPDIR"] = tempfile.tempdir = f"{directory}/tmp"  # noqa: S108 - one of its own
    sys.path.insert(0, f"{directory}/bundle")
    wire = __import__(f"{package}.wire", fromlist=["wire"]).wire
    output = None
    for task in tasks:
        os.write(sending, b".")
        try:
            [output] = wire(task["entrypoint"], task["params"], task["seed"]).values()
        except (Exception, SystemExit):  # noqa: BLE001 - whatever a task does, the next one runs
            output = None
    os.write(sending, b"=" + json.dumps(output and output.hex()).encode())
    os._exit(0)


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""The commands ``run`` and ``runner export``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bundlekit.cli.parameters import Python, Sandbox, SandboxMode
from bundlekit.cli.terminal import say

__all__ = ["export", "run"]


def run(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A bundle's directory or archive.")],
    *,
    entrypoint: Annotated[str, typer.Option(help="What the wire function is asked for.")] = "main",
    params: Annotated[str, typer.Option(help="Parameters as a JSON object.")] = "{}",
    seed: Annotated[int, typer.Option(help="The seed, from 0 to 2**64 - 1.")] = 0,
    executor: Annotated[
        str, typer.Option(help="Which executor runs the task: cold, isolated_warm, direct or auto.")
    ] = "cold",
    cold_mode: Annotated[bool, typer.Option("--cold-mode", help="Short for --executor cold.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout-s", help="Deadline of the task in seconds.")] = 3600.0,
    outputs_dir: Annotated[
        Path | None, typer.Option("--outputs-dir", help="Where outputs over 512 KiB are written instead of inline.")
    ] = None,
    sandbox: Sandbox = SandboxMode.OFF,
    python: Python = None,
) -> int:
    """Run one task and print its result as one JSON line; logs go to standard error.

    It has a fresh process, unless another executor than cold is asked for.
    """
    from bundlekit.api.running import RunOptions, Task, run_task
    from bundlekit.cold_runner.codes import Phase
    from bundlekit.cold_runner.runner_error import RunnerError
    from bundlekit.errors import BundlekitError

    task = Task(entrypoint, params, seed, timeout_s, outputs_dir)
    options = RunOptions(python, sandbox.value, "cold" if cold_mode else executor)
    try:
        result = run_task(path, task, options, _log)
    except BundlekitError as refused:
        # Scripts read one line whatever happens; the caller says the rest on standard error.
        refusal = RunnerError(refused.code, Phase.TASK, refused.message)
        say(json.dumps({"_fatal_error": refusal.document()}, ensure_ascii=False) + "\n")
        raise
    say(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n")
    error = result.get("_fatal_error")
    return int(error["code"]) if isinstance(error, dict) else 0


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the runner.")],
) -> None:
    """Write the cold runner as a single file that any Python >= 3.11 runs without bundlekit."""
    from bundlekit.api.running import export_runner

    export_runner(file)
    say(f"wrote {file}: run it with `python {file} --bundle-path DIR < task.json`\n")


def _log(line: str) -> None:
    typer.echo(line, err=True)

"""`bundlekit grid` on a bundle whose tasks do as they are told."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["WIRE", "grid_command", "grid_document", "grid_file", "log_lines", "ran_grid"]

WIRE = """\
import os, signal, sys, time

n = 0

def wire(entrypoint, params, seed):
    global n
    n += 1
    kind = params.get("kind", "good")
    if "log" in params:
        with open(params["log"], "a") as file:
            file.write(f"{os.getpid()}\\n")
    if kind == "raise":
        raise ValueError("no such beta")
    if kind == "exit":
        sys.exit(3)
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    if kind == "nothing":
        return {}
    time.sleep(params.get("sleep", 0))
    return {"seen": b"%d %d" % (n, seed)}
"""


def grid_file(root: Path, **document: object) -> Path:
    """Write a grid file and return its path."""
    path = root / "grid.json"
    path.write_text(json.dumps({"entrypoint": "main", **document}), encoding="utf-8")
    return path


def grid_command(bundle: Path, spec: Path, *options: object) -> list[str]:
    """Return the words of the command."""
    words = ["grid", bundle, "--grid-spec", spec, *options]
    return [sys.executable, "-m", "bundlekit", *map(str, words)]


def ran_grid(bundle: Path, spec: Path, *options: object) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        grid_command(bundle, spec, *options), capture_output=True, check=False, text=True, timeout=120
    )


def grid_document(bundle: Path, spec: Path, *options: object, status: int = 0) -> Mapping[str, Any]:
    """Run the command and return its document; asserts the exit status."""
    done = ran_grid(bundle, spec, *options, "--output", "json")
    assert done.returncode == status, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def log_lines(log: Path) -> list[str]:
    """Return what tasks have written, a line each."""
    return log.read_text(encoding="ascii").split() if log.exists() else []

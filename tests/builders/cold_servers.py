"""The server form of the cold runner, as a host uses it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from builders.cold_runs import runner_environment

import bundlekit.cold_runner


class Server:
    """A host's side of the server form."""

    def __init__(self, cache: Path, scratch: Path, *, stderr: int = subprocess.DEVNULL, **env: str) -> None:
        folder = Path(bundlekit.cold_runner.__file__).parent
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-u", str(folder), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=runner_environment(cache, TMPDIR=str(scratch), **env),
        )

    def send(self, path: Path, verb: str, **more: object) -> None:
        """Send a request without waiting for its answer."""
        assert self.process.stdin
        request = {
            "verb": verb,
            "bundle": {"path": str(path), "digest": None, "files": None},
            "timeout_s": 30.0,
            **more,
        }
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, path: Path, verb: str, **more: object) -> dict[str, Any]:
        """Send a request and return its answer."""
        self.send(path, verb, **more)
        assert self.process.stdout
        answer = json.loads(self.process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        """Close stdin and wait for the end."""
        if self.process.stdin:
            self.process.stdin.close()
        if self.process.stdout:
            self.process.stdout.close()
        assert self.process.wait(10) in {0, 130}

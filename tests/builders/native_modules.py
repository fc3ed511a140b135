"""A module with planted state, compiled as setuptools would, and a process that calls its functions when asked."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["NativeProcess", "Planted", "compiled"]

_SOURCE = Path(__file__).with_name("planted.cpp")
_CALLS = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
planted = importlib.import_module("planted")
print("ready", flush=True)
for line in sys.stdin:
    name, argument = line.split()
    print(repr(getattr(planted, name)(int(argument))), flush=True)
"""


class Planted(NamedTuple):
    """Directories with the module as it was built, and as it is after `strip`."""

    whole: Path
    stripped: Path


def compiled(directory: Path, *options: str) -> Planted:
    """Return the module, built once with these options besides the usual ones."""
    found = Planted(directory / "whole", directory / "stripped")
    library = found.whole / "planted.so"
    found.whole.mkdir(parents=True)
    flags = ["-O2", "-fPIC", "-shared", "-std=c++17", *options, f"-I{sysconfig.get_path('include')}"]
    subprocess.run(["g++", *flags, str(_SOURCE), "-o", str(library)], check=True)
    shutil.copytree(found.whole, found.stripped)
    subprocess.run(["strip", str(found.stripped / "planted.so")], check=True)
    return found


class NativeProcess:
    """A process that has imported the module; use it as a context manager."""

    def __init__(self, code: Path, *imports: str, python: str = sys.executable) -> None:
        self.code = self.tree = code
        self._process = subprocess.Popen(
            [python, "-c", _CALLS, str(code), *imports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._line()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()

    def ask(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """Answer no questions: it runs tasks alone."""
        message = f"{method} is not asked here, with {params}"
        raise NotImplementedError(message)

    def call(self, name: str, argument: int) -> str:
        """Return what a function gives, as Python shows it."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(f"{name} {argument}\n")
        stdin.flush()
        return self._line()

    def _line(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline()
        assert line, "the process ended"
        return line.strip()

"""A module with planted state, compiled as setuptools would, and a process that calls its functions when asked."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["NativeProcess", "Planted", "compiled", "with_thread_local"]

_SOURCE = Path(__file__).with_name("planted.cpp")
_THREADS = """
#include <Python.h>
static _Thread_local long draws = 1;
static PyObject *thread(PyObject *self, PyObject *unused) { return PyLong_FromLong(++draws); }
static PyMethodDef methods[] = {{"thread", thread, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "planted", "", -1, methods};
PyMODINIT_FUNC PyInit_planted(void) { return PyModule_Create(&definition); }
"""
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


def with_thread_local(directory: Path, option: str) -> Path:
    """Return where a small module is that counts in each thread, built with an option that says how it finds that."""
    (directory / "planted.c").write_text(_THREADS)
    flags = ["-O1", "-fPIC", "-shared", option, f"-I{sysconfig.get_path('include')}"]
    subprocess.run(["gcc", *flags, str(directory / "planted.c"), "-o", str(directory / "planted.so")], check=True)
    return directory


def compiled(directory: Path) -> Planted:
    """Return the module, built once."""
    found = Planted(directory / "whole", directory / "stripped")
    library = found.whole / "planted.so"
    found.whole.mkdir(parents=True)
    flags = ["-O2", "-fPIC", "-shared", "-std=c++17", f"-I{sysconfig.get_path('include')}"]
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

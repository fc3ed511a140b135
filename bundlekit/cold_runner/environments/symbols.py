"""Builds that keep the names of variables in libraries, for who looks at the memory of a process.

Build tools strip what they install: pybind11 and scikit-build-core by CMake's strip, nanobind and many a setup.py by an
option of the linker. Both are kept from it; flags of the compiler stay as they are, so that the code is the same.
See: CMake's CMAKE_STRIP; GCC's COMPILER_PATH, which Clang heeds too; ld(1), --strip-all.
"""

import os
import shutil
import struct

from .environment import Workshop

__all__ = ["has_stripped_libraries", "keeping_symbols"]

_MAGIC = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<40xQ10xHH2x")
_KIND = struct.Struct("<4xI")
_SYMBOLS = 2

_NO_STRIP = "-DCMAKE_STRIP="
_LINKER = """\
#!/bin/sh
# The linker, but that it leaves symbols where they are.
for each in "$@"; do
  shift
  case $each in
    -s | --strip-all | -S | --strip-debug) ;;
    *) set -- "$@" "$each" ;;
  esac
done
exec {linker} "$@"
"""


def has_stripped_libraries(site: str) -> bool:
    """Return whether a library below `site` has no table of symbols, of those that are files of 64-bit ELF."""
    for folder, _, names in os.walk(site):
        if any(_is_stripped(os.path.join(folder, name)) for name in names if ".so" in name):
            return True
    return False


def keeping_symbols(workshop: Workshop, directory: str) -> Workshop:
    """Return `workshop` with an environment in which a build keeps symbols; `directory` is made for what that needs."""
    environ = dict(workshop.environ)
    environ["CMAKE_ARGS"] = f"{environ.get('CMAKE_ARGS', '')} {_NO_STRIP}".lstrip()
    passed = workshop.pass_env
    linker = shutil.which("ld", path=environ.get("PATH"))
    if linker is not None:
        os.mkdir(directory)
        path = os.path.join(directory, "ld")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_LINKER.format(linker=f"'{linker}'"))
        os.chmod(path, 0o700)
        before = environ.get("COMPILER_PATH") if "COMPILER_PATH" in passed else None
        environ["COMPILER_PATH"] = os.pathsep.join(filter(None, (directory, before)))
        passed = (*passed, "COMPILER_PATH")
    return workshop._replace(environ=environ, pass_env=passed)


def _is_stripped(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or not head.startswith(_MAGIC):
                return False
            start, size, count = _HEADER.unpack_from(head)
            file.seek(start)
            headers = file.read(size * count)
    except OSError:
        return False
    starts = range(0, len(headers) - _KIND.size, size) if size else range(0)
    return bool(starts) and all(_KIND.unpack_from(headers, start)[0] != _SYMBOLS for start in starts)

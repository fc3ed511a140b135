"""Runs in a process of its own: writes the readable form of each mangled name of its stdin, or an empty line.

The C++ runtime's own function is what compilers and debuggers use. A name can be made to need a gigabyte and an hour,
so the process has little of either; what it has not answered by then stays as it is.
"""

import ctypes
import resource
import sys

_MEMORY_BYTES = 1 << 28
_CPU_S = 1
_LONGEST = 4096
"""What is longer, nobody reads."""


def main() -> None:  # pragma: no cover - in a process of its own
    """Answer line by line, until there is no more input."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    demangle = getattr(ctypes.CDLL("libstdc++.so.6"), "__cxa_demangle")
    demangle.restype = ctypes.c_void_p
    demangle.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    free = ctypes.CDLL(None).free
    free.argtypes = (ctypes.c_void_p,)
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        found = demangle(line.rstrip(b"\n"), None, None, None)
        text = ctypes.string_at(found) if found else b""
        out.write((text if len(text) <= _LONGEST else b"") + b"\n")
        out.flush()
        free(found)


if __name__ == "__main__":  # pragma: no cover - as above
    main()

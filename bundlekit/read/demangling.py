"""Mangled names of C++ made readable, by the C++ runtime of this machine in a process of its own.

Packages that do it were measured on 8,272 names of numpy and libstdc++: the usual Python port reads half of them, the
Rust one has wheels for x86-64 alone, and the C one calls the same function as here, but in this process, which names in
a bundle can be made to crash or to hold for hours.
"""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundlekit.read import demangler_script

__all__ = ["demangled"]

_SCRIPT = Path(demangler_script.__file__)
_TIMEOUT_S = 10.0
_LONGEST = 8192
_MOST = 20_000


def demangled(names: Iterable[str]) -> Mapping[str, str]:
    """Return the readable form of each name that has one: none where the machine has no C++ runtime."""
    asked = [name for name in dict.fromkeys(names) if name.startswith("_Z") and _is_askable(name)][:_MOST]
    if not asked:
        return {}
    command = [sys.executable, "-I", "-S", str(_SCRIPT)]
    try:
        ended = subprocess.run(
            command, input="\n".join(asked).encode(), capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        answers = error.stdout or b""
    else:
        answers = ended.stdout
    # Where it was stopped in the middle of an answer, that is none.
    lines = answers.decode("utf-8", "replace").split("\n")[:-1]
    return {name: line for name, line in zip(asked, lines, strict=False) if line}


def _is_askable(name: str) -> bool:
    return len(name) <= _LONGEST and name.isascii() and name.isprintable()

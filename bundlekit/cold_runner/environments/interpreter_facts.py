"""What an interpreter says about itself.

Runs in two ways: imported by the runner, and as source under ``-I -c`` in any other interpreter, also one too old to be
used, which must be able to say so. So: no annotations newer than Python 3.6, and nothing imported but these three.
"""

import json
import os
import sys

__all__ = ["facts"]


def facts() -> "dict[str, str]":
    """Return implementation, version, platform, ABI and the path of the base interpreter, all as text."""
    libc = ""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        libc = ""  # not glibc: macOS, musl
    release = ".".join(str(part) for part in sys.version_info[:3])
    stage = "" if sys.version_info[3] == "final" else sys.version_info[3] + str(sys.version_info[4])
    tag = sys.implementation.cache_tag or ""
    multiarch = str(getattr(sys.implementation, "_multiarch", ""))
    base = getattr(sys, "_base_executable", "") or sys.executable
    return {
        "implementation": sys.implementation.name,
        "version": release + stage,
        "platform": " ".join(part for part in (sys.platform, os.uname().machine, libc) if part),
        "abi": " ".join(part for part in (tag, getattr(sys, "abiflags", ""), multiarch) if part),
        "executable": os.path.realpath(base),
    }


if __name__ == "__main__":
    print(json.dumps(facts()))  # noqa: T201 - the answer to the process that asked

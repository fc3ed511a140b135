"""Bundles run in the sandbox, and machines that lack a part of it: by the kernel's own means, so nothing is faked."""

import base64
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.cold_runs import MODULE, SIMULATION, Ran, run, wire_bundle
from builders.projects import write_tree

__all__ = [
    "Held",
    "as_user",
    "attempts",
    "held",
    "level_here",
    "needs_layers",
    "needs_user_namespaces",
    "without_calls",
    "without_namespaces",
]

_WIRE = """
    import json, os
    def attempt(work):
        try:
            return work()
        except BaseException as error:
            return f"{type(error).__name__}: {error}"
    def wire(entrypoint, params, seed):
        found = {}
        for name, work in attempts(params).items():
            found[name] = attempt(work)
        return {"found": json.dumps(found, default=repr).encode()}
"""

_WITHOUT_CALLS = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
prctl = {"x86_64": 157, "aarch64": 167}[os.uname().machine]
code = {
    "landlock": [(0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x50026)],
    "seccomp": [(0x15, 0, 3, prctl), (0x20, 0, 0, 16), (0x15, 0, 1, 22), (0x06, 0, 0, 0x50016)],
}
steps = [step for name in sys.argv[1].split(",") for step in [(0x20, 0, 0, 0), *code[name]]]
steps.append((0x06, 0, 0, 0x7FFF0000))
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(filter))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program)) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Has the kernel say, by seccomp(2), that it does not know Landlock's calls, or the use of seccomp itself."""


class Held(NamedTuple):
    """A run, what its attempts gave, and what the runner said that holds."""

    ran: Ran
    found: Mapping[str, object]
    level: str
    network: str


def attempts(**sources: str) -> str:
    """Return the source of a function that gives what to attempt, by name, each as an expression of `params`."""
    lines = [f"        {name!r}: lambda: {source}," for name, source in sources.items()]
    return "\n".join(["def attempts(params):", "    return {", *lines, "    }", ""])


def held(
    root: Path,
    cache_dir: Path,
    source: str,
    *,
    mode: str = "auto",
    params: Mapping[str, object] | None = None,
    settings: str = "",
    runner: Sequence[str] = MODULE,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Held:
    """Run a bundle whose module defines ``attempts(params)``, and return what each attempt gave or raised."""
    bundle = wire_bundle(root, textwrap.dedent(_WIRE) + textwrap.dedent(source))
    (bundle / "pyproject.toml").write_text(f"[tool.bundlekit]\n{settings}", encoding="utf-8")
    write_tree(bundle, files or {})
    task = {**SIMULATION, "params": params or {}}
    ran = run(bundle, cache_dir, task, "--sandbox", mode, "--timeout-s", "40", runner=runner, env=env)
    said = re.search(r"^Sandbox: (\S+), network ([a-z-]+)", ran.stderr.decode("utf-8", "replace"), re.MULTILINE)
    level, network = said.groups() if said else ("off", "open")
    found: dict[str, object] = {}
    if ran.status == 0:
        found = json.loads(base64.b64decode(str(ran.outputs["found"]["inline"])))
    return Held(ran, found, level, network)


@cache
def level_here(*, network_open: bool = False) -> str:
    """Return the level that this machine can hold, told by a process of the runner's code."""
    code = (
        "from bundlekit.cold_runner.sandbox.choice import choose_sandbox;"
        f"print(choose_sandbox('auto', network_open={network_open}).level)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return done.stdout.strip()


def as_user(command: Sequence[str]) -> list[str]:
    """Return `command` as a user without any privilege, who owns what the caller owns."""
    return [*(() if os.geteuid() else ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")), *command]


def without_calls(command: Sequence[str], *names: str) -> list[str]:
    """Return `command` on a kernel that lacks ``landlock`` or ``seccomp``, or both."""
    return [sys.executable, "-c", _WITHOUT_CALLS, ",".join(names), *command]


def without_namespaces(command: Sequence[str], *kinds: str) -> list[str]:
    """Return `command` where no further namespaces of `kinds` (net, mnt, user) may be made, as distributions set it."""
    limits = "; ".join(f"echo 0 > /proc/sys/user/max_{kind}_namespaces" for kind in kinds)
    return ["unshare", "--user", "--map-root-user", "sh", "-c", f'{limits}; exec "$@"', "sh", *command]


def needs_layers(*parts: str) -> pytest.MarkDecorator:
    """Return the mark of a test that only a machine with these layers can show."""
    lacking = sorted(set(parts) - set(level_here().split("+"))) if sys.platform == "linux" else []
    return pytest.mark.skipif(bool(lacking), reason=f"this machine cannot hold {', '.join(lacking)}")


def needs_user_namespaces() -> pytest.MarkDecorator:
    """Return the mark of a test that takes away namespaces, or privileges, in a user namespace of its own."""
    command = ["unshare", "--user", "--map-root-user", "true"]
    works = sys.platform == "linux" and subprocess.run(command, capture_output=True, check=False).returncode == 0
    return pytest.mark.skipif(not works, reason="no user namespaces here")

#!/usr/bin/env python3
"""The one way to set up, run and check bundlekit: ``python3 .ci/make.py STEP``.

Runs on any Python from 3.11 with nothing installed, so it imports the standard library alone. It keeps a virtual
environment in ``.venv`` beside pyproject.toml, made anew when pyproject.toml or the interpreter changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
ALSO = ("3.12", "3.13")
EVERYTHING_S = 840.0
"""`check` ends within this, whatever hangs: a killed check is a failed one."""

COVERAGE_PERCENT = 98
SMALLER_TIER = ("tests/unit", "tests/rules", "tests/process/test_cold_runner_acceptance.py")
"""What the other interpreters run: every promise about a value, and the acceptance script as the one real run."""

RULES_START, RULES_END = "<!-- rules -->", "<!-- /rules -->"


class Failed(Exception):  # noqa: N818  # reads as what happened: a step failed
    """A step failed; the message says which and how."""


class Outcome(NamedTuple):
    """How one check ended. `passed`, `failed` and `skipped` count tests, or the check itself where it has none."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float


class Environment(NamedTuple):
    """A virtual environment; `python` is its interpreter."""

    path: Path

    @property
    def python(self) -> str:
        """The interpreter's path."""
        return str(self.path / "bin" / "python")

    def script(self, name: str) -> str:
        """Return the path of a console script."""
        return str(self.path / "bin" / name)


# ---------------------------------------------------------------- processes


def run(command: Sequence[str], timeout_s: float | None = None) -> int:
    """Run `command` in the checkout, its output passed through, and return its exit status; 124 at the deadline.

    With a deadline it gets a session of its own, so that the whole tree of a hanging test can be killed; without one it
    stays in the terminal's, so that an interrupt or a debugger reaches it.
    """
    print(f"$ {_shown(command)}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=timeout_s is not None)
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        print(f"killed after {timeout_s:.0f} s", flush=True)
        return 124
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL) if timeout_s is not None else process.kill()
            process.wait()


def must(command: Sequence[str]) -> None:
    """Run `command`.

    Raises:
        Failed: it did not exit with 0.
    """
    status = run(command)
    if status:
        msg = f"exit status {status}: {_shown(command)}"
        raise Failed(msg)


def _shown(command: Sequence[str]) -> str:
    return shlex.join(word.removeprefix(f"{ROOT}/") for word in command)


# ---------------------------------------------------------------- environments


def environment(directory: str = ".venv", *, python: str = sys.executable, dev: bool = True) -> Environment:
    """Return the environment in `directory`, made or completed first if it is not up to date.

    It holds bundlekit itself, editable, and with `dev` the development tools too. The stamp is written last, so that a
    set-up that was interrupted is done again from the start.
    """
    made = Environment(ROOT / directory)
    stamp = made.path / "bundlekit-setup"
    base = _base_stamp(python)
    found = stamp.read_text(encoding="utf-8").splitlines() if stamp.is_file() else []
    if found[:1] != [base]:
        _create(made, python)
        found = []
    if "runtime" not in found:
        must([*_pip(made), "install", "--editable", "."])
        stamp.write_text(f"{base}\nruntime\n", encoding="utf-8")
    if dev and "dev" not in found:
        must([*_pip(made), "install", *development_requirements()])
        stamp.write_text(f"{base}\nruntime\ndev\n", encoding="utf-8")
    return made


def _base_stamp(python: str) -> str:
    identity = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.version, sys.base_prefix)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # The checkout's own path counts too: a virtual environment that was moved with it still points to the old place.
    document = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(b"\0".join([document, identity.encode(), os.fsencode(ROOT)])).hexdigest()


def _create(made: Environment, python: str) -> None:
    shutil.rmtree(made.path, ignore_errors=True)
    try:
        must([python, "-m", "venv", str(made.path)])
    except Failed:
        shutil.rmtree(made.path, ignore_errors=True)
        msg = f"{python} cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
        raise Failed(msg) from None


def _pip(made: Environment) -> list[str]:
    return [made.python, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def development_requirements() -> list[str]:
    """Return the group `dev` of pyproject.toml as a list: a pip before 25.1 has no option for groups."""
    import tomllib  # noqa: PLC0415  # absent before 3.11, where main() has something to say first

    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [str(requirement) for requirement in document["dependency-groups"]["dev"]]


def interpreters(version: str) -> Iterator[str]:
    """Yield real interpreters of `version` on this machine, each tried first.

    A pyenv shim answers only for versions that are switched on, so shims are passed over, and the folder of versions
    behind them is looked at instead, as are the neighbours of the running interpreter.
    """
    name = f"python{version}"
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    candidates = [folder / name for folder in folders if folder.name != "shims"]
    installed = [Path(sys.base_prefix).parent]
    installed += [folder.parent / "versions" for folder in folders if folder.name == "shims"]
    if "PYENV_ROOT" in os.environ:
        installed.append(Path(os.environ["PYENV_ROOT"]) / "versions")
    for folder in installed:
        candidates += sorted(folder.glob(f"*{version}*/bin/{name}"))
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and _answers(candidate, version):
            yield str(candidate)


def _answers(candidate: Path, version: str) -> bool:
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run([candidate, "-I", "-c", probe], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.stdout.strip() == version


# ---------------------------------------------------------------- single checks


def lint(_arguments: Sequence[str] = ()) -> None:
    """Check style: ruff's rules, then its formatting."""
    ruff = environment().script("ruff")
    must([ruff, "check", "."])
    must([ruff, "format", "--check", "."])


def types(_arguments: Sequence[str] = ()) -> None:
    """Check types: mypy, strict."""
    must([environment().script("mypy")])


def layers(_arguments: Sequence[str] = ()) -> None:
    """Check that higher stages import lower ones and never the reverse."""
    must([environment().script("lint-imports")])


def schemas(arguments: Sequence[str] = ()) -> None:
    """Check that schemas/ and README's table of rules are as the code says; with --write, write them."""
    made = environment()
    with tempfile.TemporaryDirectory(prefix="bundlekit-schemas-") as directory:
        must([made.python, "-m", "bundlekit.report.json_schemas", directory])
        fresh = {ROOT / "schemas" / path.name: path.read_text(encoding="utf-8") for path in Path(directory).iterdir()}
    fresh[ROOT / "README.md"] = _readme_with_rules(made)
    stale = [path for path, text in fresh.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    orphans = sorted(set((ROOT / "schemas").iterdir()) - fresh.keys())
    if "--write" in arguments:
        for path in stale:
            path.write_text(fresh[path], encoding="utf-8")
        for path in orphans:
            path.unlink()
    elif stale or orphans:
        names = ", ".join(_shown([str(path)]) for path in sorted([*stale, *orphans]))
        msg = f"not as the code says: {names}; write them with: python3 .ci/make.py schemas --write"
        raise Failed(msg)


def _readme_with_rules(made: Environment) -> str:
    command = [made.script("bundlekit"), "rules", "--output", "json"]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(RULES_START)
    _, _, after = rest.partition(RULES_END)
    return f"{before}{RULES_START}\n{_rules_table(json.loads(found))}{RULES_END}{after}"


def _rules_table(rules: Sequence[dict[str, str]]) -> str:
    rows = [f"| {rule['code']} | {rule['severity']} | {rule['title'].replace('|', chr(92) + '|')} |" for rule in rules]
    return "\n".join(["| code | severity | what it finds |", "|---|---|---|", *rows, ""])


def test(arguments: Sequence[str]) -> None:
    """Run the tests; arguments go to pytest."""
    must([environment().python, "-m", "pytest", *arguments])


def bench(arguments: Sequence[str] = ()) -> None:
    """Run the benchmarks, or those that are named: each prints its ratio to a floor of the same run."""
    made = environment()
    named = [str(ROOT / "tests" / "bench" / f"bench_{name}.py") for name in arguments]
    scripts = named or sorted(map(str, (ROOT / "tests" / "bench").glob("bench_*.py")))
    missed = [script for script in scripts if run([made.python, script])]
    if missed:
        msg = f"failed or above a goal: {_shown(missed)}"
        raise Failed(msg)


def soak(arguments: Sequence[str] = ()) -> None:
    """Run the cold runner for some minutes against what wants to break it; arguments go to tests/bench/soak.py."""
    must([environment().python, str(ROOT / "tests" / "bench" / "soak.py"), *arguments])


def leaks(arguments: Sequence[str] = ()) -> None:
    """Score the isolation experiment on bundles with planted leaks; arguments go to tests/bench/leak_population.py."""
    tier = arguments or ("--tier", "short")
    must([environment().python, str(ROOT / "tests" / "bench" / "leak_population.py"), *tier])


def example(_arguments: Sequence[str] = ()) -> None:
    """Do the main job on examples/sir: validate through a real smoke run, pack, verify."""
    bundlekit = environment(dev=False).script("bundlekit")
    sir = str(ROOT / "examples" / "sir")
    must([bundlekit, "validate", sir, "--level", "smoke"])
    with tempfile.TemporaryDirectory(prefix="bundlekit-example-") as directory:
        archive = str(Path(directory) / "sir.tar.zst")
        must([bundlekit, "pack", sir, "-o", archive])
        must([bundlekit, "verify", archive])


def build(_arguments: Sequence[str] = ()) -> None:
    """Build the source distribution and, from it, the wheel; install that alone and ask its version."""
    made = environment()
    with tempfile.TemporaryDirectory(prefix="bundlekit-build-") as directory:
        must([made.python, "-m", "build", "--outdir", directory, str(ROOT)])
        [wheel] = Path(directory).glob("*.whl")
        clean = Environment(Path(directory) / "venv")
        _create(clean, sys.executable)
        must([*_pip(clean), "install", str(wheel)])
        must([clean.script("bundlekit"), "--version"])
        must([clean.script("bundlekit"), "validate", "--level", "static", str(ROOT / "examples" / "sir")])


# ---------------------------------------------------------------- all of them


def check(_arguments: Sequence[str] = ()) -> None:
    """Run every check in order, all of them even when one fails, and end with one line that counts."""
    deadline = time.monotonic() + EVERYTHING_S
    environment()
    steps: list[tuple[str, Callable[[], None]]] = [
        ("lint", lint),
        ("types", types),
        ("layers", layers),
        ("schemas", schemas),
    ]
    outcomes = [_step(name, step) for name, step in steps]
    coverage = ["--cov", f"--cov-fail-under={COVERAGE_PERCENT}"]
    outcomes.append(_tests("tests", environment(), coverage, deadline))
    outcomes += [_smaller_tier(version, deadline) for version in ALSO]
    outcomes += [_step("soak", soak), _step("leaks", leaks), _step("build", build)]
    _summarise(outcomes)


def _step(name: str, step: Callable[[], None]) -> Outcome:
    _heading(name)
    started = time.monotonic()
    try:
        step()
    except Failed as failure:
        print(f"{name} failed: {failure}", flush=True)
        return Outcome(name, 0, 1, 0, time.monotonic() - started)
    return Outcome(name, 1, 0, 0, time.monotonic() - started)


def _smaller_tier(version: str, deadline: float) -> Outcome:
    name = f"tests on {version}"
    python = next(interpreters(version), None)
    if python is None or sys.version_info[:2] == tuple(map(int, version.split("."))):
        print(f"\n{name}: no other interpreter of that version on this machine", flush=True)
        return Outcome(name, 0, 0, 1, 0.0)
    try:
        made = environment(f".venvs/{version}", python=python)
    except Failed as failure:
        print(f"{name}: {failure}", flush=True)
        return Outcome(name, 0, 1, 0, 0.0)
    chosen = [path for path in SMALLER_TIER if (ROOT / path).exists()]
    return _tests(name, made, chosen, deadline)


def _tests(name: str, made: Environment, arguments: Sequence[str], deadline: float) -> Outcome:
    _heading(name)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bundlekit-junit-") as directory:
        junit = Path(directory) / "junit.xml"
        # Most tests wait for processes: two at once end in little more than half the time. Not the files with the most
        # tests first, as it would be else: those with few long ones would come last, and one of the two wait for them.
        command = [
            made.python,
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "--no-loadscope-reorder",
            f"--junitxml={junit}",
            *arguments,
        ]
        status = run(command, max(1.0, deadline - started))
        passed, failed, skipped = _counts(junit)
    # A status without a failed test is the coverage gate, a collection error or the deadline: it must not be lost.
    failed = failed or int(status != 0)
    return Outcome(name, passed, failed, skipped, time.monotonic() - started)


def _counts(junit: Path) -> tuple[int, int, int]:
    if not junit.is_file():
        return 0, 0, 0
    suites = list(ET.parse(junit).getroot().iter("testsuite"))  # noqa: S314  # written by our own pytest a moment ago
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def _heading(name: str) -> None:
    print(f"\n=== {name}", flush=True)


def _summarise(outcomes: Sequence[Outcome]) -> None:
    _heading("all checks")
    for outcome in outcomes:
        verdict = "FAILED" if outcome.failed else "passed" if outcome.passed else "skipped"
        print(f"{outcome.name:<16} {verdict:<8} {outcome.seconds:6.1f} s")
    passed, failed, skipped = (sum(column) for column in list(zip(*outcomes, strict=True))[1:4])
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if failed:
        raise SystemExit(1)


STEPS = {
    step.__name__: step for step in (example, check, test, lint, types, layers, schemas, bench, soak, leaks, build)
}


def main(argv: Sequence[str]) -> int:
    """Run the step that is named and return the exit status."""
    if sys.version_info < OLDEST:  # said in one sentence instead of an ImportError further down
        print(f"bundlekit needs Python 3.11 or newer, found {sys.version.split()[0]} at {sys.executable}")
        return 2
    parser = argparse.ArgumentParser(prog="make.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    described = "\n".join(f"{name:<8} {(step.__doc__ or '').splitlines()[0]}" for name, step in STEPS.items())
    parser.add_argument("step", choices=STEPS, help=described, metavar="STEP")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on by test, bench and schemas")
    options = parser.parse_args(argv)
    # pip trusts the machine's certificates and uv its own: behind an institute's proxy only the machine's will do.
    for variable in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS"):
        os.environ.setdefault(variable, "1")
    try:
        STEPS[options.step](options.arguments)
    except Failed as failure:
        print(f"make.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

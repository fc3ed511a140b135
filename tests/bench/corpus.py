"""Holds the static checker against what really imports, in any environment; a wrong verdict makes the exit status 1.

``corpus.py --python PATH`` compares every entry point declared in that environment, and each once more under a name
that does not exist; ``corpus.py --python PATH --functions numpy scipy`` every public function, class and method of
those packages. "missing" for what imports and "present" for a name that does not exist are wrong, and so is a signature
that differs from that of :func:`inspect.signature`; *unknown* is allowed, and counted with its reasons. The lists in
`corpus/` beside this file are the distributions that the figures were measured on, each for an environment of its own.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.check.resolver import Resolver
from bundlekit.check.syntax import paused_collector
from bundlekit.check.values import Constant, Function, ModuleValue, Value, is_broken
from bundlekit.cold_runner.entry_point import Reference, parse_reference
from bundlekit.model.declaration import Dependencies, Settings
from bundlekit.model.digest import Digest
from bundlekit.model.project import Project, ProjectTable
from bundlekit.model.signature import Unknown
from bundlekit.read.library import DiskLibrary

OBSERVER = Path(__file__).with_name("observe_environment.py")
RENAMED = "_renamed_by_bundlekit"
GOAL_UNKNOWN, GOAL_UNSIGNED = 0.03, 0.10
SHOWN = 100_000
ASKED = """
import json, sys, sysconfig
print(json.dumps([sysconfig.get_path('stdlib'), sys.path, sys.version_info[:2]]))
"""


class Observed(NamedTuple):
    """What importing gave for one reference: an error, or whether it can be called and with which parameters."""

    distribution: str
    module: str
    attribute: str
    error: str | None
    is_callable: bool
    signature: list[list[object]] | None

    @property
    def reference(self) -> str:
        """The reference as it would be written."""
        return f"{self.module}:{self.attribute}" if self.attribute else self.module


def main(argv: Sequence[str]) -> int:
    """Print the figures; return 1 for a wrong verdict, or for more unknown ones than the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="the interpreter of the environment")
    parser.add_argument("--functions", nargs="+", metavar="PACKAGE", help="look at public functions instead")
    parser.add_argument("--observed", type=Path, help="a file that keeps the observations, so that they are made once")
    options = parser.parse_args(argv)
    sys.setrecursionlimit(5000)
    tally = Tally()
    resolver, package = _resolver(options.python), ""
    with paused_collector():
        for observed in _observations(options):
            if observed.distribution != package and options.functions:
                # One package's trees at a time: those of all of them need more memory than most machines have.
                resolver, package = _resolver(options.python), observed.distribution
            tally.add(observed, _verdict(resolver, observed))
    return tally.report()


def _observations(options: argparse.Namespace) -> Iterator[Observed]:
    if options.observed is None or not options.observed.exists():
        mode = ["functions", *options.functions] if options.functions else ["entry-points"]
        command = [options.python, "-W", "ignore", str(OBSERVER), *mode]
        text = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        if options.observed is not None:
            options.observed.write_text(text, encoding="utf-8")
    else:
        text = options.observed.read_text(encoding="utf-8")
    for line in text.splitlines():
        document = json.loads(line)
        yield Observed(
            document["distribution"],
            document["module"],
            document["attribute"],
            document["error"],
            document.get("callable", False),
            document.get("signature"),
        )


def _resolver(python: str) -> Resolver:
    answer = subprocess.run([python, "-c", ASKED], check=True, capture_output=True, encoding="utf-8", cwd="/").stdout
    stdlib, path, version = json.loads(answer)
    sites = [entry for entry in path if entry.endswith("site-packages") or "site-packages/" in entry]
    library = DiskLibrary([stdlib, f"{stdlib}/lib-dynload"], sites, is_complete=True, version=(version[0], version[1]))
    return Resolver(_empty_project()._replace(library=library))


def _empty_project() -> Project:
    nothing = Digest.of(b"")
    return Project(
        root="",
        name=None,
        version=None,
        requires_python=None,
        table=ProjectTable.MISSING,
        build_backend=None,
        source_roots=(),
        wires=(),
        targets=(),
        dependencies=Dependencies((), None, nothing),
        settings=Settings(),
        smoke=(),
        references=(),
        members=(),
        excluded=(),
        refused=(),
        empty_directories=(),
        sources={},
        problems=(),
    )


def _verdict(resolver: Resolver, observed: Observed) -> tuple[Value, Value] | None:
    """Return what the reference names, and what calling it is; None for what is no reference at all."""
    if not observed.attribute:
        if not all(part.isidentifier() for part in observed.module.split(".")):
            return None
        found: Value = resolver.imported_module(observed.module)
        return found, found
    try:
        reference: Reference = parse_reference(f"{observed.module}:{observed.attribute}")
    except ValueError:
        return None
    named = resolver.named(reference)
    if isinstance(named, ModuleValue) and not named.imported:
        is_imported = resolver.closure.reaches(observed.module, named.module.name)
        named = named if is_imported else Unknown(f"{named.module.name} is there only if something imports it")
    return named, resolver.resolve(reference)


class Tally:
    """Counts verdicts and keeps the wrong ones."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.unsigned: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.distributions: set[str] = set()

    def add(self, observed: Observed, verdict: tuple[Value, Value] | None) -> None:
        """Count one reference."""
        if verdict is None:
            self.counts["no reference"] += 1
            return
        self.distributions.add(observed.distribution)
        named, called = verdict
        renamed = RENAMED in observed.reference
        kind = "imports" if observed.error is None else "renamed" if renamed else "fails by itself"
        self.counts[kind] += 1
        said = _existence(named)
        self.counts[f"{kind}: {said}"] += 1
        if (kind, said) in {("imports", "missing"), ("renamed", "present")}:
            self.wrong.append(f"{said}: {observed.reference} ({observed.error or 'imports'}) {_shown(named)}")
        if said == "unknown" and kind == "imports":
            reason = named.reason if isinstance(named, Unknown) else str(getattr(named, "why", named))
            self.reasons[f"{observed.reference}: {reason}"] += 1
        if kind == "imports" and observed.is_callable and observed.signature is not None:
            self._add_signature(observed, called)

    def _add_signature(self, observed: Observed, called: Value) -> None:
        self.counts["callables"] += 1
        match called:
            case Function(signature=signature):
                ours = [[each.name, each.kind.name, each.has_default] for each in signature.parameters]
                self.counts["signature equal"] += ours == observed.signature
                if ours != observed.signature:
                    self.wrong.append(f"signature: {observed.reference} {signature} is {observed.signature}")
            case Unknown(reason=reason):
                self.counts["signature unknown"] += 1
                self.unsigned[f"{observed.reference}: {reason}"] += 1
            case Constant() | ModuleValue():
                self.wrong.append(f"no callable: {observed.reference} {_shown(called)} is {observed.signature}")
            case _:
                self.counts["signature unknown"] += 1
                self.unsigned[f"{observed.reference}: {_shown(called)}"] += 1

    def report(self) -> int:
        """Print everything and return the exit status."""
        for name, count in sorted(self.counts.items()):
            print(f"{name:<24} {count:8,}")
        unknown = self.counts["imports: unknown"] / max(1, self.counts["imports"])
        unsigned = self.counts["signature unknown"] / max(1, self.counts["callables"])
        print(f"distributions            {len(self.distributions):8,}")
        print(f"unknown of what imports  {unknown:8.2%}   goal {GOAL_UNKNOWN:.0%}")
        print(f"signatures unknown       {unsigned:8.2%}   goal {GOAL_UNSIGNED:.0%}")
        print(f"wrong                    {len(self.wrong):8,}   goal 0")
        for line in self.wrong:
            print(f"  WRONG {line:.300}")
        for title, reasons in (("unknown", self.reasons), ("no signature", self.unsigned)):
            for reason, _ in reasons.most_common(SHOWN):
                print(f"  {title}: {reason:.200}")
        return int(bool(self.wrong) or unknown > GOAL_UNKNOWN or unsigned > GOAL_UNSIGNED)


def _existence(named: Value) -> str:
    if is_broken(named):
        return "missing"
    return "unknown" if not getattr(named, "is_there", True) else "present"


def _shown(value: Value) -> str:
    return f"{type(value).__name__} {str(value)[:150]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

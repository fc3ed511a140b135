"""Scores ``bundlekit isolation`` on small bundles of which is known what leaks, by what, and after which tasks.

``leak_population.py [--seed N] [--size N] [--tier short|long] [--keep DIR] [--only WORD] [--check-plants]``. Half of
the bundles have a planted leak of one of the kinds in `leaks/`, the other half is clean and looks much like them. It
prints how many verdicts, sequences, cells and names were right, and every miss with its bundle, which is kept. The exit
status is 1 when a verdict, a sequence, a cell or a native name was wrong. `--check-plants` does not ask bundlekit at
all: it holds what the plants say against plain runs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from leaks.bundles import KINDS, Truth, population, write_bundle
from leaks.score import ASPECTS, Judgement, judged
from leaks.trials import contradictions

TIERS = {"short": 12, "long": 200}
AT_ONCE = 2


class Tried(NamedTuple):
    """One bundle: what was found wrong, and how long it took."""

    truth: Truth
    judgement: Judgement
    seconds: float


def main(argv: Sequence[str]) -> int:
    """Try all bundles, print the score, and return the exit status."""
    parser = argparse.ArgumentParser(description="Score the isolation experiment on bundles with planted leaks.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, help="how many bundles; takes the place of the tier's")
    parser.add_argument("--tier", choices=TIERS, default="long")
    parser.add_argument("--keep", type=Path, help="where bundles with misses are kept; default a new directory")
    parser.add_argument("--only", default="", help="only bundles whose name has this in it")
    parser.add_argument("--check-plants", action="store_true", help="hold the plants against plain runs instead")
    options = parser.parse_args(argv)
    size = options.size or TIERS[options.tier]
    chosen = [truth for truth in population(options.seed, size) if options.only in truth.name]
    with tempfile.TemporaryDirectory(prefix="bundlekit-leaks-") as directory:
        if options.check_plants:
            return _check_plants(chosen, Path(directory))
        started = time.monotonic()
        keep = options.keep or Path(tempfile.gettempdir()) / f"bundlekit-leaks-missed-{os.getpid()}"
        tried = [*_tried(chosen, Path(directory), keep)]
        return _print_score(tried, f"seed {options.seed}", time.monotonic() - started)


def _check_plants(chosen: Sequence[Truth], top: Path) -> int:
    def check(truth: Truth) -> list[str]:
        def changes(numbers: Sequence[int]) -> bool:
            return truth.plant.changes([truth.tasks[number] for number in numbers])

        bundle = write_bundle(top / truth.directory_name, truth)
        return [f"{truth.name}: {each}" for each in contradictions(bundle, len(truth.tasks), changes)]

    steady = [truth for truth in chosen if truth.verdict != "nondeterministic"]
    wrong = 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for sentences in threads.map(check, steady):
            wrong += len(sentences)
            for sentence in sentences:
                print(sentence, flush=True)
    print(f"{len(steady)} bundles, {wrong} sequences that do not do as planted")
    return int(wrong > 0)


def _tried(chosen: Sequence[Truth], top: Path, keep: Path) -> Iterator[Tried]:
    environment = {**os.environ, "VENVS_DIR": str(top / "cache")}

    def attempt(truth: Truth) -> Tried:
        bundle = write_bundle(top / truth.directory_name, truth)
        began = time.monotonic()
        options = ["--grid-spec", str(bundle / "grid.json"), "--jobs", "1", "--output", "json"]
        command = [sys.executable, "-m", "bundlekit", "isolation", str(bundle), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        judgement = judged(truth, _document(done.stdout), done.stderr)
        if judgement.misses:
            shutil.copytree(bundle, keep / bundle.name, dirs_exist_ok=True)
            (keep / bundle.name / "found.json").write_text(done.stdout, encoding="utf-8")
        shutil.rmtree(bundle)
        return Tried(truth, judgement, time.monotonic() - began)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for tried in threads.map(attempt, chosen):
            kept = keep / tried.truth.directory_name
            for aspect, sentence in tried.judgement.misses:
                print(f"miss ({aspect}) {tried.truth.name}: {sentence} [{kept}]", flush=True)
            yield tried


def _document(text: str) -> Mapping[str, object] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _print_score(tried: Sequence[Tried], drawn: str, seconds: float) -> int:
    kinds = {one.truth.kind.name for one in tried if one.truth.is_planted}
    planted = sum(one.truth.is_planted for one in tried)
    print(f"{len(tried)} bundles, {drawn}: {planted} planted with {len(kinds)} of {len(KINDS)} kinds, the others clean")
    for aspect in ASPECTS:
        asked = sum(one.judgement.asked[aspect] for one in tried)
        right = sum(one.judgement.right[aspect] for one in tried)
        print(f"{aspect.name:<16} {right:>5} of {asked:>5} {aspect.what}")
    each = sorted(one.seconds for one in tried)
    median = each[len(each) // 2]
    print(f"{seconds:.0f} s in all, {AT_ONCE} at once; a bundle took {median:.1f} s, at most {each[-1]:.1f} s")
    return int(any(aspect.counts for one in tried for aspect, _ in one.judgement.misses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

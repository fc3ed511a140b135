"""Prints what the cache of environments loses under load: many creators on empty caches, and creators that are killed.

Run it as ``python tests/bench/soak_environments.py [CACHES KILLS]`` (50 and 500). The pauses before the kills are the
same in every run. Ends with status 1 if anything was lost: a creator that failed, a build too many, an entry that is
not as it was installed.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders import environments
from builders.environments import BACKEND, make_wheel, own_bundle, write_bundle
from uv import find_uv_bin

from bundlekit.api.caches import verify_cache

_CREATORS = 16
_KILLS_OF_A_CACHE = 5
_COUNTING = "import os\nopen(os.environ['COUNTER'], 'a').write('x')\n" + BACKEND


class Yard:
    """A directory with one bundle, from which creators make caches."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._counter = root / "counter"
        self._bundle = write_bundle(root / "bundle", own_bundle("tiny-dependency", backend=_COUNTING))
        wheels = make_wheel(root / "wheels", "tiny_dependency").parent
        self._env = {**os.environ, "BUNDLEKIT_UV": find_uv_bin(), "COUNTER": str(self._counter)}
        for installer in ("PIP", "UV"):
            self._env |= {f"{installer}_FIND_LINKS": str(wheels), f"{installer}_NO_INDEX": "1"}

    def creator(self, cache: str) -> "subprocess.Popen[bytes]":
        """Start a process that prepares the bundle in the cache of this name and ends."""
        command = [sys.executable, str(environments.__file__), str(self._bundle), str(self._root / cache), "120"]
        null = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=self._env)

    def builds_of_creators(self, cache: str) -> tuple[int, int]:
        """Return how often many creators at once built the bundle on an empty cache, and how many of them succeeded."""
        self._counter.write_text("")
        creators = [self.creator(cache) for _ in range(_CREATORS)]
        succeeded = sum(creator.wait() == 0 for creator in creators)
        return len(self._counter.read_text()), succeeded

    def is_sound(self, cache: str) -> bool:
        """Return whether a creator succeeds and leaves only what is as it was installed; removes the cache."""
        if self.creator(cache).wait() != 0:
            return False
        os.environ["VENVS_DIR"] = str(self._root / cache)
        verdicts = {each.verdict for each in verify_cache(lambda _line: None).verifications}
        shutil.rmtree(self._root / cache)
        return verdicts == {"sound"}


def main(caches: int, kills: int) -> int:
    """Print both figures and return the exit status."""
    pauses = random.Random(5)  # noqa: S311 - the same pauses in every run
    with tempfile.TemporaryDirectory(prefix="bundlekit-soak-") as root:
        yard = Yard(Path(root))
        started = time.monotonic()
        results = [yard.builds_of_creators(f"empty-{number}") for number in range(caches)]
        builds, wrong = sum(built for built, _ in results), sum(each != (1, _CREATORS) for each in results)
        seconds = time.monotonic() - started
        print(f"{_CREATORS} creators on each of {caches} empty caches: {builds} builds, {wrong} wrong, {seconds:.0f} s")
        started, lost = time.monotonic(), 0
        for number in range(1, kills + 1):
            creator = yard.creator("killed")
            time.sleep(pauses.uniform(0.05, 0.7))
            creator.kill()
            creator.wait()
            if number % _KILLS_OF_A_CACHE == 0:
                lost += not yard.is_sound("killed")
        print(f"{kills} creators killed: {lost} caches lost, {time.monotonic() - started:.0f} s")
    return int(bool(wrong or lost))


if __name__ == "__main__":
    counts = [int(word) for word in sys.argv[1:]]
    raise SystemExit(main(*(counts or [50, 500])))

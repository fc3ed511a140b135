"""The invariants of HOSTILE_CORPUS that hold after everything that is done with hostile input."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from builders.invariants import Ground, ordinary_bundle
from builders.inventory import inventory

from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.finding import Level, Report
from bundlekit.report.outputs import Format, render

Judge = Callable[[Path], Report]
_MOST_SECONDS = 10.0


@pytest.fixture
def judge(capfd: pytest.CaptureFixture[str]) -> Judge:
    """Validate a directory statically, and hold what every row must keep.

    I1: each format prints, JSON strictly. I2: no exception, exit status 0 or 1, and no hang, in time of this process
    whatever else the machine does. I3: the bundle is as it was. Nothing is printed meanwhile, and no message holds a
    character that could move a cursor or reorder a line.
    """

    def judged(root: Path, *, job_spec: Path | None = None) -> Report:
        before = inventory(root)
        started = time.process_time()
        options = ValidateOptions(level=Level.STATIC, job_spec=job_spec)
        (report,) = validate([root], options, lambda _message: None)
        assert time.process_time() - started < _MOST_SECONDS
        assert report.exit_status in {0, 1}
        assert report.obstacle is None
        for form in Format:
            render([report], form).encode()
        text = render([report], Format.TEXT)
        assert all(character.isprintable() or character == "\n" for character in text)
        json.loads(render([report], Format.JSON), parse_constant=_refuse)
        assert inventory(root) == before
        assert capfd.readouterr() == ("", "")
        return report

    return judged


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def ordinary(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A bundle that has run on the cache: what every hostile task shares with those that are honest."""
    return ordinary_bundle(tmp_path_factory.mktemp("ordinary"), cache)


@pytest.fixture
def ground(tmp_path: Path, ordinary: Path, cache: Path) -> Iterator[Ground]:
    """Where a hostile task is run, and all six invariants are held after it."""
    with tempfile.TemporaryDirectory(prefix="bk") as scratch:
        yield Ground(tmp_path, Path(scratch), cache, ordinary)


def _refuse(name: str) -> NoReturn:
    raise AssertionError(name)

"""The invariants of HOSTILE_CORPUS that hold after every static validation of a hostile bundle."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
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


def _refuse(name: str) -> NoReturn:
    raise AssertionError(name)

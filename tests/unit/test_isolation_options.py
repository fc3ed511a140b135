"""How an experiment is asked for again."""

from pathlib import Path

import pytest

from bundlekit.api.isolation_options import IsolationOptions, command_of

_COMMANDS = {
    "defaults": (IsolationOptions(), "bundlekit isolation 'my model' --sequence 0,2"),
    "a grid": (IsolationOptions(Path("g.json")), "bundlekit isolation 'my model' --grid-spec g.json --sequence 0,2"),
    "what changes a result": (
        IsolationOptions(python="3.12", sandbox="off", timeout_s=2.5),
        "bundlekit isolation 'my model' --python 3.12 --sandbox off --timeout-s 2.5 --sequence 0,2",
    ),
    "what changes none": (
        IsolationOptions(seed=3, jobs=1, max_tasks=9, resume=Path("r")),
        "bundlekit isolation 'my model' --sequence 0,2",
    ),
}


@pytest.mark.parametrize(("options", "expected"), _COMMANDS.values(), ids=_COMMANDS)
def test_the_command_has_what_the_result_hangs_on(options: IsolationOptions, expected: str) -> None:
    """A task that hung until its deadline would otherwise take the default one, of ten minutes, when shown again."""
    assert command_of("my model", options)((0, 2)) == expected

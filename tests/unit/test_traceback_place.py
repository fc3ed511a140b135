"""Pointing at the bundle's own line behind a failed import."""

import pytest

from bundlekit.model.place import Place
from bundlekit.probe.traceback_place import place_of_traceback

SOURCES = ["src/coin/wire.py", "src/coin/model/wire.py", "targets.py"]


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        pytest.param(["/t/bundle/targets.py:3"], Place("targets.py", 3), id="the copy of the tree"),
        pytest.param(["/c/site-packages/coin/wire.py:7"], Place("src/coin/wire.py", 7), id="the installed package"),
        pytest.param(["/c/coin/model/wire.py:2"], Place("src/coin/model/wire.py", 2), id="the longest end wins"),
        pytest.param(
            ["/c/coin/wire.py:7", "/env/site-packages/numpy/core.py:99"],
            Place("src/coin/wire.py", 7),
            id="a dependency raised",
        ),
        pytest.param(
            ["/t/targets.py:1", "/c/coin/wire.py:7"], Place("src/coin/wire.py", 7), id="the innermost of ours"
        ),
        pytest.param(["/env/site-packages/numpy/core.py:99"], None, id="no frame of ours"),
        pytest.param(["/c/notcoin_wire.py:1", "/x/other_targets.py:1"], None, id="a name that only ends alike"),
        pytest.param([], None, id="no traceback"),
    ],
)
def test_the_innermost_frame_in_the_bundle_is_the_place(frames: list[str], place: Place | None) -> None:
    """A finding at the import's line is worth more than one at the entry point's (PEERS item 3)."""
    lines = ["Traceback (most recent call last):"]
    lines += ['  File "{}", line {}, in <module>'.format(*frame.rsplit(":", 1)) for frame in frames]
    assert place_of_traceback("\n".join([*lines, "ValueError: no"]), SOURCES, ["src", ""]) == place

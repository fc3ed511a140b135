"""Evidence of the out-of-memory killer, read from files as the kernel writes them."""

from pathlib import Path

import pytest

from bundlekit.cold_runner.child.process import Ending
from bundlekit.cold_runner.child.report import ChildReport
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.memory_events import OomKills
from bundlekit.cold_runner.verdict import failure_of

V2 = "0::/user.slice/job\n"
V1 = "9:name=systemd:/\n4:memory,hugetlb:/jobs/7\n0::/\n"
EVENTS = "low 0\nhigh 0\nmax 12\noom 1\noom_kill {}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"

PLACES = {
    "v2": (V2, "user.slice/job/memory.events", EVENTS),
    "v2, the group is the root of what is seen": (V2, "memory.events", EVENTS),
    "v1": (V1, "memory/jobs/7/memory.oom_control", CONTROL),
    "v1, the group is the root of what is seen": (V1, "memory/memory.oom_control", CONTROL),
}


@pytest.mark.parametrize(("membership", "place", "text"), PLACES.values(), ids=PLACES)
def test_only_kills_of_this_task_are_evidence(tmp_path: Path, membership: str, place: str, text: str) -> None:
    """The counter never goes back, so an old kill must not explain a new death."""
    (tmp_path / "cgroup").write_text(membership, encoding="ascii")
    file = tmp_path / "fs" / place
    file.parent.mkdir(parents=True)
    file.write_text(text.format(3), encoding="ascii")
    kills = OomKills(str(tmp_path / "cgroup"), str(tmp_path / "fs"))
    assert kills.path == str(file)
    killed = Ending(-9, None)
    for before, after, code in ((3, 3, ErrorCode.KILLED), (3, 4, ErrorCode.OOM), (4, 4, ErrorCode.KILLED)):
        file.write_text(text.format(before), encoding="ascii")
        kills.begin()
        file.write_text(text.format(after), encoding="ascii")
        failure = failure_of(ChildReport(), killed, kills)
        assert failure is not None
        assert (failure.code, failure.signal_name) == (code, "SIGKILL")
        assert failure.retryable == (code is ErrorCode.KILLED)
    segfault = failure_of(ChildReport(), Ending(-11, None), kills)
    assert segfault is not None
    assert segfault.code is ErrorCode.SIGNAL


@pytest.mark.parametrize("membership", [None, "", V1, "0::/nowhere\n"], ids=repr)
def test_where_nothing_can_be_read_nothing_is_claimed(tmp_path: Path, membership: str | None) -> None:
    """Out of memory is said with evidence only."""
    if membership is not None:
        (tmp_path / "cgroup").write_text(membership, encoding="ascii")
    kills = OomKills(str(tmp_path / "cgroup"), str(tmp_path / "fs"))
    kills.begin()
    assert (kills.path, kills.since()) == (None, 0)

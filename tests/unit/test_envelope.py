"""What tasks need, and what follows from it for a worker."""

import json

import pytest
from builders.reports import report

from bundlekit.model.envelope import Envelope, TaskEnvelope, size_text
from bundlekit.model.outcome import MemoryUse
from bundlekit.report.outputs import Format, render

_MIB = 1024 * 1024


def _task(megabytes: float | None, *, processes: int = 1, seconds: float = 0.5, size: int = 10) -> TaskEnvelope:
    memory = None if megabytes is None else MemoryUse(int(megabytes * _MIB), processes)
    return TaskEnvelope("main", 1, memory, seconds, size)


@pytest.mark.parametrize(
    ("peak_mib", "limit_mib", "workers"),
    [(0, 384, 42), (51.2, 384, 42), (51.3, 512, 32), (256, 640, 25), (1024, 1664, 9), (20_000, 25_344, 0)],
)
def test_the_advice_follows_the_rule_that_is_said(peak_mib: float, limit_mib: int, workers: int) -> None:
    """(peak + 256) / 0.8, up to the next 128: whoever doubts it can do the sum."""
    envelope = Envelope((_task(peak_mib),))
    assert envelope.worker_limit_bytes == limit_mib * _MIB
    assert envelope.workers_in(16) == workers


def test_the_worst_of_each_counts_whichever_task_it_is_of() -> None:
    """The slowest task is seldom the one that needs most memory."""
    envelope = Envelope((_task(None, seconds=9.0), _task(10, size=7), _task(300, processes=3), _task(20, size=99)))
    assert (envelope.memory, envelope.seconds, envelope.output_bytes) == (MemoryUse(300 * _MIB, 3), 9.0, 99)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1 KiB"),
        (1500, "1.46 KiB"),
        (20_480_000, "19.5 MiB"),
        (150 * _MIB, "150 MiB"),
        (3 * 1024 * _MIB, "3 GiB"),
    ],
)
def test_sizes_have_three_figures(size: int, text: str) -> None:
    """More figures than were measured would be a claim."""
    assert size_text(size) == text


def test_the_text_has_one_line_of_it() -> None:
    """What to set is said where the verdict is read."""
    one = report()._replace(envelope=Envelope((_task(300, size=2048),)))
    assert render([one], Format.TEXT).splitlines()[0] == (
        "needs: 300 MiB of memory, 0.5 s, 2 KiB of outputs; memory limit of a Dask worker with one thread: 768 MiB "
        "= (peak + 256 MiB) / 0.8; 21 fit in 16 GiB"
    )
    several = report()._replace(envelope=Envelope((_task(300, processes=4), _task(1))))
    assert "300 MiB of memory or more, in 4 processes, 0.5 s, 10 bytes of outputs, the most of 2 smoke tasks each" in (
        render([several], Format.TEXT)
    )
    unseen = report()._replace(envelope=Envelope((_task(None),)))
    assert render([unseen], Format.TEXT).splitlines()[0] == "needs: 0.5 s, 10 bytes of outputs"


def test_the_document_says_null_where_nothing_was_seen() -> None:
    """A zero would be taken for a measurement."""
    unseen = json.loads(render([report()._replace(envelope=Envelope((_task(None),)))], Format.JSON))["envelope"]
    assert (unseen["peak_memory_bytes"], unseen["processes"], unseen["worker"]) == (None, None, None)
    assert unseen["tasks"][0]["peak_memory_bytes"] is None
    assert json.loads(render([report()], Format.JSON))["envelope"] is None

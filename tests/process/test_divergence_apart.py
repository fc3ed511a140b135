"""Tables of which a bundle made the bytes are read where they can do no harm."""

import io
import resource

import numpy as np
import pyarrow as pa
import pytest

from bundlekit.isolation.divergence import first_divergence
from bundlekit.model.isolation import Divergence

pytestmark = pytest.mark.process


def _stream(values: object, **options: str) -> bytes:
    table = pa.table({"x": values})
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return file.getvalue()


def test_tables_are_read_by_a_process_of_its_own() -> None:
    """They are read by C++ code, and are what a leak has perhaps corrupted."""
    cold, warm = _stream([1.0, 0.1]), _stream([1.0, 0.2])
    expected = Divergence("out", "row 1, column x", "0.1", "0.2", 1 << 52)
    assert first_divergence("out", cold, warm) == expected
    place = first_divergence("out", cold, cold[:-100]).place
    assert place.startswith("length (Arrow stream: the warm one: pyarrow cannot read it: "), place


def test_a_table_that_would_need_gigabytes_is_not_read() -> None:
    """A few kilobytes of compressed zeros may ask for all the memory there is."""
    bomb = _stream(np.zeros(1 << 28), compression="zstd")
    assert len(bomb) < 1 << 20
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    place = first_divergence("out", bomb, bomb[:-1]).place
    assert place.startswith("length (Arrow stream: "), place
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < max(before, 3 << 19)

"""What is written so that a variable is again what it was."""

import struct

import pytest
from builders.native_snapshots import BASE, HEAP, block, snapshot, words

from bundlekit.isolation.native.heap import Shape
from bundlekit.isolation.native.restoring import writes_to_restore
from bundlekit.isolation.native.snapshot import NativeSnapshot
from bundlekit.model.isolation import Behaviour, NativeChange

_SECOND = HEAP + 0x100


def restored(cold: NativeSnapshot, now: NativeSnapshot, size: int = 24) -> dict[int, bytes] | None:
    """Return what is written for a variable at offset 8, by address."""
    change = NativeChange("model/core.so", None, ".data", 8, size, 0, Behaviour.CHANGED, is_own=True)
    writes = writes_to_restore(cold, now, change)
    return None if writes is None else dict(writes)


def vector(start: int, size: int, room: int, fill: int = 1) -> NativeSnapshot:
    """Return a snapshot with a vector of so many numbers."""
    elements = block(words(*[fill] * size), Shape.VECTOR, 8 * room)
    return snapshot(words(0, start, start + 8 * size, start + 8 * room), {start: elements})


def test_plain_bytes_are_written_back() -> None:
    """Nothing but the variable's own bytes."""
    assert restored(snapshot(words(7, 1, 2, 3, 7)), snapshot(words(8, 4, 5, 6, 8))) == {BASE + 8: words(1, 2, 3)}


def test_what_has_not_changed_is_not_written() -> None:
    """A write less is a risk less."""
    same = snapshot(words(7, 1, 2, 3))
    assert restored(same, same) == {}


def test_what_was_made_since_is_given_up() -> None:
    """Null again: it is made anew, and the old one leaks in a process that is thrown away."""
    now = snapshot(words(0, HEAP), {HEAP: block(words(1, 2))})
    assert restored(snapshot(words(0, 0)), now, 8) == {BASE + 8: words(0)}


def test_a_block_that_is_still_there_gets_its_bytes() -> None:
    """In place, as it was changed, down to what hangs on it."""
    cold = snapshot(words(0, HEAP), {HEAP: block(words(1, _SECOND)), _SECOND: block(words(5, 6))})
    now = snapshot(words(0, HEAP), {HEAP: block(words(2, _SECOND)), _SECOND: block(words(5, 9))})
    assert restored(cold, now, 8) == {HEAP: words(1, _SECOND), _SECOND: words(5, 6)}


def test_a_block_that_points_to_itself_ends_the_search() -> None:
    """Lists are rings."""
    cold = snapshot(words(0, HEAP), {HEAP: block(words(HEAP, 1))})
    now = snapshot(words(0, HEAP), {HEAP: block(words(HEAP, 2))})
    assert restored(cold, now, 8) == {HEAP: words(HEAP, 1)}


def test_a_new_node_is_cut_off() -> None:
    """A map that only grew has its old nodes still."""
    cold = snapshot(words(0, HEAP, 1), {HEAP: block(words(0, 5))})
    now = snapshot(words(0, HEAP, 2), {HEAP: block(words(_SECOND, 5)), _SECOND: block(words(0, 6))})
    assert restored(cold, now, 16) == {HEAP: words(0, 5), BASE + 8: words(HEAP, 1)}


def test_a_vector_that_has_moved_gets_its_elements_where_it_is() -> None:
    """Its old memory is somebody else's."""
    found = restored(vector(HEAP, 2, 2), vector(_SECOND, 5, 8, fill=9))
    assert found == {_SECOND: words(1, 1), BASE + 8: words(_SECOND, _SECOND + 16, _SECOND + 64)}


def test_a_string_that_has_moved_gets_its_characters_where_it_is() -> None:
    """With the zero behind them."""
    cold = snapshot(words(0, HEAP, 20, 31, 0), {HEAP: block(b"a" * 20, Shape.STRING, 40)})
    now = snapshot(words(0, _SECOND, 50, 70, 0), {_SECOND: block(b"b" * 50, Shape.STRING, 72)})
    assert restored(cold, now, 32) == {_SECOND: b"a" * 20 + b"\0", BASE + 8: words(_SECOND, 20, 70, 0)}


@pytest.mark.parametrize(
    ("cold", "now"),
    [
        pytest.param(vector(HEAP, 4, 4), vector(_SECOND, 1, 2), id="a-vector-without-room"),
        pytest.param(
            snapshot(words(0, HEAP), {HEAP: block(words(1, 2))}),
            snapshot(words(0, _SECOND), {_SECOND: block(words(3, 4))}),
            id="memory-that-may-be-freed",
        ),
        pytest.param(
            snapshot(words(0, HEAP), {HEAP: block(words(1, 2))}), snapshot(words(0, 0)), id="nothing-in-its-place"
        ),
        pytest.param(
            snapshot(words(0, HEAP + 8), {HEAP: block(words(1, 2))}),
            snapshot(words(0, 0)),
            id="a-pointer-into-what-is-gone",
        ),
        pytest.param(
            snapshot(
                words(0, HEAP, HEAP + 8, HEAP + 8),
                {HEAP: block(words(_SECOND), Shape.VECTOR, 8), _SECOND: block(words(1, 2))},
            ),
            vector(HEAP + 0x200, 1, 1),
            id="a-vector-of-pointers-that-has-moved",
        ),
    ],
)
def test_what_could_be_freed_is_not_pointed_to(cold: NativeSnapshot, now: NativeSnapshot) -> None:
    """A process that crashes, or gives chance, proves nothing."""
    assert restored(cold, now) is None


def test_a_library_that_was_not_there_cannot_be_restored() -> None:
    """What it was before it was loaded is nothing."""
    assert restored(NativeSnapshot({}, {}), snapshot(words(1))) is None


def test_thread_local_storage_that_nobody_has_asked_for_is_as_it_was() -> None:
    """There is nowhere to write to."""
    cold = snapshot(words(7, 1))
    unasked = {key: region._replace(address=0) for key, region in cold.regions.items()}
    assert restored(cold, NativeSnapshot(unasked, {}), 8) == {}


def test_the_end_of_a_variable_that_is_no_word_is_written_too() -> None:
    """Variables have any size."""
    cold, now = snapshot(words(0, 1) + b"abc"), snapshot(words(0, 1) + b"xyz")
    assert restored(cold, now, 11) == {BASE + 8: struct.pack("<Q", 1) + b"abc"}

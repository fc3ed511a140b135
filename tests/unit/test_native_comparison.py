"""What is a change in the memory of a library, and what is only another place for the same."""

import pytest
from builders.native_snapshots import BASE, HEAP, block, snapshot, words

from bundlekit.isolation.native.comparison import native_changes
from bundlekit.isolation.native.heap import Shape
from bundlekit.isolation.native.snapshot import NativeSnapshot
from bundlekit.model.isolation import Behaviour, NativeChange
from bundlekit.read.built_variables import BuiltVariable


def variable(name: str, offset: int, size: int, *, is_bookkeeping: bool = False) -> BuiltVariable:
    """Return a variable of the section."""
    return BuiltVariable(name, 0x4000 + offset, size, is_thread_local=False, is_bookkeeping=is_bookkeeping)


def changes(*snapshots: NativeSnapshot, variables: tuple[BuiltVariable, ...] = ()) -> tuple[NativeChange, ...]:
    """Return what is found over as many tasks, the first twice: 0, 0, 1, 0."""
    return native_changes(snapshots, (0, 0, 1, 0)[: len(snapshots) - 1], lambda _path: variables)


_RATE = variable("rate", 8, 8)


def test_a_variable_that_changed_is_named() -> None:
    """Its neighbours are not."""
    values = [snapshot(words(1.0, rate, 2.0)) for rate in (0.5, 0.6, 0.6, 0.7, 0.6)]
    neighbours = (variable("before", 0, 8), _RATE, variable("after", 16, 8))
    assert changes(*values, variables=neighbours) == (
        NativeChange("model/core.so", "rate", ".data", 8, 8, 0, Behaviour.LAST_TASK, is_own=True),
    )


def test_names_for_the_same_memory_give_one_change() -> None:
    """Aliases are common in C."""
    values = [snapshot(words(0.0, rate)) for rate in (0.5, 0.6, 0.7)]
    assert len(changes(*values, variables=(_RATE, _RATE._replace(name="alias")))) == 1


def test_bookkeeping_is_silent() -> None:
    """It has a name, so it is not reported as memory without one."""
    values = [snapshot(words(0.0, rate)) for rate in (0.5, 0.6, 0.7)]
    assert changes(*values, variables=(_RATE._replace(is_bookkeeping=True),)) == ()


def test_without_a_name_the_place_is_told() -> None:
    """A stripped library: words side by side are one change, others are changes of their own."""
    values = [snapshot(words(0, n, n, 0, n)) for n in range(3)]
    assert [(each.symbol, each.offset, each.size) for each in changes(*values)] == [(None, 8, 16), (None, 32, 8)]


def test_a_dependency_is_told_apart() -> None:
    """Its state matters where an output differs."""
    values = [snapshot(words(0.0, rate), is_own=False) for rate in (0.5, 0.6, 0.7)]
    assert [each.is_own for each in changes(*values, variables=(_RATE,))] == [False]


def test_what_a_pointer_points_to_is_the_pointers() -> None:
    """A change in place never shows in the library's own sections."""
    values = [snapshot(words(0, HEAP), {HEAP: block(words(1, n))}) for n in range(3)]
    (found,) = changes(*values, variables=(_RATE,))
    assert (found.symbol, found.reached_by, found.behaviour) == ("rate", "a pointer", Behaviour.ACCUMULATES)
    (unnamed,) = changes(*values)
    assert (unnamed.symbol, unnamed.offset, unnamed.reached_by) == (None, 8, "a pointer")


def test_a_tree_is_followed_to_its_leaves() -> None:
    """Nodes of a std::map hang on each other, and point back."""

    def tree(leaf: int) -> NativeSnapshot:
        root = words(0, 0, BASE + 8, HEAP + 0x40, 0, 7, 1)
        child = words(1, 0, HEAP, 0, 0, 9, leaf)
        return snapshot(words(0, HEAP), {HEAP: block(root), HEAP + 0x40: block(child)})

    assert [each.symbol for each in changes(*map(tree, (1, 2, 2, 3)), variables=(_RATE,))] == ["rate"]


@pytest.mark.parametrize("places", [(0, 0x40, 0x80, 0x40, 0)])
def test_the_same_in_another_place_is_no_change(places: tuple[int, ...]) -> None:
    """Memory that each task asks for anew is somewhere else each time; what is behind its end is chance."""
    values = [snapshot(words(0, HEAP + at), {HEAP + at: block(words(1.5, 2.5, at))}) for at in places]
    assert changes(*values, variables=(_RATE,)) == ()


def test_a_vector_counts_by_its_elements() -> None:
    """Where it is and how much room it has are nobody's state."""

    def vector(at: int, size: int, room: int) -> NativeSnapshot:
        start = HEAP + at
        elements = words(*range(size))
        return snapshot(
            words(0, start, start + 8 * size, start + 8 * room), {start: block(elements, Shape.VECTOR, 8 * room)}
        )

    trajectory = variable("trajectory", 8, 24)
    same = [vector(0, 2, 3), vector(0x100, 2, 5), vector(0x200, 2, 9), vector(0, 2, 3)]
    assert changes(*same, variables=(trajectory,)) == ()
    (grown,) = changes(vector(0, 1, 3), vector(0, 2, 3), vector(0, 3, 3), variables=(trajectory,))
    assert (grown.symbol, grown.size, grown.reached_by) == ("trajectory", 24, "a vector")


def test_a_string_counts_by_its_characters() -> None:
    """Short ones are kept in place, with whatever was behind them."""

    def short(text: bytes, rest: bytes) -> NativeSnapshot:
        kept = (text + b"\0" + rest)[:16].ljust(16, b"\0")
        return snapshot(words(0, BASE + 24, len(text)) + kept)

    def long(text: bytes, room: int) -> NativeSnapshot:
        return snapshot(words(0, HEAP, len(text), room, room), {HEAP: block(text, Shape.STRING, room + 1)})

    label = variable("label", 8, 32)
    assert changes(short(b"ab", b"xyz"), short(b"ab", b"12"), short(b"ab", b""), variables=(label,)) == ()
    assert changes(long(b"a" * 20, 30), long(b"a" * 20, 35), long(b"a" * 20, 40), variables=(label,)) == ()
    for one, two in ((short(b"ab", b""), short(b"ac", b"")), (long(b"a" * 20, 30), long(b"b" * 20, 30))):
        assert [each.symbol for each in changes(one, two, variables=(label,))] == ["label"]


def test_a_library_that_a_task_loads_is_compared_from_then_on() -> None:
    """Python imports inside of functions: what is there first is not what a task left."""
    nothing = NativeSnapshot({}, {})
    loaded = [snapshot(words(0.0, rate)) for rate in (0.5, 0.5, 0.6)]
    (found,) = changes(nothing, *loaded, variables=(_RATE,))
    assert (found.symbol, found.task) == ("rate", 1)
    assert changes(nothing, nothing, snapshot(words(0.0, 0.5)), variables=(_RATE,)) == ()


def test_a_library_that_is_unloaded_is_left_alone() -> None:
    """What was there is gone with it."""
    assert changes(snapshot(words(1)), snapshot(words(2)), NativeSnapshot({}, {})) == ()


def test_equal_snapshots_say_nothing() -> None:
    """The usual case, and the cheap one."""
    value = snapshot(words(0, HEAP), {HEAP: block(words(1))})
    assert changes(value, value, value, variables=(_RATE,)) == ()

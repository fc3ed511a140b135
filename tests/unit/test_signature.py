"""Signatures as data, held against the interpreter's own."""

import inspect

import pytest

from bundlekit.model.signature import Parameter, ParameterKind, Signature


def signature_of(source: str) -> tuple[Signature, inspect.Signature]:
    """Return our signature and the interpreter's of `lambda <source>: None`."""
    real = inspect.signature(eval(f"lambda {source}: None"))  # noqa: S307 - the table below is the only input
    parameters = tuple(
        Parameter(each.name, ParameterKind(each.kind.name), each.default is not each.empty)
        for each in real.parameters.values()
    )
    return Signature(parameters), real


SOURCES = [
    "",
    "a",
    "a, b",
    "a, b, c",
    "a, b, c, d",
    "a, b, c, d=1",
    "a, b=1, c=2",
    "*args",
    "a, *args",
    "a, b, c, d, *args",
    "a, b, c, *, d",
    "a, b, c, *, d=1",
    "a, b, c, /",
    "a, b, /, c",
    "a, b, c, **kwargs",
    "**kwargs",
    "*args, d",
    "*args, d=1, **kwargs",
    "a, /, b, *, c",
]


@pytest.mark.parametrize("source", SOURCES)
def test_binding_agrees_with_the_interpreter(source: str) -> None:
    """A call that the runner makes must be judged as Python itself would (PEP 362)."""
    ours, real = signature_of(source)
    for count in range(6):
        try:
            real.bind(*range(count))
            binds = True
        except TypeError:
            binds = False
        assert ours.accepts_positional(count) is binds, f"({source}) called with {count} arguments"


@pytest.mark.parametrize("source", SOURCES)
def test_a_signature_prints_as_python_would_print_it(source: str) -> None:
    """Messages show signatures, so they must read as the scientist wrote them."""
    ours, real = signature_of(source)
    assert str(ours) == str(real).replace("=1", "=...").replace("=2", "=...")

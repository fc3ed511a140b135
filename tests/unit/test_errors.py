"""The tree of exceptions and the table of codes."""

import pytest

from bundlekit import errors
from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode
from bundlekit.errors import BundlekitError

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_exception_is_of_one_tree_and_has_one_exit_status(kind: type[BundlekitError]) -> None:
    """The command line maps exceptions to exit statuses in one place; a stray class would exit 1."""
    error = kind("what", subject="it", hint="do this")
    assert isinstance(error, BundlekitError)
    assert error.exit_status == EXIT_STATUS[error.code]
    assert error.message == str(error) == "what"


def test_every_error_code_has_an_exit_status() -> None:
    """A code without a status would crash the report of a failure."""
    assert set(EXIT_STATUS) == set(ErrorCode)


def test_exit_statuses_are_the_published_ones() -> None:
    """Scripts on clusters test these numbers (DESIGN decision 9)."""
    assert set(EXIT_STATUS.values()) == {2, 3, 4, 5, 6, 7, 8, 9, 70, 124, 130}

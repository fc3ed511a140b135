"""How a failed preparation or task is told in one sentence."""

import pytest

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.model.outcome import Failure

_RAISED = Failure(ErrorCode.WIRE_RAISED, Phase.CALL, "ValueError", "beta is negative", None, False, "")  # noqa: FBT003 - a record's fields in order

_SENTENCES: dict[str, tuple[Failure, str]] = {
    "exception": (_RAISED, "ValueError: beta is negative (E_WIRE_RAISED in phase call)"),
    "signal": (
        _RAISED._replace(error_code=ErrorCode.SIGNAL, type_name=None, signal_name="SIGSEGV", message="child died"),
        "SIGSEGV: child died (E_SIGNAL in phase call)",
    ),
    "neither": (
        _RAISED._replace(error_code=ErrorCode.VENV, phase=Phase.ENVIRONMENT, type_name=None, message="no such package"),
        "no such package (E_VENV in phase environment)",
    ),
    "pages": (
        _RAISED._replace(message="\n  first line  \nsecond line\n" + "x\n" * 9),
        "ValueError: first line   (E_WIRE_RAISED in phase call)",
    ),
    "longest": (
        _RAISED._replace(message="x" * 300),
        f"ValueError: {'x' * 300} (E_WIRE_RAISED in phase call)",
    ),
    "too-long": (
        _RAISED._replace(message="x" * 301),
        f"ValueError: {'x' * 300}... (E_WIRE_RAISED in phase call)",
    ),
    "silent": (_RAISED._replace(message=" \n"), "ValueError:  (E_WIRE_RAISED in phase call)"),
}


@pytest.mark.parametrize(("failure", "sentence"), _SENTENCES.values(), ids=_SENTENCES)
def test_a_failure_is_one_bounded_sentence(failure: Failure, sentence: str) -> None:
    """Bundle code may raise pages; a finding has one line, and says what happened and in which phase."""
    assert str(failure) == sentence

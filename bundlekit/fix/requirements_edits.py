"""Additions to requirements.txt."""

from bundlekit.cold_runner.dependency_hash import parse_requirements, requirement_name
from bundlekit.fix.unsafe import UnsafeEditError

__all__ = ["with_line"]


def with_line(text: str, requirement: str) -> str:
    """Return the requirements file `text` with one more at its end.

    Raises:
        UnsafeEditError: the name is declared already, the file pins hashes, or its last line goes on.
    """
    name = requirement_name(requirement)
    if name in {requirement_name(each) for each in parse_requirements(text)}:
        raise UnsafeEditError(f"{name!r} is declared already")
    if "--hash" in text:
        raise UnsafeEditError("it pins its requirements by hashes, so whatever made it has to add this one")
    if text.rstrip("\r\n").endswith("\\"):
        raise UnsafeEditError("its last line goes on")
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        return f"{text}{newline}{requirement}"
    return f"{text}{requirement}{newline}"

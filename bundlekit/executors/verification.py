"""Holds outputs against the sizes and checksums that came with them, before anybody uses them.

The runner computed both from what the child sent; between it and the host are a pipe and, for large outputs, a disk.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import NotRequired, TypedDict

__all__ = ["OutputDocument", "problem_of_outputs"]


class OutputDocument(TypedDict):
    """One output as the runner's document has it: with `inline` (base64) or with `ref` (a path)."""

    size: int
    checksum: str
    inline: NotRequired[str]
    ref: NotRequired[str]


def problem_of_outputs(outputs: Mapping[str, OutputDocument]) -> str | None:
    """Return the first thing that is not as its size and checksum say, or None; files are read through."""
    for name, output in outputs.items():
        try:
            size, checksum = _measured(output)
        except (OSError, ValueError) as error:
            return f"output {name!r:.100} cannot be read: {error}"
        if (size, checksum) != (output["size"], output["checksum"]):
            where = f" in {output['ref']}" if "ref" in output else ""
            expected = f"expected {output['size']} bytes with the checksum {output['checksum']}"
            return f"output {name!r:.100}{where} is not what the runner wrote: {expected}, found {size} with {checksum}"
    return None


def _measured(output: OutputDocument) -> tuple[int, str]:
    if "ref" not in output:
        data = base64.b64decode(output.get("inline", ""), validate=True)
        return len(data), hashlib.blake2b(data, digest_size=32).hexdigest()
    with open(output["ref"], "rb") as file:  # noqa: PTH123 - the path is text from a document
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32))
        return os.fstat(file.fileno()).st_size, digest.hexdigest()

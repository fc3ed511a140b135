"""Writes the runner as one file, a zipapp that any CPython >= 3.11 runs on a machine without bundlekit.

The same sources give the same bytes: members are sorted, stored (compressors differ between versions) and dated alike.
See: PEP 441.
"""

import os
import zipfile
from io import BytesIO

from .script_source import script_source

__all__ = ["export_runner", "runner_file"]

_SHEBANG = b"#!/usr/bin/env python3\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644


def export_runner(destination: str) -> None:
    """Write the runner to the file `destination`, executable; an older file there is replaced at once or not at all.

    Raises:
        OSError: it cannot be written.
    """
    content = runner_file()
    staged = f"{destination}.{os.urandom(8).hex()}"
    try:
        with open(staged, "xb") as file:
            file.write(content)
        os.chmod(staged, 0o755)  # noqa: S103 - a program for everybody
        os.replace(staged, destination)
    except OSError:
        if os.path.exists(staged):
            os.unlink(staged)
        raise


def runner_file() -> bytes:
    """Return the content of the file; two runners of one content are one runner."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as writing:
        for path in _modules():
            member = zipfile.ZipInfo(path, _EPOCH)
            member.external_attr = _MODE << 16
            member.create_system = 3
            writing.writestr(member, script_source(path))
    return _SHEBANG + archive.getvalue()


def _modules() -> list[str]:
    folder = os.path.dirname(os.path.abspath(__file__))
    if os.path.isdir(folder):
        found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
        files = [os.path.relpath(path, folder) for path in found]
    else:
        with zipfile.ZipFile(folder) as archive:
            files = archive.namelist()
    return sorted(path for path in files if path.endswith(".py"))

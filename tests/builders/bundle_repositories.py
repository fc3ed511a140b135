"""A repository of bundles that are directories already, for executors under test."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["DIGEST", "OTHER_DIGEST", "DirectoryRepository"]

DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32


class DirectoryRepository:
    """Maps references to directories; `answers` are digests that it gives instead of the reference."""

    def __init__(self, directories: Mapping[str, Path], answers: Mapping[str, str] | None = None) -> None:
        self._directories = dict(directories)
        self._answers = dict(answers or {})

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the digest at the end of the reference, and the directory."""
        digest = bundle_ref.rpartition("@")[2]
        return self._answers.get(digest, digest), self._directories[digest]

    def exists(self, bundle_ref: str) -> bool:
        """Return whether there is such a directory."""
        return bundle_ref.rpartition("@")[2] in self._directories

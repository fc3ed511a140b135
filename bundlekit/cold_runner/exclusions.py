"""What never ships unless a bundle's settings include it by name: one list for the packer and the standalone runner.

See: CONTRACT section 5 (the ecosystem's default ignores); `.env` files and those of credentials are added because they
hold secrets.
"""

import os
from fnmatch import fnmatchcase

__all__ = [
    "DEFAULT_DIRECTORIES",
    "DEFAULT_FILES",
    "REGISTRY",
    "RESERVED_DIRECTORY",
    "excluded_by_default",
    "is_virtual_environment",
]

RESERVED_DIRECTORY = ".bundlekit"
"""Holds the manifest inside an archive; never a member."""

REGISTRY = ".modelops-bundle/registry.yaml"
"""The one file of its directory that ships: models and targets are looked up in it."""

DEFAULT_DIRECTORIES: tuple[str, ...] = (
    RESERVED_DIRECTORY,
    ".git",
    ".hg",
    ".svn",
    ".modelops-bundle",
    "__pycache__",
    "*.egg-info",
    "dist",
    "build",
    "venv",
    ".venv",
    "env",
    ".env",
    "ENV",
    ".aws",
    ".ssh",
    "virtualenv",
    "node_modules",
    ".npm",
    ".yarn",
    ".idea",
    ".vscode",
    ".ipynb_checkpoints",
    "htmlcov",
    ".tox",
    ".nox",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
)
DEFAULT_FILES: tuple[str, ...] = (
    "*.py[cod]",
    "*.swp",
    "*.swo",
    "*~",
    ".*.swp",
    ".Python",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    ".coverage",
    ".env",
    ".env.*",
    ".netrc",
    ".pypirc",
    ".git",
)


def excluded_by_default(path: str, *, is_directory: bool) -> str | None:
    """Return the pattern that keeps `path` out, or None.

    `path` is relative, in POSIX form; only its last component is looked at, since a walk never enters a directory that
    is left out, save for the one that holds :data:`REGISTRY`.
    """
    name = path.rpartition("/")[2]
    if path == REGISTRY or (is_directory and path == ".modelops-bundle"):
        return None
    if path.startswith(".modelops-bundle/"):
        return ".modelops-bundle/"
    patterns = DEFAULT_DIRECTORIES if is_directory else DEFAULT_FILES
    for pattern in patterns:
        # Most are plain names, and compiling each as a pattern costs more than all else that a small walk does.
        if name == pattern or ("*" in pattern and fnmatchcase(name, pattern)):
            return f"{pattern}/" if is_directory else pattern
    return None


def is_virtual_environment(directory: str) -> bool:
    """Whether a directory is a virtual environment, which is left out by whatever name (PEP 405)."""
    return os.path.lexists(os.path.join(directory, "pyvenv.cfg"))

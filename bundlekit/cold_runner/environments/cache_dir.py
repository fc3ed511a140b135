"""Where the cache is when nobody says."""

import os

__all__ = ["default_cache_dir"]


def default_cache_dir() -> str:
    """Return VENVS_DIR, else the user's cache directory for bundlekit."""
    chosen = os.environ.get("VENVS_DIR")
    if chosen:
        return os.path.abspath(chosen)
    parent = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.path.abspath(parent), "bundlekit")

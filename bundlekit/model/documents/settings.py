"""The table [tool.bundlekit] of a bundle's pyproject.toml."""

from typing import NotRequired

from typing_extensions import TypedDict

__all__ = ["SettingsDocument", "SmokeDocument", "WorkerDocument"]


SmokeDocument = TypedDict(
    "SmokeDocument",
    {
        "entrypoint": NotRequired[str],
        "params": NotRequired[dict[str, object]],
        "seed": NotRequired[int],
        "timeout-s": NotRequired[float],
    },
)


class WorkerDocument(TypedDict, total=False):
    """The worker's Python version and platform."""

    python: str
    platform: str


SettingsDocument = TypedDict(
    "SettingsDocument",
    {
        "include": list[str],
        "exclude": list[str],
        "targets": list[str],
        "requires-fresh-process": bool,
        "network": bool,
        "pass-env": list[str],
        "python": str,
        "smoke": list[SmokeDocument],
        "worker": WorkerDocument,
    },
    total=False,
)

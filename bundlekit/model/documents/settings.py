"""The table [tool.bundlekit] of a bundle's pyproject.toml."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from bundlekit.model.documents.texts import TextPattern

__all__ = ["SettingsDocument", "SmokeDocument", "WorkerDocument"]


_CodePrefix = Annotated[str, TextPattern("^BK[0-9]{0,3}$")]

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
        "select": list[_CodePrefix],
        "ignore": list[_CodePrefix],
        "per-file-ignores": dict[str, list[_CodePrefix]],
        "severity": dict[_CodePrefix, Literal["error", "warning", "info"]],
        "baseline": str,
        "worker": WorkerDocument,
        "symlinks": Literal["refuse", "copy"],
        "allow-secrets": list[str],
        "large-bundle-bytes": int,
    },
    total=False,
)

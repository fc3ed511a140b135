"""Environment markers (PEP 508) of requirements, judged for the worker."""

from bundlekit.check.worker import Worker

__all__ = ["holds"]

_SYSTEMS = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}
_NOT_KNOWN = ("platform_release", "platform_version", "extra", "dependency_groups")


def holds(marker: str, worker: Worker) -> bool:
    """Whether `marker` holds on some Python of the worker; what cannot be told, or is no marker, is taken to hold."""
    if not marker.strip() or any(name in marker for name in _NOT_KNOWN):
        return True
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - most requirements have no marker

    try:
        parsed = Marker(marker)
        return any(parsed.evaluate(_facts(worker, minor)) for minor in worker.minors)
    except (InvalidMarker, ValueError, RecursionError):
        # A ValueError: a comparison that versions do not have.
        return True


def _facts(worker: Worker, minor: int) -> dict[str, str | frozenset[str]]:
    system, os_name = _SYSTEMS[worker.sys_platform]
    return {
        "implementation_name": "cpython",
        "implementation_version": f"3.{minor}.0",
        "os_name": os_name,
        "platform_machine": _machine(worker),
        "platform_python_implementation": "CPython",
        "platform_system": system,
        "python_full_version": f"3.{minor}.0",
        "python_version": f"3.{minor}",
        "sys_platform": worker.sys_platform,
    }


def _machine(worker: Worker) -> str:
    return {"win32": {"x86_64": "AMD64", "aarch64": "ARM64"}, "darwin": {"aarch64": "arm64"}}.get(
        worker.sys_platform, {}
    ).get(worker.machine, worker.machine)

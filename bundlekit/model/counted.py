"""Numbers of things in sentences."""

__all__ = ["counted", "sized"]

_STEP = 1000


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, in the plural unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sized(size_bytes: float) -> str:
    """Return a size as files and transfers have it, in powers of a thousand: ``1.5 MB``."""
    for unit in ("B", "kB", "MB"):
        if size_bytes < _STEP:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= _STEP
    return f"{size_bytes:.1f} GB"

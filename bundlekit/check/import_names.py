"""From the name that is imported to the distributions that provide it, and back, as far as it is generally known."""

from functools import cache

from bundlekit.check.import_table import ALIKE, DIFFERENT, NAMESPACES
from bundlekit.cold_runner.dependency_hash import normalised_name

__all__ = ["is_namespace", "known_modules", "known_names", "may_be_provided_by", "providers"]


def providers(dotted: str) -> tuple[str, ...]:
    """Return the distributions that are known to provide the module `dotted`, the usual one first; () if unknown."""
    table = _by_module()
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        found = table.get(".".join(parts[:length]))
        if found is not None:
            return found
    alike = normalised_name(parts[0])
    return (alike,) if alike in _alike() else ()


def known_modules(distribution: str) -> frozenset[str] | None:
    """Return what the distribution of that normal name is imported as, None where that is not known."""
    found = _by_distribution().get(distribution)
    if distribution in _alike():
        return (found or frozenset()) | {distribution.replace("-", "_")}
    return found


def known_names() -> tuple[str, ...]:
    """Return every import name that is generally known."""
    return (*_by_module(), *(name.replace("-", "_") for name in sorted(_alike())))


def is_namespace(top: str) -> bool:
    """Whether many distributions share the top-level package."""
    return top in NAMESPACES.split()


def may_be_provided_by(distribution: str, dotted: str) -> bool:
    """Whether the distribution of that normal name looks, by its name, as if it provided the module `dotted`.

    Only said of distributions that are not known: names differ in a prefix or a suffix, as `python-foo` and `foo`.
    """
    top = dotted.partition(".")[0]
    words = distribution.split("-")
    if is_namespace(top):
        return words[0] == top
    joined, wanted = "".join(words), normalised_name(top).replace("-", "")
    return wanted in {joined, *words} or joined.startswith(wanted) or joined.endswith(wanted)


@cache
def _by_module() -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in DIFFERENT.splitlines())
    return {module: tuple(distributions) for module, *distributions in rows}


@cache
def _by_distribution() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for module, distributions in _by_module().items():
        for distribution in distributions:
            found.setdefault(normalised_name(distribution), set()).add(module)
    return {distribution: frozenset(modules) for distribution, modules in found.items()}


@cache
def _alike() -> frozenset[str]:
    return frozenset(ALIKE.split())

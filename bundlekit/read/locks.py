"""Reads the lock of a bundle: which distributions it lists, and what the bundle required when it was written.

By hand, and lenient: only what no installer could read is a finding, and what a newer version of a format adds is
passed over, so that a lock written by a newer tool is no false alarm. `packaging.pylock` is not asked: it is there
on some machines only, and a verdict must not depend on that.
See: PEP 751 (pylock.toml); uv's documentation of "uv.lock".
"""

from bundlekit.cold_runner.dependency_hash import normalised_name, parse_requirements
from bundlekit.model.finding import Finding
from bundlekit.model.lock import LockContent, LockedDistribution, RecordedRequirement
from bundlekit.model.place import Place
from bundlekit.read.document import finding_at
from bundlekit.read.pyproject import parse_toml
from bundlekit.read.typed_table import TypedTable

__all__ = ["MALFORMED", "read_lock"]

MALFORMED = "BK513"
_UV_VERSION = 1
_SOURCES = ("url", "git", "path", "directory", "editable", "virtual")


def read_lock(name: str, data: bytes, project: str | None, problems: list[Finding]) -> LockContent | None:
    """Return what the lock `data`, called `name`, lists; None where its format is newer, or after a finding.

    `project` is the name of the bundle, which uv.lock lists among the distributions.
    """
    if name.endswith(".txt"):
        requirements = parse_requirements(data.decode("utf-8-sig", "replace"))
        pins = (requirement.partition("==") for requirement in requirements)
        listed = [(pin[0].partition("[")[0].strip(), (pin[2].split() or [""])[0].rstrip(";")) for pin in pins]
        return LockContent(
            Place(name), tuple(LockedDistribution(normalised_name(one), version or None) for one, version in listed)
        )
    table = parse_toml(data, name, problems, code=MALFORMED, shape_code=MALFORMED)
    if table is None:
        return None
    found_before = len(problems)
    content = _pylock(table) if name == "pylock.toml" else _uv_lock(table, normalised_name(project or ""))
    return content if len(problems) == found_before else None


def _pylock(table: TypedTable) -> LockContent | None:
    version = table.text("lock-version")
    if not _demand(table, "lock-version") or version is None or not version.value.startswith("1."):
        return None
    _demand(table, "packages")
    packages = [package for package in table.tables("packages") if _demand(package, "name")]
    return LockContent(Place("pylock.toml"), tuple(_distribution(package, None) for package in packages))


def _uv_lock(table: TypedTable, project: str) -> LockContent | None:
    place = Place("uv.lock")
    if not _demand(table, "version") or table.number("version") != _UV_VERSION:
        return None
    packages = [package for package in table.tables("package") if _demand(package, "name")]
    recorded = None
    for package in packages:
        if normalised_name(str(package.values["name"])) == project and _is_root(package):
            recorded = _recorded(package)
            place = package.place()
    requires_python = table.text("requires-python")
    return LockContent(
        place,
        tuple(_distribution(package, _needs(package)) for package in packages),
        recorded,
        requires_python.value if requires_python else None,
        not project or any(normalised_name(str(package.values["name"])) == project for package in packages),
    )


def _is_root(package: TypedTable) -> bool:
    source = package.table("source").values
    return source.get("editable") == "." or source.get("virtual") == "." or source.get("directory") == "."


def _distribution(package: TypedTable, requires: tuple[str, ...] | None) -> LockedDistribution:
    name, version = package.text("name"), package.text("version")
    return LockedDistribution(normalised_name(name.value if name else ""), version.value if version else None, requires)


def _needs(package: TypedTable) -> tuple[str, ...]:
    extras = package.table("optional-dependencies")
    lists = [
        package.tables("dependencies"),
        *(extras.tables(extra) for extra in extras.values if not _is_root(package)),
    ]
    return tuple(normalised_name(str(entry.values.get("name"))) for entries in lists for entry in entries)


def _recorded(package: TypedTable) -> tuple[RecordedRequirement, ...] | None:
    metadata = package.table("metadata")
    if "requires-dist" not in metadata:
        # uv leaves the key out where nothing is required.
        return () if "metadata" in package or "dependencies" not in package else None
    found = []
    for entry in metadata.tables("requires-dist"):
        specifier = entry.values.get("specifier", "")
        from_source = any(key in entry for key in _SOURCES) or not isinstance(specifier, str)
        marker = str(entry.values.get("marker", ""))
        name = normalised_name(str(entry.values.get("name")))
        extras = frozenset(normalised_name(text.value) for text in entry.texts("extras"))
        found.append(RecordedRequirement(name, None if from_source else str(specifier), extras, "extra ==" in marker))
    return tuple(found)


def _demand(table: TypedTable, key: str) -> bool:
    """Whether the lock has what no installer can do without; a finding where it has not."""
    if key in table:
        return True
    where = "".join(f" item {part + 1}" if isinstance(part, int) else f" {part}" for part in table.keys)
    message = f"{table.document.path} is no lock that can be read:{where} has no {key!r}".replace(": has", ": it has")
    table.document.problems.append(finding_at(MALFORMED, message, table.place(), hint="write it anew and ship both"))
    return False

"""What two manifests differ in: files and declarations. Pure."""

from typing import NamedTuple

from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.pack.manifest_json import declarations_json

__all__ = ["ChangedDeclaration", "ChangedFile", "Difference", "difference"]


class ChangedFile(NamedTuple):
    """A path that both have, with another content or mode."""

    before: ManifestFile
    after: ManifestFile


class ChangedDeclaration(NamedTuple):
    """A key of the manifest, and its value on each side as canonical JSON."""

    key: str
    before: str
    after: str


class Difference(NamedTuple):
    """What B has that A has not, the other way round, and what both have in different forms; sorted by path or key."""

    added: tuple[ManifestFile, ...]
    removed: tuple[ManifestFile, ...]
    changed: tuple[ChangedFile, ...]
    declarations: tuple[ChangedDeclaration, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs, which is to say that the digests are equal."""
        return not any(self)


def difference(a: Manifest, b: Manifest) -> Difference:
    """Return what changes on the way from `a` to `b`."""
    before = {file.path: file for file in a.files}
    after = {file.path: file for file in b.files}
    declared_before, declared_after = declarations_json(a), declarations_json(b)
    return Difference(
        added=tuple(file for file in b.files if file.path not in before),
        removed=tuple(file for file in a.files if file.path not in after),
        changed=tuple(
            ChangedFile(file, after[file.path]) for file in a.files if file.path in after and after[file.path] != file
        ),
        declarations=tuple(
            ChangedDeclaration(key, value, declared_after[key])
            for key, value in declared_before.items()
            if value != declared_after[key]
        ),
    )

"""What ``.modelops-bundle/registry.yaml`` declares, and which files the platform's own tool tracks.

See: CONTRACT section 5.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from bundlekit.model.digest import Digest
from bundlekit.model.place import Place, Text

__all__ = [
    "RegisteredModel",
    "RegisteredTarget",
    "Registry",
    "StatedDigest",
    "TargetSet",
    "TrackedFiles",
    "Weight",
]


class StatedDigest(NamedTuple):
    """The digest that an entry states for the file `path`, as written, and where."""

    path: str
    value: str
    place: Place


class RegisteredModel(NamedTuple):
    """One entry of `models`; what is required is None only after a finding. `place` is that of its id."""

    id: str
    place: Place
    entrypoint: Text | None = None
    path: Text | None = None
    class_name: Text | None = None
    scenarios: tuple[Text, ...] = ()
    parameters: tuple[Text, ...] = ()
    outputs: tuple[Text, ...] = ()
    data: tuple[Text, ...] = ()
    data_digests: tuple[StatedDigest, ...] = ()
    code: tuple[Text, ...] = ()
    code_digests: tuple[StatedDigest, ...] = ()
    model_digest: Text | None = None

    @property
    def kind(self) -> str:
        """The word for such an entry in sentences."""
        return "model"

    @property
    def files(self) -> tuple[Text, ...]:
        """Every file that the entry names, its own first."""
        return (*([self.path] if self.path else []), *self.data, *self.code)

    @property
    def digest(self) -> Text | None:
        """The digest of the entry itself."""
        return self.model_digest


class RegisteredTarget(NamedTuple):
    """One entry of `targets`; what is required is None only after a finding. `place` is that of its id."""

    id: str
    place: Place
    entrypoint: Text | None = None
    path: Text | None = None
    model_output: Text | None = None
    data: tuple[Text, ...] = ()
    target_digest: Text | None = None

    @property
    def kind(self) -> str:
        """The word for such an entry in sentences."""
        return "target"

    @property
    def files(self) -> tuple[Text, ...]:
        """Every file that the entry names, its own first."""
        return (*([self.path] if self.path else []), *self.data)

    @property
    def digest(self) -> Text | None:
        """The digest of the entry itself."""
        return self.target_digest


class Weight(NamedTuple):
    """The weight that a set gives to the target of that id; too large a number is infinite."""

    target: str
    value: float
    place: Place


class TargetSet(NamedTuple):
    """One entry of `target_sets`: ids of targets, and weights for them."""

    id: str
    place: Place
    targets: tuple[Text, ...] = ()
    weights: tuple[Weight, ...] = ()


class Registry(NamedTuple):
    """The whole document.

    `actual` are the digests of those files that the registry states a digest for and that ship, by normalised path;
    `uncompared` are those of them that were too large, or not readable, to be hashed.
    """

    version: Text | None = None
    models: tuple[RegisteredModel, ...] = ()
    targets: tuple[RegisteredTarget, ...] = ()
    target_sets: tuple[TargetSet, ...] = ()
    actual: Mapping[str, Digest] = MappingProxyType({})
    uncompared: frozenset[str] = frozenset()

    @property
    def entries(self) -> Iterator[RegisteredModel | RegisteredTarget]:
        """All models, then all targets."""
        yield from self.models
        yield from self.targets


class TrackedFiles(NamedTuple):
    """The list of files that the platform's own tool ships; `document` is its path in the bundle.

    `files` are its lines as that tool reads them, without spaces around; `spaced` are those lines, as written, that
    lost some.
    """

    document: str
    files: tuple[Text, ...]
    spaced: tuple[Text, ...] = ()

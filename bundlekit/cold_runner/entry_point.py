"""The one grammar of references to functions: ``module:object.attribute``, and ``path.py:object`` outside entry points.

The checker, the runner and the task parser all ask here, so a reference has one verdict everywhere.
See: the entry points specification of PyPA, "Data model"; CONTRACT section 2 for the file form.
"""

import keyword
from typing import NamedTuple

__all__ = ["Reference", "parse_file_reference", "parse_reference"]

_MAX_LENGTH = 4096
"""What a path can have in characters: a longer name leads to no file."""


class Reference(NamedTuple):
    """A function by name. `module` is dotted, or None for the file form, where `path` is relative to the bundle."""

    module: str | None
    path: str | None
    attributes: tuple[str, ...]

    def __str__(self) -> str:
        """The reference in its normal spelling."""
        return f"{self.module if self.path is None else self.path}:{'.'.join(self.attributes)}"


def parse_reference(text: str) -> Reference:
    """Return ``module:object`` or ``module:object.attribute`` as a reference; spaces around the parts are ignored.

    Raises:
        ValueError: anything else, with a sentence that says which part is wrong.
    """
    module, attributes = _split(text)
    for part in module.split("."):
        _check_name(part, "module", text)
    return Reference(module, None, attributes)


def parse_file_reference(text: str) -> Reference:
    """Return `text` as a reference in which a module may also be a file, ``models/wire.py:run``.

    Raises:
        ValueError: as :func:`parse_reference`; or the path is absolute, leaves the bundle, or does not end in ``.py``.
    """
    module, attributes = _split(text)
    if not module.endswith(".py") and "/" not in module:
        return parse_reference(text)
    parts = module.split("/")
    if "\\" in module or "\0" in module or module.startswith("~"):
        raise ValueError(
            f"{text!r:.200} names the file {module!r:.100}: only plain relative paths with '/' are accepted"
        )
    if parts[0] == "" or ".." in parts:
        raise ValueError(f"{text!r:.200} names a file outside the bundle: the path must be relative and without '..'")
    kept = [part for part in parts if part not in {"", "."}]
    if not kept or not kept[-1].endswith(".py"):
        raise ValueError(f"{text!r:.200} names the file {module!r:.100}, which does not end in '.py'")
    return Reference(None, "/".join(kept), attributes)


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    if len(text) > _MAX_LENGTH:
        raise ValueError(
            f"expected 'module:object', found {len(text):,} characters, and no path has more than {_MAX_LENGTH:,}"
        )
    module, colon, attributes = text.partition(":")
    module, attributes = module.strip(), attributes.strip()
    if not colon or not module or not attributes:
        missing = "module before the colon" if colon and not module else "object behind a colon"
        raise ValueError(f"expected 'module:object', found {text!r:.200}: there is no {missing}")
    if "[" in attributes:
        raise ValueError(f"{text!r:.200} asks for extras, which a reference to a function cannot have")
    names = tuple(attributes.split("."))
    for name in names:
        _check_name(name, "object", text)
    return module, names


def _check_name(name: str, role: str, text: str) -> None:
    if not name.isidentifier():
        raise ValueError(f"expected 'module:object', found {text!r:.200}: {name!r:.100} is no Python name ({role})")
    if keyword.iskeyword(name):
        raise ValueError(f"expected 'module:object', found {text!r:.200}: {name!r} is a keyword of Python ({role})")

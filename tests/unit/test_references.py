"""References to bundles: what each form means, and what is refused before anything is done with it."""

from pathlib import Path

import pytest

from bundlekit.errors import UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.reference import (
    LayoutReference,
    OciReference,
    PathReference,
    Reference,
    StoredReference,
    parse_reference,
)

_D = Digest.of(b"a bundle")

_GOOD: dict[str, Reference] = {
    "bundles/sir": PathReference(Path("bundles/sir")),
    "sir-1.0.tar.zst": PathReference(Path("sir-1.0.tar.zst")),
    _D: StoredReference(_D),
    "oci://registry.example/sir": OciReference("registry.example", "sir"),
    "oci://registry.example:5000/a/b-c/d__e:v1.0": OciReference("registry.example:5000", "a/b-c/d__e", "v1.0"),
    f"oci://localhost/sir@{_D}": OciReference("localhost", "sir", None, _D),
    f"oci://127.0.0.1:5000/sir:v1@{_D}": OciReference("127.0.0.1:5000", "sir", "v1", _D),
    "oci://[::1]:5000/sir": OciReference("[::1]:5000", "sir"),
    "oci-layout:disk/bundles": LayoutReference(Path("disk/bundles")),
    "oci-layout:/disk/bundles:v1": LayoutReference(Path("/disk/bundles"), "v1"),
    f"oci-layout:disk@{_D}": LayoutReference(Path("disk"), None, _D),
    "oci-layout:disk:2/bundles": LayoutReference(Path("disk:2/bundles")),
}


@pytest.mark.parametrize("text", _GOOD)
def test_each_form_is_what_it_says(text: str) -> None:
    """And is written again as it was."""
    found = parse_reference(text)
    assert found == _GOOD[text]
    if isinstance(found, OciReference | LayoutReference):
        assert str(found) == text


_BAD = {
    "": "an empty text refers to no bundle",
    "sha256:abc": "64 lower-case hex digits",
    "sha256:" + "A" * 64: "64 lower-case hex digits",
    "sha256:../../../../../etc": "64 lower-case hex digits",
    "oci://": "is no host",
    "oci://registry.example": "is no repository",
    "oci://registry.example/": "is no repository",
    "oci://user:secret@registry.example/sir": "never a user",
    "oci://registry.example/SIR": "lower-case words",
    "oci://registry.example/../etc": "is no repository",
    "oci://registry.example/a//b": "is no repository",
    "oci://registry.example/sir:": "is no tag",
    "oci://registry.example/sir:v/1": "is no tag",
    "oci://registry.example/sir:" + "x" * 129: "is no tag",
    "oci://registry.example/sir@sha256:12": "64 lower-case hex digits",
    "oci://registry.example/sir@": "never a user",
    "oci://-registry.example/sir": "is no host",
    "oci://registry example/sir": "is no host",
    "oci://registry.example/" + "x" * 300: "is no repository",
    "oci-layout:": "expected oci-layout:DIRECTORY",
    "oci-layout:disk@sha256:12": "64 lower-case hex digits",
}


@pytest.mark.parametrize("text", _BAD)
def test_what_is_no_reference_is_refused(text: str) -> None:
    """A digest that is a path, a password in an address: refused by their form."""
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert _BAD[text] in caught.value.message
    assert "secret" not in str(vars(caught.value))


def test_what_is_asked_for_follows_from_the_reference() -> None:
    """The digest wins over the tag, which may have moved; a layout with one bundle needs neither."""
    wanted = [parse_reference(text) for text in (f"oci://h/r:v1@{_D}", "oci://h/r:v1", "oci://h/r", "oci-layout:d")]
    assert [each.wanted for each in wanted if isinstance(each, OciReference | LayoutReference)] == [
        _D,
        "v1",
        "latest",
        "",
    ]
    assert isinstance(wanted[0], OciReference)
    assert wanted[0].name == "h/r"

"""The one digest type."""

import pytest

from bundlekit.model.digest import Digest

HEX = "0123456789abcdef" * 4


def test_a_digest_is_its_own_canonical_text() -> None:
    """Keys, names and comparisons use the text itself, so nothing may be lost in it."""
    digest = Digest.parse(f"sha256:{HEX}")
    assert digest == f"sha256:{HEX}"
    assert digest.hex == HEX
    assert Digest.from_hex(HEX) == digest


def test_the_digest_of_bytes_is_their_sha256() -> None:
    """The value is the one that `sha256sum` prints for the same bytes (FIPS 180-4)."""
    assert Digest.of(b"abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEX, id="no prefix"),
        pytest.param(f"sha1:{HEX}", id="other algorithm"),
        pytest.param(f"sha256:{HEX.upper()}", id="upper case"),
        pytest.param(f"sha256:{HEX[:-1]}", id="63 digits"),
        pytest.param(f"sha256:{HEX}0", id="65 digits"),
        pytest.param(f"sha256:0x{HEX[2:]}", id="0x"),
        pytest.param(f"sha256:{HEX[:-2]}_0", id="underscore"),
        pytest.param("sha256:" + "\uff10" * 64, id="fullwidth digits"),
        pytest.param(f"sha256:{HEX}\n", id="line end"),
        pytest.param(7, id="not text"),
        pytest.param("sha256:../../../../../etc", id="path"),
    ],
)
def test_anything_but_the_canonical_form_is_refused(text: object) -> None:
    """A loose digest names another bundle's cache entry (HOSTILE_CORPUS M06, M08)."""
    with pytest.raises(ValueError, match="expected 'sha256:' and 64 lower-case hex digits"):
        Digest.parse(text)

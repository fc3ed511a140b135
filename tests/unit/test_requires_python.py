"""requires-python on release segments, PEP 440."""

import pytest

from bundlekit.cold_runner.environments.requires_python import admits


@pytest.mark.parametrize(
    "specifier",
    [
        "",
        ">=3.11",
        ">=3.11,<4",
        ">= 3.11 , < 3.13",
        "~=3.11",
        "~=3.12.0",
        "==3.12.*",
        "==3.*",
        "==3.12.1",
        "===3.12.1",
        "!=3.12.0",
        "!=3.11.*",
        ">3.11",
        "<=3.12.1",
        ">=3.12.1.0",
        ">=3.12.0rc1",
        ">3.12.1b1",
        "<3.13.0a1",
        ">=v3.11",
    ],
)
def test_it_admits(specifier: str) -> None:
    """A fitting interpreter must not be passed over."""
    assert admits(specifier, (3, 12, 1))


@pytest.mark.parametrize(
    "specifier",
    [
        ">=3.13",
        "<3.12",
        "<3.12.1",
        ">3.12.1",
        "~=3.13",
        "~=3.12.2",
        "~=3.11.0",
        "==3.12",
        "==3.11.*",
        "!=3.12.*",
        "!=3.12.1",
        ">=3.99",
        "<4,>=3.13",
        ">3.12.1.post1",
        ">=3.12.1.post1",
        "<=3.12.1b1",
    ],
)
def test_it_excludes(specifier: str) -> None:
    """Running under an excluded interpreter is what the specifier is there to prevent."""
    assert not admits(specifier, (3, 12, 1))


@pytest.mark.parametrize("specifier", ["3.11", ">=", "=>3.11", "~=3", ">=3.11.*", "^3.11", ">=3.x", "<3.99,latest"])
def test_what_is_no_specifier_is_refused(specifier: str) -> None:
    """Guessing would pick some interpreter."""
    with pytest.raises(ValueError, match=r"found '"):
        admits(specifier, (3, 12, 1))

"""What every test runs under, whatever the machine and the user have set."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep environments that tests make out of the user's cache, and what that cache holds out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VENVS_DIR", str(tmp_path_factory.mktemp("venvs")))
        yield

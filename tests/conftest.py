"""What every test runs under, whatever the machine and the user have set."""

import signal
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    """Let processes that tests start be interrupted, even where the tests themselves run in the background.

    A shell starts background jobs with SIGINT ignored, and nohup ignores SIGHUP; whatever is ignored is inherited.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep environments that tests make out of the user's cache, and what that cache holds out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VENVS_DIR", str(tmp_path_factory.mktemp("venvs")))
        yield

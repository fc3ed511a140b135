"""The worker's settings: what they leave open."""

import pytest

from bundlekit.model.declaration import WorkerSettings


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        (WorkerSettings(), True),
        (WorkerSettings(python="3.12"), False),
        (WorkerSettings(platform="linux"), False),
    ],
    ids=["nothing", "python", "platform"],
)
def test_settings_without_a_worker_ask_for_nothing(settings: WorkerSettings, is_open: bool) -> None:  # noqa: FBT001 - a row's verdict
    """Without them no index is asked."""
    assert settings.is_open is is_open

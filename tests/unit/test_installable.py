"""Which requirements reach an installer that has the user's credentials."""

import pytest

from bundlekit.cold_runner.environments.installable import check_build_requirements, installable
from bundlekit.cold_runner.runner_error import RunnerError

LOCAL = [
    "./helper",
    "../helper",
    "/srv/helper",
    "~/helper",
    "file:helper",
    "file:///srv/helper",
    "helper @ file:///srv/helper",
    "helper[fast]@file:helper",
    "helper@ ./helper",
    "helper @ FILE:///srv/helper",
    "git+file:///srv/helper",
    "helper @ git+file:///srv/helper@main",
]


@pytest.mark.parametrize("requirement", LOCAL)
def test_nothing_of_this_machine_is_built_with_the_users_credentials(requirement: str) -> None:
    """Building it runs its code beside the tokens that the index wants (DESIGN decision 4)."""
    with pytest.raises(RunnerError, match="found the local path") as failure:
        list(installable((requirement,), "/srv/bundle", lambda _line: None))
    assert failure.value.type_name == "InstallError"
    with pytest.raises(RunnerError, match="expected build requirements from an index"):
        check_build_requirements((requirement,))


@pytest.mark.parametrize(
    "requirement", ["six @ http://host/${GITHUB_TOKEN}/six-1.whl", "six==${VERSION}", "git+https://${TOKEN}@host/six"]
)
def test_no_variable_is_filled_in(requirement: str) -> None:
    """Installers expand `${NAME}`, so an address could carry a secret to any host."""
    with pytest.raises(RunnerError, match="expected a requirement without variables"):
        list(installable((requirement,), "/srv/bundle", lambda _line: None))
    with pytest.raises(RunnerError, match="expected a requirement without variables"):
        check_build_requirements((requirement,))


@pytest.mark.parametrize(
    "requirement",
    [
        "numpy",
        "numpy>=2; python_version > '3'",
        "pandas[excel]~=2.0",
        "model @ https://host/model-1.whl",
        "model @ git+https://host/model@v1",
        "git+ssh://git@host/model",
        "file-magic",
        "a.b",
    ],
)
def test_what_comes_from_elsewhere_is_left_alone(requirement: str) -> None:
    """Indexes, URLs and repositories are where dependencies come from."""
    assert list(installable((requirement,), "/srv/bundle", lambda _line: None)) == [requirement]
    check_build_requirements((requirement,))


@pytest.mark.parametrize("requirement", ["./wheels/six-1.whl", "six @ ./wheels/six-1.whl", "file:wheels/six-1.whl"])
def test_a_wheel_of_the_bundle_is_installed_by_its_whole_path(requirement: str) -> None:
    """Unpacking a wheel runs none of its code; the installer works in another directory."""
    found = list(installable((requirement,), "/srv/bundle", lambda _line: None))
    assert found == ["/srv/bundle/wheels/six-1.whl"]


def test_the_bundle_itself_is_left_out() -> None:
    """`.` in requirements.txt means the bundle, which is built on its own."""
    lines: list[str] = []
    assert list(installable((".",), "/srv/bundle", lines.append)) == []
    assert lines == ["Leaving out the requirement '.': the bundle itself is built on its own"]

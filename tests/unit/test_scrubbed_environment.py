"""What code not yet trusted sees of the environment, and what logs show of it (HOSTILE_CORPUS I5, X01, X04)."""

import pytest

from bundlekit.cold_runner.environments.redaction import looks_secret, redacted
from bundlekit.cold_runner.environments.scrubbed_environment import build_environment, child_environment

_CANARY = "CANARY-5d1f"
_SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "DOCKER_CONFIG",
    "GITHUB_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "NETRC",
    "PIP_INDEX_URL",
    "SSH_AUTH_SOCK",
    "UV_INDEX_PRIVATE_PASSWORD",
)
_BASE = dict.fromkeys(_SECRETS, _CANARY) | {
    "CC": "gcc-12",
    "CMAKE_GENERATOR": "Ninja",
    "CUDA_VISIBLE_DEVICES": "1",
    "HOME": "/home/me",
    "LC_ALL": "tr_TR.UTF-8",
    "OMP_NUM_THREADS": "8",
    "PATH": "/opt/bin:/bin",
    "PYTHONHASHSEED": "7",
    "PYTHONPATH": "/evil",
    "PYTHONSTARTUP": "/evil.py",
    "TZ": "",
}


def test_a_task_sees_the_allow_list_and_nothing_else() -> None:
    """A block-list would miss the next secret."""
    environment = child_environment(_BASE, home="/h", tmp="/t", pass_env=(), task_env={})
    assert environment == {
        "CUDA_VISIBLE_DEVICES": "1",
        "HOME": "/h",
        "LANG": "C.UTF-8",
        "MKL_NUM_THREADS": "1",
        "NUMEXPR_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": "/opt/bin:/bin",
        "PYTHONHASHSEED": "0",
        "TMPDIR": "/t",
        "VECLIB_MAXIMUM_THREADS": "1",
    }


def test_no_planted_secret_reaches_a_task_or_a_build() -> None:
    """Whatever else is passed on."""
    task = child_environment(_BASE, home="/h", tmp="/t", pass_env=("TZ",), task_env={"K": "V"})
    build = build_environment(_BASE, home="/h", tmp="/t", pass_env=())
    assert _CANARY not in "".join([*task.values(), *build.values()])


def test_what_is_named_is_passed_on_and_python_variables_never_are() -> None:
    """Settings may name a token; nobody may change hash seeds or import paths by a variable."""
    environment = child_environment(
        _BASE,
        home="/h",
        tmp="/t",
        pass_env=("GITHUB_TOKEN", "OMP_NUM_THREADS", "PYTHONPATH", "ABSENT"),
        task_env={"BETA": "1", "PYTHONHASHSEED": "9", "PYTHONPATH": "/evil"},
    )
    assert environment["GITHUB_TOKEN"] == _CANARY
    assert (environment["OMP_NUM_THREADS"], environment["BETA"]) == ("8", "1")
    assert {name: value for name, value in environment.items() if name.startswith("PYTHON")} == {"PYTHONHASHSEED": "0"}
    assert "ABSENT" not in environment


def test_a_build_gets_compilers_and_their_settings_besides() -> None:
    """A C++ bundle is built with the user's compiler."""
    build = build_environment(_BASE, home="/h", tmp="/t", pass_env=())
    assert (build["CC"], build["CMAKE_GENERATOR"], build["HOME"]) == ("gcc-12", "Ninja", "/h")


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_API_KEY", "UV_INDEX_X_PASSWORD", "APIKEY"]
)
def test_names_of_secrets_are_known(name: str) -> None:
    """Their values are taken out of logs."""
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["PATH", "KEYBOARD", "MONKEY", "AUTHOR", "SASS_PATH", "HOME"])
def test_ordinary_names_are_left_alone(name: str) -> None:
    """Blotting out PATH would make every log unreadable."""
    assert not looks_secret(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at https://me:hunter22@host/simple: 401", "at https://***@host/simple: 401"),
        ("git+ssh://token@host/x", "git+ssh://***@host/x"),
        ("said hunter22 aloud", "said *** aloud"),
        ("token is s3cr3t-value.", "token is ***."),
        ("https://host/a@b and git is 1", "https://host/a@b and git is 1"),
        ("as it is meant: pw/4%@ or pw%2F4%25%40", "as it is meant: *** or ***"),
        ("Authorization: Basic bWU6aHVudGVyMjI=", "Authorization: ***"),
        ("'authorization': 'bearer abc'", "'authorization': '***'"),
        ("the header bWU6aHVudGVyMjI= alone", "the header ***= alone"),
        ("a token alone: tok-1234567", "a token alone: ***"),
        ("author: Basic", "author: Basic"),
    ],
)
def test_credentials_are_taken_out_of_what_is_logged(text: str, expected: str) -> None:
    """Installers print the URLs that they use."""
    environ = {
        "X_TOKEN": "s3cr3t-value",
        "SHORT_TOKEN": "git",
        "PIP_INDEX_URL": "https://me:hunter22@host/simple https://me:pw%2F4%25%40@host/simple",
        "GIT_CONFIG_KEY_0": "url.https://tok-1234567@host/.insteadOf",
    }
    assert redacted(text, environ) == expected

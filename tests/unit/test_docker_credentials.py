"""What Docker's configuration says about a registry: where it is looked for, and that no secret is shown."""

import base64
import json
import os
from pathlib import Path

import pytest

from bundlekit.errors import BundlekitError, FileAccessError, RegistryError
from bundlekit.store.docker_credentials import Credentials, docker_credentials
from bundlekit.store.http_authorization import challenges, is_loopback

_HOST = "registry.example:5000"
_AUTH = base64.b64encode(b"ann:open:sesame").decode()


def _environ(home: Path, config: object) -> dict[str, str]:
    """Write the configuration and a helper that knows two hosts, and return the variables that lead there."""
    (home / ".docker").mkdir(exist_ok=True)
    text = config if isinstance(config, str) else json.dumps(config)
    (home / ".docker" / "config.json").write_text(text, encoding="utf-8")
    helper = home / "docker-credential-mine"
    helper.write_text(
        "#!/bin/sh\nread -r host\n"
        'case "$host" in\n'
        'registry.example:5000) echo \'{"Username": "bob", "Secret": "from the helper"}\' ;;\n'
        'token.example) echo \'{"Username": "<token>", "Secret": "long lived"}\' ;;\n'
        "empty.example) echo '{}' ;;\n"
        "broken.example) echo 'secret, and no JSON' ;;\n"
        "*) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n",
        encoding="utf-8",
    )
    helper.chmod(0o755)
    return {"HOME": str(home), "PATH": f"{home}{os.pathsep}{os.environ['PATH']}"}


_FOUND = {
    "nothing": ({}, _HOST, None),
    "another": ({"auths": {"other.example": {"auth": _AUTH}}}, _HOST, None),
    "auth": ({"auths": {_HOST: {"auth": _AUTH}}}, _HOST, Credentials("ann", "open:sesame")),
    "address": ({"auths": {f"https://{_HOST}/v1/": {"auth": _AUTH}}}, _HOST, Credentials("ann", "open:sesame")),
    "user": ({"auths": {_HOST: {"username": "ann", "password": "x"}}}, _HOST, Credentials("ann", "x")),
    "token": (
        {"auths": {_HOST: {"auth": _AUTH, "identitytoken": "t"}}},
        _HOST,
        Credentials("ann", "t", is_identity_token=True),
    ),
    "empty entry": ({"auths": {_HOST: {}}}, _HOST, None),
    "hub": (
        {"auths": {"https://index.docker.io/v1/": {"auth": _AUTH}}},
        "docker.io",
        Credentials("ann", "open:sesame"),
    ),
    "store": ({"credsStore": "mine"}, _HOST, Credentials("bob", "from the helper")),
    "helper first": (
        {"credHelpers": {_HOST: "mine"}, "auths": {_HOST: {"auth": _AUTH}}},
        _HOST,
        Credentials("bob", "from the helper"),
    ),
    "store without it": (
        {"credsStore": "mine", "auths": {"h.example": {"auth": _AUTH}}},
        "h.example",
        Credentials("ann", "open:sesame"),
    ),
    "token of a helper": (
        {"credsStore": "mine"},
        "token.example",
        Credentials("", "long lived", is_identity_token=True),
    ),
    "empty answer": ({"credsStore": "mine"}, "empty.example", None),
}


@pytest.mark.parametrize("row", _FOUND)
def test_what_docker_knows_is_found(tmp_path: Path, row: str) -> None:
    """As `docker login` and the clouds' helpers leave it."""
    config, host, expected = _FOUND[row]
    assert docker_credentials(host, _environ(tmp_path, config)) == expected


def test_the_variable_names_another_directory(tmp_path: Path) -> None:
    """Without a configuration anywhere, there are no credentials."""
    environ = _environ(tmp_path, {"auths": {_HOST: {"auth": _AUTH}}})
    assert docker_credentials(_HOST, environ | {"DOCKER_CONFIG": str(tmp_path)}) is None
    assert docker_credentials(_HOST, {"HOME": "/", "DOCKER_CONFIG": str(tmp_path / ".docker")}) is not None


_BROKEN = {
    "no JSON": ('{"auths": "secret', _HOST, FileAccessError, "cannot be read: it is not JSON"),
    "no base64": ({"auths": {_HOST: {"auth": "secret!"}}}, _HOST, FileAccessError, "is not base64 of USER:PASSWORD"),
    "no program": ({"credsStore": "../../secret"}, _HOST, RegistryError, "is no name of a program"),
    "no helper": ({"credsStore": "absent"}, _HOST, RegistryError, "docker-credential-absent cannot be asked"),
    "no answer": ({"credsStore": "mine"}, "broken.example", RegistryError, "answered something that is not JSON"),
}


@pytest.mark.parametrize("row", _BROKEN)
def test_what_cannot_be_read_is_told_without_what_it_says(tmp_path: Path, row: str) -> None:
    """A message ends in a log, and a line of that file is a password."""
    config, host, kind, text = _BROKEN[row]
    with pytest.raises(BundlekitError) as caught:
        docker_credentials(host, _environ(tmp_path, config))
    assert isinstance(caught.value, kind)
    assert text in caught.value.message
    if row != "no program":
        assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None


def test_credentials_do_not_show_themselves() -> None:
    """In a traceback, a log, a debugger."""
    assert "sesame" not in repr(Credentials("ann", "open sesame"))
    assert Credentials("ann", "x").basic == "Basic YW5uOng="


def test_challenges_are_read_as_they_are_written() -> None:
    """Several in one header, quoted commas and equal signs, parameters without quotes."""
    header = 'Bearer realm="https://a.example/t?x=1,2",service=a.example,scope="pull,push", Basic realm="say \\"hi\\""'
    assert challenges(header) == {
        "bearer": {"realm": "https://a.example/t?x=1,2", "service": "a.example", "scope": "pull,push"},
        "basic": {"realm": 'say "hi"'},
    }
    assert challenges("Negotiate") == {"negotiate": {}}
    assert challenges("") == {}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000", "[::1]:5000", "[::1]", "::1"]
)
def test_this_machine_is_known_by_its_names(host: str) -> None:
    """To it, and to nobody else, passwords go without TLS."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "127.0.0.1.example:5000", "example", "128.0.0.1", "[::2]:5000"])
def test_other_machines_are_not_this_one(host: str) -> None:
    """Whatever their names begin with."""
    assert not is_loopback(host)

"""Passwords and tokens: they go to the registry that they are for and to nobody else, and they are shown nowhere."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.pushed_bundles import PushedBundle, lie_about, pushed_bundle
from builders.registries import FakeRegistry, Reply, Request, fake_registry

_USER, _PASSWORD = "scientist", "open sesame"
_BASIC = "Basic " + base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[PushedBundle]:
    """A bundle in a registry whose password Docker's configuration has."""
    with pushed_bundle(tmp_path) as pushed:
        (tmp_path / ".docker").mkdir()
        entry = {"auth": base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()}
        config = {"auths": {f"https://{pushed.registry.host}/v2/": entry}}
        (tmp_path / ".docker" / "config.json").write_text(json.dumps(config), encoding="utf-8")
        yield pushed


def _authorizations(registry: FakeRegistry) -> set[str | None]:
    return {each.headers.get("Authorization") for each in registry.requests}


def _wants(header: str, challenge: str, registry: FakeRegistry) -> None:
    """Let `registry` answer only what comes with `header`."""

    def judge(request: Request) -> Reply | None:
        if request.path.startswith("/token") or request.headers.get("Authorization") == header:
            return None
        return Reply(401, headers={"WWW-Authenticate": challenge})

    registry.liars.append(judge)


def test_a_password_is_sent_once_it_is_asked_for(pushed: PushedBundle) -> None:
    """A registry that anybody may read learns of no user."""
    assert pushed.pull() == pushed.archive.read_bytes()
    assert _authorizations(pushed.registry) == {None}
    _wants(_BASIC, 'Basic realm="tests"', pushed.registry)
    pushed.registry.requests.clear()
    pushed.pull()
    assert _authorizations(pushed.registry) == {None, _BASIC}


def test_a_token_is_got_for_the_password_and_anew_when_it_has_run_out(pushed: PushedBundle) -> None:
    """Tokens live for minutes, and a push of gigabytes for longer."""
    tokens = iter(["first", "second", "third"])
    current = [""]
    asked: list[Request] = []

    def serve(request: Request) -> Reply | None:
        if request.path.startswith("/token"):
            asked.append(request)
            current[0] = next(tokens)
            return Reply(200, json.dumps({"token": current[0]}).encode())
        if request.headers.get("Authorization") == f"Bearer {current[0]}" and current[0]:
            if "/blobs/" in request.path and current[0] == "first":
                current[0] = "run out"
                return serve(request)
            return None
        scope = 'scope="repository:models/sir:pull"'
        realm = f'Bearer realm="http://{pushed.registry.host}/token",service="tests, \\"quoted\\"",{scope}'
        return Reply(401, headers={"WWW-Authenticate": realm})

    pushed.registry.liars.append(serve)
    assert pushed.pull() == pushed.archive.read_bytes()
    assert [each.headers["Authorization"] for each in asked] == [_BASIC] * 2
    assert asked[0].path == "/token?service=tests%2C+%22quoted%22&scope=repository%3Amodels%2Fsir%3Apull"


def test_an_identity_token_is_exchanged_and_never_sent_to_the_registry(pushed: PushedBundle) -> None:
    """It is what helpers give for clouds, and it opens more than one repository."""
    config = {"auths": {pushed.registry.host: {"identitytoken": "long lived"}}}
    (pushed.cache.parent / ".docker" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    bodies: list[bytes] = []

    def serve(request: Request) -> Reply | None:
        if request.path == "/token":
            bodies.append(request.body)
            return Reply(200, b'{"access_token": "short lived"}')
        return None

    pushed.registry.liars.append(serve)
    _wants("Bearer short lived", f'Bearer realm="http://{pushed.registry.host}/token"', pushed.registry)
    assert pushed.pull() == pushed.archive.read_bytes()
    assert bodies == [b"grant_type=refresh_token&refresh_token=long+lived&client_id=bundlekit"]
    assert "long lived" not in str(_authorizations(pushed.registry))


def test_a_redirect_to_another_host_gets_the_bytes_and_no_password(pushed: PushedBundle) -> None:
    """Registries keep blobs in somebody's object storage, and CVE-2020-15157 was a token that went there."""
    _wants(_BASIC, 'Basic realm="tests"', pushed.registry)
    with fake_registry() as storage:
        storage.liars.append(lambda _: Reply(200, pushed.archive.read_bytes()))
        place = f"http://{storage.host}/signed?key=abc"
        pushed.registry.liars.append(lie_about(pushed.layer, lambda _: Reply(307, headers={"Location": place})))
        assert pushed.pull() == pushed.archive.read_bytes()
        assert _authorizations(storage) == {None}
        # And a challenge from there is nobody's that we know.
        storage.requests.clear()
        storage.liars[:] = [lambda _: Reply(401, headers={"WWW-Authenticate": 'Basic realm="give me"'})]
        error = pushed._replace(cache=pushed.cache.parent / "second").refusal()
        assert "answered 401" in error.message
        assert _authorizations(storage) == {None}


def test_redirects_come_to_an_end(pushed: PushedBundle) -> None:
    """A registry may lead in a circle."""
    pushed.registry.liars.append(lie_about(pushed.layer, lambda path: Reply(302, headers={"Location": path.decode()})))
    assert "redirects more than 5 times" in pushed.refusal().message


@pytest.mark.parametrize(
    ("realm", "text"),
    [
        ("http://tokens.example/give", "expected an https address"),
        ("ftp://tokens.example/give", "expected an https address"),
        ("", "expected an https address"),
        ("file:///etc/passwd", "expected an https address"),
    ],
)
def test_a_token_server_without_tls_is_not_told_the_password(pushed: PushedBundle, realm: str, text: str) -> None:
    """A registry names the server, and whoever listens on the way would hear."""
    pushed.registry.liars.append(lambda _: Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'}))
    assert text in pushed.refusal().message


@pytest.mark.parametrize(
    "answer",
    [
        Reply(403, b'{"token": "shown nowhere"}'),
        Reply(200, b"shown nowhere"),
        Reply(200, b'{"token": 5}'),
        Reply(200, b'{"token": "two\\nlines"}'),
        Reply(307, headers={"Location": "http://127.0.0.1:9/"}),
    ],
    ids=["refused", "no JSON", "no text", "two lines", "elsewhere"],
)
def test_a_token_server_that_gives_no_token_is_told(pushed: PushedBundle, answer: Reply) -> None:
    """What it answered may be a secret, and stays unsaid."""
    pushed.registry.liars.append(lambda request: answer if request.path.startswith("/token") else None)
    _wants("Bearer x", f'Bearer realm="http://{pushed.registry.host}/token"', pushed.registry)
    error = pushed.refusal()
    assert f"the token server of {pushed.registry.host} gave no token (status {answer.status})" in error.message
    assert "shown nowhere" not in str(vars(error))


def test_a_password_that_is_wrong_is_tried_once(pushed: PushedBundle) -> None:
    """Three wrong tries lock an account."""
    _wants("nothing that is sent", 'Basic realm="tests"', pushed.registry)
    error = pushed.refusal()
    assert "answered 401" in error.message
    assert error.hint == f"`docker login {pushed.registry.host}`"
    assert len(pushed.registry.requests) == 2
    assert _PASSWORD not in str(vars(error))

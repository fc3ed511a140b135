"""What a warm process says on its pipes, byte by byte: JSON-RPC 2.0 as CONTRACT section 8 has it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.cold_runs import await_death, wire_bundle
from builders.warm_runs import bundle_to_run

from bundlekit.cold_runner.child.framing import Frames, framed
from bundlekit.cold_runner.keeper import START
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.executors.warm.keeper import Ended, Keeper, Started, ended

pytestmark = pytest.mark.process

_WIRE = """
    def wire(entrypoint, params, seed):
        if entrypoint == "raise":
            raise ValueError("no")
        return {"raw": b"\\x00\\xff", "\\u00e9\\"": b""}
"""


class _Conversation:
    def __init__(self, started: Started) -> None:
        self.started = started
        self._frames = Frames()

    def send(self, data: bytes) -> None:
        os.write(self.started.requests, data)

    def received(self) -> dict[str, object]:
        while (body := self._frames.take()) is None:
            data = os.read(self.started.answers, 1 << 16)
            assert data, "the process ended"
            self._frames.feed(data)
        answer = json.loads(body)
        assert isinstance(answer, dict)
        assert answer["jsonrpc"] == "2.0"
        return answer

    def ask(self, method: str, **params: object) -> dict[str, object]:
        self.send(framed(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()))
        answer = self.received()
        assert answer["id"] == 7
        return answer


@pytest.fixture
def talk(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Conversation]:
    """A process, without a pool around it."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(scratch))
    bundle = bundle_to_run(wire_bundle(tmp_path, _WIRE))
    source = {"path": str(bundle.path), "digest": bundle.digest, "files": None}
    keeper = Keeper(lambda _line: None)
    started = keeper.start({"verb": START, "bundle": source, "timeout_s": 60.0})
    yield _Conversation(started)
    keeper.close()
    assert await_death([started.pid], 1.0) == []
    for end in started[-4:]:
        assert isinstance(end, int)
        os.close(end)


_CALL = {"entrypoint": "main", "params": {}, "seed": 1}


def test_the_four_methods(talk: _Conversation) -> None:
    """Whoever speaks the protocol to today's runners speaks it to these."""
    ready = talk.ask("ready")["result"]
    assert isinstance(ready, dict)
    assert ready.keys() == {"ready", "bundle_digest", "python", "version", "pid", "venv"}
    assert (ready["pid"], ready["bundle_digest"]) == (talk.started.pid, talk.started.digest)
    assert talk.ask("execute", **_CALL)["result"] == {"raw": "AP8=", 'é"': ""}
    assert talk.ask("shutdown")["result"] == {"ok": True}
    assert ended(talk.started.life, 5.0) == Ended(0, "")


def test_bundle_code_that_raises_is_told(talk: _Conversation) -> None:
    """Type, text and traceback, which used to survive in a log only; and the process goes on."""
    error = talk.ask("execute", **{**_CALL, "entrypoint": "raise"})["error"]
    assert isinstance(error, dict)
    assert error["code"] == -32000
    assert (error["data"]["exc_type"], error["data"]["exc"]) == ("ValueError", "no")
    assert "wire.py" in error["data"]["traceback"]
    aggregate = talk.ask("aggregate", target_entrypoint="wire:nothing", sim_returns=[])["error"]
    assert isinstance(aggregate, dict)
    assert aggregate["code"] == -32001
    assert "result" in talk.ask("execute", **_CALL)


_ANSWERED: dict[str, tuple[bytes, int]] = {
    "no-json": (b"{", -32700),
    "no-utf-8": (b"\xff", -32700),
    "another-version": (b'{"id":1,"method":"ready"}', -32600),
    "a-list": (b"[]", -32600),
    "params-as-a-list": (b'{"jsonrpc":"2.0","id":1,"method":"ready","params":[1]}', -32600),
    "no-such-method": (b'{"jsonrpc":"2.0","id":1,"method":"eval"}', -32601),
    "no-params": (b'{"jsonrpc":"2.0","id":1,"method":"execute"}', -32602),
    "another-bundle": (b'{"jsonrpc":"2.0","id":1,"method":"execute","params":{"bundle_digest":"sha256:0"}}', -32603),
}


@pytest.mark.parametrize(("body", "code"), _ANSWERED.values(), ids=_ANSWERED)
def test_a_wrong_request_is_answered_and_the_next_one_too(talk: _Conversation, body: bytes, code: int) -> None:
    """With the codes that JSON-RPC has for it, and LF alone at the ends of lines."""
    talk.send(b"Content-Length: %d\n\n%b" % (len(body), body))
    error = talk.received()["error"]
    assert isinstance(error, dict)
    assert error["code"] == code
    assert "result" in talk.ask("execute", **_CALL)


@pytest.mark.parametrize(
    "data", [b"Content-Length: -1\r\n\r\n", b"Content-Length: 4294967296\r\n\r\n", b"GET /\r\n\r\n"]
)
def test_what_is_no_frame_ends_the_process_with_an_answer(talk: _Conversation, data: bytes) -> None:
    """Where the next request would start cannot be known."""
    talk.send(data)
    error = talk.received()["error"]
    assert isinstance(error, dict)
    assert error["code"] == -32700
    found = ended(talk.started.life, 5.0)
    assert found is not None
    assert found.status == 0


def test_a_request_of_the_keeper_that_is_none_is_refused(scratch: Path) -> None:
    """It is our own host that asks, so one sentence is enough."""
    assert scratch
    keeper = Keeper(lambda _line: None)
    try:
        with pytest.raises(RunnerError, match="expected an object in the key bundle"):
            keeper.start({"verb": START, "timeout_s": 1.0})
    finally:
        keeper.close()

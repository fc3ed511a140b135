"""Registries for tests: Debian's docker-registry on loopback, and one of a few lines that can be told to lie."""

import hashlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

__all__ = ["FakeRegistry", "Reply", "Request", "docker_registry", "fake_registry", "sha256"]

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def sha256(data: bytes) -> str:
    """Return the digest of `data`, by other code than that under test."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@contextmanager
def docker_registry(directory: Path, *, htpasswd: str | None = None) -> Iterator[str]:
    """Run Debian's docker-registry with its storage in `directory`, and give its host with the port."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    directory.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if htpasswd is not None:
        (directory / "htpasswd").write_text(htpasswd, encoding="utf-8")
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(directory / "htpasswd")}}
    (directory / "config.yml").write_text(json.dumps(config), encoding="utf-8")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(directory / "config.yml")], stdout=log, stderr=log)
    try:
        _wait_for(host, process)
        yield host
    finally:
        process.kill()
        process.wait()


def _wait_for(host: str, process: "subprocess.Popen[bytes]") -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{host}/v2/", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it wants a password, and so it is there
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"docker-registry does not answer at {host}")


class Request(NamedTuple):
    """What a fake registry was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What it answers; `length` is announced instead of the body's, and after `pause_s` for each byte it is sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    length: int | None = None
    pause_s: float = 0.0


Liar = Callable[[Request], Reply | None]
"""Answers a request in the honest registry's place, or leaves it to that with None."""


class FakeRegistry:
    """An honest registry in memory; `liars` are asked first, and `requests` has what was asked."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.liars: list[Liar] = []
        self.requests: list[Request] = []
        self.host = ""

    def asked(self, method: str, part: str) -> int:
        """Return how many requests of `method` had `part` in their path."""
        return sum(each.method == method and part in each.path for each in self.requests)

    def answer(self, request: Request) -> Reply:
        """Return what is sent for `request`."""
        self.requests.append(request)
        for liar in list(self.liars):
            reply = liar(request)
            if reply is not None:
                return reply
        return self.honest(request)

    def honest(self, request: Request) -> Reply:
        """Return what a registry without fault would send."""
        path, _, query = request.path.partition("?")
        kind, name = path.split("/")[-2:]
        if path == "/v2/":
            return Reply(200, b"{}")
        if kind == "manifests":
            return self._manifest(request, name)
        if kind == "blobs":
            return self._blob(request, self.blobs.get(name))
        return self._upload(request, path, name, query)

    def _manifest(self, request: Request, name: str) -> Reply:
        if request.method == "PUT":
            digest = sha256(request.body)
            self.manifests[digest] = self.manifests[name] = request.body
            return Reply(201, headers={"Docker-Content-Digest": digest})
        found = self.manifests.get(name)
        return Reply(404) if found is None else Reply(200, found, {"Content-Type": _MANIFEST_TYPE})

    def _blob(self, request: Request, found: bytes | None) -> Reply:
        if found is None:
            return Reply(404)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        if wanted is None:
            return Reply(200, found)
        start, end = int(wanted[1]), int(wanted[2])
        headers = {"Content-Range": f"bytes {start}-{end}/{len(found)}"}
        return Reply(206, found[start : end + 1], headers)

    def _upload(self, request: Request, path: str, name: str, query: str) -> Reply:
        if request.method == "POST":
            session = str(len(self.uploads))
            self.uploads[session] = b""
            return Reply(202, headers={"Location": f"{path}{session}"})
        if name not in self.uploads:
            return Reply(404)
        self.uploads[name] += request.body
        size = len(self.uploads[name])
        headers = {"Location": path, "Range": f"0-{max(size - 1, 0)}"}
        if request.method == "PATCH":
            return Reply(202, headers=headers)
        if request.method == "GET":
            return Reply(204, headers=headers)
        digest = query.removeprefix("digest=").replace("%3A", ":")
        if sha256(self.uploads[name]) != digest:
            return Reply(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        self.blobs[digest] = self.uploads.pop(name)
        return Reply(201, headers={"Docker-Content-Digest": digest})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: FakeRegistry

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.registry.answer(Request(self.command, self.path, dict(self.headers.items()), body))
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True  # the client has heard enough

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
        self.end_headers()
        if self.command != "HEAD":
            step = 1 if reply.pause_s else len(reply.body) or 1
            for start in range(0, len(reply.body), step):
                self.wfile.write(reply.body[start : start + step])
                time.sleep(reply.pause_s)
        if reply.length not in {None, len(reply.body)}:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = _answer  # noqa: N815 - http.server looks for these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that go away in the middle are what the tests want."""


@contextmanager
def fake_registry(name: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[FakeRegistry]:
    """Run a fake registry on this machine, by this name of it."""
    registry = FakeRegistry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = _Server((name, 0), handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    registry.host = f"{name}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

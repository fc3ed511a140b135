"""A package index on loopback that asks for a password, as an institute's does."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["PrivateIndex", "private_index"]


class PrivateIndex(NamedTuple):
    """A running index; `served` are the paths that were asked for with the right password, `refused` the others."""

    host: str
    user: str
    password: str
    served: list[str]
    refused: list[str]

    @property
    def url(self) -> str:
        """The address without credentials."""
        return f"http://{self.host}/simple/"

    def url_with(self, password: str | None = None) -> str:
        """Return the address with the user and a password, the right one if none is given."""
        secret = quote(self.password if password is None else password, safe="")
        return f"http://{self.user}:{secret}@{self.host}/simple/"


@contextmanager
def private_index(wheels: Path, user: str, password: str) -> Iterator[PrivateIndex]:
    """Serve the folder `wheels` as an index of one page a package, to who knows `user` and `password`."""
    right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    served: list[str] = []
    refused: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers["Authorization"] != right:
                refused.append(self.path)
                self._answer(401, b"who are you?")
                return
            served.append(self.path)
            body = _page(wheels, self.path)
            self._answer(404 if body is None else 200, body or b"")

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            is_page = self.path.endswith("/")
            self.send_header("Content-Type", "text/html" if is_page else "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield PrivateIndex(f"127.0.0.1:{server.server_port}", user, password, served, refused)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page(wheels: Path, path: str) -> bytes | None:
    parts = [part for part in path.split("/") if part]
    if len(parts) == 2 and parts[0] == "simple":
        name = parts[1].replace("-", "_")
        found = sorted(wheel.name for wheel in wheels.glob(f"{name}-*.whl"))
        links = "".join(f'<a href="/files/{wheel}">{wheel}</a>' for wheel in found)
        return f"<!DOCTYPE html><html><body>{links}</body></html>".encode() if found else None
    if len(parts) == 2 and parts[0] == "files" and (wheels / parts[1]).is_file():
        return (wheels / parts[1]).read_bytes()
    return None

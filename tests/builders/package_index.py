"""A package index on this machine's loopback, as PEP 503 has them: one page of links for each project."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

__all__ = ["PackageIndex", "served_index"]


class PackageIndex(NamedTuple):
    """An index that answers at `url`; `asked` are the paths that were asked of it so far."""

    url: str
    asked: list[str]


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, asked: list[str], directory: str) -> None:
        self._asked = asked
        super().__init__(*args, directory=directory)

    def do_GET(self) -> None:
        self._asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives
        """Keep the test's output free of requests."""


@contextmanager
def served_index(root: Path) -> Iterator[PackageIndex]:
    """Serve every file ``<root>/simple/<project>/<file>``; a directory's listing is the page of links."""
    asked: list[str] = []
    handler = partial(_Handler, asked=asked, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield PackageIndex(f"http://127.0.0.1:{server.server_port}/simple/", asked)
        finally:
            server.shutdown()
            thread.join()

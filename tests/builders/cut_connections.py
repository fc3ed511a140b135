"""A network that breaks: connections to a server that end after so many bytes, in the middle of whatever they carry."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

__all__ = ["cut_connections"]

_CHUNK = 1 << 16


@contextmanager
def cut_connections(host: str, after_bytes: list[int]) -> Iterator[str]:
    """Give the address of a way to `host`: each number is taken by the next connection that carries as many bytes.

    The connection is cut there, in both directions. With no number left, they hold.
    """
    address, _, port = host.rpartition(":")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_accept, args=(server, (address, int(port)), after_bytes), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _accept(server: socket.socket, target: tuple[str, int], after_bytes: list[int]) -> None:
    with suppress(OSError):  # the server was closed
        while True:
            ours, _ = server.accept()
            theirs = socket.create_connection(target)
            carried = [0]
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=_carry, args=(source, sink, carried, after_bytes), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket, carried: list[int], after_bytes: list[int]) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            carried[0] += len(data)
            if after_bytes and carried[0] > after_bytes[0]:
                after_bytes.pop(0)
                break
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

"""Runs in a warm process: one call of bundle code after the other, asked for in JSON-RPC, nothing restored in between.

It has the descriptors 0 (/dev/null), 1 and 2 (both the log), JOB_FD (code, then what all its calls have in common),
ANSWER_FD, REQUEST_FD and STATE_FD. What it needs is imported, and kept, before any bundle code runs.

See: CONTRACT section 8 for methods and codes; DESIGN decisions 5 to 7.
"""

from __future__ import annotations

import binascii
import json
import marshal
import mmap
import os
import sys
from json.encoder import encode_basestring_ascii as quoted

from . import framing
from .channel import DOCUMENT, EXITED, RAISED, REFUSED, Channel, RefusedError
from .main import call_wire, settle, show_faults, wire_function
from .returns import outputs_of

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType
    from typing import BinaryIO

    from .job import Job

    Modules = list[tuple[str, CodeType | str]]

__all__ = ["main"]

_NOTES = {name: ord(name[0]) for name in ("import", "call", "result")}
_SMALL, _LARGE = 1 << 16, 1 << 20
_MAX_RESULT_BYTES = 1 << 30
_KINDS = {RAISED: ("exc_type", "exc", "traceback"), EXITED: ("exc",), REFUSED: ("error_code", "exc")}


class _RequestError(Exception):
    """A request that cannot be answered; `code` is one of JSON-RPC's own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Line(Channel):
    """The pipes to the pool. What a call tells of itself is gathered, and goes into the one answer to it."""

    def __init__(self) -> None:
        super().__init__()
        self._read, self._loads, self._dumps, self._quoted = os.read, json.JSONDecoder().decode, json.dumps, quoted
        self._frames = framing.Frames()
        self._note = mmap.mmap(framing.STATE_FD, framing.STATE_BYTES)
        self.told: tuple[bytes, tuple[bytes, ...]] | None = None
        self.current = "import"
        os.close(framing.STATE_FD)
        os.set_inheritable(framing.REQUEST_FD, False)  # noqa: FBT003 - the argument has no name

    def begin(self, number: object) -> None:
        """Note that the request `number` is being answered."""
        self._note[1:] = number.to_bytes(8, "big") if isinstance(number, int) and 0 <= number < 1 << 63 else bytes(8)
        self.told = None
        self.phase("import")

    def phase(self, name: str) -> None:
        """Note what happens from now on, where the pool looks when there is no answer."""
        if name == "result":
            self.check()  # what the call did to the pipes belongs to the call
        self.current = name
        self._note[0] = _NOTES[name]

    def send(self, kind: bytes, *fields: bytes | memoryview) -> None:
        """Keep what is told of a call."""
        self.told = kind, tuple(map(bytes, fields))

    def received(self) -> bytes | None:
        """Return the body of the next request, None when there will be none.

        Raises:
            FramingError: what came is no request.
        """
        while (body := self._frames.take()) is None:
            try:
                data = self._read(framing.REQUEST_FD, _LARGE if self._frames.lacking > _SMALL else _SMALL)
            except OSError:
                data = b""
            if not data:
                return None
            self._frames.feed(data)
        return body

    def loaded(self, body: bytes) -> object:
        """Return the JSON document in `body`."""
        found: object = self._loads(body.decode())
        return found

    def dumped(self, value: object) -> bytes:
        """Return `value` as JSON, in ASCII."""
        return self._dumps(value).encode()

    def quoted(self, text: str) -> bytes:
        """Return `text` as JSON, in ASCII."""
        return self._quoted(text).encode()

    def answer(self, number: object, kind: bytes, document: bytes) -> None:
        """Send the one answer to a request: a `document` of JSON, as its result or its error."""
        self.check()
        shown = b"%d" % number if type(number) is int else self.dumped(number)
        head = b'{"jsonrpc":"2.0","id":%b,"%b":' % (shown, kind)
        self.write(b"".join((framing.head(len(head) + len(document) + 1), head, document, b"}")))


def main(orders: BinaryIO, load: Callable[[Modules], None]) -> None:
    """Answer requests until there are no more; returns only where the interpreter should end in its own way."""
    line = _Line()
    later, job = marshal.load(orders)  # noqa: S302 - the keeper wrote it
    orders.close()
    modules, digest = later
    session = _Session(line, job, digest, lambda name: load(_unpacked(modules.pop(name, []))))
    if job["limits"]:
        load(modules.pop("restraint"))
    show_faults()
    settle(job)
    while session.answered_next():
        pass
    line.leave(0)


def _unpacked(modules: Modules | bytes) -> Modules:
    if isinstance(modules, bytes):
        found: Modules = marshal.loads(modules)  # noqa: S302 - as above
        return found
    return modules


class _Session:
    """The calls of this process. The wire function is looked up once, as each target is by Python's own import."""

    def __init__(self, line: _Line, job: Job, digest: str, load: Callable[[str], None]) -> None:
        self._line = line
        self._job = job
        self._digest = digest
        self._load = load
        self._encoded = binascii.b2a_base64
        self._wire: Callable[..., object] | None = None
        self._methods: Mapping[str, Callable[[Mapping[str, object]], bytes]] = {
            "execute": self._execute,
            "aggregate": self._aggregate,
            "import": self._import,
            "python_state": self._python_state,
            "ready": self._ready,
            "shutdown": lambda _params: line.dumped({"ok": True}),
        }

    def answered_next(self) -> bool:
        """Answer one request; return whether there may be another."""
        try:
            body = self._line.received()
        except framing.FramingError as error:
            # Where the next request starts cannot be known any more.
            self._fail(None, framing.PARSE_ERROR, str(error))
            return False
        if body is None:
            return False
        number: object = None
        try:
            number, method, params = self._parsed(body)
            self._answer(number, method, params)
        except _RequestError as error:
            self._fail(number, error.code, error.message)
            return True
        return method != "shutdown"

    def _parsed(self, body: bytes) -> tuple[object, str, Mapping[str, object]]:
        try:
            request = self._line.loaded(body)
        except (ValueError, RecursionError) as error:
            raise _RequestError(framing.PARSE_ERROR, f"expected JSON: {error}") from None
        if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
            raise _RequestError(framing.INVALID_REQUEST, "expected a request of JSON-RPC 2.0")
        method, params = request.get("method"), request.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            raise _RequestError(framing.INVALID_REQUEST, "expected a method, and an object of params")
        return request.get("id"), method, params

    def _answer(self, number: object, method: str, params: Mapping[str, object]) -> None:
        run = self._methods.get(method)
        if run is None:
            raise _RequestError(
                framing.METHOD_NOT_FOUND, f"expected one of {', '.join(self._methods)}, found {method!r:.100}"
            )
        if params.get("bundle_digest", self._digest) != self._digest:
            raise _RequestError(
                framing.INTERNAL, f"this process runs the bundle {self._digest}, not {params['bundle_digest']!r:.100}"
            )
        if self._job["limits"]:
            renew: Callable[[Job], None] = sys.modules[f"{__package__}.restraint"].renew
            renew(self._job)
        self._line.begin(number)
        try:
            result = run(params)
        except _RequestError:
            raise
        except RefusedError as error:
            self._line.refused(error)
        except BaseException as error:  # noqa: BLE001 - the one place around foreign code
            self._line.raised(error)
        else:
            self._line.answer(number, b"result", result)
            return
        code = framing.AGGREGATION_FAILED if method == "aggregate" else framing.EXECUTION_FAILED
        self._fail(number, code, f"{method} failed", data=self._told())

    def _fail(self, number: object, code: int, message: str, **data: object) -> None:
        self._line.answer(number, b"error", self._line.dumped({"code": code, "message": message, **data}))

    def _told(self) -> dict[str, object]:
        kind, fields = self._line.told or (REFUSED, (b"E_WIRE_RESULT", b"the process could not tell what happened"))
        texts = [field.decode("utf-8", "replace") for field in fields]
        return {"kind": kind.decode(), "phase": self._line.current, **dict(zip(_KINDS[kind], texts, strict=True))}

    def _ready(self, _params: Mapping[str, object]) -> bytes:
        version = ".".join(map(str, sys.version_info[:3]))
        found = {"python": sys.executable, "version": version, "pid": os.getpid(), "venv": sys.prefix}
        return self._line.dumped({"ready": True, "bundle_digest": self._digest, **found})

    def _import(self, _params: Mapping[str, object]) -> bytes:
        """Have the bundle imported, as the first task would, and run nothing: what is there now no task has changed."""
        self._imported()
        return self._line.dumped({"imported": True})

    def _imported(self) -> Callable[..., object]:
        if self._wire is None:
            self._wire = wire_function(self._job["reference"])
        return self._wire

    def _python_state(self, params: Mapping[str, object]) -> bytes:
        """Tell what Python state there is; the bundle is imported before, if no task has done that yet."""
        self._imported()
        self._load("state")
        state_of: Callable[[Job, Mapping[str, object]], dict[str, object]] = sys.modules[
            f"{__package__}.state"
        ].state_of
        return self._line.dumped(state_of(self._job, params))

    def _execute(self, params: Mapping[str, object]) -> bytes:
        entrypoint, values, seed = params.get("entrypoint"), params.get("params"), params.get("seed")
        if not isinstance(entrypoint, str) or not isinstance(values, dict) or not isinstance(seed, int):
            raise _RequestError(
                framing.INVALID_PARAMS, "expected entrypoint (text), params (an object) and seed (an integer)"
            )
        wire = self._imported()
        self._job["entrypoint"], self._job["params"], self._job["seed"] = entrypoint, values, seed
        returned = call_wire(self._line, wire, self._job)
        outputs: dict[bytes, bytes] = {}
        size = 0
        for name, data in outputs_of(returned):
            if name in outputs:
                raise RefusedError("E_WIRE_RESULT", f"expected each output once, found {name.decode()!r:.100} twice")
            size += len(name) + len(data)
            if size > _MAX_RESULT_BYTES:
                raise RefusedError("E_LIMIT", f"expected at most {_MAX_RESULT_BYTES} bytes of outputs, found more")
            # Base64 needs no escapes: a look at each of its characters would cost as much as all else.
            outputs[name] = b'%b:"%b"' % (self._line.quoted(name.decode()), self._encoded(data, newline=False))
        return b"{%b}" % b",".join(outputs.values())

    def _aggregate(self, params: Mapping[str, object]) -> bytes:
        target, returns = params.get("target_entrypoint"), params.get("sim_returns")
        if not isinstance(target, str) or not isinstance(returns, list):
            raise _RequestError(framing.INVALID_PARAMS, "expected target_entrypoint (text) and sim_returns (an array)")
        self._load("target")
        _decode(returns)
        self._job["reference"], before = target, self._job["reference"]
        self._job["sim_returns"], self._job["target_data"] = returns, params.get("target_data")
        try:
            run: Callable[[Channel, Job], None] = sys.modules[f"{__package__}.target"].run
            run(self._line, self._job)
        finally:
            self._job["reference"], self._job["sim_returns"] = before, []
        kind, fields = self._line.told or (b"", ())
        found = self._line.loaded(fields[0]) if kind == DOCUMENT else None
        return self._line.dumped({**found, "outputs": {}} if isinstance(found, dict) else {})


def _decode(returns: list[object]) -> None:
    for replicate in returns:
        outputs = replicate.get("outputs") if isinstance(replicate, dict) else None
        for artifact in outputs.values() if isinstance(outputs, dict) else ():
            if isinstance(artifact, dict) and isinstance(artifact.get("inline"), str):
                artifact["inline"] = binascii.a2b_base64(artifact["inline"])

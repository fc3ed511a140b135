"""What a child reported so far, read from its pipe frame by frame, and believed only as far as it has been checked."""

from .child_channel import DOCUMENT, DONE, EXITED, OUTPUT, PHASE, RAISED, REFUSED
from .codes import ErrorCode, Phase
from .runner_error import RunnerError

__all__ = ["MAX_RESULT_BYTES", "ChildReport"]

MAX_RESULT_BYTES = 1 << 30
_HEADER = 9
_FIELDS = {OUTPUT: 2, DOCUMENT: 1, DONE: 0, RAISED: 2, EXITED: 1, REFUSED: 2, PHASE: 1}


class ChildReport:
    """Grows with :meth:`feed`. `phase` is the last one told; `is_complete` means that the child has said its last."""

    def __init__(self) -> None:
        self.phase = Phase.IMPORT
        self.outputs: dict[str, bytes] = {}
        self.document: bytes | None = None
        self.failure: RunnerError | None = None
        self.is_complete = False
        self._buffer = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the pipe.

        Raises:
            RunnerError: E_LIMIT when the result is too large, E_WIRE_RESULT when the bytes are not ours.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            kind = bytes(self._buffer[:1])
            length = int.from_bytes(self._buffer[1:_HEADER], "big")
            if kind not in _FIELDS or self.is_complete:
                raise self._not_ours()
            if self._total + length > MAX_RESULT_BYTES:
                message = f"expected at most {MAX_RESULT_BYTES} bytes of outputs, found {self._total + length} or more"
                raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, message)
            if len(self._buffer) < _HEADER + length:
                return
            fields = self._fields(_HEADER + length)
            if len(fields) != _FIELDS[kind]:
                raise self._not_ours()
            self._total += length
            del self._buffer[: _HEADER + length]
            self._take(kind, fields)

    def _fields(self, end: int) -> list[bytes]:
        fields: list[bytes] = []
        position = _HEADER
        with memoryview(self._buffer) as view:
            while position < end:
                start = position + 8
                position = start + int.from_bytes(view[position:start], "big")
                if position > end:
                    raise self._not_ours()
                fields.append(bytes(view[start:position]))
        return fields

    def _take(self, kind: bytes, fields: list[bytes]) -> None:
        texts = [] if kind in {OUTPUT, DOCUMENT} else [field.decode("utf-8", "replace") for field in fields]
        if kind == PHASE:
            self.phase = _phase(texts[0])
        elif kind == OUTPUT:
            self._take_output(*fields)
        elif kind == DOCUMENT:
            self.document = fields[0]
        elif kind == DONE:
            self.is_complete = True
        else:
            self.failure = self._failure(kind, texts)
            self.is_complete = True

    def _take_output(self, raw_name: bytes, value: bytes) -> None:
        try:
            name = raw_name.decode("utf-8")
        except UnicodeDecodeError:
            raise self._not_ours() from None
        if name in self.outputs:
            raise RunnerError(
                ErrorCode.WIRE_RESULT, Phase.RESULT, f"expected each output once, found {name!r:.100} twice"
            )
        self.outputs[name] = value

    def _failure(self, kind: bytes, texts: list[str]) -> RunnerError:
        if kind == RAISED:
            return RunnerError(ErrorCode.WIRE_RAISED, self.phase, texts[1], type_name=texts[0])
        if kind == EXITED:
            message = f"bundle code asked the process to exit: SystemExit({texts[0]})"
            return RunnerError(ErrorCode.WIRE_EXIT, self.phase, message, type_name="SystemExit")
        return RunnerError(_code(texts[0]), self.phase, texts[1])

    def _not_ours(self) -> RunnerError:
        return RunnerError(ErrorCode.WIRE_RESULT, self.phase, "bundle code wrote into the runner's private result pipe")


def _phase(text: str) -> Phase:
    try:
        return Phase(text)
    except ValueError:
        return Phase.CALL


def _code(text: str) -> ErrorCode:
    try:
        return ErrorCode(text)
    except ValueError:
        return ErrorCode.WIRE_RESULT

"""What a child reported so far, read from its pipe frame by frame, and believed only as far as it has been checked."""

from collections.abc import Sequence

from ..codes import ErrorCode, Phase
from ..output_files import INLINE_LIMIT, OutputFile, OutputFiles
from ..runner_error import RunnerError
from .channel import DOCUMENT, DONE, EXITED, OUTPUT, PHASE, RAISED, REFUSED
from .returns import MAX_OUTPUTS, name_problem

__all__ = ["MAX_RESULT_BYTES", "ChildReport", "told_failure"]

MAX_RESULT_BYTES = 1 << 30
_ORDER = (Phase.IMPORT, Phase.CALL, Phase.RESULT)
_HEADER = 9
_SPECIAL = frozenset({"metadata", "error"})
"""Outputs that may hold the report of a failure (CONTRACT section 3)."""
_FIELDS = {DOCUMENT: 1, DONE: 0, RAISED: 3, EXITED: 1, REFUSED: 2, PHASE: 1}


class ChildReport:
    """Grows with :meth:`feed`. `phase` is the last one told; `is_complete` means that the child has said its last.

    Outputs above INLINE_LIMIT go into `files`, if given; what a failure could be read from stays in memory.
    """

    def __init__(self, files: OutputFiles | None = None) -> None:
        self.phase = Phase.IMPORT
        self.outputs: dict[str, bytearray | OutputFile] = {}
        self.document: bytes | None = None
        self.failure: RunnerError | None = None
        self.is_complete = False
        self._buffer = bytearray()
        self._total = 0
        self._files = files
        self._growing: bytearray | OutputFile = bytearray()
        self._lacking = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the pipe.

        Raises:
            RunnerError: E_LIMIT when the result is too large, E_WIRE_RESULT when the bytes are not ours.
        """
        # Straight into its place: a large output must not be in memory twice.
        with memoryview(data) as view:
            self._growing.extend(view[: self._lacking])
            self._buffer += view[self._lacking :]
        self._lacking -= min(self._lacking, len(data))
        while self._lacking == 0 and len(self._buffer) >= _HEADER and self._take_frame():
            pass

    def _take_frame(self) -> bool:
        """Take the frame at the start of the buffer; return False when more of it must come first."""
        kind = bytes(self._buffer[:1])
        length = int.from_bytes(self._buffer[1:_HEADER], "big")
        if (kind not in _FIELDS and kind != OUTPUT) or self.is_complete:
            raise self._not_ours()
        if self._total + length > MAX_RESULT_BYTES:
            message = f"expected at most {MAX_RESULT_BYTES} bytes of outputs, found {self._total + length} or more"
            raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, message)
        if kind == OUTPUT:
            taken = self._take_output(_HEADER + length)
        else:
            taken = len(self._buffer) >= _HEADER + length
            if taken:
                self._take(kind, self._fields(_HEADER + length))
                del self._buffer[: _HEADER + length]
        self._total += length if taken else 0
        return taken

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
        if len(fields) != _FIELDS[kind]:
            raise self._not_ours()
        texts = [] if kind == DOCUMENT else [field.decode("utf-8", "replace") for field in fields]
        if kind == PHASE:
            # Only forward: bundle code that found the pipe must not win time by going back.
            self.phase = max(self.phase, _phase(texts[0]), key=_ORDER.index)
        elif kind == DOCUMENT:
            self.document = fields[0]
        elif kind == DONE:
            self.is_complete = True
        else:
            self.failure = told_failure(kind, texts, self.phase)
            self.is_complete = True

    def _take_output(self, end: int) -> bool:
        """Open the output whose frame ends at `end`: its name and length, and what is there of its value."""
        name_start = _HEADER + 8
        name_end = name_start + int.from_bytes(self._buffer[_HEADER:name_start], "big")
        start = name_end + 8
        if start > end:
            raise self._not_ours()
        if len(self._buffer) < start:
            return False
        if start + int.from_bytes(self._buffer[name_end:start], "big") != end:
            raise self._not_ours()
        try:
            name = self._buffer[name_start:name_end].decode("utf-8")
        except UnicodeDecodeError:
            raise self._not_ours() from None
        self._check_name(name)
        to_file = self._files is not None and end - start > INLINE_LIMIT and name not in _SPECIAL
        self._growing = self._files.open() if self._files is not None and to_file else bytearray()
        self._growing.extend(self._buffer[start:end])
        self.outputs[name] = self._growing
        self._lacking = end - start - len(self._growing)
        del self._buffer[:end]
        return True

    def _check_name(self, name: str) -> None:
        problem = name_problem(name)
        if name in self.outputs:
            problem = f"expected each output once, found {name!r:.100} twice"
        if problem is not None:
            raise RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, problem)
        if len(self.outputs) >= MAX_OUTPUTS:
            message = f"expected at most {MAX_OUTPUTS} outputs, found more"
            raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, message)

    def _not_ours(self) -> RunnerError:
        return RunnerError(ErrorCode.WIRE_RESULT, self.phase, "bundle code wrote into the runner's private result pipe")


def told_failure(kind: bytes, texts: Sequence[str], phase: Phase) -> RunnerError:
    """Return the failure that a child told of in a frame of `kind` (RAISED, EXITED or REFUSED) with these fields."""
    if kind == RAISED:
        return RunnerError(ErrorCode.WIRE_RAISED, phase, texts[1], type_name=texts[0], stderr_tail=texts[2])
    if kind == EXITED:
        message = f"bundle code asked the process to exit: SystemExit({texts[0]})"
        return RunnerError(ErrorCode.WIRE_EXIT, phase, message, type_name="SystemExit")
    return RunnerError(_code(texts[0]), phase, texts[1])


def _phase(text: str) -> Phase:
    return next((phase for phase in _ORDER if phase == text), Phase.CALL)


def _code(text: str) -> ErrorCode:
    try:
        return ErrorCode(text)
    except ValueError:
        return ErrorCode.WIRE_RESULT

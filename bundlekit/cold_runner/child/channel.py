"""How the child talks to its supervisor: frames on a private pipe, and the little that must be said of foreign errors.

Runs in the child, under the conditions of the module `main`; the supervisor imports it for its constants only.
"""

import os
import sys

TYPE_CHECKING = False  # typing is not loaded at the start of an interpreter
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = [
    "CHANNEL_LOST",
    "DOCUMENT",
    "DONE",
    "EXITED",
    "GO_FD",
    "JOB_FD",
    "OUTPUT",
    "PHASE",
    "RAISED",
    "REFUSED",
    "RESULT_FD",
    "STACK_SIGNAL",
    "Channel",
    "RefusedError",
    "described",
]

JOB_FD, RESULT_FD, GO_FD = 3, 4, 5
STACK_SIGNAL = 50
"""On Linux, has the child show where each of its threads is: a real-time signal, which hardly any code uses."""
CHANNEL_LOST = 121
"""Exit status of a child that finds its result pipe closed, or replaced by something else."""

PHASE, OUTPUT, DOCUMENT, DONE, RAISED, EXITED, REFUSED = b"P", b"O", b"J", b"D", b"R", b"E", b"X"
"""Kinds of frames: a kind, the length of the rest in 8 bytes, then fields, each after its own length in 8 bytes."""

_TEXT_LIMIT = 4096
_AT_ONCE_BYTES = 1 << 16


class RefusedError(Exception):
    """The bundle's object or its result is not what the contract asks for; `code` is one of the runner's codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Channel:
    """The private pipe to the supervisor. Functions it needs are kept from before bundle code could replace them."""

    def __init__(self) -> None:
        self._write, self._exit, self._getpid, self._fstat = os.write, os._exit, os.getpid, os.fstat
        self._pid = os.getpid()
        self._pipe = self._identity()
        self._held = b""
        os.set_inheritable(RESULT_FD, False)  # noqa: FBT003 - the argument has no name

    def send(self, kind: bytes, *fields: bytes | memoryview) -> None:
        """Send one frame; ends this process when it is a fork of the child or the pipe is no longer there."""
        self.check()
        length = sum(8 + len(field) for field in fields)
        parts: list[bytes | memoryview] = [self._held, kind, length.to_bytes(8, "big")]
        self._held = b""
        for field in fields:
            parts += len(field).to_bytes(8, "big"), field
        if length <= _AT_ONCE_BYTES:
            # Each write wakes the supervisor, and costs more than copying a little. Another frame follows an output.
            parts = [b"".join(parts)]
            if kind == OUTPUT and len(parts[0]) <= _AT_ONCE_BYTES:
                self._held = bytes(parts.pop())
        for part in parts:
            self.write(part)

    def check(self) -> None:
        """End this process when it is a fork of the child or the pipe is no longer there."""
        if self._getpid() != self._pid:
            self._exit(1)
        if self._identity() != self._pipe:
            self._exit(CHANNEL_LOST)

    def phase(self, name: str) -> None:
        """Tell what happens from now on: import, call or result."""
        self.send(PHASE, name.encode())

    def raised(self, error: BaseException) -> None:
        """Tell that bundle code raised: after its traceback went to the log, and with the end of it."""
        trace = _print_traceback(error)
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        if isinstance(error, SystemExit):
            self.send(EXITED, _told(error.code))
        else:
            self.send(RAISED, _bounded(name), _told(error), _bounded(trace))

    def refused(self, error: RefusedError) -> None:
        """Tell that an object or a result is not what the contract asks for."""
        self.send(REFUSED, error.code.encode(), _bounded(error.message))

    def leave(self, status: int) -> None:
        """End this process, at once where nothing in it may still have to be flushed.

        Callbacks of atexit, logging handlers, buffers and destructors of C and C++ get their turn. With extension
        modules the interpreter itself is not taken down, which may cost more than the task did: objects that are still
        there are not finalised, which Python promises nobody. Returns where the interpreter should end in its own way.
        """
        import atexit  # noqa: PLC0415 - built in; the promise of the module holds

        leave: Callable[[int], object] = self._exit
        if status == 0 and _has_extension_modules():
            exit_of_c = _exit_of_c()
            if exit_of_c is None:
                return
            _run_callbacks()
            leave = exit_of_c
        elif status == 0 and atexit._ncallbacks():  # noqa: SLF001 - the only way to know
            return
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001, S112 - whatever bundle code put there
                continue
        leave(status)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`; ends this process when nobody can read it."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._write(RESULT_FD, view) :]
            except OSError:
                self._exit(CHANNEL_LOST)

    def _identity(self) -> tuple[int, int] | None:
        try:
            state = self._fstat(RESULT_FD)
        except OSError:
            return None
        return state.st_dev, state.st_ino


def _run_callbacks() -> None:
    """Do what an interpreter does before it takes itself down: wait for threads, then call what asked for it."""
    import atexit  # noqa: PLC0415 - as above

    try:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()  # noqa: SLF001 - the interpreter calls the same
        atexit._run_exitfuncs()  # noqa: SLF001 - as above
    except BaseException as error:  # noqa: BLE001 - bundle code
        _print_traceback(error)


def _exit_of_c() -> "Callable[[int], object] | None":
    """Return exit(3), called with the interpreter's lock as a destructor may expect it; None where it cannot be had."""
    try:
        # The ctypes package costs most of an interpreter start; its core is all that one call needs.
        import _ctypes  # noqa: PLC0415 - not every interpreter was built with it

        class Exit(_ctypes.CFuncPtr):
            _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI

        program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself, as in dlopen(3)
        return Exit(_ctypes.dlsym(program, "exit"))
    except (ImportError, AttributeError, OSError):
        return None


def _has_extension_modules() -> bool:
    for module in list(sys.modules.values()):
        origin = getattr(module, "__file__", None)
        if isinstance(origin, str) and origin.endswith((".so", ".pyd")) and "lib-dynload" not in origin:
            return True
    return False


class _Copying:
    """A stderr that keeps the end of what it writes: other threads and processes may flood the log meanwhile."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        """Write `text`, if there still is somewhere to write it."""
        self.text = (self.text + text)[-_TEXT_LIMIT:]
        try:
            sys.__stderr__.write(text)  # type: ignore[union-attr]  # whatever it is
        except Exception:  # noqa: BLE001 - bundle code may have closed or replaced it
            return

    def flush(self) -> None:
        """Do nothing: a stderr is not buffered here."""


def _print_traceback(error: BaseException) -> str:
    """Show `error` as Python would, without frames of the runner, and return the end of that."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    copying = _Copying()
    try:
        sys.stderr = copying
        if not isinstance(error, SystemExit):
            # The hook shows the traceback that the exception carries, whatever it is given.
            BaseException.with_traceback(error, trace)
            sys.__excepthook__(type(error), error, trace)
    except BaseException:  # noqa: BLE001, S110 - showing it calls bundle code; the frame still tells type and message
        pass
    sys.stderr = sys.__stderr__
    return copying.text


def _told(value: object) -> bytes:
    try:
        return _bounded(str(value))
    except BaseException as error:  # noqa: BLE001 - a failing __str__ is bundle code too
        return f"<its own text cannot be had: {type(error).__name__}>".encode()


def described(value: object) -> str:
    """Return the start of `value` as it shows itself, with its type; the type alone when showing it fails."""
    try:
        return f"{value!r:.100} ({type(value).__name__})"
    except Exception:  # noqa: BLE001 - as above
        return type(value).__name__


def _bounded(text: str) -> bytes:
    if len(text) > _TEXT_LIMIT:
        text = f"{text[: _TEXT_LIMIT // 2]} ... {text[-_TEXT_LIMIT // 2 :]}"
    return text.encode("utf-8", "backslashreplace")

"""System calls that fail at a chosen point: a library put before libc's counts the calls that matter and breaks one.

A process that was started with it is broken where a test says, in whatever code the call is made, as root and without
any mount. gcc compiles it; nothing of bundlekit is replaced.
"""

import ctypes
import shutil
import subprocess
from enum import IntEnum
from pathlib import Path

__all__ = ["Fault", "arm", "broken_calls", "compiler", "counted_calls"]


class Fault(IntEnum):
    """What happens at the chosen call: nothing but counting, death, or an error."""

    NONE = 0
    KILL = 1
    """SIGKILL before the call, or after the first half of a write."""

    NO_SPACE = 2
    """ENOSPC, and again at each later call that needs room; reading and removing work."""

    INPUT_OUTPUT = 3
    """EIO at this call alone, reading included."""


_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long count, chosen;
static atomic_int fault;

void fault_arm(long at, int kind) { count = 0; chosen = at; fault = kind; }
long fault_count(void) { return count; }

enum { READS = 0, ROOM = 1, OTHER = 2 };

/* 1: the caller returns -1 with errno set; 2: half of a write, then death. */
static int broken(int what, int is_write) {
    int kind = fault;
    if (!chosen) return 0;
    long number = ++count;
    if (kind == 1 && number == chosen) { if (is_write) return 2; kill(getpid(), SIGKILL); }
    if (kind == 2 && number >= chosen && what == ROOM) { errno = ENOSPC; return 1; }
    if (kind == 3 && number == chosen) { errno = EIO; return 1; }
    return 0;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    int how = fd > 2 ? broken(ROOM, 1) : 0;
    if (how == 1) return -1;
    if (how == 2) { real(fd, data, size / 2); kill(getpid(), SIGKILL); }
    return real(fd, data, size);
}

#define CALL(type, name, what, declared, passed) \
    type name declared { REAL(name); return broken(what, 0) ? -1 : real passed; }

CALL(ssize_t, read, READS, (int fd, void *data, size_t size), (fd, data, size))
CALL(ssize_t, readv, READS, (int fd, const struct iovec *v, int n), (fd, v, n))
CALL(ssize_t, pread64, READS, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at))
CALL(ssize_t, preadv64, READS, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
CALL(ssize_t, preadv64v2, READS, (int fd, const struct iovec *v, int n, off64_t at, int how), (fd, v, n, at, how))
CALL(int, fsync, ROOM, (int fd), (fd))
CALL(int, rename, ROOM, (const char *a, const char *b), (a, b))
CALL(int, renameat, ROOM, (int p, const char *a, int q, const char *b), (p, a, q, b))
CALL(int, mkdir, ROOM, (const char *path, mode_t mode), (path, mode))
CALL(int, mkdirat, ROOM, (int at, const char *path, mode_t mode), (at, path, mode))
CALL(int, unlink, OTHER, (const char *path), (path))
CALL(int, unlinkat, OTHER, (int at, const char *path, int flags), (at, path, flags))
CALL(int, rmdir, OTHER, (const char *path), (path))
CALL(int, fchmod, OTHER, (int fd, mode_t mode), (fd, mode))
CALL(int, chmod, OTHER, (const char *path, mode_t mode), (path, mode))

static mode_t mode_of(int flags, va_list more) { return flags & O_CREAT ? va_arg(more, mode_t) : 0; }

#define OPEN(name) int name(const char *path, int flags, ...) { \
    REAL(name); va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
    return broken(flags & O_CREAT ? ROOM : OTHER, 0) ? -1 : real(path, flags, mode); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { \
    REAL(name); va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
    return broken(flags & O_CREAT ? ROOM : OTHER, 0) ? -1 : real(at, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
"""


def compiler() -> str | None:
    """Return the C compiler that makes the library, None where there is none."""
    return shutil.which("gcc")


def broken_calls(directory: Path) -> Path:
    """Return the library, made in `directory`, that goes into LD_PRELOAD of a process whose calls are to fail."""
    library = directory / "broken_calls.so"
    if not library.exists():
        command = ["gcc", "-O1", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"]
        subprocess.run(command, input=_SOURCE.encode(), check=True)
    return library


def arm(at: int, fault: Fault) -> None:
    """Let this process's call number `at`, counted from now, meet `fault`; 0 for none and no counting."""
    ctypes.CDLL(None).fault_arm(ctypes.c_long(at), ctypes.c_int(fault))


def counted_calls() -> int:
    """Return how many calls were counted since :func:`arm`."""
    function = ctypes.CDLL(None).fault_count
    function.restype = ctypes.c_long
    return int(function())

"""What an ELF file says of the memory that a library can write: its sections, its thread-local storage, its symbols.

Only 64-bit little-endian files are read, which is what there is on x86-64 and ARM64. Only the parts that are asked for
are read, and a file that contradicts itself is one that says nothing.
See: the System V ABI, chapters 4 and 5; "ELF Handling For Thread-Local Storage".
"""

import struct
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

__all__ = [
    "ElfError",
    "ElfImage",
    "ElfRelocation",
    "ElfSection",
    "ElfSymbol",
    "TlsSlot",
    "read_image",
    "read_relocated",
    "read_symbols",
]

_MAGIC = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")

_LOAD, _TLS, _RELRO = 1, 7, 0x6474E552
_PROGBITS, _SYMBOLS, _RELOCATIONS, _NOBITS, _DYNAMIC_SYMBOLS = 1, 2, 4, 8, 11
_WRITABLE, _LOADED, _THREAD_LOCAL = 1, 2, 0x400
_OBJECT, _UNTYPED, _THREAD_LOCAL_OBJECT = 1, 0, 6
_UNDEFINED, _RESERVED = 0, 0xFF00
_NO_SYMBOL = (0, 0, 0, _UNDEFINED, 0, 0)
_LARGEST_TABLE, _LARGEST_FILE = 1 << 26, 1 << 40
_TABLES = (".got", ".dynamic", ".init_array", ".fini_array", ".ctors", ".dtors", ".jcr", ".data.rel.ro", ".tm_clone")
"""Sections that the loader writes, and no program."""


class ElfError(Exception):
    """The file is no ELF file of a kind that is read, or contradicts itself."""


class ElfSection(NamedTuple):
    """A section that the program can write; `address` is where it is in memory, from where the file is loaded."""

    name: str
    address: int
    size: int


class TlsSlot(StrEnum):
    """What the loader writes into a place for thread-local storage.

    The module's number; the distance to a variable; or what to call, and what with: that distance, or the address of
    the module's number.
    """

    MODULE = "module"
    DISTANCE = "distance"
    DESCRIPTOR = "descriptor"


class ElfRelocation(NamedTuple):
    """A place in memory that the loader fills in; `value` is where in the block that is which it stands for."""

    address: int
    kind: TlsSlot
    value: int


class ElfImage(NamedTuple):
    """What is known of a file without its symbols.

    `start` is the lowest address of what is loaded. `tls` is the section of thread-local storage as each thread gets
    it, None without one, `tls_initial` its first bytes; what follows them is zero. `tls_slots` are the places from
    which the library's code learns where a thread has its own.
    """

    machine: int
    start: int
    sections: tuple[ElfSection, ...]
    tls: ElfSection | None
    tls_initial: bytes
    tls_slots: tuple[ElfRelocation, ...]
    has_symbol_table: bool


class ElfSymbol(NamedTuple):
    """A variable; the `address` of a thread-local one is from where its block starts."""

    name: str
    address: int
    size: int
    is_thread_local: bool


_SLOTS = {62: {16: TlsSlot.MODULE, 18: TlsSlot.DISTANCE, 36: TlsSlot.DESCRIPTOR}}
"""The kinds of relocations of thread-local storage by machine: x86-64, and no other."""


class _Header(NamedTuple):
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    name: str


class _File:
    """A file with its headers."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        head = self.read(0, _HEADER.size)
        if not head.startswith(_MAGIC):
            raise ElfError("no 64-bit little-endian ELF file")
        _, machine, _, _, segments, sections, _, _, segment_size, segment_count, section_size, count, names = (
            _HEADER.unpack(head)
        )
        self.machine = machine
        self.segments = self._segments(segments, segment_size, segment_count)
        self.headers = self._headers(sections, section_size, count, names)

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly so many bytes.

        Raises:
            ElfError: the file does not have them.
        """
        if size > _LARGEST_TABLE or offset > _LARGEST_FILE:
            raise ElfError("it names a table that is larger than any real one")
        self._file.seek(offset)
        data = self._file.read(size)
        if len(data) != size:
            raise ElfError("it ends before the tables that it names")
        return data

    def _segments(self, offset: int, size: int, count: int) -> list[tuple[int, ...]]:
        if count and size != _SEGMENT.size:
            raise ElfError("segment headers of an unknown size")
        return list(_SEGMENT.iter_unpack(self.read(offset, size * count)))

    def _headers(self, offset: int, size: int, count: int, names: int) -> list[_Header]:
        if count and size != _SECTION.size:
            raise ElfError("section headers of an unknown size")
        rows = list(_SECTION.iter_unpack(self.read(offset, size * count)))
        if names >= len(rows):
            return []
        texts = self.read(rows[names][4], rows[names][5])
        return [
            _Header(kind, flags, address, start, length, link, _text(texts, name))
            for name, kind, flags, address, start, length, link, *_ in rows
        ]


def read_image(path: Path) -> ElfImage:
    """Return what is to be known of a library before its memory is looked at.

    Raises:
        ElfError: it is no such file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _image(_File(file))


def read_relocated(path: Path) -> tuple[int, ...]:
    """Return the addresses into which the loader writes others, in order: tables of functions and texts are there.

    Raises:
        ElfError: as :func:`read_image`.
        OSError: as :func:`read_image`.
    """
    with path.open("rb") as file:
        elf = _File(file)
        headers = [each for each in elf.headers if each.kind == _RELOCATIONS and each.flags & _LOADED]
        rows = [row for each in headers for row in _RELOCATION.iter_unpack(_table(elf, each, _RELOCATION))]
    return tuple(sorted(address for address, _, _ in rows))


def read_symbols(path: Path) -> tuple[ElfSymbol, ...]:
    """Return the variables that a library defines, by address; of a stripped one, those that it exports.

    Raises:
        ElfError: as :func:`read_image`.
        OSError: as :func:`read_image`.
    """
    with path.open("rb") as file:
        elf = _File(file)
        for kind in (_SYMBOLS, _DYNAMIC_SYMBOLS):
            table = next((each for each in elf.headers if each.kind == kind), None)
            if table is not None and table.link < len(elf.headers):
                return tuple(sorted(_symbols(elf, table), key=lambda each: (each.is_thread_local, each.address)))
    return ()


def _image(elf: _File) -> ElfImage:
    protected = [(address, address + size) for kind, _, _, address, _, _, size, _ in elf.segments if kind == _RELRO]
    sections = tuple(
        ElfSection(each.name, each.address, each.size)
        for each in elf.headers
        if each.kind in {_PROGBITS, _NOBITS}
        and each.flags & (_WRITABLE | _THREAD_LOCAL) == _WRITABLE
        and each.size
        and not each.name.startswith(_TABLES)
        and not any(start <= each.address < end for start, end in protected)
    )
    tls, initial = None, b""
    for kind, _, offset, address, _, in_file, size, _ in elf.segments:
        if kind == _TLS and size:
            tls, initial = ElfSection(".tls", address, size), elf.read(offset, min(in_file, size))
    start = min((address for kind, _, _, address, *_ in elf.segments if kind == _LOAD), default=0)
    has_symbols = any(each.kind == _SYMBOLS for each in elf.headers)
    slots = tuple(_slots(elf)) if tls is not None else ()
    return ElfImage(elf.machine, start, sections, tls, initial, slots, has_symbols)


def _slots(elf: _File) -> Iterator[ElfRelocation]:
    """Yield the places for the library's own thread-local storage, on machines whose relocations for it are known."""
    kinds = _SLOTS.get(elf.machine, {})
    dynamic = next((each for each in elf.headers if each.kind == _DYNAMIC_SYMBOLS), None)
    symbols = list(_SYMBOL.iter_unpack(_table(elf, dynamic, _SYMBOL))) if dynamic is not None else []
    for header in elf.headers:
        if header.kind == _RELOCATIONS and header.flags & _LOADED:
            for address, info, addend in _RELOCATION.iter_unpack(_table(elf, header, _RELOCATION)):
                kind, number = kinds.get(info & 0xFFFFFFFF), info >> 32
                _, _, _, section, value, _ = symbols[number] if number < len(symbols) else _NO_SYMBOL
                if kind is not None and (section != _UNDEFINED or not number):
                    yield ElfRelocation(address, kind, value + addend)


def _symbols(elf: _File, table: _Header) -> Iterator[ElfSymbol]:
    linked = elf.headers[table.link]
    texts = elf.read(linked.offset, linked.size)
    for name, info, _, section, address, size in _SYMBOL.iter_unpack(_table(elf, table, _SYMBOL)):
        kind = info & 0xF
        if not size or section == _UNDEFINED or section >= _RESERVED or section >= len(elf.headers):
            continue
        if kind == _THREAD_LOCAL_OBJECT:
            yield ElfSymbol(_text(texts, name), address, size, is_thread_local=True)
        elif kind in {_OBJECT, _UNTYPED} and elf.headers[section].flags & _WRITABLE:
            yield ElfSymbol(_text(texts, name), address, size, is_thread_local=False)


def _table(elf: _File, header: _Header, row: struct.Struct) -> bytes:
    return elf.read(header.offset, header.size - header.size % row.size)


def _text(texts: bytes, start: int) -> str:
    end = texts.find(b"\0", start)
    return texts[start : end if end >= 0 else None].decode("utf-8", "replace")

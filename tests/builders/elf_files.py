"""ELF files made by hand, with sections, symbols and thread-local storage as a test asks for them."""

import struct
from typing import NamedTuple

__all__ = ["Part", "Variable", "elf_file"]

PROGBITS, SYMTAB, STRTAB, RELA, NOBITS, DYNSYM = 1, 2, 3, 4, 8, 11
WRITE, ALLOC, TLS = 1, 2, 0x400


class Variable(NamedTuple):
    """A symbol: `part` is the number of the part that it is in, None for one that is defined elsewhere."""

    name: str
    address: int
    size: int
    part: int | None = 0
    kind: int = 1


class Part(NamedTuple):
    """A section."""

    name: str
    kind: int
    flags: int
    address: int = 0
    data: bytes = b""
    size: int | None = None
    link: int = 0


def elf_file(
    parts: tuple[Part, ...] = (),
    *,
    variables: tuple[Variable, ...] | None = (),
    exported: tuple[Variable, ...] | None = None,
    relocations: tuple[tuple[int, int, int, int], ...] = (),
    segments: tuple[tuple[int, int, int], ...] = (),
    machine: int = 62,
) -> bytes:
    """Return a file; `segments` are kind, address and size, `relocations` address, symbol, kind and addend.

    `variables` is the symbol table, `exported` the dynamic one; a file has none of which is None.
    """
    sections = [Part("", 0, 0), *parts]
    for kind, table in ((SYMTAB, variables), (DYNSYM, exported)):
        if table is not None:
            texts = b"\0" + b"".join(each.name.encode() + b"\0" for each in table)
            sections.append(Part(".symbols", kind, 0, data=_symbols(table, texts), link=len(sections) + 1))
            sections.append(Part(".strings", STRTAB, 0, data=texts))
    if relocations:
        rows = [struct.pack("<QQq", address, symbol << 32 | kind, add) for address, symbol, kind, add in relocations]
        sections.append(Part(".rela.dyn", RELA, ALLOC, data=b"".join(rows)))
    names = b"".join(each.name.encode() + b"\0" for each in [*sections, Part(".shstrtab", 0, 0)])
    sections.append(Part(".shstrtab", STRTAB, 0, data=names))
    body, headers = bytearray(64 + 56 * len(segments)), bytearray()
    for part in sections:
        size = len(part.data) if part.size is None else part.size
        entry = {SYMTAB: 24, DYNSYM: 24, RELA: 24}.get(part.kind, 0)
        name = names.index(part.name.encode() + b"\0")
        headers += struct.pack(
            "<IIQQQQIIQQ", name, part.kind, part.flags, part.address, len(body), size, part.link, 0, 8, entry
        )
        body += part.data
    for number, (kind, address, size) in enumerate(segments):
        struct.pack_into("<IIQQQQQQ", body, 64 + 56 * number, kind, 6, 64, address, address, 0, size, 8)
    struct.pack_into(
        *("<4sBBB9xHHIQQQIHHHHHH", body, 0, b"\x7fELF", 2, 1, 1, 3, machine, 1, 0, 64, len(body), 0),
        *(64, 56, len(segments), 64, len(sections), len(sections) - 1),
    )
    return bytes(body + headers)


def _symbols(table: tuple[Variable, ...], texts: bytes) -> bytes:
    rows = [bytes(24)]
    for each in table:
        section = 0 if each.part is None else each.part + 1
        name = texts.index(b"\0" + each.name.encode() + b"\0") + 1
        rows.append(struct.pack("<IBBHQQ", name, 0x10 | each.kind, 0, section, each.address, each.size))
    return b"".join(rows)

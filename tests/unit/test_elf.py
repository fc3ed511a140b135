"""What an ELF file says of the memory that a library can write."""

import random
from pathlib import Path

import pytest
from builders.elf_files import ALLOC, DYNSYM, NOBITS, PROGBITS, STRTAB, SYMTAB, TLS, WRITE, Part, Variable, elf_file

from bundlekit.read.elf import ElfError, ElfRelocation, ElfSection, TlsSlot, read_image, read_symbols

_DATA = Part(".data", PROGBITS, WRITE | ALLOC, 0x4000, b"\1" * 16)
_BSS = Part(".bss", NOBITS, WRITE | ALLOC, 0x4010, size=64)
_LOAD, _TLS, _RELRO = 1, 7, 0x6474E552


def written(path: Path, data: bytes) -> Path:
    """Return a file with these bytes."""
    path.write_bytes(data)
    return path


def test_sections_that_programs_write_are_found(tmp_path: Path) -> None:
    """These are what a task can change and the next one reads."""
    file = written(tmp_path / "a.so", elf_file((_DATA, _BSS), segments=((_LOAD, 0x1000, 0x4000),)))
    image = read_image(file)
    assert image.sections == (ElfSection(".data", 0x4000, 16), ElfSection(".bss", 0x4010, 64))
    assert (image.start, image.machine, image.tls, image.has_symbol_table) == (0x1000, 62, None, True)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(Part(".rodata", PROGBITS, ALLOC, 0x4000, b"1234"), id="read-only"),
        pytest.param(Part(".got.plt", PROGBITS, WRITE | ALLOC, 0x4000, b"1234"), id="filled-by-the-loader"),
        pytest.param(Part(".data.rel.ro", PROGBITS, WRITE | ALLOC, 0x4000, b"1234"), id="relocated-constants"),
        pytest.param(Part(".tbss", NOBITS, WRITE | ALLOC | TLS, 0x4000, size=8), id="template-of-thread-local-storage"),
        pytest.param(Part(".own", PROGBITS, WRITE | ALLOC, 0x5008, b"1234"), id="protected-after-relocation"),
        pytest.param(Part(".data", PROGBITS, WRITE | ALLOC, 0x4000), id="empty"),
    ],
)
def test_sections_that_no_program_writes_are_left_alone(part: Part, tmp_path: Path) -> None:
    """Each would be reported as state of every bundle."""
    file = written(tmp_path / "a.so", elf_file((part,), segments=((_RELRO, 0x5000, 0x1000),)))
    assert read_image(file).sections == ()


def test_thread_local_storage_is_found_with_the_ways_to_it(tmp_path: Path) -> None:
    """A library's code knows its block by a module number or by a distance that the loader wrote."""
    ways = (
        (0x3000, 0, 16, 0),
        (0x3010, 1, 18, 4),
        (0x3050, 1, 36, 0),
        (0x3020, 2, 16, 0),
        (0x3030, 0, 8, 0),
        (0x3040, 9, 16, 0),
    )
    exported = (Variable("draws", 8, 8, kind=6), Variable("errno", 0, 0, None, kind=6))
    data = elf_file((_DATA,), variables=None, exported=exported, relocations=ways, segments=((_TLS, 0x3F00, 24),))
    image = read_image(written(tmp_path / "a.so", data))
    assert image.tls == ElfSection(".tls", 0x3F00, 24)
    assert image.tls_slots == (
        ElfRelocation(0x3000, TlsSlot.MODULE, 0),
        ElfRelocation(0x3010, TlsSlot.DISTANCE, 12),
        ElfRelocation(0x3050, TlsSlot.DESCRIPTOR, 8),
    )
    assert not image.has_symbol_table


def test_on_other_machines_there_is_no_way_to_thread_local_storage(tmp_path: Path) -> None:
    """The numbers of relocations mean other things there."""
    data = elf_file((_DATA,), relocations=((0x3000, 0, 16, 0),), segments=((_TLS, 0x3F00, 24),), machine=183)
    assert read_image(written(tmp_path / "a.so", data)).tls_slots == ()


def test_variables_come_by_address(tmp_path: Path) -> None:
    """What changed in memory is looked for among them."""
    variables = (
        Variable("second", 0x4008, 8),
        Variable("first", 0x4000, 8),
        Variable("draws", 0, 4, kind=6),
        Variable("untyped", 0x4010, 4, 1, kind=0),
    )
    found = read_symbols(written(tmp_path / "a.so", elf_file((_DATA, _BSS), variables=variables)))
    assert [each.name for each in found] == ["first", "second", "untyped", "draws"]
    assert [each.is_thread_local for each in found] == [False, False, False, True]


@pytest.mark.parametrize(
    "variable",
    [
        pytest.param(Variable("function", 0x4000, 8, kind=2), id="function"),
        pytest.param(Variable("elsewhere", 0, 8, None), id="undefined"),
        pytest.param(Variable("absolute", 1, 8, 0xFFF0), id="absolute"),
        pytest.param(Variable("no_section", 1, 8, 40), id="in-no-section"),
        pytest.param(Variable("mark", 0x4000, 0), id="without-size"),
        pytest.param(Variable("constant", 0x1000, 8, 1), id="in-a-section-that-is-not-written"),
    ],
)
def test_what_is_no_variable_is_left_alone(variable: Variable, tmp_path: Path) -> None:
    """Each symbol more is a line more in a list that people read."""
    parts = (_DATA, Part(".rodata", PROGBITS, ALLOC, 0x1000, b"12345678"))
    assert read_symbols(written(tmp_path / "a.so", elf_file(parts, variables=(variable,)))) == ()


def test_a_stripped_library_has_what_it_exports(tmp_path: Path) -> None:
    """Stripping leaves what other libraries need, and that has names still."""
    data = elf_file((_DATA,), variables=None, exported=(Variable("shared", 0x4000, 8),))
    (found,) = read_symbols(written(tmp_path / "a.so", data))
    assert found.name == "shared"


def test_a_library_without_symbols_has_none(tmp_path: Path) -> None:
    """It may have been stripped of everything."""
    assert read_symbols(written(tmp_path / "a.so", elf_file((_DATA,), variables=None))) == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "ends before", id="empty"),
        pytest.param(b"MZ" + bytes(200), "no 64-bit", id="another-format"),
        pytest.param(b"\x7fELF\x01\x01" + bytes(200), "no 64-bit", id="32-bit"),
        pytest.param(elf_file((_DATA,))[:-10], "ends before", id="cut-short"),
        pytest.param(elf_file((Part(".x", SYMTAB, 0, size=1 << 40),), variables=None), "larger than", id="huge-table"),
    ],
)
def test_a_file_that_is_none_is_refused(data: bytes, why: str, tmp_path: Path) -> None:
    """What a bundle calls a library can be anything."""
    with pytest.raises(ElfError, match=why):
        read_symbols(written(tmp_path / "a.so", data))


@pytest.mark.parametrize(("at", "why"), [(54, "segment headers"), (58, "section headers")])
def test_headers_of_another_size_are_refused(at: int, why: str, tmp_path: Path) -> None:
    """Reading them by the usual size would read something else."""
    data = bytearray(elf_file((_DATA,), segments=((_LOAD, 0, 1),)))
    data[at] += 1
    with pytest.raises(ElfError, match=why):
        read_image(written(tmp_path / "a.so", bytes(data)))


def test_a_file_without_names_of_sections_says_nothing(tmp_path: Path) -> None:
    """Nothing tells its sections apart."""
    data = bytearray(elf_file((_DATA,)))
    data[62:64] = b"\xff\xff"
    assert read_image(written(tmp_path / "a.so", bytes(data))).sections == ()


def test_a_symbol_table_without_its_texts_is_passed_over(tmp_path: Path) -> None:
    """Its link names a section that is not there."""
    data = elf_file((Part(".symtab", SYMTAB, 0, data=bytes(24), link=99),), variables=None)
    assert read_symbols(written(tmp_path / "a.so", data)) == ()


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    """Nothing but an ElfError comes out, whatever bytes a file has."""
    sound = elf_file(
        (_DATA, Part(".dynstr", STRTAB, 0, data=b"\0a\0"), Part(".dynsym", DYNSYM, 0, data=bytes(48), link=2)),
        variables=(Variable("first", 0x4000, 8),),
        relocations=((0x3000, 0, 16, 0),),
        segments=((_TLS, 0x3F00, 24), (_RELRO, 0, 1)),
    )
    chance = random.Random(7)  # noqa: S311 - chance of a test
    for _ in range(300):
        data = bytearray(sound)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file = written(tmp_path / "a.so", bytes(data))
        for read in (read_image, read_symbols):
            try:
                read(file)
            except ElfError:
                continue

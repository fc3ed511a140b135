"""How variables of built libraries are called, and which are nobody's."""

import sys
from pathlib import Path

import pytest
from builders.elf_files import ALLOC, PROGBITS, WRITE, Part, Variable, elf_file

from bundlekit.read import demangling
from bundlekit.read.built_variables import built_variables, is_bookkeeping, kept_variables, shown_names
from bundlekit.read.demangling import demangled

_STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        pytest.param("_ZN5model10trajectoryE", "model::trajectory", id="namespace"),
        pytest.param("_ZN5modelL7counterE", "model::counter", id="static-in-a-namespace"),
        pytest.param("_ZZN5model8simulateEdE4last", "static model::simulate(double)::last", id="local-static"),
        pytest.param("_ZZN5model8simulateEdE4last_0", "static model::simulate(double)::last", id="second-of-its-name"),
        pytest.param(
            "_ZZ4fillRSt6vectorIdSaIdEERKSt3mapIidSt4lessIiESaISt4pairIKidEEEE5cache",
            "static fill(...)::cache",
            id="parameters-too-long-to-be-read",
        ),
        pytest.param("_ZN5model5CacheIdE5valueE", "model::Cache<double>::value", id="template"),
        pytest.param(f"_ZN5model5CacheI{_STRING}E5valueE", "model::Cache<std::string>::value", id="of-strings"),
        pytest.param(f"_ZZ4fillRK{_STRING}E1x", "static fill(std::string const&)::x", id="by-a-string"),
        pytest.param("_ZN5model5labelB5cxx11E", "model::label", id="tagged"),
        pytest.param("_ZN12_GLOBAL__N_14rateE", "(anonymous namespace)::rate", id="anonymous-namespace"),
        pytest.param("_ZL4rate.lto_priv.0", "rate", id="made-private-by-lto"),
        pytest.param("_ZZ4stepE4last.constprop.0.isra.0", "static step::last", id="cloned"),
        pytest.param("rate", "rate", id="c"),
        pytest.param("rate.lto_priv.3", "rate", id="c-made-private-by-lto"),
        pytest.param("last.0", "static last", id="local-static-of-c"),
        pytest.param("last.1.lto_priv.0", "static last", id="local-static-of-c-after-lto"),
        pytest.param("__pyx_v_5model_rate", "model.rate", id="cython"),
        pytest.param("_ZL25__pyx_v_4pack5model_rate_s", "pack.model.rate_s", id="cython-in-cpp"),
        pytest.param("_Zwhat", "_Zwhat", id="not-to-be-read"),
    ],
)
def test_a_symbol_is_called_as_in_the_source(symbol: str, shown: str) -> None:
    """Nobody finds _ZZN5model8simulateEdE4last in the code."""
    assert shown_names([symbol]) == {symbol: shown}


@pytest.mark.parametrize(
    "symbol",
    [
        "_ZGVZN5model8Registry8instanceEvE4only",
        "_ZTVN5model8RegistryE",
        "_ZN8pybind116detail9internalsE",
        "_ZZN8pybind116detail13get_internalsEvE12internals_pp",
        "_ZZNK8pybind1112cpp_functionEvE1x",
        "_ZN8nanobind6detail9internalsE",
        "_ZStL8__ioinit",
        "_ZNSt6locale5facetE",
        "_ZN10__cxxabiv17unknownE",
        "completed.0",
        "__dso_handle",
        "DW.ref.__gxx_personality_v0",
        "__pyx_mstate_global_static",
        "_ZL9__pyx_m_s",
        "__Pyx_CachedCode",
        "_ZL11PyArray_API",
        "PyUFunc_API",
        "__tls_guard",
        "_ZZ12PyInit_leakyE3def",
        "_ZL20nanobind_leaky_def",
    ],
)
def test_bookkeeping_is_known(symbol: str) -> None:
    """Each of these changes in bundles that leak nothing."""
    assert is_bookkeeping(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "_ZN5model10trajectoryE",
        "_ZZN5model8simulateEdE4last",
        "_ZZN5model6recordERKN8pybind115arrayEE4last",
        "_ZN5model7Strings5cacheE",
        "_ZL6Status",
        "__pyx_v_5model_rate",
        "rate",
        "object_count",
        "PyArray_rate",
        "completed",
        "_ZZZL19pybind11_init_leakyRN8pybind117module_EENKUlvE_clEvE5count",
    ],
)
def test_what_people_wrote_is_no_bookkeeping(symbol: str) -> None:
    """A name that only looks alike may be the culprit."""
    assert not is_bookkeeping(symbol)


def test_variables_of_a_library_have_their_names(tmp_path: Path) -> None:
    """Bookkeeping keeps the memory that it covers, so that a change there is not taken for one without a name."""
    data = Part(".data", PROGBITS, WRITE | ALLOC, 0x4000, bytes(64))
    symbols = (Variable("_ZN5model4rateE", 0x4000, 8), Variable("_ZGVN5model4rateE", 0x4008, 8))
    (tmp_path / "a.so").write_bytes(elf_file((data,), variables=symbols))
    found = built_variables(tmp_path / "a.so")
    assert [(each.name, each.is_bookkeeping) for each in found] == [
        ("model::rate", False),
        ("_ZGVN5model4rateE", True),
    ]


def test_what_a_library_keeps_is_listed(tmp_path: Path) -> None:
    """What holds addresses from the start are tables; what the loader protects nobody writes."""
    parts = (
        Part(".data", PROGBITS, WRITE | ALLOC, 0x4000, bytes(64)),
        Part(".data.rel.ro", PROGBITS, WRITE | ALLOC, 0x5000, bytes(64)),
    )
    variables = (
        Variable("rate", 0x4000, 8),
        Variable("methods", 0x4010, 32),
        Variable("last", 0x4030, 8),
        Variable("__pyx_table", 0x4038, 8),
        Variable("constant", 0x5000, 8, 1),
        Variable("draws", 0x4018, 8, kind=6),
        Variable("_ZGV1a", 0, 8, kind=6),
    )
    (tmp_path / "a.so").write_bytes(elf_file(parts, variables=variables, relocations=((0x4018, 0, 8, 0x100),)))
    assert [each.name for each in kept_variables(tmp_path / "a.so")] == ["rate", "last", "draws"]


def test_a_name_that_takes_for_ever_keeps_no_other_from_being_read() -> None:
    """Each part is twice the one before it: with thirty of them it is longer than any memory."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    bomb = "_Z1f1AIiE" + "".join(f"S_IS{digit}_S{digit}_E" for digit in digits[:34])
    assert demangled(["_ZN5model4rateE", "_Z1f1AIiES_IS0_S0_E", bomb, "x" * 10, "_Z" + "9" * 10_000]) == {
        "_ZN5model4rateE": "model::rate",
        "_Z1f1AIiES_IS0_S0_E": "f(A<int>, A<A<int>, A<int> >)",
    }


def test_a_name_that_is_cut_off_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is stopped may be in the middle of an answer."""
    slow = tmp_path / "slow.py"
    slow.write_text("import time\nprint('a', flush=True)\nprint('half', end='', flush=True)\ntime.sleep(60)\n")
    monkeypatch.setattr(demangling, "_SCRIPT", slow)
    monkeypatch.setattr(demangling, "_TIMEOUT_S", 0.3)
    assert demangled(["_Z1av", "_Z4halfv"]) == {"_Z1av": "a"}


def test_nothing_is_started_for_names_of_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are readable as they are."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert demangled(["rate", "last.0"]) == {}

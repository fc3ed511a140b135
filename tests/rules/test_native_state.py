"""BK810 and BK811 on C and C++ as people write them: what is found, and what is left alone."""

from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.check.native_state import NativeVariable, native_variables
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.project import Member
from bundlekit.read.sources import read_native_sources

_FRESH = "[tool.bundlekit]\nrequires-fresh-process = true\n"


def _found(root: Path, files: dict[str, str | bytes]) -> list[Finding]:
    return [each for each in findings_of(make_bundle(root, files)) if each.code in {"BK810", "BK811"}]


_WRITTEN: dict[str, tuple[str, str]] = {
    "static-in-a-function": ("n", "int f() { static int n = 0; return ++n; }"),
    "static-of-the-file": ("total", "static int total;\nvoid f() { total = 1; }"),
    "global": ("total", "int total = 0;\nvoid f() { total += 2; }"),
    "anonymous-namespace": ("hidden", "namespace { int hidden; }\nvoid f() { hidden--; }"),
    "named-namespace": ("v", "namespace sir { int v; }\nvoid f() { sir::v = 1; }"),
    "extern-c-block": ("cc", 'extern "C" { int cc; }\nvoid f() { cc = 1; }'),
    "extern-with-a-value": ("y", "extern int y = 3;\nvoid f() { y = 4; }"),
    "thread-local": ("t", "thread_local int t = 0;\nvoid f() { t++; }"),
    "inline": ("w", "inline int w = 3;\nvoid f() { w = 4; }"),
    "constinit": ("w", "constinit int w = 3;\nvoid f() { w = 4; }"),
    "array-item": ("cache", "static double cache[10];\nvoid f() { cache[1] = 2.0; }"),
    "map-item": ("memo", "int f(int i) { static std::map<int, int> memo; return memo[i] = i; }"),
    "method": ("v", "std::vector<int> v;\nvoid f() { v.push_back(1); }"),
    "method-at": ("v", "std::vector<int> v;\nvoid f() { v.at(0) = 1; }"),
    "field": ("state", "static State state;\nvoid f() { state.days = 1; }"),
    "assigned-in-a-field": ("n", "static S n;\nvoid f() { (n = S()).x = 1; }"),
    "address": ("n", "static int n;\nvoid f() { scan(&n); }"),
    "reference": ("v", "static std::vector<int> v;\nvoid f() { auto& u = v; use(u); }"),
    "reference-loop": ("v", "static std::vector<int> v;\nvoid f() { for (auto& each : v) { each = 1; } }"),
    "engine-called": ("gen", "static std::mt19937 gen(42);\nint f() { return gen(); }"),
    "engine-passed": ("gen", "double f() { static std::mt19937 gen{1}; std::normal_distribution<> d; return d(gen); }"),
    "engine-from-a-device": ("gen", "static std::mt19937 gen(rd());\nint f() { return gen(); }"),
    "class-member": ("b", "struct S { inline static int b = 0; void m() { b += 1; } };"),
    "member-through-this": ("b", "struct S { inline static int b = 0; void m() { this->b = 1; } };"),
    "member-defined-outside": ("b", "struct S { static int b; };\nint S::b = 0;\nvoid f() { S::b = 3; }"),
    "pointer-to-const": ("p", 'static const char* p = "x";\nvoid f() { p = "y"; }'),
    "pointee": ("p", "static int* p;\nvoid f() { *p = 1; }"),
    "in-parentheses": ("n", "static int n;\nvoid f() { (n) = 1; }"),
    "chained": ("n", "static int n;\nvoid f() { (n = 1) += 1; ++(++n); }"),
    "below-a-condition": ("n", "#ifdef X\nstatic int n;\n#endif\nvoid f() { n = 1; }"),
    "made-by-a-call": ("os", "void f() { static std::ostringstream os(flags, g()); os.clear(); }"),
    "binding": ("aa", "static auto [aa, bb] = pair();\nvoid f() { aa = 1; bb = 2; }"),
    "in-a-lambda": ("n", "static int n;\nauto const f = [](int i) { n = i; };"),
}


@pytest.mark.parametrize(("name", "source"), _WRITTEN.values(), ids=_WRITTEN)
def test_state_that_is_written_is_a_warning(name: str, source: str, tmp_path: Path) -> None:
    """Static state survives from one task to the next, and silently changes results."""
    found = [each for each in _found(tmp_path, {"src/a.cpp": source}) if each.code == "BK810"]
    assert found[0].entity == name
    assert found[0].severity is Severity.WARNING
    assert found[0].message.startswith("C++ static state survives from one task to the next and silently changes")
    assert found[0].line is not None
    line = source.split("\n")[found[0].line - 1]
    assert line[(found[0].column or 0) - 1 :].startswith(name)


_KEPT: dict[str, tuple[str, str]] = {
    "static": ("n", "static int n = 3;"),
    "global": ("n", "int n;"),
    "not-const-pointer": ("p", "static int* p;"),
    "function-pointer": ("fp", "static int (*fp)(int) = nullptr;"),
    "only-read": ("v", "std::vector<int> v;\nint f() { return v.size() + v[0] + v.at(1); }"),
    "shadowed-by-a-local": ("n", "static int n;\nvoid f() { int n = 0; n = 1; }"),
    "shadowed-by-a-parameter": ("n", "static int n;\nvoid f(int n) { n = 1; }"),
    "shadowed-by-a-loop": (
        "n",
        "static int n;\nvoid f() { for (int n = 0; n < 3; n++) {} for (int n : v) { n = 1; } }",
    ),
    "shadowed-by-a-field": ("n", "static int n;\nstruct S { int n; void m() { n = 1; } };"),
    "a-field-of-that-name": ("n", "static int n;\nvoid f(S s) { s.n = 1; }"),
    "const-reference": ("v", "std::vector<int> v;\nvoid f() { const auto& u = v; for (const auto& each : v) {} }"),
    "passed-by-value": ("n", "static int n;\nvoid f() { g(n); }"),
}


@pytest.mark.parametrize(("name", "source"), _KEPT.values(), ids=_KEPT)
def test_state_that_is_only_set_at_first_is_information(name: str, source: str, tmp_path: Path) -> None:
    """Another file may write it; that is no reason for more than a word."""
    assert [(each.code, each.severity, each.entity) for each in _found(tmp_path, {"a.cc": source})] == [
        ("BK811", Severity.INFO, name)
    ]


_LEAVES_ALONE: dict[str, str] = {
    "const": "static const int n = 3;",
    "const-behind": "int const n = 3;",
    "constexpr": "constexpr int n = 3; static constexpr const char* p = 0;",
    "const-constinit": "constinit const int n = 3;",
    "const-array": "static const double table[2] = {1, 2};",
    "const-pointer": "char* const p = 0;",
    "pointer-to-const": 'static const char* p = "x"; static const char* names[] = {"a"};',
    "static-function": "static int f(int a);\nstatic int g() { return 1; }",
    "function-of-a-class": "struct S { static S make(int); int m() const; };",
    "extern": 'extern int n;\nextern "C" int m;\nvoid f() { n = 1; }',
    "typedef": "typedef int days; using weeks = int;",
    "enum": "enum Kind { A, B };\nenum class Other : int { C };",
    "unnamed-parameters": "void f(int*, int&, int[], int (*)(int)) {}",
    "struct": "struct S { int a; double b[3]; };",
    "const-member": "struct S { static const int e = 1; static constexpr int g = 2; };",
    "template": "template <class T, int N = 3> T f(T a, int b = 2) { return a; }",
    "local": "int f() { int n = 0; n += 1; return n; }",
    "block-scope-function": "void f() { int g(int); }",
    "pybind11": 'PYBIND11_MODULE(sir, m) { m.def("f", &f); }',
    "nanobind": 'NB_MODULE(sir, m) { m.def("f", &f); }',
    "tables-of-an-extension": (
        "static PyMethodDef methods[] = {{0}};\nstatic struct PyModuleDef module = {PyModuleDef_HEAD_INIT};\n"
        "static PyTypeObject Sim = {0};\nPyMODINIT_FUNC PyInit__core(void) {\n  Sim.tp_name = 0;\n"
        "  PyType_Ready(&Sim);\n  return PyModule_Create(&module);\n}"
    ),
    "lock": "static std::mutex lock; static std::once_flag once;",
    "reference": "static Sir& sir = make();",
    "lambda-local": "auto const f = [](int n) { n = 1; return n; };",
    "error": "static int static x = ;;\n)",
    "comment": "// static int n;\n/* int m; */",
    "text": 'const char* const t = "static int n;";',
    "not-c-at-all": "<<<<<<< HEAD\n%%%%\n",
    "empty": "",
    "catch": "void f() { try { g(); } catch (std::exception& e) { e = h(); } }",
    "generated": "/* Generated by Cython 3.0 */\nstatic int n;",
    "call-of-a-call": "void f() { g()(1); g() = 2; (a + b)(1); (a + b) = 1;"
    " ((((((((((((((((((n)))))))))))))))))) = 1; }",
}


@pytest.mark.parametrize("source", _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_what_no_task_leaves_behind_is_left_alone(source: str, tmp_path: Path) -> None:
    """One false alarm, and people remove the hook."""
    assert _found(tmp_path, {"src/a.cpp": source}) == []


def test_c_has_a_grammar_of_its_own(tmp_path: Path) -> None:
    """Names such as `class` are no words of C."""
    found = _found(tmp_path, {"a.c": "static int class = 0;\nint next(void) { return ++class; }\n"})
    assert [(each.code, each.entity) for each in found] == [("BK810", "class")]


def test_writes_are_counted(tmp_path: Path) -> None:
    """One finding for one variable names the first line."""
    source = "static int n;\nvoid f() {\n  n = 1;\n  n++;\n  n = 2;\n}\n"
    assert "written in line 3 and in 2 more places" in _found(tmp_path, {"a.hpp": source})[0].message


def test_a_fresh_process_for_each_task_needs_none_of_it(tmp_path: Path) -> None:
    """The setting is the answer to the finding."""
    files: dict[str, str | bytes] = {
        "pyproject.toml": pyproject(after=_FRESH),
        "a.cpp": "int n;",
        "b.c": b" " * 1100000,
    }
    assert _found(tmp_path, files) == []


@pytest.mark.parametrize("folder", ["vendor", "third_party", "src/extern", "external/a", "tests", "docs"])
def test_what_others_wrote_and_tests_are_not_looked_at(folder: str, tmp_path: Path) -> None:
    """Nobody mends a vendored library."""
    assert _found(tmp_path, {f"{folder}/a.cpp": "int n;"}) == []


def test_what_is_too_large_is_said(tmp_path: Path) -> None:
    """A file that was not searched is not a clean one."""
    files: dict[str, str | bytes] = {f"m{number}.c": b" " * (1 << 20) for number in range(9)}
    found = _found(tmp_path, files | {"a.c": b" " * ((1 << 20) + 1)})
    assert [(each.code, each.path) for each in found] == [("BK811", "a.c"), ("BK811", "m8.c")]
    assert "was not searched for C++ static state" in found[0].message


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """As above."""
    problems: list[Finding] = []
    assert read_native_sources(tmp_path, [Member("gone.c", 1, executable=False)], problems) == {}
    assert [each.message for each in problems] == ["gone.c cannot be read: No such file or directory"]


_HOSTILE: dict[str, bytes] = {
    "open-parentheses": b"(" * 100_000,
    "nested-blocks": b"void f(){" + b"{x=1;" * 20_000,
    "templates-without-end": b"a<" * 100_000,
    "nested-writes": b"void f(int n){" + b"(*" * 5_000 + b"n" + b")++" * 5_000 + b";}",
    "some-stars": b"int " + b"*" * 40 + b"p;",
    "stars": b"int " + b"*" * 50_000 + b"p;",
    "every-byte": bytes(range(256)) * 400,
    "unterminated-text": b'"' * 50_001,
    "unterminated-comment": b"/* int n;",
    "latin-1": 'static const char* const s = "\xe9";'.encode("latin-1"),
    "zeros": bytes(5_000),
}


@pytest.mark.parametrize("data", _HOSTILE.values(), ids=_HOSTILE)
def test_hostile_text_neither_crashes_nor_hangs(data: bytes) -> None:
    """Anyone can send a bundle."""
    assert not [each for each in native_variables(data, "a.cpp") if isinstance(each, NativeVariable)]

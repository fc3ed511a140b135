"""BK2xx and BK5xx: files that ship or do not, names that port or do not, requirements."""

# ruff: noqa: E501 - a row of a table is one line

import os
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.model.finding import Severity

_IGNORE = {".modelopsignore": "private/\n*.bin\n", "private/x.csv": "", "private/deep/y.csv": "", "a.bin": ""}

_LEFT_OUT = {
    "open": 'open("a.bin", "rb")',
    "open-without-mode": 'open("private/x.csv")',
    "open-for-update": 'open("a.bin", mode="r+b")',
    "path": 'Path("private/deep/y.csv").read_text()',
    "csv": 'pd.read_csv("private/x.csv")',
    "scan": 'pl.scan_csv(r"private/x.csv")',
    "numpy": 'np.load("./a.bin")',
    "dots": 'open("model/../a.bin")',
    "default": 'open(".env")',
}


@pytest.mark.parametrize("call", _LEFT_OUT.values(), ids=_LEFT_OUT)
def test_a_file_that_is_read_and_left_out_is_found(call: str, tmp_path: Path) -> None:
    """It is there where the code was written and not where it runs."""
    make_bundle(tmp_path, {**_IGNORE, ".env": "", "model/data.py": f"def load():\n    return {call}\n"})
    assert [(f.code, f.path, f.line) for f in findings_of(tmp_path)] == [("BK201", "model/data.py", 2)]


_PERHAPS_READ = {
    "path-kept": 'DATA = Path("a.bin")',
    "path-opened": 'Path("a.bin").open()',
    "handler": 'try:\n    x = open("a.bin")\nexcept OSError:\n    x = None',
    "asked-first": 'if os.path.exists("a.bin"):\n    x = open("a.bin")',
    "asked-in-expression": 'x = open("a.bin") if P.is_file() else None',
}


@pytest.mark.parametrize("code", _PERHAPS_READ.values(), ids=_PERHAPS_READ)
def test_a_file_that_may_be_read_is_a_warning(code: str, tmp_path: Path) -> None:
    """A cache that the code makes itself, or does without, fails nothing."""
    make_bundle(tmp_path, {**_IGNORE, "model/data.py": f"{code}\n"})
    assert [(f.code, f.severity) for f in findings_of(tmp_path)] == [("BK201", Severity.WARNING)]


_NOT_READ = {
    "path-written": 'Path("a.bin").write_text("")',
    "path-asked": 'Path("a.bin").exists()',
    "written": 'open("a.bin", "wb")',
    "appended": 'open("a.bin", mode="a")',
    "mode-unknown": 'open("a.bin", mode)',
    "not-there": 'open("nowhere.csv")',
    "ships": 'open("model/wire.py")',
    "a-directory": 'Path("private")',
    "computed": 'open(base + "a.bin")',
    "empty": 'open("")',
    "other-call": 'print("a.bin")',
    "outside": 'open("/etc/hostname")',
}


@pytest.mark.parametrize("call", _NOT_READ.values(), ids=_NOT_READ)
def test_a_file_that_is_not_read_from_the_bundle_is_left_alone(call: str, tmp_path: Path) -> None:
    """Outputs, system files and names made at run time are nobody's mistake."""
    make_bundle(tmp_path, {**_IGNORE, "model/data.py": f"def load(mode, base):\n    return {call}\n"})
    assert findings_of(tmp_path) == []


_REGISTERED = {
    "missing": ("data/no.csv", "does not exist"),
    "left-out": ("private/x.csv", "left out by private/"),
    "left-out-directory": ("private", "left out by private/"),
    "outside": ("../x.csv", "outside the bundle"),
    "absolute": ("/data/x.csv", "outside the bundle"),
    "link": ("link.csv", "cannot ship"),
}


@pytest.mark.parametrize(("path", "reason"), _REGISTERED.values(), ids=_REGISTERED)
def test_a_registered_file_must_ship(path: str, reason: str, tmp_path: Path) -> None:
    """The registry promises these files to whoever runs the model."""
    registry = f"models:\n  m:\n    entrypoint: model.run:M\n    path: model/wire.py\n    class_name: M\n    data: ['{path}']\n"
    make_bundle(tmp_path, {**_IGNORE, ".modelops-bundle/registry.yaml": registry})
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    found = [finding for finding in findings_of(tmp_path) if finding.code == "BK201"]
    assert [reason in finding.message for finding in found] == [True]


def test_registered_files_and_directories_that_ship_are_left_alone(tmp_path: Path) -> None:
    """A directory ships by what is in it."""
    registry = (
        "models:\n  m:\n    entrypoint: model.run:M\n    path: model/run.py\n    class_name: M\n"
        "    data: [data, './data/x.csv', '.']\n"
    )
    make_bundle(
        tmp_path,
        {".modelops-bundle/registry.yaml": registry, "data/x.csv": "", "model/run.py": "class M:\n    pass\n"},
    )
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK131"]


_UNNAMED = '[project]\nname = "model"\nversion = "1.0"\n'
_TARGET = "targets:\n  t:\n    entrypoint: model.wire:wire\n    path: model/wire.py\n"

_DOCUMENTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "pyproject": ("pyproject.toml", "every runner reads it", {}),
    "manifest": (
        ".modelops/manifest.json",
        "it declares the wire",
        {"pyproject.toml": _UNNAMED, ".modelops/manifest.json": '{"wire": "model.wire:wire"}'},
    ),
    "modelops-toml": (
        ".modelops/modelops.toml",
        "it declares the wire",
        {"pyproject.toml": _UNNAMED, ".modelops/modelops.toml": '[modelops]\nwire = "model.wire:wire"\n'},
    ),
    "wire": ("wire.py", "it declares the wire", {"pyproject.toml": _UNNAMED, "wire.py": GOOD_WIRE}),
    "registry": (".modelops-bundle/registry.yaml", "it names a target", {".modelops-bundle/registry.yaml": _TARGET}),
    "requirements": (
        "requirements.txt",
        "it declares the dependencies",
        {"pyproject.toml": "", "wire.py": GOOD_WIRE, "requirements.txt": "numpy\n"},
    ),
}


@pytest.mark.parametrize("whole_directory", [False, True], ids=["file", "directory"])
@pytest.mark.parametrize(("path", "why", "files"), _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_a_document_that_declares_and_is_left_out_is_found(
    path: str, why: str, files: dict[str, str], *, whole_directory: bool, tmp_path: Path
) -> None:
    """Here the declaration is read from the tree; no runner would ever get to see it."""
    directory = path.rpartition("/")[0]
    pattern = f"{directory}/" if whole_directory and directory else f"/{path}"
    make_bundle(tmp_path, {**files, ".modelopsignore": f"{pattern}\n"})
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code == "BK201"]
    assert found.message == f"{path!r} would not ship: it is left out by {pattern} (.modelopsignore), but {why}"
    assert (found.severity, found.path) == (Severity.ERROR, path)
    brought_back = f"{pattern}\n!{path}\n"
    assert f"!{path} in .modelopsignore" in (found.hint or "")
    (tmp_path / ".modelopsignore").write_text(brought_back)
    assert [finding for finding in findings_of(tmp_path) if finding.code == "BK201"] == []


def test_the_way_back_from_exclude_is_in_exclude(tmp_path: Path) -> None:
    """What `exclude` leaves out, no `include` brings back."""
    settings = "[tool.bundlekit]\nexclude = ['*.toml'{}]\n"
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=settings.format(""))})
    (found,) = findings_of(tmp_path)
    hint = "take '*.toml' out of exclude in [tool.bundlekit], or add '!pyproject.toml' behind it"
    assert (found.code, found.hint) == ("BK201", hint)
    make_bundle(tmp_path, {"pyproject.toml": pyproject(after=settings.format(", '!pyproject.toml'"))})
    assert findings_of(tmp_path) == []


def test_documents_that_declare_nothing_may_be_left_out(tmp_path: Path) -> None:
    """The job specification stays with who submits it; a second declaration of the wire is not in effect."""
    ignored = {".modelopsignore": "job.json\n.modelops/\n/wire.py\n/requirements.txt\n"}
    others = {"wire.py": GOOD_WIRE, "requirements.txt": "numpy\n", ".modelops/manifest.json": '{"wire": "a:b"}'}
    make_bundle(tmp_path, {**ignored, **others, "job.json": '{"targets": ["model.wire:wire"]}'})
    found = findings_of(tmp_path, job_spec=tmp_path / "job.json")
    assert [finding for finding in found if finding.code == "BK201"] == []


def test_links_and_fifos_are_refused_without_being_opened(tmp_path: Path) -> None:
    """A FIFO would block for ever; a link's target is somebody else's."""
    make_bundle(tmp_path, {})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(".")
    assert [(finding.code, finding.path) for finding in findings_of(tmp_path)] == [("BK202", "loop"), ("BK202", "pipe")]


_SHADOWS = {"module": "random.py", "package": "json/__init__.py", "in-src": "src/types.py"}


@pytest.mark.parametrize("path", _SHADOWS.values(), ids=_SHADOWS)
def test_a_top_level_name_of_the_standard_library_is_found(path: str, tmp_path: Path) -> None:
    """Numpy imports random; it would get this one."""
    make_bundle(tmp_path, {path: "", "src/other/__init__.py": ""})
    assert [(finding.code, finding.path) for finding in findings_of(tmp_path)] == [("BK204", path)]


_NO_SHADOWS = {"below-a-package": "model/random.py", "data-directory": "calendar/x.txt", "namespace": "queue/own.py"}


@pytest.mark.parametrize("path", _NO_SHADOWS.values(), ids=_NO_SHADOWS)
def test_names_that_shadow_nothing_are_left_alone(path: str, tmp_path: Path) -> None:
    """Only top-level modules and regular packages come before the standard library's."""
    make_bundle(tmp_path, {path: ""})
    assert findings_of(tmp_path) == []


_BAD_REQUIREMENTS = [
    "numpy=>2",
    "numpy >=",
    "=1.0",
    "numpy; python",
    "a b",
    "numpy>=2 <3",
    "x" + "(" * 50,
    "numpy==1.*.2",
]
_GOOD_REQUIREMENTS = [
    "numpy",
    "NumPy >= 2.0, < 3",
    "scipy[test]~=1.11",
    "a.b-c_d==1.0rc1",
    "torch==2.0+cpu",
    "x ; sys_platform == 'linux'",
    "numpy===2.0",
    "numpy==2.*",
]


@pytest.mark.parametrize("requirement", _BAD_REQUIREMENTS)
def test_an_invalid_requirement_is_found_at_its_place(requirement: str, tmp_path: Path) -> None:
    """Every installer stops at it."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]')})
    assert [(finding.code, finding.line) for finding in findings_of(tmp_path)] == [("BK501", 4)]


def test_a_pin_of_conda_is_told_in_pips_words(tmp_path: Path) -> None:
    """Copied from an environment.yml; it may mean one version or a series, so nothing is mended."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project='dependencies = ["numpy = 1.26"]')})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.edit) == ("BK501", None)
    assert found.hint == "a single '=' is conda's: write numpy==1.26 or numpy==1.26.*"


@pytest.mark.parametrize("requirement", _GOOD_REQUIREMENTS)
def test_a_valid_requirement_is_left_alone(requirement: str, tmp_path: Path) -> None:
    """Whatever PEP 508 allows, plain or not."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]')})
    assert findings_of(tmp_path) == []


@pytest.mark.parametrize(
    "requirement", ["lab @ git+https://h.invalid/lab@v1", "lab @ file:///x", "lab@https://h.invalid/l.whl"]
)
def test_a_direct_reference_is_a_warning(requirement: str, tmp_path: Path) -> None:
    """It may be meant, and may be missing on a worker."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]')})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK504"]


_PATHS: dict[str, tuple[str, str | None]] = {
    "the-bundle": (".", None),
    "the-bundle-to-edit": ("-e .", None),
    "the-bundle-with-an-extra": ("-e .[dev]", None),
    "wheel-that-ships": ("./wheels/lab-1.0-py3-none-any.whl", None),
    "wheel-that-does-not": ("./wheels/lab-2.0-py3-none-any.whl", "a path of this machine"),
    "directory-that-ships": ("./vendor/lab", "a directory of the bundle"),
    "directory-to-edit": ("-e ./vendor/lab/", "a directory of the bundle"),
    "beside-the-bundle": ("../lab", "a path of this machine"),
    "absolute": ("/home/me/lab", "a path of this machine"),
}


@pytest.mark.parametrize(("requirement", "what"), _PATHS.values(), ids=_PATHS)
def test_a_path_is_told_by_where_it_leads(requirement: str, what: str | None, tmp_path: Path) -> None:
    """`-e .` is in many requirements.txt and harms nobody: runners build the bundle itself anyway."""
    files = {"wheels/lab-1.0-py3-none-any.whl": "", "vendor/lab/setup.py": "", "wire.py": "def wire(a, b, c): ...\n"}
    write_tree(tmp_path, {**files, "requirements.txt": f"{requirement}\n"})
    found = [finding for finding in findings_of(tmp_path) if finding.code.startswith("BK5")]
    assert [finding.code for finding in found] == (["BK504"] if what else [])
    assert all(what is not None and what in finding.message for finding in found)


def test_paths_in_requirements_txt_are_warnings_at_their_lines(tmp_path: Path) -> None:
    """Pip accepts them; no worker has that disk."""
    wire = "def wire(a, b, c): ...\n"
    (tmp_path / "wire.py").write_text(wire)
    (tmp_path / "requirements.txt").write_text("# comment\nnumpy>=2\n-e ../lab\n./local.whl\n")
    found = [(f.code, f.line) for f in findings_of(tmp_path) if f.code.startswith("BK5")]
    assert found == [("BK504", 3), ("BK504", 4)]


@pytest.mark.parametrize(
    ("specifier", "codes"), [(">=3.99", []), ("~=3.11", []), ("three", ["BK502"]), (">=3.11,<4.*", ["BK502"])]
)
def test_requires_python_is_judged(specifier: str, codes: list[str], tmp_path: Path) -> None:
    """Whether an interpreter satisfies it is another stage's matter."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project=f'requires-python = "{specifier}"')})
    assert [finding.code for finding in findings_of(tmp_path)] == codes

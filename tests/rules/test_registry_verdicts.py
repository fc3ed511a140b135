"""BK121 to BK149 on registries as people write them, and as today's tools write them."""

# ruff: noqa: E501 - a row of a table is one line

import hashlib
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.model.edit import CreateFile, ReplaceText
from bundlekit.model.finding import Finding, Severity

_REGISTRY = ".modelops-bundle/registry.yaml"
_SIR = "class Sir:\n    pass\n"
_LOSS = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_CSV = "t,x\n"
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def _sha(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _merkle(files: dict[str, str], *, bare: bool = False) -> str:
    digests = {path: _sha(text).removeprefix("sha256:" if bare else "") for path, text in files.items()}
    return _sha("".join(f"{path}\0{digest}\n" for path, digest in sorted(digests.items())))


def _model(after: str = "", *, entrypoint: str = "model.sir:Sir", digest: str | None = None, name: str = "sir") -> str:
    return (
        f"  {name}:\n    entrypoint: {entrypoint}\n    path: model/sir.py\n    class_name: Sir\n"
        f"    model_digest: {digest or _sha(_SIR)}\n{after}"
    )


def _target(output: str = "x", name: str = "fit") -> str:
    return (
        f"  {name}:\n    entrypoint: model.fit:loss\n    path: model/fit.py\n    model_output: {output}\n"
        f"    target_digest: {_sha(_LOSS)}\n"
    )


def _document(models: str, targets: str = "", sets: str = "") -> str:
    text = f"version: '1.0'\nmodels:\n{models}"
    text += f"targets:\n{targets}" if targets else ""
    return text + (f"target_sets:\n{sets}" if sets else "")


def _found(root: Path, registry: str, **files: str) -> list[Finding]:
    start = {"model/sir.py": _SIR, "model/fit.py": _LOSS, "data/x.csv": _CSV}
    make_bundle(root, {**start, _REGISTRY: registry, **files})
    return findings_of(root)


_OUTPUTS = "    outputs: [x]\n"
_CASES: dict[str, tuple[str, list[tuple[str, Severity, int]]]] = {
    "unpaired": (_document(_model(_OUTPUTS), _target("y")), [("BK129", _INFO, 8), ("BK128", _ERROR, 13)]),
    "unpaired-and-one-model-unknown": (_document(_model(_OUTPUTS) + _model(name="seir"), _target("y")), [("BK129", _INFO, 8), ("BK128", _WARNING, 18)]),
    "unpaired-and-no-model": ("targets:\n" + _target("y"), [("BK128", _WARNING, 5)]),
    "unused-of-two": (_document(_model("    outputs: [x, y]\n"), _target()), [("BK129", _INFO, 8)]),
    "set-of-a-stranger": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fits]\n"), [("BK133", _ERROR, 17)]),
    "weight-of-a-stranger": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n    weights:\n      fits: 1\n"), [("BK134", _WARNING, 19), ("BK135", _INFO, 19)]),
    "negative-weight": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n    weights: {fit: -0.5}\n"), [("BK134", _WARNING, 18), ("BK135", _INFO, 18)]),
    "weight-that-is-no-number": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n    weights: {fit: .nan}\n"), [("BK134", _WARNING, 18), ("BK135", _INFO, 18)]),
    "infinite-weight": (_document(_model(_OUTPUTS), _target(), f"  s:\n    targets: [fit]\n    weights: {{fit: {'9' * 400}}}\n"), [("BK134", _WARNING, 18), ("BK135", _INFO, 18)]),
    "weight-of-a-wrong-type": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n    weights: {fit: high}\n"), [("BK106", _ERROR, 18)]),
    "weights-once": (_document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n    weights: {fit: 1}\n  t:\n    targets: [fit]\n    weights: {fit: 0}\n"), [("BK135", _INFO, 18)]),
    "misspelt-key": (_document(_model("    output: [x]\n")), [("BK137", _WARNING, 8)]),
    "unknown-key": (_document(_model("    zzz: me\n")) + "zzz: 1\n", [("BK137", _INFO, 8), ("BK137", _INFO, 9)]),
    "model-twice": (_document(_model() + _model()), [("BK138", _ERROR, 8)]),
    "key-twice": (_document(_model("    outputs: [y]\n    outputs: [x]\n"), _target()), [("BK138", _ERROR, 9)]),
    "section-twice": (_document(_model()) + "models: {}\n", [("BK136", _WARNING, 1), ("BK138", _ERROR, 8)]),
    "upper-case-id": (_document(_model(name="Sir")), [("BK148", _INFO, 3)]),
    "class-name": (_document(_model().replace("class_name: Sir", "class_name: Seir")), [("BK127", _WARNING, 6)]),
    "path": (_document(_model().replace("path: model/sir.py", "path: model/fit.py").replace(_sha(_SIR), _sha(_LOSS))), [("BK126", _WARNING, 5)]),
    "missing-path": (_document(_model().replace("path: model/sir.py", "path: model/no.py")), [("BK201", _ERROR, 5)]),
    "path-of-a-target": (_document(_model(_OUTPUTS), _target().replace("path: model/fit.py", "path: model/sir.py").replace(_sha(_LOSS), _sha(_SIR))), [("BK126", _WARNING, 12)]),
    "no-colon": (_document(_model(entrypoint="model.sir.Sir")), [("BK121", _ERROR, 4)]),
    "missing-module": (_document(_model(entrypoint="models.sir:Sir")), [("BK122", _ERROR, 4)]),
    "missing-class": (_document(_model(entrypoint="model.sir:Seir").replace("class_name: Sir", "class_name: Seir")), [("BK123", _ERROR, 4)]),
    "function": (_document(_model(entrypoint="model.fit:loss").replace("class_name: Sir", "class_name: loss")), [("BK124", _ERROR, 4)]),
    "stale": (_document(_model(digest="sha256:" + "0" * 64)), [("BK130", _WARNING, 7)]),
    "stale-data": (_document(_model(f"    data: [data/x.csv]\n    data_digests: {{data/x.csv: '{_sha('old')}'}}\n")), [("BK130", _WARNING, 9)]),
    "stale-code": (_document(_model(f"    code: [model/fit.py]\n    code_digests:\n      model/fit.py: {_sha('old')}\n")), [("BK130", _WARNING, 10)]),
    "left-over": (_document(_model(f"    data: []\n    data_digests: {{data/x.csv: '{_sha(_CSV)}'}}\n")), [("BK130", _WARNING, 9)]),
    "missing-digests-once": (_document(_model("    data: [data/x.csv]\n    code: [model/fit.py]\n", digest="null")), [("BK131", _INFO, 3)]),
    "bare-digest": (_document(_model(digest=_sha(_SIR).removeprefix("sha256:"))), [("BK132", _ERROR, 7)]),
    "upper-case-digest": (_document(_model(digest=_sha(_SIR).upper())), [("BK132", _ERROR, 7)]),
    "malformed-of-a-file": (_document(_model("    data: [data/x.csv]\n    data_digests: {data/x.csv: abc}\n")), [("BK132", _ERROR, 9)]),
    "missing-keys": (_document("  sir: {}\n", "  fit: {}\n"), [("BK106", _ERROR, 3)] * 3 + [("BK106", _ERROR, 5)] * 3),
    "wrong-types-all-at-once": (_document(_model("    outputs: x\n    data: [3]\n    data_digests: [a]\n")), [("BK106", _ERROR, 8), ("BK106", _ERROR, 9), ("BK106", _ERROR, 10)]),
    "version-without-quotes": ("version: 1.0\n" + _document(_model()).partition("\n")[2], [("BK106", _ERROR, 1)]),
}  # fmt: skip


@pytest.mark.parametrize(("registry", "expected"), _CASES.values(), ids=_CASES)
def test_what_is_wrong_with_a_registry_is_found_at_its_line(
    registry: str, expected: list[tuple[str, Severity, int]], tmp_path: Path
) -> None:
    """Nothing on the platform looks at most of these before the tasks fail."""
    found = _found(tmp_path, registry)
    assert [(finding.code, finding.severity, finding.line) for finding in found] == expected
    assert {finding.path for finding in found} == {_REGISTRY}
    assert all(finding.hint for finding in found if finding.code != "BK106")


_ALL = {"model/sir.py": _SIR, "data/x.csv": _CSV, "model/fit.py": _LOSS}
_FILES = "    data: [./data/x.csv]\n    code: [model/fit.py]\n"
_DIGESTS = f"    data_digests: {{./data/x.csv: '{_sha(_CSV)}'}}\n    code_digests: {{model/fit.py: '{_sha(_LOSS)}'}}\n"
_AS_WRITTEN = {"model/sir.py": _SIR, "./data/x.csv": _CSV, "model/fit.py": _LOSS}

_LEFT_ALONE: dict[str, str] = {
    "everything": _document(_model(_OUTPUTS), _target(), "  s:\n    targets: [fit]\n"),
    "empty-lists-as-the-tool-writes-them": _document(_model("    scenarios: []\n    parameters: []\n    outputs: []\n    data: []\n    data_digests: {}\n    code: []\n    code_digests: {}\n")),
    "digests-of-files": _document(_model(_FILES + _DIGESTS)),
    "digest-of-all-files": _document(_model(_FILES + _DIGESTS, digest=_merkle(_AS_WRITTEN))),
    "digest-of-all-files-in-hex": _document(_model(_FILES + _DIGESTS, digest=_merkle(_AS_WRITTEN, bare=True))),
    "merge-key": "models:\n  a: &a\n" + _model().partition("\n")[2] + "  b:\n    <<: *a\n    scenarios: [x]\n",
    "merge-keys": _document("  a: &a\n" + _model().partition("\n")[2] + "  b:\n    <<: [*a, {scenarios: [x]}]\n    class_name: Sir\n"),
    "id-with-a-dot": _document(_model(name="a.b")),
    "class-name-with-its-owner": _document(_model(entrypoint="model.wire:All.Sir").replace("class_name: Sir", "class_name: All.Sir").replace("model/sir.py", "model/wire.py").replace(_sha(_SIR), _sha("class All:\n    class Sir:\n        pass\n\ndef wire(entrypoint, params, seed):\n    return {'x': b'1'}\n"))),
}  # fmt: skip


@pytest.mark.parametrize("registry", _LEFT_ALONE.values(), ids=_LEFT_ALONE)
def test_a_registry_in_order_is_left_alone(registry: str, tmp_path: Path) -> None:
    """Registering again changes nothing there, so there is nothing to say."""
    files = {}
    if "All.Sir" in registry:
        files["model/wire.py"] = (
            "class All:\n    class Sir:\n        pass\n\ndef wire(entrypoint, params, seed):\n    return {'x': b'1'}\n"
        )
    assert _found(tmp_path, registry, **files) == []


def test_a_class_under_another_name_is_no_contradiction(tmp_path: Path) -> None:
    """`Sir = Stochastic` and `class_name: Stochastic` mean the same class."""
    source = "class Stochastic:\n    pass\n\nSir = Stochastic\n"
    registry = _document(_model(digest=_sha(source)).replace("class_name: Sir", "class_name: Stochastic"))
    assert _found(tmp_path, registry, **{"model/sir.py": source}) == []


_NO_CLASSES: dict[str, tuple[str, str]] = {
    "function": ("def Sir():\n    return {}\n", "the function 'Sir' in line 1 of model/sir.py"),
    "lambda": ("Sir = lambda: 1\n", "the function '<lambda>' in line 1 of model/sir.py"),
    "instance": ("class A:\n    pass\n\nSir = A()\n", "an instance of 'A'"),
    "literal": ("Sir = 3\n", "a literal int"),
    "module": ("import model.fit as Sir\n", "the module 'model.fit'"),
}


@pytest.mark.parametrize(("source", "what"), _NO_CLASSES.values(), ids=_NO_CLASSES)
def test_a_model_that_is_no_class_is_told_what_it_is(source: str, what: str, tmp_path: Path) -> None:
    """The platform makes an instance of it for each task."""
    found = _found(tmp_path, _document(_model(digest=_sha(source))), **{"model/sir.py": source})
    assert [finding.code for finding in found if finding.severity is _ERROR] == ["BK124"]
    assert what in next(finding.message for finding in found if finding.code == "BK124")


_UNKNOWN: dict[str, str] = {
    "made-by-a-call": "Sir = make()\n",
    "from-a-dependency": "from lab import Sir\n",
    "decorated": "from lab import register\n\n@register\nclass Sir:\n    pass\n",
    "module-getattr": "def __getattr__(name):\n    return type(name, (), {})\n",
}


@pytest.mark.parametrize("source", _UNKNOWN.values(), ids=_UNKNOWN)
def test_a_model_that_only_running_tells_is_information(source: str, tmp_path: Path) -> None:
    """Unknown is never an error, and never silent success."""
    project = {"pyproject.toml": pyproject(project='dependencies = ["lab==1.0"]')}
    found = _found(tmp_path, _document(_model(digest=_sha(source))), **{"model/sir.py": source, **project})
    assert [(finding.code, finding.severity) for finding in found] == [("BK125", _INFO)]


def test_a_model_whose_file_is_no_python_is_an_error(tmp_path: Path) -> None:
    """A file that nothing needs is a warning only; a registered model needs its own."""
    source = "class Sir\n"
    found = _found(tmp_path, _document(_model(digest=_sha(source))), **{"model/sir.py": source})
    assert [(finding.code, finding.severity, finding.path) for finding in found] == [("BK311", _ERROR, "model/sir.py")]


def test_a_registry_that_names_a_model_must_ship(tmp_path: Path) -> None:
    """The platform's wire looks every model up in it."""
    found = _found(tmp_path, _document(_model()), **{".modelopsignore": "registry.yaml\n"})
    assert [(finding.code, finding.entity) for finding in found] == [("BK201", _REGISTRY)]


def test_a_stale_digest_is_shown_short_and_both(tmp_path: Path) -> None:
    """Whoever compares by eye needs both, and not 128 digits."""
    (found,) = _found(tmp_path, _document(_model(digest="sha256:" + "0" * 64)))
    assert f"it is sha256:{'0' * 12}..., model/sir.py has {_sha(_SIR)[:19]}..." in found.message


def test_a_digest_without_its_prefix_gets_it_in_the_hint(tmp_path: Path) -> None:
    """Some tools of the ecosystem write it bare."""
    (found,) = _found(tmp_path, _document(_model(digest=_sha(_SIR)[7:])))
    assert found.hint == f"write {_sha(_SIR)}"


def test_files_that_do_not_ship_are_not_hashed(tmp_path: Path) -> None:
    """What lies outside is nobody's business, and a FIFO would block; that they do not ship is said already."""
    digest = "sha256:" + "0" * 64
    data = "\n".join(f"      {path}: {digest}" for path in ("../x", "/etc/hostname", "link.csv"))
    registry = _document(_model(f"    data: [../x, /etc/hostname, link.csv]\n    data_digests:\n{data}\n"))
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    assert [finding.code for finding in _found(tmp_path, registry)] == ["BK201", "BK201", "BK201", "BK202"]


def test_names_with_a_near_one_carry_an_edit(tmp_path: Path) -> None:
    """`--fix` takes it from there."""
    registry = _document(
        _model("    outputs: [incidence]\n"), _target("incidenc"), "  s:\n    targets: [fi, no-such-thing]\n"
    )
    found = {finding.entity: finding for finding in _found(tmp_path, registry) if finding.severity is _ERROR}
    assert isinstance(found["fit"].edit, ReplaceText)
    assert (found["fit"].edit.old, found["fit"].edit.new) == ("incidenc", "incidence")
    edits = [finding.edit for finding in findings_of(tmp_path) if finding.code == "BK133"]
    assert [edit is None for edit in edits] == [False, True]


_UNNAMED_SET = "targets:\n  t: {entrypoint: model.fit:loss, path: model/fit.py, model_output: x}\n"


def test_a_set_without_any_registered_target_says_so(tmp_path: Path) -> None:
    """There is no nearest name then."""
    (found,) = [
        finding
        for finding in _found(tmp_path, _document(_model(), "", "  s:\n    targets: [fit]\n"))
        if finding.code == "BK133"
    ]
    assert found.hint == "register it first"


_INITS: dict[str, tuple[dict[str, str], list[tuple[str, Severity]]]] = {
    "model": ({"models/sir.py": _SIR}, [("models", _WARNING)]),
    "two-in-one": (
        {"models/sir.py": _SIR, "models/fit.py": _LOSS, "pyproject.toml": pyproject(after='[tool.bundlekit]\ntargets = ["models.fit:loss"]\n')},
        [("models", _WARNING)],
    ),
    "deeper": ({"models/sir.py": _SIR, "models/a/b/c.py": _LOSS}, [("models", _WARNING)]),
    "in-order": ({"models/sir.py": _SIR, "models/__init__.py": ""}, []),
    "stub": ({"models/sir.py": _SIR, "models/__init__.pyi": ""}, []),
    "left-out": ({"models/sir.py": _SIR, "models/__init__.py": "", ".modelopsignore": "models/__init__.py\n"}, []),
    "spread": ({"models/sir.py": _SIR, "src/models/other.py": ""}, []),
    "dependency": ({"models/sir.py": _SIR, "pyproject.toml": pyproject(project='dependencies = ["models-x", "-"]')}, []),
    "wire-too": (
        {"models/sir.py": _SIR, "run/wire.py": "def wire(entrypoint, params, seed):\n    return {'x': b'1'}\n", "pyproject.toml": pyproject(wire="run.wire:wire", after='[tool.bundlekit]\ntargets = ["fits.a.b:loss"]\n'), "fits/a/b.py": _LOSS},
        [("models", _WARNING), ("run", _INFO), ("fits", _INFO), ("fits/a", _INFO)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), _INITS.values(), ids=_INITS)
def test_a_missing_init_is_no_error_and_has_its_edit(
    files: dict[str, str], expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    """Namespace packages work; the platform's registration ends with status 1 on them."""
    registry = f"models:\n  sir:\n    entrypoint: models.sir:Sir\n    path: models/sir.py\n    class_name: Sir\n    model_digest: {_sha(_SIR)}\n"
    found = [finding for finding in _found(tmp_path, registry, **files) if finding.code == "BK139"]
    assert sorted((finding.entity, finding.severity) for finding in found) == sorted(expected)
    assert all(finding.edit == CreateFile(f"{finding.entity}/__init__.py") for finding in found)


def test_without_the_platforms_tool_no_init_is_asked_for(tmp_path: Path) -> None:
    """A namespace package is what Python imports; only that tool wants more."""
    make_bundle(
        tmp_path, {"pyproject.toml": pyproject(wire="run.wire:wire"), "run/wire.py": "from model.wire import wire\n"}
    )
    assert findings_of(tmp_path) == []


def _found_by_setuptools(**options: str) -> str:
    told = "".join(f"{name} = {value}\n" for name, value in options.items())
    return pyproject(
        after=f"[tool.setuptools.packages.find]\n{told}[tool.bundlekit]\ntargets = ['model.fits.a:loss']\n"
    )


_BUILT: dict[str, tuple[dict[str, str], list[tuple[str, Severity]]]] = {
    "part-of-a-package": ({"model/fits/a.py": _LOSS}, [("model/fits", Severity.ERROR)]),
    "in-order": ({"model/fits/a.py": _LOSS, "model/fits/__init__.py": ""}, []),
    "with-namespaces": ({"model/fits/a.py": _LOSS, "pyproject.toml": _found_by_setuptools(where='["."]')}, []),
    "on-top": (
        {"fits/a.py": _LOSS, "pyproject.toml": _found_by_setuptools(namespaces="false").replace("model.fits.a", "fits.a")},
        [("fits", _WARNING)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), _BUILT.values(), ids=_BUILT)
def test_what_the_build_leaves_out_for_want_of_an_init_is_found(
    files: dict[str, str], expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    """The installed package hides the directory of the tree, so the import fails although the file is there."""
    make_bundle(tmp_path, {"pyproject.toml": _found_by_setuptools(namespaces="false"), **files})
    found = [finding for finding in findings_of(tmp_path) if finding.code == "BK139"]
    assert [(finding.entity, finding.severity) for finding in found] == expected
    assert all(finding.edit == CreateFile(f"{finding.entity}/__init__.py") for finding in found)
    assert all("the build packs no directory without one" in finding.message for finding in found)

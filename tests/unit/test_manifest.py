"""The manifest: one document, one text, one digest; read strictly, refused with every reason at once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.archives import FILES, manifest_of_files
from builders.projects import bundle_project, write_tree
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.errors import (
    ArchiveUnsafeError,
    BundlekitError,
    DigestMismatchError,
    EntryPointRefusedError,
    LimitExceededError,
    ManifestError,
    NameRefusedError,
    PyprojectRefusedError,
)
from bundlekit.model.declaration import Dependencies, Lock, TargetDeclaration, WireDeclaration, WireSource
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.manifest import Manifest, ManifestFile, ManifestWire
from bundlekit.model.place import Place
from bundlekit.model.project import Project, ProjectTable
from bundlekit.pack import manifest_inventory
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of, unhashed_files
from bundlekit.pack.manifest_json import manifest_digest, manifest_json, parse_manifest

_GOOD = manifest_of_files()
_ZERO = "sha256:" + "0" * 64


def _document(**changes: object) -> bytes:
    """Return the manifest with top-level keys replaced, or left out where the change is ``...``."""
    document = json.loads(_GOOD) | changes
    kept = {key: value for key, value in document.items() if value is not ...}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _file(**changes: object) -> bytes:
    document = json.loads(_GOOD)
    document["files"][0] |= changes
    return _document(files=document["files"])


def _files(*files: tuple[str, int]) -> bytes:
    return _document(files=[{"path": path, "size": size, "mode": "0644", "sha256": _ZERO} for path, size in files])


_REFUSED: dict[str, tuple[Callable[[], bytes], type[BundlekitError], str]] = {
    "M01-not-json": (
        lambda: b"manifest",
        ManifestError,
        "not strict JSON: expected one JSON document, found 'Expecting value' at line 1, column 1",
    ),
    "M01-empty": (lambda: b"", ManifestError, "is not strict JSON"),
    "M01-bom": (lambda: b"\xef\xbb\xbf" + _GOOD, ManifestError, "found a byte order mark"),
    "M01-utf-16": (
        lambda: _GOOD.decode().encode("utf-16"),
        ManifestError,
        "expected UTF-8, found the byte 0xff at offset 0",
    ),
    "M01-list": (lambda: b"[]", ManifestError, "is not a JSON object but list"),
    "M02-twice": (lambda: b'{"a":1,"schema":1,"a":2}', ManifestError, "found 'a' twice"),
    "M02-nan": (lambda: b'{"a":NaN}', ManifestError, "found NaN"),
    "M02-infinite": (lambda: b'{"a":-Infinity}', ManifestError, "found -Infinity"),
    "M02-float": (lambda: b'{"a":1e400}', ManifestError, "a double can hold, found 1e400"),
    "M02-digits": (lambda: b'{"a":' + b"9" * 5000 + b"}", ManifestError, "a number that Python converts"),
    "M02-deep": (lambda: b"[" * 100_000, ManifestError, "200 levels of nesting"),
    "M02-values": (lambda: b"[" + b"1," * 1_200_001, LimitExceededError, "holds more than 1,200,000 values"),
    "M03-higher": (
        lambda: _document(schema="bundlekit/manifest/2"),
        ManifestError,
        "reads 'bundlekit/manifest/1' only",
    ),
    "M03-lower": (lambda: _document(schema="bundlekit/manifest/0"), ManifestError, "manifest/0'; this version"),
    "M03-text": (lambda: _document(schema="1"), ManifestError, "schema is '1'"),
    "M03-number": (lambda: _document(schema=1), ManifestError, "schema is 1;"),
    "M03-null": (lambda: _document(schema=None), ManifestError, "schema is None"),
    "M03-missing": (lambda: _document(schema=...), ManifestError, "schema is None"),
    "missing": (
        lambda: _document(name=..., wire=..., files=...),
        ManifestError,
        "3 wrong fields: files is missing; name",
    ),
    "unknown": (lambda: _document(verdict="passed"), ManifestError, "1 wrong fields: verdict is unknown"),
    "name": (lambda: _document(name=""), ManifestError, "name: expected a string that is not empty, found ''"),
    "version": (lambda: _document(version=1), ManifestError, "version: expected a string"),
    "name-surrogate": (lambda: _document(name="\\").replace(b"\\\\", b"\\ud800"), ManifestError, "the lone surrogate"),
    "python": (lambda: _document(requires_python=3), ManifestError, "requires_python: expected a string"),
    "wire": (lambda: _document(wire=[]), ManifestError, r"wire: expected an object, found \[\]"),
    "wire-source": (
        lambda: _document(wire={"source": "guess", "name": "n", "value": "v"}),
        ManifestError,
        "wire.source: expected one of entry-point, manifest.json, modelops.toml, wire.py, found 'guess'",
    ),
    "wire-source-empty": (
        lambda: _document(wire={"source": "", "name": "n", "value": "v", "x": 1}),
        ManifestError,
        "wire.x is unknown; wire.source: expected a string",
    ),
    "targets": (lambda: _document(targets=[1]), ManifestError, "targets: expected a list of strings"),
    "targets-text": (lambda: _document(targets="a:b"), ManifestError, "targets: expected a list of strings"),
    "dependencies": (lambda: _document(dependencies=None), ManifestError, "dependencies: expected an object"),
    "lock": (
        lambda: _document(dependencies={"declared": [], "lock": "uv.lock", "hash": _ZERO}),
        ManifestError,
        "dependencies.lock: expected an object",
    ),
    "flag": (
        lambda: _document(requires_fresh_process=0),
        ManifestError,
        "requires_fresh_process: expected true or false",
    ),
    "files": (lambda: _document(files={}), ManifestError, "files: expected a list of objects"),
    "file": (lambda: _document(files=[1]), ManifestError, r"files\[0\]: expected an object with path"),
    "file-key": (lambda: _file(mtime=1), ManifestError, r"files\[0\]: expected"),
    "file-path": (lambda: _file(path=1), ManifestError, r"files\[0\]: expected"),
    "file-mode": (lambda: _file(mode="0777"), ManifestError, r"files\[0\]: expected.*mode \('0644' or '0755'\)"),
    "file-mode-number": (lambda: _file(mode=644), ManifestError, r"files\[0\]: expected"),
    "M06-negative": (lambda: _file(size=-5), ManifestError, r"files\[0\]: expected.*size \(a whole number from 0\)"),
    "M06-true": (lambda: _file(size=True), ManifestError, r"files\[0\]"),
    "M06-text": (lambda: _file(size="12"), ManifestError, r"files\[0\]"),
    "M06-fraction": (lambda: _file(size=1.0), ManifestError, r"files\[0\]"),
    "M06-huge": (lambda: _file(size=2**70), LimitExceededError, "has 1,180,591,620,717,411,303,424 bytes"),
    "M06-upper": (lambda: _file(sha256="sha256:" + "A" * 64), ManifestError, r"files\[0\]"),
    "M06-bare": (lambda: _file(sha256="0" * 64), ManifestError, r"files\[0\]"),
    "M06-63": (lambda: _file(sha256=_ZERO[:-1]), ManifestError, r"files\[0\]"),
    "M06-65": (lambda: _file(sha256=_ZERO + "0"), ManifestError, r"files\[0\]"),
    "M06-newline": (lambda: _file(sha256=_ZERO + "\n"), ManifestError, r"files\[0\]"),
    "M06-0x": (lambda: _file(sha256="sha256:0x" + "0" * 62), ManifestError, r"files\[0\]"),
    "M06-underscore": (lambda: _file(sha256="sha256:" + "0_" * 32), ManifestError, r"files\[0\]"),
    "M06-fullwidth": (lambda: _file(sha256="sha256:" + "\uff10" * 64), ManifestError, r"files\[0\]"),
    "M06-sha1": (lambda: _file(sha256="sha1:" + "0" * 64), ManifestError, r"files\[0\]"),
    "M06-hash": (
        lambda: _document(dependencies={"declared": [], "lock": None, "hash": "none"}),
        ManifestError,
        "dependencies.hash: expected 'sha256:' and 64 lower-case hex digits, found 'none'",
    ),
    "path-up": (lambda: _files(("../x", 0)), ArchiveUnsafeError, r"lists '\.\./x', which has the component"),
    "path-reserved": (lambda: _files((".bundlekit/manifest.json", 0)), ArchiveUnsafeError, "which is reserved"),
    "path-long": (lambda: _files(("x" * 300, 0)), LimitExceededError, "has a component of 300 bytes"),
    "total": (
        lambda: _files(*((f"{n:02}", 0o77777777777) for n in range(9))),
        LimitExceededError,
        "68,719,476,736 in all",
    ),
    "order": (lambda: _files(("b", 0), ("a", 0)), ManifestError, "lists 'a' after 'b', out of order"),
    "twice": (lambda: _files(("a", 0), ("a", 0)), ManifestError, "lists 'a' twice"),
    "file-and-directory": (
        lambda: _files(("a", 0), ("a/b/c", 0)),
        ManifestError,
        "lists 'a' as a file, and 'a/b/c' below",
    ),
    "A17-normalisation": (
        lambda: _files(("e\u0301", 0), ("\u00e9", 0)),
        ArchiveUnsafeError,
        r"'e\\u0301' and '\\xe9', which are one name",
    ),
    "M07-lock-missing": (
        lambda: _document(dependencies={"declared": [], "lock": {"path": "uv.lock", "sha256": _ZERO}, "hash": _ZERO}),
        DigestMismatchError,
        "the manifest's lock 'uv.lock' is not among its files",
    ),
    "M07-lock-digest": (
        lambda: _document(dependencies={"declared": [], "lock": {"path": "run.sh", "sha256": _ZERO}, "hash": _ZERO}),
        DigestMismatchError,
        "the manifest's lock 'run.sh' is not among its files with the digest",
    ),
    "M07-deps-hash": (
        lambda: _document(dependencies={"declared": ["numpy"], "lock": None, "hash": _ZERO}),
        DigestMismatchError,
        "the manifest's dependency hash",
    ),
    "spaces": (lambda: _GOOD.replace(b'":', b'": '), ManifestError, "is not canonical JSON"),
    "newline": (lambda: _GOOD + b"\n", ManifestError, "is not canonical JSON"),
    "escapes": (lambda: _GOOD.replace(b'"sir"', b'"\\u0073ir"'), ManifestError, "is not canonical JSON"),
    "key-order": (
        lambda: json.dumps(dict(reversed(json.loads(_GOOD).items())), separators=(",", ":")).encode(),
        ManifestError,
        "is not canonical JSON",
    ),
}


@pytest.mark.parametrize(("build", "error", "text"), _REFUSED.values(), ids=_REFUSED)
def test_a_manifest_that_is_not_ours_is_refused(
    build: Callable[[], bytes], error: type[BundlekitError], text: str
) -> None:
    """M01-M07: the digest covers the text, so two texts for one meaning would be two digests for one bundle."""
    with pytest.raises(error, match=text) as caught:
        parse_manifest(build())
    assert type(caught.value) is error


def test_the_problems_shown_are_bounded() -> None:
    """A manifest with a thousand wrong lines must not give a message of a thousand lines."""
    with pytest.raises(ManifestError, match=r"has 30 wrong fields: .*; and 20 more$") as caught:
        parse_manifest(_document(files=[None] * 30))
    assert isinstance(caught.value.subject, tuple)
    assert len(caught.value.subject) == 30


def test_too_many_files_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A28, with a limit that a test can reach."""
    monkeypatch.setattr(manifest_inventory, "MAX_MEMBERS", 3)

    with pytest.raises(LimitExceededError, match="lists 5 files, more than 3"):
        parse_manifest(_GOOD)


_NAMES = st.text(st.characters(categories=["L", "N"], include_characters="-_. "), min_size=1, max_size=9).filter(
    lambda text: text not in {".", ".."}
)


@given(
    names=st.sets(_NAMES, max_size=5),
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    python=st.none() | st.just(">=3.11"),
    source=st.sampled_from(WireSource),
    targets=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    fresh=st.booleans(),
)
def test_reading_gives_back_what_was_written(
    *, names: set[str], name: str, python: str | None, source: WireSource, targets: list[str], fresh: bool
) -> None:
    """The pair is exact for every manifest, whatever characters its strings hold."""
    paths = sorted({f"d{index}/x" for index, _ in enumerate(names)})
    files = tuple(ManifestFile(path, 7, "0755", Digest(_ZERO)) for path in paths)
    lock = Lock(paths[0], Digest(_ZERO)) if paths else None
    unlocked = parse_manifest(_GOOD).dependencies
    dependencies = Dependencies(("numpy",), lock, Digest(_ZERO)) if lock else unlocked
    requires = python if lock else ">=3.11"
    manifest = Manifest(
        name, "1", requires, ManifestWire(source, "wire", "a:b"), tuple(targets), dependencies, fresh, files
    )

    assert parse_manifest(manifest_json(manifest)) == manifest


def test_the_digest_does_not_change_with_the_version_of_bundlekit() -> None:
    """The one text that must never change: bundles are known by this digest everywhere (DESIGN decision 1)."""
    files = (ManifestFile("data/\u00e9.csv", 3, "0644", Digest.of(b"abc")),)
    wire = ManifestWire(WireSource.ENTRY_POINT, "wire", "sir.wire:wire")
    dependencies = Dependencies(("numpy>=1.26",), None, Digest(_ZERO))
    manifest = Manifest(
        "sir", "1.0", ">=3.11", wire, ("targets:fit",), dependencies, requires_fresh_process=False, files=files
    )

    assert manifest_json(manifest).decode() == (
        '{"dependencies":{"declared":["numpy>=1.26"],"hash":"' + _ZERO + '","lock":null},'
        '"files":[{"mode":"0644","path":"data/\u00e9.csv",'
        '"sha256":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3}],'
        '"name":"sir","requires_fresh_process":false,"requires_python":">=3.11","schema":"bundlekit/manifest/1",'
        '"targets":["targets:fit"],"version":"1.0",'
        '"wire":{"name":"wire","source":"entry-point","value":"sir.wire:wire"}}'
    )
    assert manifest_digest(manifest) == "sha256:9072fab3331457d80b4389d34da73cbae70c39baa0e36908bfb0ab567d7fd387"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small bundle as data."""
    return bundle_project(write_tree(tmp_path / "any", FILES))


def test_the_manifest_holds_what_the_bundle_declares(project: Project, tmp_path: Path) -> None:
    """Every field, and nothing of the directory's own name."""
    manifest = manifest_of(project, hash_tree(tmp_path / "any", project.members))

    assert manifest._replace(files=()) == Manifest(
        name="sir",
        version="1.0",
        requires_python=">=3.11",
        wire=ManifestWire(WireSource.ENTRY_POINT, "wire", "sir.wire:wire"),
        targets=("targets:incidence",),
        dependencies=project.dependencies,
        requires_fresh_process=False,
        files=(),
    )
    assert parse_manifest(manifest_json(manifest)) == manifest


def test_targets_of_a_job_specification_are_no_part_of_the_digest(project: Project) -> None:
    """The same bundle under another job is the same bundle; declared twice is declared once."""
    extra = (
        TargetDeclaration("targets:other", Place("job.yaml", 1)),
        TargetDeclaration("a:first", Place(".modelops-bundle/registry.yaml", 3)),
        *project.targets,
    )

    manifest = manifest_of(project._replace(targets=project.targets + extra), unhashed_files(project))

    assert manifest.targets == ("a:first", "targets:incidence")


_PLACE = Place("pyproject.toml", 4, 1)
_WIRE = WireDeclaration(WireSource.ENTRY_POINT, "wire", "a:b", _PLACE)
_PROBLEM = Finding("BK103", Severity.ERROR, "Expected '=' after a key", "pyproject.toml", 4, 1)
_UNPACKABLE: dict[str, tuple[dict[str, object], type[BundlekitError], str]] = {
    "unreadable": (
        {"table": ProjectTable.UNREADABLE, "problems": (_PROBLEM,)},
        PyprojectRefusedError,
        "pyproject.toml line 4 cannot be read: Expected '=' after a key",
    ),
    "unreadable-without-place": (
        {"table": ProjectTable.UNREADABLE, "problems": (_PROBLEM._replace(line=None),)},
        PyprojectRefusedError,
        "pyproject.toml cannot be read: Expected",
    ),
    "unreadable-without-reason": ({"table": ProjectTable.UNREADABLE}, PyprojectRefusedError, "cannot be read$"),
    "no-name": ({"name": None}, PyprojectRefusedError, "has no name that can be read without running its build"),
    "no-version": ({"version": None}, PyprojectRefusedError, "has no version"),
    "name-is-a-path": ({"name": "../sir"}, PyprojectRefusedError, "name '../sir' contains a backslash or a slash"),
    "version-is-up": ({"version": ".."}, PyprojectRefusedError, "version '..' has the component '..'"),
    "no-wire": ({"wires": ()}, EntryPointRefusedError, "declares no wire function"),
    "two-wires": (
        {"wires": (_WIRE, _WIRE._replace(name="other", value="c:d"))},
        EntryPointRefusedError,
        "2 modelops.wire entry points, and runners take one: wire = a:b, other = c:d",
    ),
}


@pytest.mark.parametrize(("changes", "error", "text"), _UNPACKABLE.values(), ids=_UNPACKABLE)
def test_a_bundle_without_an_identity_cannot_be_packed(
    project: Project, changes: dict[str, object], error: type[BundlekitError], text: str
) -> None:
    """`pack` says in one sentence what validation reports as findings."""
    with pytest.raises(error, match=text):
        manifest_of(project._replace(**changes), unhashed_files(project))


def test_a_second_kind_of_wire_does_not_compete(project: Project) -> None:
    """The twin: an entry point beside a root wire.py is how most bundles stand."""
    wires = (*project.wires, WireDeclaration(WireSource.WIRE_PY, "wire", "wire.py:wire", Place("wire.py")))

    assert manifest_of(project._replace(wires=wires), ()).wire.source is WireSource.ENTRY_POINT


def test_entries_that_cannot_ship_are_all_named(tmp_path: Path) -> None:
    """N05, N11: escaped, so that a name cannot move the terminal's cursor."""
    root = write_tree(tmp_path / "b", {"m.py": "", "a\x1b[2J": ""})
    for index in range(12):
        (root / f"link{index:02}").symlink_to("/etc/passwd")

    with pytest.raises(NameRefusedError) as caught:
        manifest_of(bundle_project(root), ())

    assert "13 of the bundle's entries cannot ship: 'a\\x1b[2J' contains a control character" in caught.value.message
    assert caught.value.message.endswith("'link08' is a symbolic link; and 3 more")
    assert caught.value.message.isprintable()

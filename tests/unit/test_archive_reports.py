"""What packing, inspecting, comparing and unpacking say, from the use cases on real archives."""

import json
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, GOOD_WIRE, make_bundle
from jsonschema import Draft202012Validator

from bundlekit.api.archives import PackOptions, compare, inspect, pack, unpack, verify
from bundlekit.errors import UsageError
from bundlekit.model.archive import Packed
from bundlekit.report import archives
from bundlekit.report.json_schemas import schema_texts


def _silent(_message: str) -> None:
    """Take progress that nobody watches."""


def _plain(text: str, _word: str) -> str:
    return text


def _packed(root: Path, archive: Path, **files: str) -> Packed:
    """Pack the good bundle with `files` over it; without validation it takes milliseconds."""
    make_bundle(root, files)
    packed = pack(root, PackOptions(output=archive, validate=False), _silent)
    assert isinstance(packed, Packed)
    return packed


def _assert_valid(schema: str, document: object) -> None:
    Draft202012Validator(json.loads(schema_texts()[f"{schema}.schema.json"])).validate(document)


def test_packing_says_what_was_written_and_what_was_left_out(tmp_path: Path) -> None:
    """A data file that an ignore pattern takes along by accident is seen here, or by the failing task."""
    ignored = {f"out/{number}.csv": "" for number in range(12)}
    packed = _packed(tmp_path / "b", tmp_path / "m.tar.zst", **ignored, **{".modelopsignore": "*.csv\n", ".env": "x"})
    lines = list(archives.pack_lines(packed, _plain))
    assert lines[:2] == ["left out .env by .env (default)", "left out out/0.csv by *.csv (.modelopsignore)"]
    assert lines[-3:] == [
        "left out 3 more; all are listed in the report",
        f"packed {tmp_path}/m.tar.zst: 4 files, {packed.size:,} bytes, digest {packed.digest}",
        f"report {tmp_path}/m.tar.zst.report.json",
    ]
    beside = json.loads(Path(packed.report_path).read_text(encoding="utf-8"))
    assert (len(beside["left_out"]), beside["validation"]) == (13, None)
    _assert_valid("pack-report", beside)
    _assert_valid("pack", archives.pack_document(packed))


def test_an_archive_says_who_it_is(tmp_path: Path) -> None:
    """`inspect` lists the files and what registries will call it, `verify` says that every byte of them holds."""
    packed = _packed(tmp_path / "b", tmp_path / "m.tar.zst")
    who = [
        "name       model 1.0",
        f"digest     {packed.digest}",
        f"deps hash  {packed.manifest.dependencies.hash}",
        "wire       model.wire:wire (entry-point)",
    ]
    total = len(GOOD_PYPROJECT) + len(GOOD_WIRE)
    inspected, verified = inspect(tmp_path / "m.tar.zst"), verify(tmp_path / "m.tar.zst", _silent)
    assert list(archives.inspection_lines(verified, _plain)) == [
        f"verified {tmp_path}/m.tar.zst: 3 files, {total} bytes",
        *who,
    ]
    digests = inspected.oci_digests
    assert digests is not None
    assert list(archives.inspection_lines(inspected, _plain)) == [
        *who,
        f"registry   {digests.bundlekit} (layout bundlekit)",
        f"registry   {digests.modelops} (layout modelops)",
        f"0644 {0:>12}  model/__init__.py",
        f"0644 {len(GOOD_WIRE):>12}  model/wire.py",
        f"0644 {len(GOOD_PYPROJECT):>12}  pyproject.toml",
    ]
    for each in (inspected, verified):
        _assert_valid("inspection", archives.inspection_document(each))


def test_unpacking_says_where_the_files_are(tmp_path: Path) -> None:
    """The digest is that of the archive: what lies there is what was packed."""
    packed = _packed(tmp_path / "b", tmp_path / "m.tar.zst")
    unpacked = unpack(tmp_path / "m.tar.zst", tmp_path / "out", _silent)
    assert archives.unpack_line(unpacked, _plain) == (f"unpacked 3 files into {tmp_path}/out, digest {packed.digest}")
    _assert_valid("unpack", archives.unpack_document(unpacked))


def test_a_directory_is_compared_with_its_archive(tmp_path: Path) -> None:
    """What changed since the last submission: files that came, went and changed, and declarations."""
    _packed(tmp_path / "b", tmp_path / "m.tar.zst", **{"old.txt": "old"})
    a, b, same = compare(tmp_path / "m.tar.zst", tmp_path / "b", _silent)
    assert list(archives.difference_lines(a, b, same, _plain)) == [f"same digest {a.digest}"]
    _assert_valid("difference", archives.difference_document(a, b, same))

    (tmp_path / "b/old.txt").unlink()
    (tmp_path / "b/model/__init__.py").chmod(0o755)
    make_bundle(
        tmp_path / "b",
        {"pyproject.toml": GOOD_PYPROJECT.replace('"1.0"', '"1.10"'), "new.txt": "new", "model/wire.py": "# new\n"},
    )
    a, b, found = compare(tmp_path / "m.tar.zst", tmp_path / "b", _silent)
    size = len(GOOD_PYPROJECT)
    assert list(archives.difference_lines(a, b, found, _plain)) == [
        '~ version: "1.0" -> "1.10"',
        "- old.txt (3 bytes)",
        "+ new.txt (3 bytes)",
        "~ model/__init__.py (0 -> 0 bytes, mode 0644 -> 0755)",
        f"~ model/wire.py ({len(GOOD_WIRE)} -> 6 bytes)",
        f"~ pyproject.toml ({size} -> {size + 1} bytes)",
        f"different: {a.digest} and {b.digest}",
    ]
    _assert_valid("difference", archives.difference_document(a, b, found))


def test_a_bundle_without_a_name_is_packed_under_the_given_one(tmp_path: Path) -> None:
    """A root wire.py alone runs too, and has nowhere to say what it is called."""
    bundle = tmp_path / "b"
    bundle.mkdir()
    (bundle / "wire.py").write_text(GOOD_WIRE, encoding="utf-8")
    packed = pack(bundle, PackOptions(tmp_path / "m.tar.zst", "sir", validate=False), _silent)
    assert isinstance(packed, Packed)
    assert (packed.manifest.name, packed.manifest.version) == ("sir", "0")


@pytest.mark.parametrize(
    ("name", "bundle", "message"),
    [
        pytest.param("other", "b", "--name 'other': the bundle already has the name 'model'", id="another-name"),
        pytest.param(None, "absent", "absent is not a directory: pack takes a bundle directory", id="no-directory"),
    ],
)
def test_what_cannot_be_packed_is_said_at_once(name: str | None, bundle: str, message: str, tmp_path: Path) -> None:
    """Nothing is written for a mistyped command."""
    make_bundle(tmp_path / "b", {})
    with pytest.raises(UsageError, match=message):
        pack(tmp_path / bundle, PackOptions(tmp_path / "m.tar.zst", name), _silent)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]

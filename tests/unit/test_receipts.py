"""Receipts: a statement about one digest, written by `pack` and `validate`, and held against an archive later."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from builders.bundles import make_bundle, pyproject
from builders.isolation import isolated
from builders.reports import finding, report

from bundlekit.api import receipts
from bundlekit.api.archives import PackOptions, pack, verify
from bundlekit.api.receipts import check_receipt, versions, write_only_receipt, write_receipt
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.errors import BundlekitError, DigestMismatchError, FileAccessError, ManifestError, UsageError
from bundlekit.model.archive import Packed
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Level, Report, Severity, StageStatus
from bundlekit.model.receipt import CheckedReceipt, Result
from bundlekit.report.archives import inspection_document, inspection_lines
from bundlekit.report.receipts import Asked, checked_lines
from bundlekit.report.text import plain

_SCHEMA = Path(__file__).parents[2] / "schemas" / "receipt.schema.json"
_STATIC = ValidateOptions(level=Level.STATIC, with_digest=True)
_DIGEST, _HASH = (Digest("sha256:" + character * 64) for character in "12")


def _silent(_message: str) -> None:
    pass


@pytest.fixture
def archive(tmp_path: Path) -> Packed:
    """A bundle's archive, which nobody validated."""
    root = make_bundle(tmp_path / "bundle", {})
    packed = pack(root, PackOptions(output=tmp_path / "a.tar.zst", validate=False), _silent)
    assert isinstance(packed, Packed)
    return packed


@pytest.fixture
def receipt(archive: Packed, tmp_path: Path) -> Path:
    """The receipt that validating the bundle's directory gives."""
    (found,) = validate([tmp_path / "bundle"], _STATIC, _silent)
    write_receipt(tmp_path / "receipt.json", found, Asked())
    assert found.digest == archive.digest
    return tmp_path / "receipt.json"


def test_a_receipt_is_an_in_toto_statement_about_the_digest(archive: Packed, receipt: Path) -> None:
    """Other tools read it: the subject is the manifest, whose SHA-256 is the bundle's digest."""
    document = json.loads(receipt.read_text())

    jsonschema.validate(document, json.loads(_SCHEMA.read_text()))
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["subject"] == [{"name": ".bundlekit/manifest.json", "digest": {"sha256": archive.digest.hex}}]
    told = document["predicate"]
    assert (told["result"], told["level"], told["isolation"]) == ("passed", "static", None)
    assert told["versions"] == versions()._asdict()
    assert told["bundle"]["deps_hash"] == archive.manifest.dependencies.hash


def test_a_receipt_is_held_against_the_archive(archive: Packed, receipt: Path) -> None:
    """What was proved in the directory is what was packed, whoever packed it."""
    verified = verify(Path(archive.archive), _silent, receipt=receipt)

    assert verified.receipt is not None
    assert verified.receipt[:3] == (str(receipt), Result.PASSED, "static")
    assert (verified.receipt.same_rules, verified.receipt.same_runner) == (True, True)
    assert inspection_document(verified)["receipt"]["signed"] is False
    lines = list(inspection_lines(verified, plain))
    assert lines[-1] == "           unsigned: it is about these very files, and nothing proves who wrote it"
    assert lines[-2].startswith("receipt    passed at level static, 20")


def test_an_archive_of_other_files_is_not_what_the_receipt_is_about(tmp_path: Path, receipt: Path) -> None:
    """One byte more, and nobody has validated it."""
    root = make_bundle(tmp_path / "bundle", {"model/more.py": ""})
    other = pack(root, PackOptions(output=tmp_path / "b.tar.zst", validate=False), _silent)
    assert isinstance(other, Packed)

    with pytest.raises(
        DigestMismatchError, match=rf"is about the bundle sha256:\w+, and the archive holds {other.digest}"
    ):
        verify(Path(other.archive), _silent, receipt=receipt)


def _at(*keys: str | int) -> Callable[[dict[str | int, object], object], None]:
    def put(document: dict[str | int, object], value: object) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return put


_CHANGED: dict[str, tuple[Callable[[dict[str | int, object], object], None], object, type[BundlekitError], str]] = {
    "other-subject": (_at("subject", 0, "digest", "sha256"), "0" * 64, DigestMismatchError, "is about the bundle"),
    "second-subject": (
        _at("subject"),
        [{"name": "a", "digest": {"sha256": "0" * 64}}, {"name": "b", "digest": {"sha256": "1" * 64}}],
        DigestMismatchError,
        "is about the bundle",
    ),
    "no-subject": (_at("subject"), [], DigestMismatchError, "is about the bundle"),
    "other-bundle": (_at("predicate", "bundle", "digest"), _DIGEST, DigestMismatchError, "is about the bundle"),
    "other-dependencies": (_at("predicate", "bundle", "deps_hash"), _HASH, DigestMismatchError, "is about the bundle"),
    "other-statement": (_at("_type"), "https://in-toto.io/Statement/v2", ManifestError, "_type: Input should be"),
    "other-predicate": (_at("predicateType"), "urn:bundlekit:validation:2", ManifestError, "predicateType: Input"),
    "other-result": (_at("predicate", "result"), "excellent", ManifestError, r"predicate\.result: Input should be"),
    "no-versions": (_at("predicate", "versions"), None, ManifestError, r"predicate\.versions: Input should be"),
}


@pytest.mark.parametrize(("put", "value", "error", "text"), _CHANGED.values(), ids=_CHANGED)
def test_a_receipt_that_was_changed_is_refused(
    archive: Packed,
    receipt: Path,
    *,
    put: Callable[[dict[str | int, object], object], None],
    value: object,
    error: type[BundlekitError],
    text: str,
) -> None:
    """It is unsigned, so whoever can write it can say anything; but not about other files, nor in another language."""
    document = json.loads(receipt.read_text())
    put(document, value)
    receipt.write_text(json.dumps(document))

    with pytest.raises(error, match=text):
        verify(Path(archive.archive), _silent, receipt=receipt)


_NO_RECEIPTS: dict[str, tuple[bytes, str]] = {
    "no-json": (b"validated, trust me", "is no receipt of bundlekit: expected an in-toto statement"),
    "key-twice": (b'{"_type": 1, "_type": 2}', "found '_type' twice"),
    "list": (b"[]", "is no receipt of bundlekit"),
    "large": (b" " * (8 << 20) + b"{}", "has more than 8,388,608 bytes"),
}


@pytest.mark.parametrize(("data", "text"), _NO_RECEIPTS.values(), ids=_NO_RECEIPTS)
def test_what_is_no_receipt_is_refused(archive: Packed, tmp_path: Path, data: bytes, text: str) -> None:
    """The report beside the archive, a signature, a mistyped name."""
    (tmp_path / "other").write_bytes(data)

    with pytest.raises(ManifestError, match=text):
        check_receipt(tmp_path / "other", archive.digest, archive.manifest.dependencies.hash)


def test_a_receipt_that_is_not_there_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a disk that fails is neither."""
    with pytest.raises(UsageError, match="is no file"):
        check_receipt(tmp_path, _DIGEST, _HASH)
    (tmp_path / "r").write_text("{}")

    def fail(*_: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(FileAccessError, match=r"cannot read .*: Input/output error"):
        check_receipt(tmp_path / "r", _DIGEST, _HASH)


def _checked(tmp_path: Path, found: Report) -> CheckedReceipt:
    found = found._replace(digest=_DIGEST, deps_hash=_HASH)
    write_receipt(tmp_path / "r.json", found, Asked(("BK3",), ("BK307",), baseline=True))
    return check_receipt(tmp_path / "r.json", _DIGEST, _HASH)


_RESULTS: dict[str, tuple[Report, Result]] = {
    "passed": (report(finding(severity=Severity.WARNING)), Result.PASSED),
    "failed": (report(finding()), Result.FAILED),
    "unproved": (report(stage=StageStatus.UNPROVED), Result.UNPROVED),
}


@pytest.mark.parametrize(("found", "result"), _RESULTS.values(), ids=_RESULTS)
def test_a_receipt_tells_how_the_validation_ended(tmp_path: Path, found: Report, result: Result) -> None:
    """A failure is worth keeping too; `verify` exits 1 for all but the first."""
    checked = _checked(tmp_path, found)

    assert checked.result is result
    assert next(checked_lines(checked, plain)).startswith(f"receipt    {result} at level static, ")
    policy = json.loads((tmp_path / "r.json").read_text())["predicate"]["policy"]
    assert policy == {"select": ["BK3"], "ignore": ["BK307"], "baseline": True, "suppressed": {}}


def test_the_verdict_about_isolation_is_told(tmp_path: Path) -> None:
    """It is what a scientist asks before a campaign of a week."""
    checked = _checked(tmp_path, report()._replace(isolation=isolated()))

    assert checked.isolation == "isolated"
    assert next(checked_lines(checked, plain)).startswith("receipt    passed at level static, isolated, ")


def test_other_rules_or_another_runner_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passed last year's rules may fail today's: that is said, and judged by whoever reads it."""
    checked = _checked(tmp_path, report())
    monkeypatch.setattr(receipts, "_JUDGES", ("model",))

    other = check_receipt(tmp_path / "r.json", _DIGEST, _HASH)

    assert (checked.same_rules, other.same_rules, other.same_runner) == (True, False, True)
    said = " ".join(checked_lines(other._replace(same_runner=False), plain))
    assert "the rules and the runner of this installation are others: validate again to hear them" in said


def test_a_receipt_replaces_only_a_receipt(tmp_path: Path) -> None:
    """A mistyped --receipt must not cost anybody's work."""
    (tmp_path / "mine.csv").write_text("1,2")
    root = make_bundle(tmp_path / "bundle", {})
    options = PackOptions(output=tmp_path / "a.tar.zst", validation=_STATIC, receipt=tmp_path / "mine.csv")

    with pytest.raises(UsageError, match="was not written by bundlekit"):
        pack(root, options, _silent)

    assert (tmp_path / "mine.csv").read_text() == "1,2"
    assert not (tmp_path / "a.tar.zst").exists()


def test_packing_writes_a_receipt_of_what_it_packed(tmp_path: Path) -> None:
    """One command proves, packs and says so; twice, as in every release."""
    root = make_bundle(tmp_path / "bundle", {})
    options = PackOptions(output=tmp_path / "a.tar.zst", validation=_STATIC, receipt=tmp_path / "r.json")

    for _ in range(2):
        assert isinstance(pack(root, options, _silent), Packed)

    assert verify(tmp_path / "a.tar.zst", _silent, receipt=tmp_path / "r.json").receipt


def test_packing_without_validation_has_nothing_to_say(tmp_path: Path) -> None:
    """A receipt of nothing would look like one."""
    root = make_bundle(tmp_path / "bundle", {})

    with pytest.raises(UsageError, match="--receipt tells what validation found"):
        pack(root, PackOptions(validate=False, receipt=tmp_path / "r.json"), _silent)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        pytest.param(
            {"pyproject.toml": pyproject().replace('version = "1.0"', "")}, "so it has no digest", id="version"
        ),
        pytest.param({"a\nb": ""}, "so it has no digest", id="name"),
    ],
)
def test_a_bundle_that_cannot_be_packed_has_no_receipt(tmp_path: Path, files: dict[str, str], text: str) -> None:
    """There is nothing that the receipt could be about."""
    found = validate([make_bundle(tmp_path / "bundle", files)], _STATIC, _silent)

    with pytest.raises(UsageError, match=text):
        write_only_receipt(tmp_path / "r.json", found, Asked())
    assert not (tmp_path / "r.json").exists()


def test_several_bundles_have_no_common_receipt(tmp_path: Path) -> None:
    """Each has a digest of its own."""
    with pytest.raises(UsageError, match="it is about one bundle, and 2 were validated"):
        write_only_receipt(tmp_path / "r.json", [report(), report()], Asked())


def test_a_source_that_changes_after_it_was_checked_has_no_digest(tmp_path: Path) -> None:
    """The findings would be about one text, and the digest about another."""
    root = make_bundle(tmp_path / "bundle", {})

    def change(_message: str) -> None:
        (root / "model/wire.py").write_text("def wire():\n    return {}\n")

    (found,) = validate([root], _STATIC._replace(ignore=("BK",)), change)

    assert found.digest is None

"""Digests of single files: streamed, bounded, and nothing where the bytes are not those of the walk."""

import hashlib
from pathlib import Path

import pytest

from bundlekit.model.project import Member
from bundlekit.read import file_digests as subject
from bundlekit.read.file_digests import MAX_HASHED_BYTES, file_digests


def _member(path: str, size: int) -> Member:
    return Member(path, size, executable=False)


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    """Longer than one chunk, so that streaming is seen."""
    data = b"x" * ((1 << 20) + 1)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(b"")
    digests, left_out = file_digests(tmp_path, [_member("a", len(data)), _member("b", 0)])
    assert digests == {
        "a": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "b": f"sha256:{hashlib.sha256().hexdigest()}",
    }
    assert left_out == frozenset()


def test_the_largest_files_are_left_out_first(tmp_path: Path) -> None:
    """One data file of gigabytes must not cost each commit seconds, nor keep small files from being compared."""
    (tmp_path / "small").write_bytes(b"1")
    members = [_member("huge", MAX_HASHED_BYTES), _member("small", 1)]
    digests, left_out = file_digests(tmp_path, members)
    assert (set(digests), left_out) == ({"small"}, {"huge"})


@pytest.mark.parametrize("size", [0, 2])
def test_a_file_that_changed_since_the_walk_has_none(size: int, tmp_path: Path) -> None:
    """A wrong digest would be told as stale."""
    (tmp_path / "a").write_bytes(b"1")
    assert file_digests(tmp_path, [_member("a", size)]) == ({}, {"a"})


def test_a_file_that_is_gone_has_none(tmp_path: Path) -> None:
    """Editors replace files while we look."""
    assert file_digests(tmp_path, [_member("gone", 1)]) == ({}, {"gone"})


def test_files_that_were_not_compared_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown is never silent success."""
    from builders.bundles import findings_of, make_bundle  # noqa: PLC0415 - beside its only use

    monkeypatch.setattr(subject, "MAX_HASHED_BYTES", 3)
    registry = (
        "models:\n  sir:\n    entrypoint: model.sir:Sir\n    path: model/sir.py\n    class_name: Sir\n"
        f"    model_digest: sha256:{'0' * 64}\n"
    )
    make_bundle(tmp_path, {"model/sir.py": "class Sir:\n    pass\n", ".modelops-bundle/registry.yaml": registry})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.severity.value) == ("BK130", "info")
    assert found.message == "digests of large or unreadable files were not compared: model/sir.py"

"""The inventory, its digest and the verified private copy."""

import os
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.bundle_copy import ListedBundle, copy_bundle, read_listed
from bundlekit.cold_runner.environments.tree_digest import inventory, inventory_digest, tree_digest
from bundlekit.cold_runner.runner_error import RunnerError


def _silent(_line: str) -> None:
    return


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle with what ships and what does not."""
    root = tmp_path / "bundle"
    ships = ("pyproject.toml", "pkg/a.py", ".modelops/manifest.json")
    for name in (*ships, "pkg/__pycache__/a.pyc", ".git/HEAD", ".env", ".env.prod", ".ssh/id", "py/pyvenv.cfg", "py/a"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_the_inventory_is_what_is_outside_the_default_exclusions(bundle: Path) -> None:
    """Caches and secrets must not decide what a bundle is."""
    files = inventory(str(bundle), _silent)
    assert [file[0] for file in files] == [".modelops/manifest.json", "pkg/a.py", "pyproject.toml"]
    assert files[1][1:3] == ("0644", len("pkg/a.py"))


def test_links_and_special_files_are_left_out_with_a_word(bundle: Path) -> None:
    """Reading a FIFO would hang; following a link could leave the bundle."""
    (bundle / "link").symlink_to("/etc/passwd")
    (bundle / "loop").symlink_to(".")
    os.mkfifo(bundle / "pipe")
    said: list[str] = []
    before = tree_digest(str(bundle), _silent)
    assert inventory_digest(inventory(str(bundle), said.append)) == before
    assert sorted(said) == [
        "Leaving out the link 'link': only regular files are part of a bundle",
        "Leaving out the link 'loop': only regular files are part of a bundle",
        "Leaving out the special file 'pipe': only regular files are part of a bundle",
    ]


def test_content_names_and_modes_count_and_times_do_not(bundle: Path) -> None:
    """DEFECTS 13 and 14."""
    first = tree_digest(str(bundle), _silent)
    os.utime(bundle / "pkg/a.py", (1, 1))
    assert tree_digest(str(bundle), _silent) == first
    (bundle / "pkg/a.py").chmod(0o755)
    assert tree_digest(str(bundle), _silent) != first
    (bundle / "pkg/a.py").chmod(0o644)
    (bundle / "pkg/a.py").rename(bundle / "pkg/b.py")
    assert tree_digest(str(bundle), _silent) != first


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    """With a sentence, not with an empty bundle."""
    with pytest.raises(RunnerError, match="expected a bundle directory, found nothing") as refusal:
        inventory(str(tmp_path / "absent"), _silent)
    assert refusal.value.code == "E_SOURCE"


def test_the_copy_holds_exactly_what_was_listed(bundle: Path, tmp_path: Path) -> None:
    """Modes are normalised, nothing else comes along."""
    (bundle / "pkg/a.py").chmod(0o700)
    files = inventory(str(bundle), _silent)
    copy = tmp_path / "copy"
    copy_bundle(ListedBundle(str(bundle), files), str(copy))
    assert inventory(str(copy), _silent) == files
    assert not (copy / ".git").exists()
    assert (copy / "pkg/a.py").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "content", ["changed!", "longer than it was", "", None], ids=["same-size", "longer", "empty", "gone"]
)
def test_a_file_that_changed_after_it_was_listed_is_refused_by_name(
    bundle: Path, tmp_path: Path, content: str | None
) -> None:
    """What was checked is what runs."""
    files = inventory(str(bundle), _silent)
    if content is None:
        (bundle / "pkg/a.py").unlink()
    else:
        (bundle / "pkg/a.py").write_text(content)
    with pytest.raises(RunnerError, match=r"pkg/a\.py of the bundle") as refusal:
        copy_bundle(ListedBundle(str(bundle), files), str(tmp_path / "copy"))
    assert refusal.value.code == "E_SOURCE"
    with pytest.raises(RunnerError, match=r"pkg/a\.py of the bundle"):
        read_listed(str(bundle), files[1])


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a//b", "pkg/../../x"])
def test_a_listed_path_cannot_leave_the_bundle(bundle: Path, tmp_path: Path, path: str) -> None:
    """The list comes from another process."""
    with pytest.raises(RunnerError, match="inside the bundle"):
        read_listed(str(bundle), (path, "0644", 1, "sha256:" + "0" * 64))
    with pytest.raises(RunnerError, match="inside the bundle"):
        copy_bundle(ListedBundle(str(bundle), [(path, "0644", 1, "sha256:" + "0" * 64)]), str(tmp_path / "copy"))
    assert not (tmp_path / "outside").exists()

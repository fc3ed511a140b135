"""Packing and unpacking as users do it: other environments, other tools, killed in the middle, without permission."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.archives import TarHeader as Header
from builders.archives import archive, bomb_frame, manifest_of_files, member, tar
from builders.privileges import without_privileges
from builders.projects import bundle_project, write_tree

from bundlekit.errors import LimitExceededError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.unpack import unpack_archive
from bundlekit.pack.ustar import MANIFEST_PATH
from bundlekit.pack.verify import verify_archive
from bundlekit.pack.zstd_frames import compress_frame

pytestmark = pytest.mark.process

_TREE = {
    "pyproject.toml": (
        '[project]\nname = "sir"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["numpy"]\n'
        '[project.entry-points."modelops.wire"]\nwire = "sir:wire"\n'
    ),
    "sir.py": "def wire(entrypoint, params, seed):\n    return {'a': b'1'}\n",
    "run.sh": "#!/bin/sh\n",
    "data/\u00e9t\u00e9.csv": "1,2\n",
    "data/" + "n" * 120 + ".csv": "3,4\n",
    "a-b/x": "",
    "a/x": "",
    "a.b": "",
    "B": "",
}


def _tree(root: Path, *, reverse: bool = False) -> Path:
    items = sorted(_TREE.items(), reverse=reverse)
    write_tree(root, dict(items))
    (root / "run.sh").chmod(0o755)
    return root


def _pack(root: Path, output: Path, *, umask: int = 0o022, cwd: Path | None = None, **environment: str) -> bytes:
    command = [sys.executable, "-m", "bundlekit", "pack", str(root), "-o", str(output), "--no-validate"]
    subprocess.run(command, check=True, cwd=cwd, umask=umask, env={**os.environ, **environment}, capture_output=True)
    return output.read_bytes()


_ENVIRONMENTS: dict[str, dict[str, str]] = {
    "time-zone": {"TZ": "Pacific/Kiritimati"},
    "c-locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "hash-seed": {"PYTHONHASHSEED": "12345"},
    "source-date": {"SOURCE_DATE_EPOCH": "1"},
    "no-home": {"HOME": "/nonexistent", "USER": "someone"},
}


@pytest.fixture
def reference(tmp_path: Path) -> bytes:
    """The archive that every other way of packing must give."""
    return _pack(_tree(tmp_path / "reference"), tmp_path / "reference.tar.zst", PYTHONHASHSEED="1")


@pytest.mark.parametrize("environment", _ENVIRONMENTS.values(), ids=_ENVIRONMENTS)
def test_the_environment_does_not_change_the_archive(
    tmp_path: Path, reference: bytes, environment: dict[str, str]
) -> None:
    """A41: two people who pack the same commit get the same bytes."""
    assert _pack(tmp_path / "reference", tmp_path / "b.tar.zst", **environment) == reference


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_directory_umask_times_and_order_do_not_change_the_archive(
    tmp_path: Path, reference: bytes, umask: int
) -> None:
    """A41: nor does the way in which the tree came to be."""
    before = os.umask(umask)
    try:
        root = _tree(tmp_path / "elsewhere" / "another name", reverse=True)
    finally:
        os.umask(before)
    for number, path in enumerate(root.rglob("*")):
        os.utime(path, (number * 1000, number * 1000))

    assert _pack(Path(root.name), tmp_path / "b.tar.zst", umask=umask, cwd=root.parent) == reference


def test_packing_in_the_bundle_itself_twice_gives_the_same_archive(tmp_path: Path, reference: bytes) -> None:
    """The first archive and its report lie in the bundle when the second is packed."""
    root = tmp_path / "reference"

    assert _pack(root, root / "sir-1.0.tar.zst", cwd=root) == reference
    assert _pack(root, root / "sir-1.0.tar.zst", cwd=root) == reference


def test_tar_and_zstd_read_what_we_write(tmp_path: Path, reference: bytes) -> None:
    """An archive outlives bundlekit: the two programs that every Linux has are enough to open it."""
    path = tmp_path / "reference.tar.zst"
    out = tmp_path / "out"
    out.mkdir()

    listed = subprocess.run(["bash", "-c", f"zstd -dc < '{path}' | tar tv"], check=True, capture_output=True, text=True)
    subprocess.run(["bash", "-c", f"set -o pipefail; zstd -dc < '{path}' | tar x -C '{out}'"], check=True)
    tested = subprocess.run(["zstd", "--test", str(path)], check=True, capture_output=True, text=True)

    told = subprocess.run(["zstd", "--list", str(path)], check=True, capture_output=True, text=True).stdout

    assert listed.stderr == tested.stdout == ""
    # The one frame that it skips is the seek table.
    assert told.splitlines()[1].split()[1] == "1"
    assert "XXH64" in told
    assert listed.stdout.splitlines()[0].endswith(" .bundlekit/manifest.json")
    assert len(listed.stdout.splitlines()) == len(_TREE) + 1
    assert {path: (out / path).read_text() for path in _TREE} == _TREE
    assert (out / ".bundlekit/manifest.json").read_bytes() in reference
    assert (out / "run.sh").stat().st_mode & 0o777 == 0o755


def _listed(size: int) -> bytes:
    """Return an archive whose manifest promises one file of zeros, and which keeps that promise."""
    digest = "sha256:" + "0" * 64
    manifest = manifest_of_files({}, files=(ManifestFile("zeros", size, "0644", Digest(digest)),))
    start = member(Header(MANIFEST_PATH.encode()), manifest) + Header(b"zeros", size=size).block()
    return compress_frame(start) + compress_frame(bytes(8 << 20)) * (size >> 23)


_BOMBS: dict[str, Callable[[], bytes]] = {
    "one-frame": lambda: bomb_frame(10 << 30),
    "one-frame-within-the-manifest's-limit": lambda: bomb_frame(40 << 20),
    "many-frames": lambda: compress_frame(tar({})) + compress_frame(bytes(8 << 20)) * 500,
    "values": lambda: compress_frame(tar({}, manifest=b'{"a":[' + b"[]," * (13 << 20))),
    "promised": lambda: _listed(1 << 30),
    "many-empty-frames": lambda: compress_frame(tar({})) + compress_frame(b"") * 300_000,
}

_READ_AND_TELL = """
import sys
from pathlib import Path
from bundlekit.errors import BundlekitError
from bundlekit.pack.unpack import unpack_archive
try:
    unpack_archive(Path(sys.argv[1]), Path(sys.argv[1] + ".out"))
except BundlekitError as error:
    print(error.code, file=sys.stderr)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.parametrize("build", _BOMBS.values(), ids=_BOMBS)
def test_a_bomb_takes_little_memory_and_no_room(tmp_path: Path, build: Callable[[], bytes]) -> None:
    """A27: what is small to send must not be large to refuse."""
    path = tmp_path / "bomb.tar.zst"
    path.write_bytes(build())

    done = subprocess.run(
        [sys.executable, "-c", _READ_AND_TELL, str(path)], check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stderr.strip() in {"E_LIMIT", "E_ARCHIVE_CORRUPT", "E_DIGEST"}
    assert int(done.stdout) / 1024 < 128
    assert [entry.name for entry in tmp_path.iterdir()] == ["bomb.tar.zst"]


def test_a_manifest_of_too_many_files_is_refused_soon(tmp_path: Path) -> None:
    """A28: a limit that is checked only after the work is none."""
    zeros = Digest("sha256:" + "0" * 64)
    files = tuple(ManifestFile(f"{number:06}", 0, "0644", zeros) for number in range(300_000))
    path = tmp_path / "many.tar.zst"
    path.write_bytes(compress_frame(tar({}, manifest=manifest_of_files({}, files=files))))

    start = time.monotonic()
    with pytest.raises(LimitExceededError, match="the manifest holds more than 1,200,000 values"):
        verify_archive(path)
    assert time.monotonic() - start < 10


_UNPACK = "import sys; from pathlib import Path; from bundlekit.pack.unpack import unpack_archive as u"
_UNPACK += "; print('ready', flush=True); u(Path(sys.argv[1]), Path(sys.argv[2]))"


def test_unpacking_that_is_killed_leaves_all_or_nothing(tmp_path: Path) -> None:
    """A40: at whatever moment; and the next attempt succeeds."""
    generator = random.Random(40)  # noqa: S311 - the same tree in each run
    files = {f"d{number % 7}/f{number}": generator.randbytes(20_000) for number in range(300)}
    path = tmp_path / "a.tar.zst"
    packed = write_archive(bundle_project(write_tree(tmp_path / "in", files)), path)
    destination = tmp_path / "out"
    states = set()
    for step in range(12):
        shutil.rmtree(destination, ignore_errors=True)
        with subprocess.Popen(
            [sys.executable, "-c", _UNPACK, str(path), str(destination)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(step * 0.01)
            process.kill()
        states.add(destination.exists())
        if destination.exists():
            assert len([entry for entry in destination.rglob("*") if entry.is_file()]) == len(files)

    shutil.rmtree(destination, ignore_errors=True)
    assert False in states
    assert unpack_archive(path, destination).digest == packed.digest


@pytest.mark.parametrize("name", ["data/secret.csv", "data", ".modelopsignore"])
def test_what_cannot_be_read_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    """N16, N21: an archive without the file, or with a word in its place, would be another bundle."""
    root = write_tree(_tree(tmp_path / "in"), {"data/secret.csv": "1", ".modelopsignore": ""})
    (root / name).chmod(0)
    try:
        command = [sys.executable, "-m", "bundlekit", "pack", str(root), "-o", str(tmp_path / "a.tar.zst")]
        done = subprocess.run(
            without_privileges([*command, "--no-validate"]), check=False, capture_output=True, text=True
        )
    finally:
        (root / name).chmod(0o755)

    assert done.returncode == 7
    assert name in done.stderr
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def test_a_tree_of_many_files_is_walked_and_packed_in_bounded_memory(tmp_path: Path) -> None:
    """N18, with a tenth of the files: costs grow with their number and no faster."""
    root = _tree(tmp_path / "in")
    many = root / "many"
    many.mkdir()
    for number in range(20_000):
        (many / f"{number:05}").touch()

    start = time.monotonic()
    packed = write_archive(bundle_project(root), tmp_path / "a.tar.zst")

    assert len(packed.manifest.files) == len(_TREE) + 20_000
    assert read_manifest(tmp_path / "a.tar.zst").digest == packed.digest
    assert time.monotonic() - start < 20


def test_the_archive_of_this_moment_is_good_for_good(tmp_path: Path) -> None:
    """An archive framed by the zstd program itself, in one frame with its size and checksum, is still the bundle."""
    (tmp_path / "a.tar").write_bytes(tar())
    subprocess.run(["zstd", "-q", str(tmp_path / "a.tar"), "-o", str(tmp_path / "a.tar.zst")], check=True)
    (tmp_path / "b.tar.zst").write_bytes(archive(tar()))

    assert verify_archive(tmp_path / "a.tar.zst") == verify_archive(tmp_path / "b.tar.zst")

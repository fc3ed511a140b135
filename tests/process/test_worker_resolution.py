"""Requirements resolved for the worker's Python and platform, by the real uv, against an index on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE
from builders.environments import make_wheel, own_bundle, write_bundle
from builders.package_index import PackageIndex, served_index

from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.finding import Finding, Level, Report, Severity
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.worker_resolution import resolve_for_worker
from bundlekit.probe.worker_rules import WORKER_RULES
from bundlekit.read.project import read_project

pytestmark = pytest.mark.process

_INTEL, _ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
_HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"
_NEXT = f"3.{sys.version_info[1] + 1}"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the index has: one distribution for everywhere, some for one place only, one without any wheel."""
    root = tmp_path_factory.mktemp("index")
    simple = root / "simple"
    make_wheel(simple / "anywhere", "anywhere")
    for python in ("cp312", "cp313"):
        make_wheel(simple / "native", "native", tag=f"{python}-{python}-manylinux_2_17_x86_64")
    make_wheel(simple / "here", "here", tag=f"{_HERE}-none-any")
    make_wheel(simple / "outer", "outer", requires=["native>=1"])
    make_wheel(simple / "windows", "windows", tag="py3-none-win_amd64")
    (simple / "source-only").mkdir()
    (simple / "source-only" / "source_only-1.0.tar.gz").write_bytes(b"")
    return root


@pytest.fixture
def index(wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PackageIndex]:
    """The index is the only one there is, and nothing of it is remembered."""
    with served_index(wheels) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield index


def worker(platform: str | None = None, python: str | None = None, *, network: str = "") -> str:
    """Return the settings of a worker."""
    lines = [f"{key} = {value!r}" for key, value in (("platform", platform), ("python", python)) if value]
    return "\n".join(["[tool.bundlekit]", network, "[tool.bundlekit.worker]", *lines, ""])


def bundle(root: Path, declared: list[str], settings: str, **files: str) -> Path:
    """Write a bundle that declares these requirements."""
    project = f'[project]\nname = "model"\nversion = "1"\ndependencies = {declared!r}\n'
    return write_bundle(root, {"pyproject.toml": project + settings, "wire.py": GOOD_WIRE, **files})


def resolved(root: Path) -> list[Finding]:
    """Return what the worker's rules find once the requirements of the bundle at `root` were resolved."""
    project = read_project(root)
    evidence = Evidence(project, {}, resolution=resolve_for_worker(project, "3.12", os.environ))
    return [found for rule in WORKER_RULES for found in rule.check(evidence)]


_NO_WHEEL = {
    "other-platform": (["native"], worker(_ARM, "3.12"), "'native' has no wheel", 4),
    "other-python": (["native"], worker(_INTEL, "3.11"), "'native' has no wheel", 4),
    "platform-alone": (["native"], worker(_ARM), "Python 3.12 on aarch64-unknown-linux-gnu", 4),
    "python-alone": (["native"], worker(None, "3.11"), "Python 3.11 on x86_64-unknown-linux-gnu", 4),
    "windows-only": (["anywhere", "windows"], worker(_INTEL, "3.12"), "'windows' has no wheel", 4),
    "source-only": (["anywhere", "source-only"], worker(_INTEL, "3.12"), "'source-only' has no wheel", 4),
    "of-another": (["outer"], worker(_ARM, "3.12"), "'native' has no wheel", 4),
    "not-in-the-index": (["nowhere"], worker(_INTEL, "3.12"), "'nowhere' is not in the package index", 4),
    "no-such-version": (["anywhere>=7"], worker(_INTEL, "3.12"), "the requirements cannot be met on the worker", 4),
    "by-a-marker": (
        ["anywhere", "windows ; platform_machine == 'aarch64'"],
        worker(_ARM, "3.12"),
        "'windows' has no wheel",
        4,
    ),
}


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(("declared", "settings", "said", "line"), _NO_WHEEL.values(), ids=_NO_WHEEL)
def test_what_has_no_wheel_for_the_worker_is_an_error(
    declared: list[str], settings: str, said: str, line: int, tmp_path: Path
) -> None:
    """It installs here, and each of a thousand tasks stops there."""
    (found,) = resolved(bundle(tmp_path / "bundle", declared, settings))
    assert (found.code, found.severity, found.path, found.line) == ("BK516", Severity.ERROR, "pyproject.toml", line)
    assert said in found.message


_FITS = {
    "pure": (["anywhere"], worker(_ARM, "3.12")),
    "native": (["native"], worker(_INTEL, "3.12")),
    "manylinux": (["native"], worker("x86_64-manylinux_2_28", "3.13")),
    "of-another": (["outer"], worker(_INTEL, "3.13")),
    "left-out-by-a-marker": (["anywhere", "windows ; sys_platform == 'win32'"], worker(_INTEL, "3.12")),
    "on-windows": (["windows"], worker("windows", "3.12")),
    "from-a-repository": (["anywhere", "lab @ git+https://example.invalid/lab@v1"], worker(_ARM, "3.12")),
    "network": (["native"], worker(_INTEL, "3.12", network="network = true")),
}


@pytest.mark.parametrize(("declared", "settings"), _FITS.values(), ids=_FITS)
def test_what_has_wheels_for_the_worker_is_left_alone(
    declared: list[str], settings: str, tmp_path: Path, index: PackageIndex
) -> None:
    """Whatever this machine is: a Mac asks for the worker's wheels as well."""
    assert resolved(bundle(tmp_path / "bundle", declared, settings)) == []
    assert index.asked != []


def test_nothing_is_asked_where_the_settings_allow_no_network(tmp_path: Path, index: PackageIndex) -> None:
    """`network = false` has its effect, and the report says what is not known for it."""
    settings = worker(_ARM, "3.12", network="network = false")
    (found,) = resolved(bundle(tmp_path / "bundle", ["native"], settings))
    assert (found.code, found.severity, found.line) == ("BK517", Severity.INFO, 9)
    assert "network = false lets no index be asked" in found.message
    assert index.asked == []


_UNREACHED = {"offline": ("UV_OFFLINE", "1"), "refused": ("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")}


@pytest.mark.parametrize(("variable", "value"), _UNREACHED.values(), ids=_UNREACHED)
def test_an_index_that_is_not_reached_proves_nothing(
    variable: str, value: str, tmp_path: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A train's tunnel is no missing wheel."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    (found,) = resolved(bundle(tmp_path / "bundle", ["native"], worker(_ARM, "3.12")))
    assert (found.code, found.severity) == ("BK517", Severity.INFO)
    assert "no index was reached" in found.message
    assert index.asked == []


@pytest.mark.usefixtures("index")
def test_a_platform_that_uv_does_not_know_is_an_error_with_those_it_knows(tmp_path: Path) -> None:
    """`amd64` is what the cluster's documentation calls it."""
    (found,) = resolved(bundle(tmp_path / "bundle", ["native"], worker("amd64", "3.12")))
    assert (found.code, found.severity, found.line, found.entity) == ("BK519", Severity.ERROR, 8, "amd64")
    assert "x86_64-unknown-linux-gnu" in (found.hint or "")
    assert "android" not in (found.hint or "")


def test_a_bundle_that_says_nothing_of_its_worker_is_not_resolved(tmp_path: Path, index: PackageIndex) -> None:
    """Nobody asked; and without requirements there is nothing to ask for."""
    assert resolved(bundle(tmp_path / "open", ["native"], "")) == []
    assert resolved(bundle(tmp_path / "bare", [], worker(_ARM, "3.12"))) == []
    assert index.asked == []


_UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "model"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "native" }}]

[package.metadata]
requires-dist = [{{ name = "native" }}]

[[package]]
name = "native"
version = "1.0"
source = {{ registry = "{url}" }}
wheels = [{{ url = "{url}native/{file}", hash = "sha256:{sha256}" }}]
"""
_PYLOCK = """\
lock-version = "1.0"
created-by = "a test"
requires-python = ">=3.11"

[[packages]]
name = "native"
version = "1.0"
wheels = [{{ url = "{url}native/{file}", hashes = {{ sha256 = "{sha256}" }} }}]
"""
_LOCKS = {"uv.lock": _UV_LOCK, "pylock.toml": _PYLOCK}


@pytest.mark.parametrize("platform", [_INTEL, _ARM], ids=["fits", "does-not"])
@pytest.mark.parametrize("lock", _LOCKS)
def test_a_lock_is_held_against_the_worker(
    lock: str, platform: str, tmp_path: Path, index: PackageIndex, wheels: Path
) -> None:
    """The environment comes from the lock, so the lock is what must have the wheel; it stays as it is."""
    file = "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
    digest = sha256((wheels / "simple" / "native" / file).read_bytes()).hexdigest()
    text = _LOCKS[lock].format(url=index.url, file=file, sha256=digest)
    settings = "requires-python = '>=3.11'\n" + worker(platform, "3.12")
    root = bundle(tmp_path / "bundle", ["native"], settings, **{lock: text})
    assert [found.code for found in resolved(root)] == ([] if platform == _INTEL else ["BK516"])
    assert (root / lock).read_text() == text


_WITHOUT_WAYS_OUT = """
import sys
FORBIDDEN = ("subprocess.", "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "socket.")
def refuse(event, arguments):
    if event.startswith(FORBIDDEN):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)
from bundlekit.cli.app import run
sys.exit(run(["validate", "--level", "static", sys.argv[1]]))
"""


def test_reading_alone_starts_no_process_and_opens_no_connection(tmp_path: Path) -> None:
    """The hook runs at each commit, on a train as well, and a stranger's bundle runs nothing through it."""
    root = bundle(tmp_path / "bundle", ["native"], worker(_ARM, "3.12"), **{"uv.lock": "version = 1\n"})
    command = [sys.executable, "-c", _WITHOUT_WAYS_OUT, str(root)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "static failed" in done.stdout + done.stderr
    assert done.returncode == 1


def _validated(root: Path, level: Level) -> Report:
    (report,) = validate([root], ValidateOptions(level=level), lambda _message: None)
    return report


def test_validate_resolves_at_a_dynamic_level_alone(
    tmp_path: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook reaches no index; what is installed here may still be missing there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = own_bundle("here", requires_python=f">=3.{sys.version_info[1]}") | {"mine/wire.py": GOOD_WIRE}
    files["pyproject.toml"] += worker(_INTEL, _NEXT)
    root = write_bundle(tmp_path / "bundle", files)
    still = _validated(root, Level.STATIC)
    assert not [found for found in still.findings if found.code == "BK516"]
    assert index.asked == []
    (found,) = (found for found in _validated(root, Level.IMPORT).findings if found.code == "BK516")
    assert f"'here' has no wheel for the worker (Python {_NEXT} on {_INTEL})" in found.message
    assert found.line is not None
    assert "dependencies = " in files["pyproject.toml"].splitlines()[found.line - 1]

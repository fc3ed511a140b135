"""When an environment is built anew and when it is used again: what the runner is told, and what builds ask for."""

from pathlib import Path

import pytest
from builders.cold_runs import run, wire_bundle
from builders.environments import BACKEND, Kitchen, local_index, make_wheel, own_bundle, write_bundle
from uv import find_uv_bin

pytestmark = pytest.mark.process

_WIRE = "import tiny_dependency\ndef wire(e, p, s):\n    return {'raw': tiny_dependency.__file__.encode()}\n"
_INSTALLED = b"Installed the dependencies"


@pytest.fixture(autouse=True)
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """Return a clean cache; packages come from a folder of this test's own."""
    for name in ("tiny_dependency", "tool_one", "tool_two"):
        make_wheel(tmp_path / "wheels", name)
    local_index(monkeypatch, tmp_path / "wheels")
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())
    return Kitchen(tmp_path / "cache")


@pytest.mark.parametrize(
    ("variables", "builds"),
    [
        pytest.param({"REUSE": ""}, 2, id="fresh-is-the-default"),
        pytest.param({"REUSE": "0"}, 2, id="off"),
        pytest.param({"REUSE": "1"}, 1, id="reuse"),
        pytest.param({"REUSE": "yes"}, 1, id="reuse-in-words"),
        pytest.param({"REUSE": "1", "MODELOPS_FORCE_FRESH_VENV": "true"}, 2, id="force-wins"),
        pytest.param({"REUSE": "1", "MODELOPS_FORCE_FRESH_VENV": ""}, 1, id="empty-counts-as-unset"),
    ],
)
def test_two_tasks_share_an_environment_only_where_that_is_asked_for(
    tmp_path: Path, kitchen: Kitchen, variables: dict[str, str], builds: int
) -> None:
    """Fresh for every task is the promise of the standalone runner; what it built is gone afterwards."""
    bundle = wire_bundle(tmp_path, _WIRE)
    (bundle / "requirements.txt").write_text("tiny-dependency\n")
    runs = [run(bundle, kitchen.cache, env=variables) for _ in range(2)]
    assert [ran.status for ran in runs] == [0, 0]
    assert sum(ran.stderr.count(_INSTALLED) for ran in runs) == builds
    places = {str(ran.outputs["raw"]["inline"]) for ran in runs}
    assert len(places) == builds
    kept = [path for path in kitchen.cache.glob("environments/*") if path.is_dir()]
    assert len(kept) == (1 if builds == 1 else 0)
    assert not list(kitchen.cache.glob("fresh/*"))


def _built_with(root: Path, requires: str, backend: str = BACKEND) -> Path:
    files = own_bundle(backend=backend)
    files["pyproject.toml"] = files["pyproject.toml"].replace("requires = []", f"requires = {requires}")
    return write_bundle(root, files)


def test_build_requirements_are_installed_once_for_all_bundles_that_ask_for_the_same(
    tmp_path: Path, kitchen: Kitchen
) -> None:
    """In whatever order and spelling; a hook that asks for more gets an environment with that too."""
    asks = "import tool_one\ndef get_requires_for_build_wheel(c=None):\n    return ['tool_two']\n" + BACKEND
    bundles = [
        _built_with(tmp_path / "one", '["tool-one"]'),
        _built_with(tmp_path / "two", '["Tool_One"]', "import tool_one\n" + BACKEND),
        _built_with(tmp_path / "three", '["tool-two", "tool-one"]', "import tool_two\n" + BACKEND),
        _built_with(tmp_path / "four", '["tool-one"]', asks.replace("return name", "import tool_two\n    return name")),
    ]
    installed = []
    for bundle in bundles:
        with kitchen.prepared(bundle):
            installed.append(sum("Installed the build requirements" in line for line in kitchen.said))
    assert installed == [1, 1, 2, 2]


def test_an_environment_that_lost_its_packages_is_built_again(tmp_path: Path, kitchen: Kitchen) -> None:
    """A cleaner of old files took them, and left the marker."""
    bundle = write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))
    for part in ("lib", "pyvenv.cfg"):
        with kitchen.prepared(bundle) as ready:
            environment = Path(ready.dependency_site).parents[2]
        (environment / part).rename(environment / "moved")
        with kitchen.prepared(bundle) as ready:
            assert not ready.environment_reused
            assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "1"

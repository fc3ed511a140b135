"""Finding the wire in the warm order (CONTRACT section 2)."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.discovery import discover

_JSON, _TOML = ".modelops/manifest.json", ".modelops/modelops.toml"


def _written(root: Path, files: Mapping[str, str]) -> Path:
    root.mkdir()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def _entry_points(name: str, *lines: str) -> dict[str, str]:
    return {f"{name}-1.0.dist-info/entry_points.txt": "\n".join(["[console_scripts]", "x = y:z", "", *lines])}


@pytest.mark.parametrize(
    ("installed", "tree", "source", "value"),
    [
        pytest.param(
            _entry_points("mine", "[modelops.wire]", "execute = mine.wire:wire"),
            {_JSON: '{"wire": "other:run"}', "wire.py": ""},
            "entry-point",
            "mine.wire:wire",
            id="an-entry-point-comes-first",
        ),
        pytest.param(
            _entry_points("mine", "[other]", "execute = mine:wire"),
            {_JSON: '{"wire": "a.b:run"}', _TOML: "[modelops]\nwire = 'c:d'", "wire.py": ""},
            "manifest.json",
            "a.b:run",
            id="then-the-json-manifest",
        ),
        pytest.param({}, {_JSON: "{", _TOML: "[modelops]\nwire = 'c:d'"}, "modelops.toml", "c:d", id="unreadable-json"),
        pytest.param({}, {_JSON: '{"name": 1}', "wire.py": ""}, "wire.py", "wire.py:wire", id="no-key-wire"),
        pytest.param(
            {}, {_JSON: "[]", _TOML: "modelops = 3", "wire.py": ""}, "wire.py", "wire.py:wire", id="odd-shapes"
        ),
        pytest.param({}, {_JSON: '{"wire": "models/w.py:run"}'}, "manifest.json", "models/w.py:run", id="a-file"),
    ],
)
def test_the_wire_is_found_where_the_warm_runner_finds_it(
    tmp_path: Path, installed: dict[str, str], tree: dict[str, str], source: str, value: str
) -> None:
    """Another order would run another function than the cluster does."""
    site, root = _written(tmp_path / "site", installed), _written(tmp_path / "tree", tree)
    wire, error = discover(str(root), [str(site)])
    assert error is None
    assert wire is not None
    assert (wire.source, wire.value) == (source, value)
    assert wire.distribution == ("mine" if source == "entry-point" else None)


@pytest.mark.parametrize(
    ("installed", "tree", "words"),
    [
        pytest.param(
            _entry_points("mine", "[modelops.wire]", "a = mine:a", "b = mine:b"),
            {},
            ["found 2", "a = mine:a (from mine)", "b = mine:b (from mine)"],
            id="two-entry-points",
        ),
        pytest.param(
            _entry_points("mine", "[modelops.wire]", "a = mine:class"), {"wire.py": ""}, ["malformed"], id="malformed"
        ),
        pytest.param(_entry_points("mine", "[modelops.wire]", "a = mine"), {}, ["malformed", "'mine'"], id="no-object"),
        pytest.param(
            _entry_points("mine", "[modelops.wire]", "a = m/w.py:run"), {}, ["malformed"], id="a-file-as-entry-point"
        ),
        pytest.param({}, {_JSON: '{"wire": 3}', "wire.py": ""}, ["manifest.json", "found 3"], id="json-not-text"),
        pytest.param({}, {_JSON: '{"wire": "../w.py:run"}', "wire.py": ""}, ["outside the bundle"], id="leaves"),
        pytest.param({}, {"pkg/wire.py": ""}, ["no wire function", "modelops.wire"], id="none"),
    ],
)
def test_a_wire_that_cannot_be_used_is_a_sentence_and_never_a_fall_through(
    tmp_path: Path, installed: dict[str, str], tree: dict[str, str], words: list[str]
) -> None:
    """Falling through to the next source would run something nobody asked for."""
    site, root = _written(tmp_path / "site", installed), _written(tmp_path / "tree", tree)
    wire, error = discover(str(root), [str(site)])
    assert wire is None
    assert error is not None
    assert [word for word in words if word not in error] == []


def test_a_wire_of_a_dependency_counts_and_is_named(tmp_path: Path) -> None:
    """Calabaria brings one; a bundle with its own besides is refused by today's runners too (HOSTILE_CORPUS P06)."""
    own = _written(tmp_path / "own", _entry_points("mine", "[modelops.wire]", "a = mine:a"))
    dependency = _written(tmp_path / "dependency", _entry_points("calabaria", "[modelops.wire]", "c = calabaria:run"))
    tree = _written(tmp_path / "tree", {})
    wire, _ = discover(str(tree), [str(dependency)])
    assert wire is not None
    assert wire.distribution == "calabaria"
    _, error = discover(str(tree), [str(own), str(dependency)])
    assert error is not None
    assert "(from mine)" in error
    assert "(from calabaria)" in error


def test_a_distribution_on_both_paths_counts_once(tmp_path: Path) -> None:
    """A bundle that depends on an older self is one distribution, as for an import."""
    files = _entry_points("my_wire", "[modelops.wire]", "a = mine:a")
    older = {name.replace("my_wire-1.0", "My.Wire-0.9"): text for name, text in files.items()}
    sites = [str(_written(tmp_path / "one", files)), str(_written(tmp_path / "two", older))]
    wire, error = discover(str(_written(tmp_path / "tree", {})), sites)
    assert error is None
    assert wire is not None
    assert wire.distribution == "my_wire"

"""The other documents of a bundle, cheap to write and dear to read: each is refused at its name, in seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, make_bundle, pyproject

from bundlekit.errors import LimitExceededError
from bundlekit.model.finding import Report, Severity
from bundlekit.read.shipping_rules import read_rules

Judge = Callable[..., Report]
_NO_WIRE_NAMED = '[project]\nname = "x"\nversion = "1"\n'
_STARS = "a*" * 40 + "b"

_REFUSED: dict[str, tuple[str, bytes | str, str, str]] = {
    "lock-key": ("uv.lock", "a." * 10_000 + "a = 1\n", "BK513", "a key of more than 32 parts"),
    "lock-arrays": ("uv.lock", "a = " + "[" * 10_000, "BK513", "nested too deeply"),
    "lock-no-text": ("pylock.toml", b"\xff", "BK513", "is not UTF-8"),
    "lock-of-nothing": ("uv.lock", "package = 1\n", "BK513", "is no lock that can be read"),
    "registry-values": (
        ".modelops-bundle/registry.yaml",
        "a: [" + "1," * 150_000 + "]\n",
        "BK106",
        "more than 100,000 values",
    ),
    "registry-size": (
        ".modelops-bundle/registry.yaml",
        "#" * ((1 << 20) + 1),
        "BK106",
        "more than the limit of 1,048,576",
    ),
    "registry-depth": (".modelops-bundle/registry.yaml", "[" * 100_000, "BK106", "nested too deeply"),
    "manifest-half-a-pair": (".modelops/manifest.json", '{"a": "\\ud800"}', "BK106", "half a surrogate pair"),
    "manifest-depth": (".modelops/manifest.json", "[" * 100_000, "BK106", "nested too deeply"),
    "manifest-number": (".modelops/manifest.json", '{"a": NaN}', "BK106", "NaN is no JSON number"),
    "ignore-double-stars": (".modelopsignore", "**/a/" * 8 + "b\n", "BK202", "many stars"),
    "ignore-classes": (".modelopsignore", "[a-z]*[!b]*" * 10 + "c\n", "BK202", "many stars"),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_a_hostile_document_is_refused_at_its_name(name: str, tmp_path: Path, judge: Judge) -> None:
    """Each takes minutes, or all memory, where its parser is left alone with it."""
    path, text, code, words = _REFUSED[name]
    document = _NO_WIRE_NAMED if path.endswith(".json") else GOOD_PYPROJECT
    make_bundle(tmp_path, {"pyproject.toml": document, path: text})
    found = [each for each in judge(tmp_path).findings if each.code == code and each.path == path]
    assert [each.severity for each in found] == [Severity.ERROR]
    assert words in found[0].message


_GOOD: dict[str, tuple[str, bytes | str]] = {
    "requirements": ("requirements.txt", "# a\n" * 40_000),
    "ignore-stars": (".modelopsignore", f"{_STARS}\n"),
    "ignore-blank-lines": (".modelopsignore", "\n# a\n\n*.bin\n"),
    "ignore-many-lines": (".modelopsignore", "".join(f"a{number}*\n" for number in range(4_000))),
}


@pytest.mark.parametrize("name", _GOOD)
def test_what_is_only_odd_is_left_alone(name: str, tmp_path: Path, judge: Judge) -> None:
    """The twin: odd is no fault, and long names do not make patterns slow."""
    path, text = _GOOD[name]
    make_bundle(tmp_path, {path: text, "a" * 250: ""})
    assert judge(tmp_path).findings == ()


def test_more_patterns_than_anyone_writes_are_a_limit(tmp_path: Path) -> None:
    """Reading a mebibyte of them takes a minute."""
    (tmp_path / ".modelopsignore").write_text("a\n" * 5_001)
    with pytest.raises(LimitExceededError, match="5,001 patterns decide what ships, more than the limit of 5,000"):
        read_rules(tmp_path, (), ())


def test_requirements_of_a_directory_without_project_are_bounded(tmp_path: Path, judge: Judge) -> None:
    """Where pyproject.toml names none, the lines of requirements.txt are the dependencies."""
    make_bundle(tmp_path, {"pyproject.toml": "[build-system]\nrequires = []\n", "requirements.txt": "a\n" * 60_000})
    (found,) = (each for each in judge(tmp_path).findings if each.code == "BK106")
    assert found.message == "requirements.txt has more than 50,000 lines"


def test_a_pair_of_escapes_is_one_character(tmp_path: Path, judge: Judge) -> None:
    """The twin of half a pair: JSON writes characters beyond 16 bits so."""
    text = '{"entry": "model.wire:wire", "a": "\\ud83d\\ude00"}'
    make_bundle(tmp_path, {"pyproject.toml": _NO_WIRE_NAMED, ".modelops/manifest.json": text})
    assert not [each for each in judge(tmp_path).findings if each.code == "BK106"]


def test_a_lock_of_one_package_over_and_over_is_read(tmp_path: Path, judge: Judge) -> None:
    """Versions are gathered in a list: a tuple that grows takes the square of their number."""
    lock = "".join(f'[[package]]\nname = "a"\nversion = "{number}"\n' for number in range(20_000))
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project='dependencies = ["a"]'), "uv.lock": lock})
    assert not [each for each in judge(tmp_path).findings if each.code == "BK106"]

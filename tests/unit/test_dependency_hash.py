"""The dependency hash: what changes it and what does not (HOSTILE_CORPUS M13)."""

import pytest

from bundlekit.cold_runner.dependency_hash import (
    choose_lock,
    dependency_hash,
    normalised_requirement,
    parse_index_options,
    parse_requirements,
    requirement_name,
)

_HASHED = b"six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\n"

_GOLDEN = "sha256:85b6a14218454bf566a9e1936090038d4bdbfff534b6f15fa7cd350fae0fd38f"


def _declared(*requirements: str, requires_python: str | None = ">=3.11") -> str:
    return dependency_hash(lock=None, declared=requirements, requires_python=requires_python)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("NumPy", "numpy", id="case"),
        pytest.param("ruamel.yaml", "ruamel-yaml", id="separators"),
        pytest.param("a__b..c", "a-b-c", id="runs-of-separators"),
        pytest.param("numpy >= 1.26 , < 3", "numpy>=1.26,<3", id="white-space"),
        pytest.param("numpy<3,>=1.26", "numpy>=1.26,<3", id="order-of-clauses"),
        pytest.param("numpy (>=1.26)", "numpy>=1.26", id="parentheses"),
        pytest.param("dask[array, Complete]", "dask[complete,array]", id="extras"),
        pytest.param("x; python_version<'3.12'", 'x ; python_version < "3.12"', id="marker-spelling"),
        pytest.param("x @ https://h/x.whl", "X  @  https://h/x.whl", id="direct-url"),
        pytest.param("x==1 --hash=sha256:b --hash=sha256:a", "x==1 --hash=sha256:a --hash=sha256:b", id="hash-order"),
    ],
)
def test_two_spellings_of_one_requirement_have_one_hash(one: str, other: str) -> None:
    """A reformatted pyproject.toml must not rebuild every environment."""
    assert normalised_requirement(one) == normalised_requirement(other)
    assert _declared(one) == _declared(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("numpy>=1", "numpy>=2", id="version"),
        pytest.param("numpy>=1", "numpy>1", id="operator"),
        pytest.param("numpy", "numba", id="name"),
        pytest.param("dask[array]", "dask", id="extras"),
        pytest.param("x; os_name=='nt'", "x", id="marker"),
        pytest.param("x @ https://h/a", "x @ https://h/b", id="url"),
        pytest.param("x==1 --hash=sha256:a", "x==1 --hash=sha256:b", id="hash"),
        pytest.param("./wheels/Six.whl", "./wheels/six.whl", id="path-keeps-its-case"),
    ],
)
def test_two_different_requirements_have_two_hashes(one: str, other: str) -> None:
    """Sharing an environment between them would run the wrong code."""
    assert _declared(one) != _declared(other)


def test_order_and_repetition_of_requirements_do_not_count() -> None:
    """Order is the editor's business."""
    assert _declared("b", "a", "a") == _declared("a", "b")


def test_requires_python_counts_but_not_its_spelling() -> None:
    """It decides which interpreter is admitted."""
    assert _declared("a", requires_python=">=3.11, <4") == _declared("a", requires_python="<4,>=3.11")
    assert _declared("a", requires_python=">=3.11") != _declared("a", requires_python=">=3.12")
    assert _declared("a", requires_python=None) != _declared("a", requires_python=">=3.12")


def test_the_hash_has_the_form_of_a_digest_and_does_not_drift() -> None:
    """Manifests of old archives carry it: a change of the algorithm must be deliberate."""
    assert _declared("numpy>=1.26", "six") == _GOLDEN


def test_a_lock_counts_by_content_and_the_declared_requirements_do_not() -> None:
    """What is installed is the lock's."""
    lock = ("uv.lock", b'version = 1\n[[package]]\nname = "six"\n')
    first = dependency_hash(lock=lock, declared=["six"], requires_python=None)
    assert first == dependency_hash(lock=lock, declared=["seven"], requires_python=None)
    windows = ("uv.lock", b'# made by uv\r\nversion = 1\r\n\r\n[[package]]\r\nname = "six"\r\n')
    assert first == dependency_hash(lock=windows, declared=["six"], requires_python=None)
    changed = ("uv.lock", lock[1] + b'version = "1.17"\n')
    assert first != dependency_hash(lock=changed, declared=["six"], requires_python=None)
    assert first != dependency_hash(lock=None, declared=["six"], requires_python=None)


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        pytest.param({"uv.lock": b"x", "pylock.toml": b"y"}, "pylock.toml", id="the-standard-one-first"),
        pytest.param({"uv.lock": b"x", "requirements.txt": _HASHED}, "uv.lock", id="uv-before-requirements"),
        pytest.param({"requirements.txt": _HASHED}, "requirements.txt", id="hashed-requirements"),
        pytest.param({"requirements.txt": b"six==1.17.0\n"}, None, id="pins-without-hashes"),
        pytest.param({"requirements.txt": _HASHED + b"seven\n"}, None, id="one-line-without-a-hash"),
        pytest.param({"requirements.txt": b"# nothing\n"}, None, id="empty"),
        pytest.param({"poetry.lock": b"x"}, None, id="a-lock-that-no-installer-here-reads"),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_lock_is_chosen_in_one_order(files: dict[str, bytes], chosen: str | None) -> None:
    """The host and the runner must agree on which file counts."""
    lock = choose_lock(files)
    assert (lock and lock[0]) == chosen


def test_requirements_files_are_read_as_pip_reads_them() -> None:
    """Comments, continuations, options and includes are everyday in them."""
    text = (
        "\ufeff# head\r\nnumpy >=1 # why\nsix==1 \\\n  --hash=sha256:aa\n--index-url https://h/simple\n"
        "-r more.txt\n-e .\nx @ https://h/x#egg=x\n--find-links=wheels\n\n"
    )
    texts = {"more.txt": "polars\n-r more.txt\n"}
    found = parse_requirements(text, texts.get)
    assert found == ["numpy >=1", "six==1    --hash=sha256:aa", "polars", ".", "x @ https://h/x#egg=x"]
    assert "polars" not in parse_requirements(text)
    assert parse_index_options(text) == ["--index-url https://h/simple", "--find-links=wheels"]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("NumPy>=1", "numpy"), ("a.b[x] ; y", "a-b"), ("https://h/x.whl", None), ("./x", None), ("c:\\x", None)],
)
def test_a_requirement_is_told_from_a_path_by_its_name(requirement: str, name: str | None) -> None:
    """Only names can be looked for in a lock."""
    assert requirement_name(requirement) == name

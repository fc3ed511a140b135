"""What uv and pip are told of the user's settings for the other, as tables."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.user_settings import for_pip, for_uv, is_offline, limits_hash

_URL = "https://u:p%25=@host/simple"


def _silent(_line: str) -> None:
    """Take words that nobody reads."""


def _added(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in after.items() if before.get(name) != value}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user without any settings."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none"), "PIP_CONFIG_FILE": "/dev/null"}


@pytest.mark.parametrize(
    ("told", "added"),
    [
        pytest.param({"PIP_INDEX_URL": _URL}, {"UV_DEFAULT_INDEX": _URL}, id="index"),
        pytest.param({"PIP_EXTRA_INDEX_URL": f"{_URL}\n b://c"}, {"UV_INDEX": f"{_URL} b://c"}, id="more-indexes"),
        pytest.param({"PIP_FIND_LINKS": "/a /b"}, {"UV_FIND_LINKS": "/a,/b"}, id="folders"),
        pytest.param({"PIP_NO_INDEX": "yes"}, {"UV_NO_INDEX": "true"}, id="no-index"),
        pytest.param({"PIP_NO_INDEX": "0"}, {}, id="no-index-switched-off"),
        pytest.param({"PIP_TRUSTED_HOST": "a b:1"}, {"UV_INSECURE_HOST": "a b:1"}, id="hosts"),
        pytest.param({"PIP_CONSTRAINT": "/c.txt"}, {"UV_CONSTRAINT": "/c.txt"}, id="constraint"),
        pytest.param({"PIP_INDEX_URL": _URL, "UV_INDEX": "x"}, {}, id="uv-has-its-own"),
        pytest.param({"PIP_INDEX_URL": _URL, "UV_CONFIG_FILE": "/x"}, {}, id="uv-has-a-file"),
        pytest.param({"PIP_CONSTRAINT": "/c", "UV_INDEX": "x"}, {"UV_CONSTRAINT": "/c"}, id="constraint-all-the-same"),
        pytest.param({"PIP_CONSTRAINT": "/c", "UV_CONSTRAINT": "/d"}, {}, id="uv-has-its-constraint"),
        pytest.param({"PIP_INDEX_URL": "", "PIP_TIMEOUT": "3"}, {}, id="nothing"),
    ],
)
def test_uv_is_told_what_pip_is_told_where_it_has_nothing_of_its_own(
    home: dict[str, str], told: dict[str, str], added: dict[str, str]
) -> None:
    """Without it, uv would pass over an institute's index and take a package of the same name from the public one."""
    lines: list[str] = []
    before = home | told
    assert _added(before, for_uv(before, lines.append)) == added
    assert len(lines) == bool(added)
    assert _URL not in "".join(lines)


@pytest.mark.parametrize(
    ("told", "added"),
    [
        pytest.param({"UV_DEFAULT_INDEX": f"corp={_URL}"}, {"PIP_INDEX_URL": _URL}, id="index-with-a-name"),
        pytest.param({"UV_INDEX_URL": _URL}, {"PIP_INDEX_URL": _URL}, id="index-by-its-former-name"),
        pytest.param({"UV_INDEX": f"a={_URL} b://c"}, {"PIP_EXTRA_INDEX_URL": f"{_URL} b://c"}, id="more-indexes"),
        pytest.param({"UV_FIND_LINKS": "/a,/b"}, {"PIP_FIND_LINKS": "/a /b"}, id="folders"),
        pytest.param({"UV_CONSTRAINT": "/c"}, {"PIP_CONSTRAINT": "/c"}, id="constraint"),
        pytest.param({"UV_INDEX": _URL, "PIP_INDEX_URL": "x"}, {}, id="pip-has-its-own"),
        pytest.param({"UV_OFFLINE": "true"}, {"PIP_NO_INDEX": "1"}, id="offline"),
    ],
)
def test_pip_is_told_what_uv_is_told_where_it_has_nothing_of_its_own(
    home: dict[str, str], told: dict[str, str], added: dict[str, str]
) -> None:
    """The fallback must not install from elsewhere."""
    before = home | told
    assert _added(before, for_pip(before, _silent)) == added


def test_files_of_pip_count_in_its_own_order(tmp_path: Path, home: dict[str, str]) -> None:
    """The more personal wins, and of two sections install; what cannot be read is pip's to say."""
    files = {
        "none/pip/pip.conf": "[global]\nindex-url = machine\nextra_index_url = more\n",
        ".pip/pip.conf": "[global]\nindex-url = old\n",
        ".config/pip/pip.conf": "[install]\nindex-url = mine\n[global]\nindex-url = general\ntimeout = 3\n",
        "named.conf": "no section\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    before = home | {"PIP_CONFIG_FILE": str(tmp_path / "named.conf")}
    assert _added(before, for_uv(before, _silent)) == {"UV_DEFAULT_INDEX": "mine", "UV_INDEX": "more"}
    (tmp_path / "named.conf").write_text("[global]\nindex-url = named\n")
    assert for_uv(before, _silent)["UV_DEFAULT_INDEX"] == "named"
    elsewhere = before | {"XDG_CONFIG_HOME": str(tmp_path / "empty"), "PIP_CONFIG_FILE": ""}
    assert for_uv(elsewhere, _silent)["UV_DEFAULT_INDEX"] == "old"


def test_a_file_of_uv_is_its_own_unless_it_is_told_to_pass_over_it(tmp_path: Path, home: dict[str, str]) -> None:
    """What the user has said to uv itself is nearer."""
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").touch()
    before = home | {"PIP_INDEX_URL": _URL}
    assert _added(before, for_uv(before, _silent)) == {}
    before["UV_NO_CONFIG"] = "1"
    assert _added(before, for_uv(before, _silent)) == {"UV_DEFAULT_INDEX": _URL}


def test_paths_are_meant_from_the_users_directory(
    tmp_path: Path, home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installer runs in another."""
    monkeypatch.chdir(tmp_path)
    told = {"UV_CONSTRAINT": "c.txt https://host/d.txt", "UV_FIND_LINKS": "w,https://host/", "PIP_CERT": "../ca.pem"}
    assert _added(home | told, for_uv(home | told, _silent)) == {
        "UV_CONSTRAINT": f"{tmp_path}/c.txt https://host/d.txt",
        "UV_FIND_LINKS": f"{tmp_path}/w,https://host/",
        "PIP_CERT": f"{tmp_path.parent}/ca.pem",
    }


def test_what_limits_versions_is_hashed_by_content(tmp_path: Path) -> None:
    """Another constraint is another environment; no settings at all are no hash."""
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("x<1\n")
    second.write_text("x<1\n")
    seen = [
        limits_hash(environ)
        for environ in (
            {"UV_CONSTRAINT": str(first)},
            {"UV_CONSTRAINT": f"{first} {second}"},
            {"PIP_CONSTRAINT": str(first)},
            {"UV_CONSTRAINT": "https://host/c.txt"},
            {"UV_PRERELEASE": "allow"},
        )
    ]
    assert len(set(seen)) == len(seen)
    assert {len(each) for each in seen} == {hashlib.sha256().digest_size * 2}
    assert limits_hash({"UV_CONSTRAINT": str(second)}) == seen[0]
    assert limits_hash({"UV_CONSTRAINT": "", "PIP_INDEX_URL": _URL}) == ""


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("True", True), ("0", False), ("", False)])
def test_offline_is_uvs_own_variable(value: str, offline: bool) -> None:  # noqa: FBT001 - a column of the table
    """One switch for both installers."""
    assert is_offline({"UV_OFFLINE": value}) is offline

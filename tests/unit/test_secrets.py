"""Credentials in what would ship: found by name and by what a kept library knows of tokens, silent about data."""

import random
import sys
import time
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.api.archives import PackOptions, pack
from bundlekit.errors import SecretRefusedError
from bundlekit.model.finding import Severity
from bundlekit.model.secret import Secret
from bundlekit.read import secrets
from bundlekit.read.project import read_project
from bundlekit.read.secrets import find_secrets
from bundlekit.read.tree import walk

_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" * 4


def _join(*parts: str) -> str:
    """Return a token that stands nowhere as a whole, so that nothing that searches this repository takes it for one."""
    return "".join(parts)


_HELD: dict[str, tuple[str, str, int]] = {
    "private-key": (f"{_join('-----BEGIN RSA PRIV', 'ATE KEY-----')}\n{_BODY}", "a private key", 1),
    "encrypted-key": (
        f"\n{_join('-----BEGIN RSA PRIV', 'ATE KEY-----')}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\n{_BODY}",
        "a private key",
        2,
    ),
    "service-account": (
        f'{{"type": "service_account",\n "private_key": "{_join("-----BEGIN PRIV", "ATE KEY-----")}\\n'
        + _BODY.replace("\n", "\\n")
        + '"}',
        "a private key",
        2,
    ),
    "amazon": (f"x = 1\nkey = '{_join('AKIA', 'Q6F7R2M4T8ZKB3XY')}'\n", "a key of Amazon's cloud", 2),
    "amazon-secret": (
        f"aws_secret_access_key = '{_join('wJalrXUtnFEMI/K7MDENG/', 'bPxRfiCY3Zq9XYzABC')}'",
        "a key of Amazon's cloud",
        1,
    ),
    "azure": (f"AccountName=a;AccountKey={_join('x9' * 43, '==')}", "a key of Azure's storage", 1),
    "github": (f"GH = '{_join('gh', 'p_', 'a1B2' * 9)}'", "a token of GitHub", 1),
    "gitlab": (_join("gl", "pat-", "x9Y8" * 5), "a token of GitLab", 1),
    "npm": (f"//registry.npmjs.org/:_authToken={_join('np', 'm_', 'a1b2' * 9)}", "a token of npm", 1),
    "pypi": (_join("pypi-AgEIcHlw", "aS5vcmc", "Ab9_" * 20), "a token of a package index", 1),
    "slack": (_join("xo", "xb-", "123456789012-", "123456789012-", "abcDEF123"), "a token of Slack", 1),
    "stripe": (_join("sk_li", "ve_", "a1B2" * 6), "a key of Stripe", 1),
    "signed-token": (
        _join("eyJhbGciOiJIUzI1NiJ9", ".", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFU"),
        "a signed token (JWT)",
        1,
    ),
}  # fmt: skip


def _found(root: Path, files: dict[str, str], allowed: tuple[str, ...] = ()) -> tuple[Secret, ...]:
    write_tree(root, files)
    return find_secrets(root, walk(root, include=[".env*", ".netrc"]).members, allowed, {})


@pytest.mark.parametrize(("text", "what", "line"), _HELD.values(), ids=_HELD)
def test_a_token_is_found_by_its_own_form(tmp_path: Path, text: str, what: str, line: int) -> None:
    """What is told is what it is and where, never itself: reports are printed in logs."""
    assert _found(tmp_path, {"settings.txt": text}) == (Secret("settings.txt", what, line),)


_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
_SEQUENCES = random.Random(1)  # noqa: S311 - the same sequences each time

_LEFT_ALONE: dict[str, str] = {
    "code-that-looks-for-keys": "if '-----BEGIN RSA PRIVATE KEY-----' in text:\n    raise ValueError\n",
    "public-certificate": f"-----BEGIN CERTIFICATE-----\n{_BODY}-----END CERTIFICATE-----\n",
    "manual": (
        "aws_access_key_id = 'AKIAIOSFODNN7EXAMPLE'\n"
        "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'"
    ),
    "placeholder": "token = 'ghp_<your token>'\npassword = os.environ['PASSWORD']\n",
    "hashes": "\n".join(f"sha256:{_SEQUENCES.getrandbits(256):064x}  data.csv" for _ in range(200)),
    "proteins": "\n".join(">p\n" + "".join(_SEQUENCES.choices(_ACIDS, k=60)) + "AKIA" * 6 for _ in range(400)),
    "primers": "\n".join("AKIA" + "".join(_SEQUENCES.choices("ACGT", k=16)) for _ in range(100)),
    "base-64": "\n".join(f'"image/png": "eyJ{_SEQUENCES.getrandbits(4096):x}"' for _ in range(20)),
    "passwords-of-a-test": "db = connect(user='test', password='test', url='postgres://test:test@localhost/x')\n",
    "coordinates": "\n".join(f"{_SEQUENCES.random()},{_SEQUENCES.random()}" for _ in range(2000)),
    "empty": "",
}  # fmt: skip


@pytest.mark.parametrize("text", _LEFT_ALONE.values(), ids=_LEFT_ALONE)
def test_data_and_code_are_left_alone(tmp_path: Path, text: str) -> None:
    """The twin: one false alarm on a data file, and the check is switched off for good."""
    assert _found(tmp_path, {"data.txt": text}) == ()


_NAMED = {
    ".env": "variables that are kept out of the code",
    ".env.production": "variables that are kept out of the code",
    "deploy/.netrc": "passwords of hosts",
    "keys/id_ed25519": "a private key",
    "keys/server.ppk": "a private key",
    "conf/.docker/config.json": "passwords of registries",
    ".cdsapirc": "the key of a data service",
}


@pytest.mark.parametrize(("path", "what"), _NAMED.items(), ids=_NAMED)
def test_a_file_that_a_program_keeps_credentials_in_is_found_by_its_name(tmp_path: Path, path: str, what: str) -> None:
    """Its content has many forms, and its name one."""
    assert _found(tmp_path, {path: "x"}) == (Secret(path, what, None),)


@pytest.mark.parametrize(
    "path", [".env.example", ".env.template", "config.json", "docker/config.json", "id_rsa.pub", "credentials.py"]
)
def test_names_that_only_resemble_are_left_alone(tmp_path: Path, path: str) -> None:
    """The twin: templates are there to be shipped, and a public key is public."""
    assert _found(tmp_path, {path: "x"}) == ()


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """Tests of a bundle may want a file of that name."""
    assert _found(tmp_path, {".env": ""}) == ()


def test_what_is_allowed_by_its_path_is_not_looked_at(tmp_path: Path) -> None:
    """A fixture of a test is a key that opens nothing."""
    text, _, _ = _HELD["private-key"]

    found = _found(tmp_path, {"tests/key.pem": text, "key.pem": text, ".env": "x"}, ("tests/*.pem", "/.env"))

    assert [secret.path for secret in found] == ["key.pem"]


def test_large_files_and_what_is_left_of_very_many_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a gigabyte of data must not take seconds; the smallest files, where credentials stand, come first."""
    token, _, _ = _HELD["github"]
    monkeypatch.setattr(secrets, "MAX_SEARCHED", 1000)
    files = {"large": token + "x" * (secrets.MAX_SEARCHED_FILE + 1), "small": token, "more": token + " " * 950}

    assert [secret.path for secret in _found(tmp_path, files)] == ["small"]


def test_what_is_no_text_is_not_searched(tmp_path: Path) -> None:
    """Arrays and images hold every four bytes sooner or later."""
    (tmp_path / "array.npy").write_bytes(_HELD["github"][0].encode() + b"\0")

    assert find_secrets(tmp_path, walk(tmp_path).members, (), {}) == ()


_SLOW = {
    "slashes": b"/" * 2000 + b"eyJ",
    "openings": b"eyJ" * 700,
    "keys": b"sk-" * 600 + b"T3BlbkFJ",
    "names": b"aws_se" + b"aws" * 600,
}


@pytest.mark.parametrize("piece", _SLOW.values(), ids=_SLOW)
def test_a_text_that_is_made_to_take_long_does_not(tmp_path: Path, piece: bytes) -> None:
    """A minified file of a dependency has lines of a megabyte, and some expressions take the square of that."""
    for number in range(3):
        (tmp_path / f"{number}.txt").write_bytes(piece * (secrets.MAX_SEARCHED_FILE // len(piece)))
    started = time.process_time()

    assert find_secrets(tmp_path, walk(tmp_path).members, (), {}) == ()

    assert time.process_time() - started < 5


def test_a_token_far_into_a_line_is_found(tmp_path: Path) -> None:
    """The twin: notebooks and configurations are often one line."""
    token, what, _ = _HELD["github"]

    for before in (0, 100, 1500, 5000):
        text = "eyJ " + "x" * before + f" {token} " + "y" * before
        assert _found(tmp_path, {"one-line": text}) == (Secret("one-line", what, 1),)


def test_a_file_that_vanishes_is_told_by_those_who_need_it(tmp_path: Path) -> None:
    """The packer names it; here there is nothing to find."""
    write_tree(tmp_path, {"gone": _HELD["github"][0]})
    members = walk(tmp_path).members
    (tmp_path / "gone").unlink()

    assert find_secrets(tmp_path, members, (), {}) == ()


def _packed(root: Path, output: Path) -> None:
    pack(root, PackOptions(output=output, validate=False), lambda _message: None)


def test_validating_and_packing_give_the_same_answer(tmp_path: Path) -> None:
    """One function: an error finding there, a refusal here, although nobody asked this pack to validate."""
    text, what, _ = _HELD["github"]
    root = make_bundle(tmp_path / "bundle", {"model/token.py": f"\n{text}\n", "id_rsa": "x"})

    found = [each for each in findings_of(root) if each.code == "BK208"]
    with pytest.raises(SecretRefusedError, match="2 of the files that would ship look like credentials") as refused:
        _packed(root, tmp_path / "a.tar.zst")

    assert [(each.path, each.line, each.severity) for each in found] == [
        ("id_rsa", None, Severity.ERROR),
        ("model/token.py", 2, Severity.ERROR),
    ]
    assert what in found[1].message
    assert refused.value.subject == ("id_rsa", "model/token.py")
    assert refused.value.exit_status == 5
    assert text[6:-1] not in f"{found}{refused.value.message}"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_ignoring_the_rule_does_not_let_credentials_ship(tmp_path: Path) -> None:
    """A code in a list of forty is not the same as naming the file."""
    settings = pyproject(after='[tool.bundlekit]\nignore = ["BK208"]\n')
    root = make_bundle(tmp_path / "bundle", {"token.txt": _HELD["github"][0], "pyproject.toml": settings})

    with pytest.raises(SecretRefusedError):
        _packed(root, tmp_path / "a.tar.zst")


def test_a_file_that_the_settings_name_ships(tmp_path: Path) -> None:
    """The twin of the refusals."""
    settings = pyproject(after='[tool.bundlekit]\nallow-secrets = ["token.txt"]\n')
    root = make_bundle(tmp_path / "bundle", {"token.txt": _HELD["github"][0], "pyproject.toml": settings})

    _packed(root, tmp_path / "a.tar.zst")

    assert findings_of(root) == []


def test_without_the_library_what_it_would_be_asked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither silence nor an alarm: it may be a token, and installing the extra would tell."""
    root = make_bundle(tmp_path / "bundle", {"token.txt": f"\n{_HELD['github'][0]}\n", "plain.txt": "nothing"})
    monkeypatch.setitem(sys.modules, "detect_secrets.plugins.aws", None)

    (found,) = [each for each in findings_of(root) if each.code == "BK208"]
    _packed(root, tmp_path / "a.tar.zst")

    assert (found.path, found.line, found.severity) == ("token.txt", 2, Severity.WARNING)
    assert found.message == "'token.txt' holds the text 'ghp_', with which secrets begin; nothing here can tell"
    assert found.hint == "install bundlekit[secrets], which brings the library that can"


def test_sources_that_were_read_are_not_read_again(tmp_path: Path) -> None:
    """What is checked is what was read, and costs no second reading."""
    root = make_bundle(tmp_path / "bundle", {"model/token.py": f"{_HELD['github'][0]}\n"})
    project = read_project(root)

    assert find_secrets(tmp_path / "nowhere", project.members, (), project.sources) == project.secrets

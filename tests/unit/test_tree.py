"""What ships, what is left out, what cannot ship."""

import os
import resource
import socket
from pathlib import Path

import pytest
from builders.projects import write_tree

from bundlekit.errors import FileAccessError, LimitExceededError, UsageError
from bundlekit.read import shipping_rules, tree
from bundlekit.read.tree import Walk, walk


def _paths(found: Walk) -> list[str]:
    return [member.path for member in found.members]


def _left_out(found: Walk) -> dict[str, str]:
    return {excluded.path: excluded.pattern for excluded in found.excluded}


_EXCLUDED = {
    "environment": (".venv/bin/python", ".venv/", ".venv/ (default)"),
    "bytecode": ("pkg/__pycache__/m.pyc", "pkg/__pycache__/", "__pycache__/ (default)"),
    "loose-bytecode": ("m.pyc", "m.pyc", "*.py[cod] (default)"),
    "egg-info": ("x.egg-info/PKG-INFO", "x.egg-info/", "*.egg-info/ (default)"),
    "build": ("build/lib/m.py", "build/", "build/ (default)"),
    "mac": ("sub/.DS_Store", "sub/.DS_Store", ".DS_Store (default)"),
    "swap": ("a.swp", "a.swp", "*.swp (default)"),
    "secrets": (".env", ".env", ".env (default)"),
    "secrets-of-a-stage": ("deploy/.env.prod", "deploy/.env.prod", ".env.* (default)"),
    "passwords": (".netrc", ".netrc", ".netrc (default)"),
    "tokens": (".pypirc", ".pypirc", ".pypirc (default)"),
    "cloud": (".aws/credentials", ".aws/", ".aws/ (default)"),
    "keys": ("home/.ssh/id_rsa", "home/.ssh/", ".ssh/ (default)"),
    "environment-by-another-name": ("py312/pyvenv.cfg", "py312/", "a virtual environment (default)"),
    "git": (".git/HEAD", ".git/", "git's own (never ships)"),
    "git-upper": ("deep/.GIT/HEAD", "deep/.GIT/", "git's own (never ships)"),
    "git-short": ("git~1/HEAD", "git~1/", "git's own (never ships)"),
    "git-zero-width": (".g\u200cit/HEAD", ".g\u200cit/", "git's own (never ships)"),
    "git-stream": (".git::$INDEX_ALLOCATION/x", ".git::$INDEX_ALLOCATION/", "git's own (never ships)"),
    "git-space": (".git /x", ".git /", "git's own (never ships)"),
    "reserved": (".bundlekit/manifest.json", ".bundlekit/", "reserved (never ships)"),
    "registry-directory": (".modelops-bundle/env", ".modelops-bundle/env", ".modelops-bundle/ (default)"),
    "unfinished": (".bundlekit-0a1b.pack", ".bundlekit-0a1b.pack", "left by an interrupted command (default)"),
    "staging": (".bundlekit-x_1.unpack/m", ".bundlekit-x_1.unpack/", "left by an interrupted command (default)"),
}


@pytest.mark.parametrize(("path", "shown", "reason"), _EXCLUDED.values(), ids=_EXCLUDED)
def test_a_default_exclusion_is_left_out_and_named(tmp_path: Path, path: str, shown: str, reason: str) -> None:
    """Nothing is dropped in silence: the report says what was left out, and by which rule (N09, N10)."""
    found = walk(write_tree(tmp_path, {path: "x", "kept.py": ""}))

    assert _paths(found) == ["kept.py"]
    assert _left_out(found) == {shown: reason}


_SHIPS = [
    ".modelops/manifest.json",
    ".modelops-bundle/registry.yaml",
    ".modelopsignore",
    ".gitignore",
    ".gitmodules",
    "environment/x.py",
    "gitlab/x",
    "rebuild/x",
    "result.tar.zst",
    "result.tar.zst.report.json",
    "data/a b'c.csv",
    "é/ünï.csv",
    ".hidden",
    ".envrc",
    "pyvenv.cfg",
    ".pypirc/x",
    "aws/x",
    "a" * 255,
    "x.tmp",
]


@pytest.mark.parametrize("path", _SHIPS)
def test_everything_else_ships(tmp_path: Path, path: str) -> None:
    """The twin of the table above: names that only resemble an exclusion, hidden files, accents."""
    found = walk(write_tree(tmp_path, {path: ""}))

    assert _paths(found) == [path]
    assert found.excluded == found.refused == ()


def test_gitignore_is_not_obeyed(tmp_path: Path) -> None:
    """A data file that git ignores is still needed by the run."""
    found = walk(write_tree(tmp_path, {".gitignore": "*.csv\n", "data.csv": "1"}))

    assert _paths(found) == [".gitignore", "data.csv"]


_RULES: dict[str, tuple[str, list[str], list[str], list[str], list[str]]] = {
    "pattern": ("*.csv\n", [], [], ["a.csv", "d/b.csv", "m.py"], ["m.py"]),
    "negation": ("*.csv\n!keep.csv\n", [], [], ["a.csv", "keep.csv"], ["keep.csv"]),
    "comment-and-blank": ("# *.py\n\n", [], [], ["m.py"], ["m.py"]),
    "spaces-around-lines": (
        "  *.csv \t\n\t# m.py\n  !keep.csv\n",
        [],
        [],
        ["a.csv", "keep.csv", "m.py"],
        ["keep.csv", "m.py"],
    ),
    "byte-order-mark": ("\ufeff*.csv\n", [], [], ["a.csv", "m.py"], ["m.py"]),
    "negated-default": ("!.env\n", [], [], [".env"], [".env"]),
    "into-left-out-directory": ("!build/keep.csv\n", [], [], ["build/keep.csv", "build/x.o"], ["build/keep.csv"]),
    "include-directory": ("", ["build/"], [], ["build/x", "build/__pycache__/m.pyc"], ["build/x"]),
    "include-anchored": ("", ["/build"], [], ["build/x", "sub/build/y"], ["build/x"]),
    "include-below": ("", ["build/*.csv"], [], ["build/a.csv", "build/b.o"], ["build/a.csv"]),
    "include-after-ignore": ("data/\n", ["data/obs.csv"], [], ["data/obs.csv", "data/big"], ["data/obs.csv"]),
    "exclude": ("", [], ["*.csv"], ["a.csv", "m.py"], ["m.py"]),
    "exclude-after-include": ("", ["*.csv"], ["a.csv"], ["a.csv", "b.csv"], ["b.csv"]),
    "git-stays-out": ("!.git/\n", [".git/HEAD"], [], [".git/HEAD", "m.py"], ["m.py"]),
    "reserved-stays-out": ("", [".bundlekit/x"], [], [".bundlekit/x", "m.py"], ["m.py"]),
}


@pytest.mark.parametrize(("ignore", "include", "exclude", "files", "kept"), _RULES.values(), ids=_RULES)
def test_patterns_decide_what_ships(
    tmp_path: Path, *, ignore: str, include: list[str], exclude: list[str], files: list[str], kept: list[str]
) -> None:
    """The last pattern that matches decides, as in gitignore; the settings come after ``.modelopsignore``."""
    write_tree(tmp_path, dict.fromkeys(files, "x") | ({".modelopsignore": ignore} if ignore else {}))

    found = walk(tmp_path, include=include, exclude=exclude)

    assert [path for path in _paths(found) if path != ".modelopsignore"] == kept


def test_a_pattern_is_named_with_where_it_stands(tmp_path: Path) -> None:
    """The author must find the line that left a file out."""
    found = walk(write_tree(tmp_path, {".modelopsignore": "*.csv\n", "a.csv": "", "b.log": ""}), exclude=["*.log"])

    assert _left_out(found) == {"a.csv": "*.csv (.modelopsignore)", "b.log": "*.log (exclude)"}


def test_a_pattern_that_is_none_is_refused_and_has_no_effect(tmp_path: Path) -> None:
    """A typing error in one line must neither pass unseen nor disable the others."""
    found = walk(write_tree(tmp_path, {".modelopsignore": "!\n*.csv\n", "a.csv": "", "m.py": ""}), exclude=["/"])

    assert _paths(found) == [".modelopsignore", "m.py"]
    assert [(entry.path, entry.reason) for entry in found.refused] == [
        (".modelopsignore", "has the pattern '!', which is not a gitignore pattern"),
    ]


def test_an_archive_beside_its_report_does_not_ship(tmp_path: Path) -> None:
    """Packing in the bundle's own directory must not change the digest of the next packing."""
    write_tree(tmp_path, {"m.py": "", "sir-1.tar.zst": "", "sir-1.tar.zst.report.json": "{}"})

    found = walk(tmp_path)

    assert _paths(found) == ["m.py"]
    assert list(_left_out(found)) == ["sir-1.tar.zst", "sir-1.tar.zst.report.json"]


def test_links_and_special_files_are_refused_without_being_opened(tmp_path: Path) -> None:
    """A link may lead to /etc, a FIFO blocks whoever opens it (N11, N12, N14)."""
    outside = write_tree(tmp_path / "outside", {"secret": "CANARY"})
    root = write_tree(tmp_path / "bundle", {"m.py": ""})
    (root / "to-file").symlink_to(outside / "secret")
    (root / "to-directory").symlink_to(outside)
    (root / "loop").symlink_to(".")
    (root / "broken").symlink_to("nowhere")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "s"))
        found = walk(root)

    assert _paths(found) == ["m.py"]
    link = "is a symbolic link"
    assert {entry.path: entry.reason for entry in found.refused} == {
        "to-file": link,
        "to-directory": link,
        "loop": link,
        "broken": link,
        "fifo": "is a FIFO",
        "s": "is a socket",
    }


@pytest.mark.parametrize("name", [".venv", "venv", ".gitmodules"])
def test_a_link_of_an_excluded_name_is_left_out(tmp_path: Path, name: str) -> None:
    """A link to a shared environment is as common as an environment; git refuses a linked .gitmodules (N09)."""
    (tmp_path / name).symlink_to("/nowhere")

    found = walk(tmp_path)

    assert list(_left_out(found)) == [name]
    assert found.refused == ()


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_an_ignore_file_that_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    """Reading it would follow the link or wait for ever; the walk refuses it by its own rules instead."""
    path = tmp_path / ".modelopsignore"
    if kind == "link":
        path.symlink_to(write_tree(tmp_path, {"rules": "*.py\n"}) / "rules")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    (tmp_path / "m.py").touch()

    found = walk(tmp_path)

    assert "m.py" in _paths(found)
    assert [entry.path for entry in found.refused] == ([".modelopsignore"] if kind != "directory" else [])


_BAD_NAMES = {
    "newline": (b"a\nb", "contains a control character"),
    "escape": (b"a\x1b[31m", "contains a control character"),
    "delete": (b"a\x7f", "contains a control character"),
    "backslash": (b"a\\b", "contains a backslash or a slash"),
    "bidi": ("a\u202eb".encode(), "contains an invisible or direction-changing character ('\\u202e')"),
    "joiner": ("a\u200db".encode(), "contains an invisible or direction-changing character ('\\u200d')"),
    "bom": ("\ufeffa".encode(), "contains an invisible or direction-changing character ('\\ufeff')"),
    "line-separator": ("a\u2028".encode(), "contains a line separator ('\\u2028')"),
    "fullwidth-slash": ("a\uff0fb".encode(), "compatibility normalisation turns into a path separator"),
    "not-utf-8": (b"a\xff", "contains bytes that are not UTF-8"),
    "drive": (b"C:", "starts with 'C:', which some systems take for another place"),
}


@pytest.mark.parametrize("is_directory", [False, True], ids=["file", "directory"])
@pytest.mark.parametrize(("name", "reason"), _BAD_NAMES.values(), ids=_BAD_NAMES)
def test_a_name_that_harms_elsewhere_is_refused(
    tmp_path: Path, name: bytes, reason: str, *, is_directory: bool
) -> None:
    """N04-N06: a terminal, a shell or another file system would take it for something else."""
    path = tmp_path / os.fsdecode(name)
    if is_directory:
        path.mkdir()
        (path / "x.py").touch()
    else:
        path.touch()

    found = walk(tmp_path)

    assert found.members == ()
    (entry,) = found.refused
    assert reason in entry.reason
    entry.path.encode()


def test_a_directory_that_shells_take_for_the_home_is_refused(tmp_path: Path) -> None:
    """A02; a file of this name is an editor's backup and left out."""
    (entry,) = walk(write_tree(tmp_path, {"~/x": "", "sub/~/y": ""})).refused

    assert entry == ("~", "starts with '~', which some systems take for another place")


def test_names_that_are_one_after_normalisation_are_both_refused(tmp_path: Path) -> None:
    """N01: on macOS the second would overwrite the first."""
    found = walk(
        write_tree(tmp_path, {"\u00e9.csv": "1", "e\u0301.csv": "2", "d\u00e9/a": "", "de\u0301/b": "", "m": ""})
    )

    assert _paths(found) == ["m"]
    assert {entry.path for entry in found.refused} == {"\u00e9.csv", "e\u0301.csv", "d\u00e9", "de\u0301"}
    reasons = {entry.path: entry.reason for entry in found.refused}
    same = "the same name as 'e\\u0301.csv' after Unicode normalisation (NFC)"
    assert reasons["\u00e9.csv"] == rf"is, written '\xe9.csv', {same}"


def test_only_directories_with_nothing_at_all_in_them_are_empty(tmp_path: Path) -> None:
    """N19: empty directories do not ship, and a finding says so; one that holds only bytecode is no loss."""
    write_tree(tmp_path, {"bytecode/m.pyc": "", "full/m.py": ""})
    (tmp_path / "hollow/inner").mkdir(parents=True)
    (tmp_path / ".venv").mkdir()

    assert walk(tmp_path).empty_directories == ("hollow/inner",)


def test_members_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    """The order is part of the archive, so it must not depend on the disk or the locale."""
    names = ["a/b", "a-b", "a.b", "B", "é", "z", "\U0001f600", "\uff5e"]

    found = walk(write_tree(tmp_path, dict.fromkeys(names, "")))

    assert _paths(found) == sorted(names, key=str.encode)


def test_the_owner_may_execute_or_not(tmp_path: Path) -> None:
    """One bit of the mode ships; the rest is the user's own affair (A41, A43)."""
    write_tree(tmp_path, {"run.sh": "", "data": ""})
    (tmp_path / "run.sh").chmod(0o700)
    (tmp_path / "data").chmod(0o666)

    assert {member.path: member.executable for member in walk(tmp_path).members} == {"run.sh": True, "data": False}


def test_a_file_larger_than_an_archive_holds_is_refused_by_its_size(tmp_path: Path) -> None:
    """N15: a sparse file of 1 TB takes no room on disk and hours to read."""
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(LimitExceededError, match=r"sparse has 1,099,511,627,776 bytes.*at most 8,589,934,591"):
        walk(tmp_path)


def test_more_files_than_an_archive_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """N18, with a limit that a test can reach."""
    monkeypatch.setattr(tree, "MAX_MEMBERS", 2)

    with pytest.raises(LimitExceededError, match="more than 2 files"):
        walk(write_tree(tmp_path, {"a": "", "b": "", "c": ""}))


def test_depth_and_length_of_paths_are_bounded(tmp_path: Path) -> None:
    """N08: refused here, or some other system refuses it after the upload."""
    write_tree(tmp_path, {"/".join(["d"] * 101) + "/x": "", "/".join(["e" * 200] * 15) + "/x": "", "m": ""})
    where = tmp_path
    for _ in range(30):
        where = where / ("f" * 100)
        where.mkdir()
    found = walk(tmp_path)

    assert "m" in _paths(found)
    assert [entry.reason for entry in found.refused] == ["is more than 100 levels deep"]


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_root_that_is_no_directory_is_a_usage_error(tmp_path: Path, kind: str) -> None:
    """The user named the wrong thing; the bundle is not to blame."""
    path = tmp_path / kind
    if kind == "file":
        path.touch()

    with pytest.raises(UsageError, match="is not a directory") as caught:
        walk(path)
    assert caught.value.subject == str(path)


def test_an_endless_ignore_file_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns are matched against every file, so their number is bounded."""
    monkeypatch.setattr(shipping_rules, "MAX_IGNORE_BYTES", 10)

    with pytest.raises(LimitExceededError, match=r"\.modelopsignore is longer than 10 bytes"):
        walk(write_tree(tmp_path, {".modelopsignore": "x" * 11}))


def test_a_directory_that_vanishes_is_named(tmp_path: Path) -> None:
    """N21: what cannot be listed must not look like what is not there."""
    walker = tree._Walker(tmp_path, shipping_rules.ShippingRules())  # noqa: SLF001 - a race cannot be staged otherwise

    with pytest.raises(FileAccessError, match="cannot list gone: No such file or directory"):
        walker.visit("gone", excluded_as=None)


def test_an_ignore_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """E_IO: without its patterns, files would ship that must not."""
    write_tree(tmp_path, {".modelopsignore": "secret\n", "secret": ""})
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(FileAccessError, match=r"cannot read \.modelopsignore: Too many open files"):
            walk(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

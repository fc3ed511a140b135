"""Names of members: what cannot ship, what does not port."""

import pytest

from bundlekit.model.member import (
    NameProblem,
    colliding_paths,
    component_error,
    is_git_name,
    is_reserved_name,
    path_error,
    path_limit_error,
    portability_warnings,
)

_UNSAFE_PATHS = {
    "up": ("../x", "has the component '..'"),
    "up-inside": ("a/../x", "has the component '..'"),
    "here": ("./x", "has the component '.'"),
    "empty": ("", "has the component ''"),
    "double": ("a//x", "has the component ''"),
    "trailing": ("a/", "has the component ''"),
    "absolute": ("/x", "is absolute"),
    "network": ("//x", "is absolute"),
    "backslash": ("C:\\x", "contains a backslash or a slash"),
    "drive": ("C:/x", "starts with 'C:', which some systems take for another place"),
    "home": ("~/x", "starts with '~', which some systems take for another place"),
    "git": ("a/.git/hooks/pre-commit", "is in a directory that git takes for its own"),
    "reserved": (".bundlekit/x", "is in .bundlekit/, which is reserved"),
    "reserved-case": ("a/.BundleKit", "is in .bundlekit/, which is reserved"),
    "null": ("a\0b", "contains a control character"),
    "surrogate": ("a\udcff", "contains bytes that are not UTF-8 ('\\udcff')"),
}


@pytest.mark.parametrize(("path", "reason"), _UNSAFE_PATHS.values(), ids=_UNSAFE_PATHS)
def test_an_unsafe_path_is_refused_with_its_reason(path: str, reason: str) -> None:
    """Both sides use this one function: nothing that the packer ships is refused by the reader (A01, A02, N09)."""
    assert path_error(path) == reason


@pytest.mark.parametrize(
    "path", ["a", "a/b.c", "..a/b..", "a~", "x/~/y", "c:x", "é/日本", "a b/$x", ".github/x", "git/x"]
)
def test_a_harmless_path_is_accepted(path: str) -> None:
    """The twin: dots, spaces, dollars and accents are ordinary."""
    assert path_error(path) is None
    assert path_limit_error(path) is None


def test_a_slash_in_a_component_is_refused() -> None:
    """Names and versions of bundles are components too, of the archive's file name."""
    assert component_error("a/b") == "contains a backslash or a slash"


_LIMITS = {
    "component": ("x" * 256, "has a component of 256 bytes, more than 255"),
    "component-in-bytes": ("é" * 128, "has a component of 256 bytes, more than 255"),
    "path": ("/".join(["x" * 99] * 41), "is 4099 bytes long, more than 4096"),
    "depth-of-short-names": ("/".join("x" * 101), "is more than 100 levels deep"),
    "depth-of-long-names": ("/".join(["xyz"] * 101), "is more than 100 levels deep"),
}


@pytest.mark.parametrize(("path", "reason"), _LIMITS.values(), ids=_LIMITS)
def test_length_and_depth_are_limits(path: str, reason: str) -> None:
    """A30, N08: counted in the bytes of UTF-8, as file systems count."""
    assert path_limit_error(path) == reason


@pytest.mark.parametrize("path", ["x" * 255, "/".join("x" * 100), "/".join(["x" * 99] * 40) + "/" + "x" * 96])
def test_the_largest_allowed_path_is_accepted(path: str) -> None:
    """The twin: the limits themselves are allowed."""
    assert path_limit_error(path) is None


@pytest.mark.parametrize(
    "name", [".git", ".GIT", "git~1", "GIT~1", ".git ", ".git.", ".g\u200cit", ".git::$INDEX_ALLOCATION", ".git:x"]
)
def test_every_spelling_of_git_is_known(name: str) -> None:
    """N09: each of these is the repository's own directory on some file system."""
    assert is_git_name(name)


@pytest.mark.parametrize("name", ["git", ".gitignore", ".github", "git~2", "legit", "x.git", "~", "é"])
def test_other_names_are_not_git(name: str) -> None:
    """The twin."""
    assert not is_git_name(name)


def test_the_reserved_name_is_known_in_any_case() -> None:
    """On a file system that ignores case it is the same directory."""
    assert is_reserved_name(".BUNDLEKIT")
    assert not is_reserved_name("bundlekit")


def test_collisions_are_found_in_files_and_in_directories() -> None:
    """A17, N01; a directory collides once, whatever is in it."""
    paths = ["caf\u00e9/a", "cafe\u0301/b", "cafe\u0301/c", "x/\u00e9", "x/e\u0301"]

    assert colliding_paths(paths) == (("caf\u00e9", "cafe\u0301"), ("x/\u00e9", "x/e\u0301"))
    assert colliding_paths(["a", "A", "a/b"]) == ()


_DOES_NOT_PORT = {
    "device": ("aux.py", "is the name of a device on Windows"),
    "device-case": ("d/CON", "is the name of a device on Windows"),
    "device-double": ("nul.tar.gz", "is the name of a device on Windows"),
    "device-digit": ("LPT9", "is the name of a device on Windows"),
    "device-superscript": ("COM\u00b9", "is the name of a device on Windows"),
    "device-console": ("CONIN$", "is the name of a device on Windows"),
    "colon": ("a:b", "contains ':', which Windows forbids"),
    "question": ("a?b", "contains '?', which Windows forbids"),
    "angle": ("a<b", "contains '<', which Windows forbids"),
    "dot": ("a.", "ends in a dot or a space, which Windows drops"),
    "space": ("a ", "ends in a dot or a space, which Windows drops"),
}


@pytest.mark.parametrize(("path", "reason"), _DOES_NOT_PORT.values(), ids=_DOES_NOT_PORT)
def test_a_name_that_does_not_port_is_a_warning(path: str, reason: str) -> None:
    """N03, N04: the bundle ships all the same, since the cluster runs Linux."""
    assert portability_warnings([path]) == (NameProblem(path, reason),)
    assert path_error(path) is None


def test_names_that_differ_by_case_are_a_warning_once() -> None:
    """N02: on Windows and macOS one file takes the other's place."""
    reason = "differs from 'Data' only by case, which Windows and macOS ignore"

    assert portability_warnings(["Data/a", "data/b", "data/c"]) == (NameProblem("data", reason),)


@pytest.mark.parametrize("path", ["a.py", "auxiliary.py", "com.py", "comet/lpt.x", "console", "d/e/f.g"])
def test_a_name_that_ports_is_no_warning(path: str) -> None:
    """The twin."""
    assert portability_warnings([path]) == ()

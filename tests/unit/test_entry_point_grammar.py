"""One grammar of references, one verdict for each spelling (HOSTILE_CORPUS P04)."""

import pytest

from bundlekit.cold_runner.entry_point import parse_file_reference, parse_reference


@pytest.mark.parametrize(
    ("text", "module", "attributes"),
    [
        ("a:b", "a", ("b",)),
        ("a.b:c", "a.b", ("c",)),
        ("a:b.c", "a", ("b", "c")),
        (" a : b ", "a", ("b",)),
        ("é:ü", "é", ("ü",)),
        ("_a1:_b", "_a1", ("_b",)),
        ("match:type", "match", ("type",)),
    ],
)
def test_references_are_accepted(text: str, module: str, attributes: tuple[str, ...]) -> None:
    """What an import can find must not be refused."""
    reference = parse_reference(text)
    assert (reference.module, reference.path, reference.attributes) == (module, None, attributes)
    assert parse_file_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no object behind a colon"),
        ("a", "no object behind a colon"),
        ("a:", "no object behind a colon"),
        (":b", "no module before the colon"),
        (":", "no module before the colon"),
        ("a:b:c", "'b:c' is no Python name"),
        ("a/b:c", "'a/b' is no Python name"),
        ("a-b:c", "'a-b' is no Python name"),
        ("..a:b", "'' is no Python name"),
        ("a..b:c", "'' is no Python name"),
        ("a.:b", "'' is no Python name"),
        ("a:b [x]", "extras"),
        ("a:b()", "'b()' is no Python name"),
        ("a:b.", "'' is no Python name"),
        ("1a:b", "'1a' is no Python name"),
        ("a:class", "keyword"),
        ("a.import:b", "keyword"),
        ("a:b;import os", "'b;import os' is no Python name"),
        ("a b:c", "'a b' is no Python name"),
        ("a:b\nc", "is no Python name"),
        ("a.py:", "no object behind a colon"),
    ],
)
def test_references_are_refused_with_the_part_that_is_wrong(text: str, words: str) -> None:
    """Today importlib answers six of these with an AttributeError, far from the cause."""
    with pytest.raises(ValueError, match=r"^(expected|'a:b \[x\]' asks)") as refusal:
        parse_reference(text)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [("wire.py:run", "wire.py"), ("models/sir.py:run", "models/sir.py"), ("./models//sir.py:run", "models/sir.py")],
)
def test_a_file_may_stand_for_the_module_outside_entry_points(text: str, path: str) -> None:
    """.modelops/manifest.json has always been written so."""
    reference = parse_file_reference(text)
    assert (reference.module, reference.path, str(reference)) == (None, path, f"{path}:run")


@pytest.mark.parametrize(
    "text",
    [
        "/etc/wire.py:run",
        "../other/wire.py:run",
        "a/../../wire.py:run",
        "~/wire.py:run",
        "a\\b.py:run",
        "models/sir:run",
        "models/:run",
        "wire.py:a-b",
        "wire.py:class",
    ],
)
def test_files_outside_the_bundle_are_refused(text: str) -> None:
    """Today's warm runner loads any file of the machine."""
    with pytest.raises(ValueError, match=r"names|expected"):
        parse_file_reference(text)

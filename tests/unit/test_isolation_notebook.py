"""What an experiment keeps so that another can go on with it."""

from pathlib import Path

import pytest

from bundlekit.errors import FileAccessError, UsageError
from bundlekit.isolation.compare import Observation
from bundlekit.isolation.notebook import ColdFact, Notebook, WarmFact
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity

IDENTITY = GridIdentity(Digest.of(b"bundle"), Digest.of(b"tasks"), 3)
GAVE = Observation({"raw": "f00"}, None, None, 7, 0.5)
FAILED = Observation({}, "E_WIRE_RAISED", "caf\u00e9: \ud800", None, 0.5)
FACTS = (ColdFact(0, 0, GAVE), ColdFact(0, 1, FAILED), WarmFact((2, 0), (GAVE, FAILED), has_ended=True))


def written(path: Path) -> None:
    """Write all facts."""
    notebook = Notebook(path, IDENTITY)
    for fact in FACTS:
        notebook.keep(fact)
    notebook.close()


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    """Whatever was learnt is learnt."""
    written(tmp_path / "notes")
    again = Notebook(tmp_path / "notes", IDENTITY)
    assert again.facts == FACTS
    again.keep(FACTS[0])
    again.close()
    assert Notebook(tmp_path / "notes", IDENTITY).facts == (*FACTS, FACTS[0])


def test_a_line_that_was_cut_off_is_no_fact(tmp_path: Path) -> None:
    """A process can be killed while it writes, and the next begins its own lines behind."""
    path = tmp_path / "notes"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20] + b"\n" + lines[1])
    assert Notebook(path, IDENTITY).facts == (*FACTS[:2], FACTS[0])


@pytest.mark.parametrize(
    "text", [b"{}\n", b"a file of my own\n", b'{"schema": "bundlekit/grid-journal/1"}\n', b"\xff\n"]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: bytes) -> None:
    """A typing mistake must not write into the model's data."""
    path = tmp_path / "notes"
    path.write_bytes(text)
    with pytest.raises(UsageError, match="no experiment on this bundle and this grid"):
        Notebook(path, IDENTITY)
    assert path.read_bytes() == text


def test_facts_of_another_bundle_are_refused(tmp_path: Path) -> None:
    """They would acquit the changed code by what the old one did."""
    written(tmp_path / "notes")
    with pytest.raises(UsageError, match="no experiment on this bundle"):
        Notebook(tmp_path / "notes", IDENTITY._replace(bundle=Digest.of(b"changed")))


def test_a_file_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """Before hours are spent on what it should have held."""
    with pytest.raises(FileAccessError, match="cannot keep"):
        Notebook(tmp_path / "none" / "notes", IDENTITY)


def test_without_a_file_nothing_is_kept() -> None:
    """Most experiments are short."""
    notebook = Notebook(None, IDENTITY)
    notebook.keep(FACTS[0])
    notebook.close()
    assert notebook.facts == ()

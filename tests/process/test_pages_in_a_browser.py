"""The pages of real commands in a real Chromium, which has no network and runs no script."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.browser import Browser
from builders.isolation import isolated, leaking
from project_checkout import PROJECT, run, write_tree

from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.report.html.isolation import isolation_page

pytestmark = pytest.mark.process

_LEAKS = varied(
    ("import base64", "import base64\n\nSEEN = []"),
    ('    return {"raw": b"ok"}', '    SEEN.append(params["beta"])\n    return {"raw": b"%d" % (len(SEEN) > 2)}'),
    ("seed = 1", "seed = 1\nparams = {beta = 0.1}"),
)
_GRID = {"entrypoint": "main", "params": [{"beta": 0.1}, {"beta": 0.2}, {"beta": 0.3}], "seeds": [1]}


class Page(NamedTuple):
    """A page, and texts that it shows, in their order."""

    file: Path
    texts: tuple[str, ...]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """The pages of four commands, and two of outcomes that take long to come about."""
    top = tmp_path_factory.mktemp("pages")
    write_tree(top / "sound", SOUND)
    write_tree(top / "leaks", {**_LEAKS, "grid.json": json.dumps(_GRID)})
    write_tree(top / "hostile", _hostile())
    commands = {
        "passed": (0, ["validate", "sound"]),
        "failed": (1, ["validate", str(PROJECT / "examples" / "broken" / "missing-target"), "--level", "static"]),
        "hostile": (1, ["validate", "hostile", "--level", "static"]),
        "leaks": (1, ["isolation", "leaks", "--grid-spec", "leaks/grid.json", "--jobs", "2"]),
        "isolation level": (1, ["validate", "leaks", "--grid-spec", "leaks/grid.json", "--level", "isolation"]),
    }
    for name, (status, words) in commands.items():
        command = [sys.executable, "-m", "bundlekit", *words, "--output", f"html:{name}.html"]
        ran = run(command, top, VENVS_DIR=str(top / "environments"))
        assert (ran.status, ran.stdout) == (status, ""), ran.output
    (top / "many orders.html").write_text(isolation_page(leaking(100)), encoding="utf-8")
    (top / "isolated.html").write_text(isolation_page(isolated()), encoding="utf-8")
    return {name: Page(top / f"{name}.html", texts) for name, texts in _TEXTS.items()}


_TEXTS = {
    "passed": ("tiny 1", "Passed", "0 errors", "Stages", "smoke", "What a task needs", "Peak memory", "Workers"),
    "failed": ("measles 0.3.0", "Failed", "BK405", 'targets = ["targets.incidence:incidence_target"]', "Hint:"),
    "hostile": ("Failed", "BK", "<script>alert(1)</script>"),
    "leaks": (
        "tiny 1",
        "Leaks",
        "Tasks by order",
        "Task 2 gives something else after tasks 0 and 1",
        "--sequence 0,1,2",
    ),
    "isolation level": ("Failed", "BK820", "Isolation", "Leaks", "Task 2 gives something else", "--sequence 0,1,2"),
    "many orders": (
        "Leaks",
        "Tasks by order",
        "What changes what",
        "crashes",
        "State in extension modules",
        "The budget",
    ),
    "isolated": ("Isolated", "Tasks by order", "S: same as in a fresh process", "How far it looked"),
}


def _hostile() -> dict[str, str]:
    """Return a bundle whose texts want to be part of the page."""
    evil = "<script>alert(1)</script><img src=http://example.invalid/x onerror=alert(2)>"
    project = SOUND["pyproject.toml"].replace("tiny.model:loss", f"tiny.model:{evil}")
    return {**SOUND, "pyproject.toml": f"# {evil}\n{project}# {evil}\n"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all pages."""
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.mark.parametrize("name", list(_TEXTS))
def test_a_page_shows_all_of_it_without_network_and_script(
    name: str, pages: dict[str, Page], browser: Browser, tmp_path: Path
) -> None:
    """It is opened from a mail, on a train, or in ten years."""
    page = pages[name]
    shots = []
    for dark in (False, True):
        seen = browser.load(page.file, dark=dark)
        assert seen.requests == (page.file.as_uri(),)
        assert seen.complaints == ()
        assert [text for text in page.texts if text not in seen.text] == []
        assert [seen.text.index(text) for text in page.texts[:2]] == sorted(map(seen.text.index, page.texts[:2]))
        assert browser.style("body", "background-color") == ("rgb(20, 22, 26)" if dark else "rgb(255, 255, 255)")
        shot = tmp_path / f"{'dark' if dark else 'light'}.png"
        browser.screenshot(shot)
        shots.append(shot.read_bytes())
    assert shots[0] != shots[1]
    assert min(map(len, shots)) > 10_000


@pytest.mark.parametrize("name", list(_TEXTS))
def test_nothing_sticks_out_of_a_narrow_window(name: str, pages: dict[str, Page], browser: Browser) -> None:
    """What is wide scrolls by itself; a page that does is read line by line with two hands."""
    assert browser.load(pages[name].file, width=360).width == 360


def test_what_is_folded_on_a_screen_is_there_on_paper(pages: dict[str, Page], browser: Browser) -> None:
    """Nobody can unfold a sheet; and it is dark on white, whatever the screen is."""
    page = pages["isolated"].file
    assert "What each task gave in each order" not in browser.load(page).text
    printed = browser.load(page, dark=True, print_media=True)
    assert "What each task gave in each order" in printed.text
    assert browser.style("body", "background-color") == "rgb(255, 255, 255)"
    assert browser.printed().startswith(b"%PDF-")


def test_the_picture_has_a_name_and_a_description(pages: dict[str, Page], browser: Browser) -> None:
    """It is what a screen reader says of it, as the browser tells it."""
    browser.load(pages["many orders"].file)
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    [picture] = [
        node
        for node in nodes
        if node.get("name", {}).get("value") == "What each task gave in each order"
        and node["role"]["value"] in {"image", "img"}
    ]
    assert "reversed: 73 same, 24 different, 1 crashed, 1 skipped" in picture["description"]["value"]

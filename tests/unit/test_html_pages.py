"""Pages in HTML: complete, bounded, and safe whatever a bundle says."""

import itertools
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import NamedTuple

import pytest
from builders.isolation import blocked, isolated, leaking, outcome
from builders.reports import HOSTILE, finding, report, without_verdict

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.edit import AddRequirement
from bundlekit.model.envelope import Envelope, TaskEnvelope
from bundlekit.model.finding import Fixed, Obstacle, Severity, Stage, StageName, StageStatus, Unfixed
from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Cell, Divergence, IsolationOutcome, Order, Run, Verdict, Victim
from bundlekit.model.outcome import MemoryUse
from bundlekit.report.html.isolation import isolation_page
from bundlekit.report.html.reports import reports_page
from bundlekit.report.surroundings import Surroundings

_STYLE = files("bundlekit.report.html").joinpath("page.css").read_text(encoding="utf-8")
_VOID = {"meta"}
_MARKUP = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' &lt;b&gt; \u202e\x00\ud800 ${x}"
_AROUND = Surroundings()
_BY = ("aria-labelledby", "aria-describedby")


class Tag(NamedTuple):
    """One start tag."""

    name: str
    attributes: dict[str, str]


class _Reader(HTMLParser):
    """Reads a page as a browser does, and asserts that every element is ended in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, {name: value or "" for name, value in attrs}))
        assert len(dict(attrs)) == len(attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def named(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]


def _hostile_report_page() -> str:
    whole = report(
        finding(text=_MARKUP)._replace(path=_MARKUP, hint=_MARKUP, edit=AddRequirement(_MARKUP), code="BK101"),
        finding(text=HOSTILE, severity=Severity.INFO),
        path=_MARKUP,
        name=_MARKUP,
        obstacle=Obstacle(ErrorCode.IO, _MARKUP, _MARKUP),
    )
    whole = whole._replace(
        version=_MARKUP,
        stages=(Stage(StageName.SMOKE, StageStatus.FAILED, 1.0, _MARKUP),),
        envelope=Envelope((TaskEnvelope(_MARKUP, 1, None, 0.1, 2), TaskEnvelope("b", 1, None, 0.1, 2))),
        sandbox=_MARKUP,
        network=_MARKUP,
        difference=_MARKUP,
        fixed=(Fixed(finding()._replace(edit=AddRequirement(_MARKUP)), _MARKUP),),
        unfixed=(Unfixed(finding()._replace(edit=AddRequirement(_MARKUP)), _MARKUP, _MARKUP),),
        isolation=_hostile_outcome(),
    )
    sources = {_MARKUP: {_MARKUP: f"{_MARKUP}\n" * 9, "coin/wire.py": f"{_MARKUP}\n" * 9}}
    return reports_page([whole], _AROUND._replace(sources=sources))


def _hostile_outcome() -> IsolationOutcome:
    whole = leaking()
    order = Order(_MARKUP, (0, 1))
    victim = whole.victims[0]._replace(
        order=_MARKUP, divergence=Divergence(_MARKUP, _MARKUP, _MARKUP, _MARKUP), message=_MARKUP, command=_MARKUP
    )
    return whole._replace(
        label=_MARKUP,
        name=_MARKUP,
        version=_MARKUP,
        spec=_MARKUP,
        sandbox=_MARKUP,
        notes=(_MARKUP,),
        not_shown=(_MARKUP,),
        runs=(Run(order, (Cell.SAME, Cell.DIFFERENT), (1, 1), 0.1),),
        victims=(victim,),
        tasks=(GridTask(_MARKUP, {_MARKUP: _MARKUP}, 1),) * 16,
        native_state=tuple(
            each._replace(library=_MARKUP, symbol=_MARKUP, section=_MARKUP, reached_by=_MARKUP)
            for each in whole.native_state
        ),
        python_state=tuple(
            each._replace(kind=_MARKUP, name=_MARKUP, before=_MARKUP, after=_MARKUP) for each in whole.python_state
        ),
    )


_PAGES = {
    "a passed report": lambda: reports_page([report()], _AROUND),
    "a report with findings": lambda: reports_page([report(finding(), finding(line=None))], _AROUND),
    "several reports": lambda: reports_page([report(finding()), report(path="b")], _AROUND),
    "no report": lambda: reports_page([], _AROUND),
    "leaks": lambda: isolation_page(leaking()),
    "isolated": lambda: isolation_page(isolated()),
    "no verdict": lambda: isolation_page(blocked()),
    "a hostile report": _hostile_report_page,
    "a hostile outcome": lambda: isolation_page(_hostile_outcome()),
}


@pytest.mark.parametrize("page", [make() for make in _PAGES.values()], ids=list(_PAGES))
def test_a_page_runs_nothing_and_fetches_nothing(page: str) -> None:
    """A bundle's text is not trusted, and a report is opened by whoever gets it."""
    read = _Reader(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    policy = next(tag for tag in read.named("meta") if tag.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert {tag.name for tag in read.tags}.isdisjoint({"script", "img", "link", "iframe", "object", "base", "form"})
    assert page.count("</style>") == 1
    for tag in read.tags:
        assert not any(name.startswith("on") or name in {"src", "style"} for name in tag.attributes), tag
        assert tag.attributes.get("href", "#").startswith("#"), tag
        assert re.fullmatch(r"[a-z0-9]+", tag.name), tag
    assert "url(" not in _STYLE
    assert "@import" not in _STYLE


@pytest.mark.parametrize("page", [make() for make in _PAGES.values()], ids=list(_PAGES))
def test_a_page_can_be_found_ones_way_in_without_seeing_it(page: str) -> None:
    """A screen reader goes by headings, captions and names; a link must lead somewhere."""
    read = _Reader(page)
    names = [tag.attributes["id"] for tag in read.tags if "id" in tag.attributes]
    assert len(set(names)) == len(names)
    for tag in read.tags:
        targets = [tag.attributes.get("href", "").removeprefix("#"), *(tag.attributes.get(name, "") for name in _BY)]
        assert [target for target in targets if target and target not in names] == []
    levels = [int(tag.name[1]) for tag in read.tags if re.fullmatch("h[1-6]", tag.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(read.named("table")) == len(read.named("caption"))
    for picture in read.named("svg"):
        assert picture.attributes.get("role") == "img" or picture.attributes.get("aria-hidden") == "true"


def test_what_a_bundle_says_is_shown_as_it_is() -> None:
    """Escaped twice or left out, a message would be another one."""
    text = _Reader(_hostile_report_page()).text
    assert "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' &lt;b&gt;" in text
    assert "\\u202e\\x00\\ud800 ${x}" in text


def test_a_finding_comes_with_its_lines() -> None:
    """Who reads the page has no editor at hand."""
    text = "".join(f"row {number};\n" for number in range(1, 21))
    page = reports_page([report(finding(line=9))], _AROUND._replace(sources={"models/coin": {"coin/wire.py": text}}))
    assert re.findall(r"row (\d+);", page) == ["7", "8", "9", "10", "11"]
    assert '<span class="at"><i> 9  </i>row 9;</span>' in page


@pytest.mark.parametrize(("line", "shown"), [(1, [1, 2, 3]), (20, [18, 19, 20]), (None, []), (99, []), (0, [])])
def test_lines_that_are_not_there_are_not_made_up(line: int | None, shown: list[int]) -> None:
    """A file may have changed since it was checked."""
    text = "\n".join(f"<{number}>" for number in range(1, 21))
    page = reports_page([report(finding(line=line))], _AROUND._replace(sources={"models/coin": {"coin/wire.py": text}}))
    assert [int(number) for number in re.findall(r"&lt;(\d+)&gt;", page)] == shown


def test_errors_come_first() -> None:
    """What fails the bundle must not stand below a hundred notes."""
    found = [finding("BK101", Severity.INFO), finding("BK102", Severity.WARNING), finding("BK103")]
    text = _Reader(reports_page([report(*found)], _AROUND)).text
    assert text.index("BK103") < text.index("BK102") < text.index("BK101")


@pytest.mark.parametrize(
    ("made", "word", "sentence"),
    [
        (report(), "Passed", "0 errors."),
        (report(finding(), stage=StageStatus.FAILED), "Failed", "1 error. The stage static failed."),
        (report(stage=StageStatus.UNPROVED), "Passed, but unproved", "nothing is proved of a run"),
        (
            without_verdict("the budget was used up"),
            "Passed, but unproved",
            "0 errors. The isolation experiment came to no verdict: the budget was used up, 9 executions.",
        ),
        (report(obstacle=Obstacle(ErrorCode.IO, "disk full")), "No verdict", "E_IO: disk full"),
    ],
    ids=["passed", "failed", "unproved", "no verdict of the experiment", "no verdict"],
)
def test_the_verdict_of_a_report_comes_first(made: object, word: str, sentence: str) -> None:
    """It is what the page is opened for."""
    assert isinstance(made, type(report()))
    read = _Reader(reports_page([made], _AROUND))
    assert next(tag for tag in read.tags if tag.attributes.get("class", "").startswith("verdict"))
    assert f"coin 1.0 {word}" in read.text
    assert sentence in read.text
    assert read.text.startswith(f"coin 1.0: {word.lower()}")


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (Verdict.ISOLATED, "Isolated"),
        (Verdict.LEAKS, "Leaks"),
        (Verdict.CRASHES_WARM, "Crashes warm"),
        (Verdict.NONDETERMINISTIC, "Nondeterministic"),
        (None, "No verdict"),
    ],
)
def test_every_verdict_has_its_word(verdict: Verdict | None, word: str) -> None:
    """A verdict that the page does not know would be none."""
    read = _Reader(isolation_page(outcome(verdict)))
    assert read.text.startswith(f"leaky-cpp 1.0.0: {word.lower()}")
    assert f"leaky-cpp 1.0.0 {word}" in read.text


def test_what_to_do_is_told() -> None:
    """A verdict alone leaves its reader where they were."""
    assert "What to doallow more with --max-tasks" in _Reader(isolation_page(blocked())).text.replace(" What", "What")
    assert "set requires-fresh-process = true in" in _Reader(isolation_page(leaking())).text
    marked = _Reader(isolation_page(leaking()._replace(requires_fresh_process=True))).text
    assert "so no task follows another in one process" in marked
    assert "set requires-fresh-process" not in marked
    assert "it could go" in _Reader(isolation_page(isolated()._replace(requires_fresh_process=True))).text


def test_one_sequence_alone_makes_no_bundle_isolated() -> None:
    """It says that its last task is not changed by those before, and nothing of others."""
    whole = isolated()._replace(notes=("sequence_only",), requires_fresh_process=True)
    text = _Reader(isolation_page(whole)).text
    assert text.startswith("leaky-cpp 1.0.0: same")
    assert "The last task of the sequence gives what it gives in a fresh process." in text
    assert "it could go" not in text


def test_the_picture_and_its_table_tell_the_same() -> None:
    """Who cannot see the one reads the other."""
    page = isolation_page(leaking())
    cells = re.findall(r'<use href="#cell-(\w+)" x="', page)
    body = page[page.index("The same as a table") :]
    table = re.findall(r"<td>(same|different|crashed|skipped)</td>", body[: body.index("</details>")])
    assert sorted(cells) == sorted(table)
    assert {name: cells.count(name) for name in set(cells)} == {"same": 32, "different": 9, "crashed": 3, "skipped": 3}


def test_the_worst_of_a_task_that_ran_twice_is_shown() -> None:
    """One that differs the second time is changed, whatever it gave the first time."""
    run = Run(Order("repeated", (0, 0, 1)), (Cell.SAME, Cell.DIFFERENT, Cell.SKIPPED), (1, 1, None), 0.1)
    page = isolation_page(outcome(Verdict.LEAKS)._replace(runs=(run,)))
    assert re.findall(r'<use href="#cell-(\w+)" x="', page) == ["different", "skipped"]


def test_a_leak_is_told_with_its_sequence_command_divergence_and_state() -> None:
    """All that somebody needs who has to find it in the source."""
    text = _Reader(isolation_page(leaking())).text
    for said in (
        "Task 3 gives something else after tasks 0 and 2",
        "No shorter sequence does it.",
        "column 'infected', row 17 103.25 98.5 42".replace(" ", ""),
        "bundlekit isolation examples/leaky-cpp --grid-spec grid.json --sequence 0,2,3",
        "Task 14 crashes after tasks 0 and 2",
        "Fewer may do it",
        "SIGSEGV in phase call",
        "leaky::Model::simulate(double, unsigned long)::memo",
        ".bss + 0x1c40",
        "the library is stripped",
        "yes: with its first bytes back",
        "leaky.model._cache",
        "The budget was used up",
        "of which 1 failed in a fresh process",
    ):
        assert said in text or said in text.replace(" ", ""), said


def test_a_task_that_differs_by_itself_blames_no_other() -> None:
    """There is no sequence to show where the first run of a task differs from the second."""
    alone = Victim(2, "cold", Cell.DIFFERENT, (2,), is_minimal=True, divergence=None, message=None, command="again")
    text = _Reader(isolation_page(outcome(Verdict.NONDETERMINISTIC)._replace(victims=(alone,)))).text
    assert "Task 2 gives something else when it is run again" in text
    assert "Seen first in the order" not in text


@pytest.mark.parametrize(("text", "left_out"), [(_MARKUP, False), ("\"'" * 5000, True)], ids=["short", "long"])
def test_ten_thousand_findings_fit_in_a_page(text: str, left_out: bool) -> None:  # noqa: FBT001 - a column
    """A browser has to show it, and a mail to carry it."""
    page = reports_page([report(*[finding(text=f"number {number} {text}") for number in range(10_000)])], _AROUND)
    assert len(page.encode()) < 13 * 2**20
    told = re.search(r"([\d,]+) of 10,000 findings are left out", page)
    assert (told is not None) == left_out
    rest = 0 if told is None else int(told[1].replace(",", ""))
    assert len(set(re.findall(r"number (\d+) ", page))) == 10_000 - rest


def test_a_thousand_tasks_fit_in_a_page() -> None:
    """The picture is broken into rows as text is."""
    page = isolation_page(leaking(1001))
    assert len(page.encode()) < 2**20
    assert page.count('<use href="#cell-') == 3 * 1000 + 2 + 4
    longer = isolation_page(leaking(3000))
    assert "Shown are 4 of 4 orders, and 1,000 of 2,999 tasks." in _Reader(longer).text
    assert len(longer.encode()) < 2**20


def test_endless_lists_and_texts_are_cut() -> None:
    """Whatever a bundle leaves behind, the page can be opened."""
    whole = leaking()
    long = "<" * 1_000_000
    endless = whole._replace(
        victims=tuple(each._replace(message=long, command=long, sequence=(0,) * 5000) for each in whole.victims) * 500,
        native_state=whole.native_state * 500,
        python_state=tuple(each._replace(before=long, after=long, name=long) for each in whole.python_state) * 500,
        not_shown=(long,) * 1000,
        notes=(long,) * 1000,
    )
    page = isolation_page(endless)
    assert len(page.encode()) < 16 * 2**20
    text = _Reader(page).text
    assert "900 more tasks are left out." in text
    assert "The first 300 of 1,500" in text


def test_several_bundles_are_told_apart() -> None:
    """The verdict of one must not be taken for that of another."""
    page = reports_page([report(finding(), path="models/a"), report(path="models/b")], _AROUND)
    read = _Reader(page)
    assert "1 of 2 bundles failed." in read.text
    assert [tag.attributes["id"] for tag in read.named("article") if "id" in tag.attributes] == ["bundle-1", "bundle-2"]


def test_what_a_task_needs_is_told_with_what_follows() -> None:
    """A worker is given its memory before the first task."""
    envelope = Envelope((TaskEnvelope("main", 1, MemoryUse(300 * 2**20, 3), 1.25, 2048),) * 2)
    text = _Reader(reports_page([report()._replace(envelope=envelope)], _AROUND)).text
    assert "300 MiB or more" in text
    assert "memory limit 768 MiB, which is (peak + 256 MiB) / 0.8" in text
    assert "added up several times a second" in text


_PAIRS = [
    (ink, paper)
    for ink in ("ink", "muted", "error", "warning", "info", "good", "crash")
    for paper in ("paper", "panel")
] + [("paper", "error"), ("paper", "crash"), ("ink", "mark"), ("muted", "mark")]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_colour_of_text_has_the_contrast_that_reading_takes(scheme: str) -> None:
    """4.5 to 1: WCAG 2.2, success criterion 1.4.3."""
    colours = _colours(scheme)
    poor = {pair: ratio for pair in _PAIRS if (ratio := _contrast(colours[pair[0]], colours[pair[1]])) < 4.5}
    assert poor == {}


def _colours(scheme: str) -> dict[str, str]:
    blocks = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root {(.*?)}", _STYLE, re.DOTALL)
    ]
    light, dark, printed = blocks
    return {"light": light, "dark": dark, "print": printed}[scheme]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_what_a_use_element_shows_is_styled_without_ancestors() -> None:
    """It has none of those that the style sheet sees elsewhere: all cells of the picture were black once."""
    selectors = [line.partition("{")[0].strip() for line in _STYLE.splitlines() if "{" in line]
    styled = [selector for selector in selectors if ".cell-" in selector or ".letter" in selector]
    assert len(styled) >= 5
    assert [selector for selector in styled if " " in selector] == []

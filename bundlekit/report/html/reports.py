"""Reports of ``validate`` -> one page: the verdict, then what it stands on."""

from collections.abc import Iterator, Sequence

from bundlekit.model.counted import counted
from bundlekit.model.edit import summary
from bundlekit.model.finding import Fixed, Level, Report, StageName, StageStatus, Unfixed
from bundlekit.report.html.findings import findings_markup
from bundlekit.report.html.isolation import isolation_sections, isolation_summary
from bundlekit.report.html.markup import Markup, cut, element, paragraph, verbatim
from bundlekit.report.html.page import Section, Word, contents, facts, kicker, page, table, verdict
from bundlekit.report.html.stages import envelope_markup, stages_markup
from bundlekit.report.surroundings import Surroundings
from bundlekit.report.text import besides, counts

__all__ = ["reports_page"]

_MOST_BYTES = 12 * 1024 * 1024
"""What the findings of all bundles may take: a browser shows that in a second or two."""

_MOST_DIFFERENCE, _MOST_FIXES = 100_000, 500
_TEXT, _MESSAGE = 300, 2000

_REACH = {
    Level.STATIC: "Its files were read; nothing of it was run.",
    Level.IMPORT: "It was built, and its wire function and targets were imported; no task was run.",
    Level.SMOKE: "It was built and imported, and its smoke tasks were run, each in a process of its own.",
    Level.ISOLATION: "It was built, imported and run, and its tasks were run one after the other in one process.",
}


def reports_page(reports: Sequence[Report], around: Surroundings) -> str:
    """Return the page of all reports: of several one after the other, under a table of their verdicts."""
    if len(reports) == 1:
        [report] = reports
        sections = list(_sections(report, around, "", _MOST_BYTES))
        header = [kicker("validate"), *_heading(report, around, "h1"), contents(sections)]
        title = f"{_identity(report)}: {_word(report).text.lower()}"
        return page(title, header, [section.markup() for section in sections])
    failed = sum(not report.passed for report in reports)
    word, said = Word("Passed", "good"), f"All {len(reports)} bundles passed."
    if failed:
        word, said = Word("Failed", "error"), f"{failed} of {len(reports)} bundles failed."
    if not reports:
        word, said = Word("Nothing to validate", "warning"), "No bundle was found."
    header = [kicker("validate"), element("h1", {}, f"{len(reports)} bundles"), verdict(word, said)]
    most_bytes = _MOST_BYTES // max(1, len(reports))
    articles = [_article(report, around, number, most_bytes) for number, report in enumerate(reports, 1)]
    return page(f"{len(reports)} bundles: {word.text.lower()}", header, [_overview(reports), *articles])


def _overview(reports: Sequence[Report]) -> Markup:
    rows = []
    for number, report in enumerate(reports, 1):
        word = _word(report)
        link = element("a", {"href": f"#bundle-{number}"}, cut(report.path, _TEXT))
        rows.append(
            (
                element("th", {"scope": "row", "class": "text"}, link),
                element("td", {"class": word.kind}, word.text),
                element("td", {"class": "text"}, cut(_identity(report), _TEXT)),
                element("td", {}, counts(report.findings)),
            )
        )
    return table("Every bundle", ("Bundle", "Verdict", "Name", "Findings"), rows) if rows else Markup("")


def _article(report: Report, around: Surroundings, number: int, most_bytes: int) -> Markup:
    sections = [each.markup("h3") for each in _sections(report, around, f"bundle-{number}-", most_bytes)]
    attributes = {"class": "bundle", "id": f"bundle-{number}"}
    return element("article", attributes, *_heading(report, around, "h2"), *sections)


def _heading(report: Report, around: Surroundings, level: str) -> list[Markup]:
    ran, place = report.sandbox != "none", around.path(report.path, None)
    return [
        element(level, {}, cut(_identity(report), _TEXT)),
        verdict(_word(report), _sentence(report)),
        facts(
            [
                ("Bundle", None if place == "." else element("code", {}, cut(place, _TEXT))),
                ("Digest", None if report.digest is None else element("code", {}, report.digest)),
                ("Dependencies", None if report.deps_hash is None else element("code", {}, report.deps_hash)),
                ("Level", f"{report.level.value}. {_REACH[report.level]}" if report.passed else report.level.value),
                ("Sandbox", f"{report.sandbox}, network {report.network}" if ran else None),
            ]
        ),
    ]


def _identity(report: Report) -> str:
    """Return the name and version; the digest has a line of its own."""
    return report.path if report.name is None else " ".join((report.name, report.version or "")).rstrip()


def _word(report: Report) -> Word:
    if report.obstacle is not None:
        return Word("No verdict", "warning")
    if not report.passed:
        return Word("Failed", "error")
    return Word("Passed, but unproved", "warning") if report.unproved else Word("Passed", "good")


def _sentence(report: Report) -> str:
    if report.obstacle is not None:
        return f"{report.obstacle.code.value}: {cut(report.obstacle.message, _MESSAGE)}"
    said = ", ".join((counts(report.findings), *besides(report)))
    failed = [stage.name.value for stage in report.stages if stage.status is StageStatus.FAILED]
    if failed:
        return f"{said}. The stage {', '.join(failed)} failed."
    unproved = {stage.name: stage.detail for stage in report.stages if stage.status is StageStatus.UNPROVED}
    if StageName.ISOLATION in unproved:
        return f"{said}. The isolation experiment came to {cut(unproved[StageName.ISOLATION] or '', _MESSAGE)}."
    if unproved:
        return f"{said}. No smoke task is described, and the default one failed, so nothing is proved of a run."
    return f"{said}."


def _sections(report: Report, around: Surroundings, prefix: str, most_bytes: int) -> Iterator[Section]:
    if report.obstacle is not None and report.obstacle.hint:
        yield Section(f"{prefix}hint", "What to do", paragraph(cut(report.obstacle.hint, _MESSAGE)))
    found = findings_markup(report.findings, around.sources.get(report.path, {}), most_bytes)
    yield Section(f"{prefix}findings", "Findings", found)
    if report.fixed or report.unfixed:
        yield Section(f"{prefix}fixes", "Fixes", _fixes(report))
    if report.difference:
        shown = verbatim(cut(report.difference, _MOST_DIFFERENCE))
        yield Section(f"{prefix}difference", "What --fix would change", shown)
    if report.stages:
        yield Section(f"{prefix}stages", "Stages", stages_markup(report.stages))
    if report.envelope is not None:
        yield Section(f"{prefix}needs", "What a task needs", envelope_markup(report.envelope))
    if report.isolation is not None:
        yield Section(f"{prefix}isolation", "Isolation", isolation_summary(report.isolation))
        yield from isolation_sections(report.isolation, f"{prefix}isolation-")


def _fixes(report: Report) -> Markup:
    done, not_done = ("fixed", "not fixed") if report.difference is None else ("would be fixed", "would not be fixed")
    rows: list[tuple[Fixed | Unfixed, str, str]] = [(made, done, "") for made in report.fixed[:_MOST_FIXES]]
    rows += [(left, not_done, left.reason) for left in report.unfixed[:_MOST_FIXES]]
    cells = [
        (
            element("td", {"class": "text"}, element("code", {}, cut(each.path, _TEXT))),
            element("td", {}, each.finding.code),
            element("td", {}, word),
            element("td", {"class": "text"}, cut(_change(each), _TEXT), f": {cut(reason, _TEXT)}" if reason else ""),
        )
        for each, word, reason in rows
    ]
    count = len(report.fixed) + len(report.unfixed)
    caption = counted(count, "finding") if count == len(cells) else f"The first {len(cells)} of {count:,}"
    return table(caption, ("File", "Rule", "", "Change"), cells)


def _change(made: Fixed | Unfixed) -> str:
    return "" if made.finding.edit is None else summary(made.finding.edit)

"""The page around the sections of a report."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

from bundlekit.report.documents import TOOL
from bundlekit.report.html.markup import Content, Markup, element, joined, paragraph

__all__ = ["Section", "Word", "contents", "facts", "kicker", "page", "table", "verdict"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Word(NamedTuple):
    """A verdict in a word, and its class: good, warning, error or crash, each with a shape of its own."""

    text: str
    kind: str


class Section(NamedTuple):
    """One part of a page; `name` is its fragment, unique in the page."""

    name: str
    title: str
    content: Markup

    def markup(self, level: str = "h2") -> Markup:
        """Return the section under its heading, which is of that level."""
        heading = element(level, {"id": f"{self.name}-title"}, self.title)
        return element("section", {"id": self.name, "aria-labelledby": f"{self.name}-title"}, heading, self.content)


def page(title: str, header: Iterable[Content], main: Iterable[Content]) -> str:
    """Return the whole document, without a script and without anything that would be fetched."""
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    head = joined(
        [
            Markup('<meta charset="utf-8">\n'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'),
            Markup(f'<meta name="generator" content="{TOOL}">\n'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">\n'),
            Markup('<meta name="color-scheme" content="light dark">\n'),
            Markup('<meta name="referrer" content="no-referrer">\n'),
            element("title", {}, title),
            Markup(f"\n<style>\n{style}</style>\n"),
        ]
    )
    foot = element("footer", {}, paragraph(f"Written by {TOOL}. This page runs no script and fetches nothing."))
    body = element("body", {}, element("header", {}, *header), Markup("\n"), element("main", {}, *main), foot)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head.html}</head>\n{body.html}\n</html>\n'


def verdict(word: Word, sentence: str) -> Markup:
    """Return the verdict as what is seen first."""
    said = element("span", {}, sentence)
    texts = element("div", {}, element("strong", {}, word.text), said)
    return element("div", {"class": f"verdict {word.kind}"}, _SHAPES[word.kind], texts)


def kicker(command: str) -> Markup:
    """Return the line above a title, which says what gave the report."""
    return paragraph(f"bundlekit {command}", kind="kicker")


def facts(pairs: Sequence[tuple[str, Content | None]]) -> Markup:
    """Return a list of names and what they are; those that are None are left out."""
    rows = [joined([element("dt", {}, name), element("dd", {}, value)]) for name, value in pairs if value is not None]
    return element("dl", {"class": "facts"}, *rows)


def contents(sections: Iterable[Section]) -> Markup:
    """Return links to the sections."""
    links = [element("li", {}, element("a", {"href": f"#{each.name}"}, each.title)) for each in sections]
    return element("nav", {"class": "contents", "aria-label": "Contents"}, element("ul", {}, *links))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Markup]]) -> Markup:
    """Return a table that scrolls where it is too wide; `rows` hold its cells. A column in # is of numbers."""
    headings = [
        element("th", {"scope": "col", **({"class": "number"} if name.endswith("#") else {})}, name.removesuffix("#"))
        for name in columns
    ]
    body = [element("tr", {}, *row) for row in rows]
    whole = element(
        "table",
        {},
        element("caption", {}, caption),
        element("thead", {}, element("tr", {}, *headings)),
        element("tbody", {}, *body),
    )
    return element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption}, whole)


def _shape(*lines: Markup) -> Markup:
    attributes = {"viewBox": "0 0 24 24", "aria-hidden": "true", "fill": "none", "stroke": "currentColor"}
    return element("svg", {**attributes, "stroke-width": 2, "stroke-linecap": "round"}, *lines)


_SHAPES = {
    "good": _shape(element("circle", {"cx": 12, "cy": 12, "r": 10}), element("path", {"d": "M7 12.5l3.5 3.5L17 9"})),
    "warning": _shape(
        element("path", {"d": "M12 2.5 22 20.5H2z", "stroke-linejoin": "round"}),
        element("path", {"d": "M12 9v5M12 17.2v.1"}),
    ),
    "error": _shape(
        element("path", {"d": "M12 1.5 22.5 12 12 22.5 1.5 12z", "stroke-linejoin": "round"}),
        element("path", {"d": "M9 9l6 6M15 9l-6 6"}),
    ),
    "crash": _shape(
        element("path", {"d": "M8 2h8l6 6v8l-6 6H8l-6-6V8z", "stroke-linejoin": "round"}),
        element("path", {"d": "M13 6l-3 6h4l-3 6"}),
    ),
}

"""HTML and SVG as a value that a text cannot be taken for: the one place where texts are escaped.

See: HTML Living Standard, "Parsing HTML documents"; of SVG inside of HTML the same parser reads the same characters.
"""

import html
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bundlekit.report.printable import printable_lines

__all__ = ["Content", "Markup", "cut", "element", "joined", "paragraph", "verbatim"]


class Markup(NamedTuple):
    """Elements as text; made by the functions below, and of our own literals, alone."""

    html: str

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.html)


Content = Markup | str
"""What an element may hold: elements as they are, and texts, which are escaped."""

_VALUES = Mapping[str, str | int | float]
_NONE: _VALUES = {}
_PARTS = {"article", "details", "div", "figure", "footer", "header", "section", "svg", "defs", "desc", "g"}
_BLOCKS = _PARTS | {"caption", "dd", "dl", "h1", "h2", "h3", "li", "ol", "p", "pre", "summary", "table", "tr", "ul"}


def element(tag: str, attributes: _VALUES = _NONE, *content: Content) -> Markup:
    """Return the element with its content; `tag` and the names of `attributes` are ours, their values need not be."""
    values = "".join(f' {name}="{_escaped(_value(value))}"' for name, value in attributes.items())
    # For whoever reads the source, or a difference of it: between these a line end shows nothing.
    end = "\n" if tag in _BLOCKS else ""
    return Markup(f"<{tag}{values}>{joined(content).html}</{tag}>{end}")


def paragraph(*content: Content, kind: str | None = None) -> Markup:
    """Return a paragraph, of the class `kind` if there is one."""
    return element("p", {} if kind is None else {"class": kind}, *content)


def joined(content: Iterable[Content]) -> Markup:
    """Return all of it, one after the other."""
    return Markup("".join(each.html if isinstance(each, Markup) else _escaped(each) for each in content))


def verbatim(text: str) -> Markup:
    """Return a text with its line ends kept."""
    # The parser drops the first line end after the tag.
    return element("pre", {}, Markup("\n"), text)


def cut(text: str, most: int) -> str:
    """Return at most so many characters of `text`, and dots for the others."""
    return text if len(text) <= most else f"{text[:most]}..."


def _escaped(text: str) -> str:
    """Return `text` as HTML that shows it; what moves, hides or reorders text is shown by its escape sequence."""
    return html.escape(printable_lines(text), quote=True)


def _value(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

"""Names and messages made safe for a terminal and for documents that other programs read."""

__all__ = ["printable", "printable_lines"]


def printable(text: str) -> str:
    """Return `text` with everything that could move a cursor, change a colour or reorder a line shown escaped.

    Bundles are not trusted: a file's name or an exception's message may hold terminal control sequences.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def printable_lines(text: str) -> str:
    """Return `text` with its line ends kept and all else escaped as on a terminal.

    What is left can be written in every format: lone surrogates, and characters that XML does not allow, are escaped.
    """
    return "\n".join(printable(line) for line in text.split("\n"))

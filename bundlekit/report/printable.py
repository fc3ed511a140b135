"""Names and messages made safe for a terminal."""

__all__ = ["printable"]


def printable(text: str) -> str:
    """Return `text` with everything that could move a cursor, change a colour or reorder a line shown escaped.

    Bundles are not trusted: a file's name or an exception's message may hold terminal control sequences.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )

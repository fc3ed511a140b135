"""A project becomes an archive; an archive becomes a verified directory (DESIGN decisions 1 and 2)."""

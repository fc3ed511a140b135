"""Two outputs of one format, compared by their values: each module returns the first difference, None for equal values.

What cannot be read as its format, or would need too much memory for it, is told by `UnreadableError`.
"""

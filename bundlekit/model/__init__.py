"""Frozen values without I/O: what a bundle is, what was found in it, what a task gave.

Values are NamedTuples rather than dataclasses: a dataclass costs a millisecond when its module is imported, and the
command line imports these on every start. JSON documents have their shapes as TypedDicts in ``documents``.
"""

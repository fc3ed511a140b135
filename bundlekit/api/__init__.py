"""The use cases, and the only place where stages meet: `validation`, `archives`, `running` and `catalogue`.

Every function takes paths and options and returns values; none prints or exits.
"""

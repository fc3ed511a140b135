"""Environments and bundle code: chooses an interpreter, installs dependencies, lays out the bundle, and caches both.

:func:`.bundle_code.prepare` is the way in; what it yields is all that running a task needs to know of this package.
"""

"""The JSON documents that bundlekit writes and reads, as TypedDicts; schemas/ is generated from these.

A document's keys are the interface of other programs: adding one is a minor change, renaming one needs a new schema
number. Import these for types alone: pydantic, which writes the schemas, reads on Python 3.11 only the TypedDict of
typing_extensions, which is slow to import.
"""

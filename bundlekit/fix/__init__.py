"""Findings to edits of the bundle's files: pure functions from texts to texts, each checked before it counts."""

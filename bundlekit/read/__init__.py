"""Disk to model: the tree, pyproject.toml and its kin, sources; nothing of a bundle is ever imported or run."""

"""Project to findings: pure functions over what was read; nothing of a bundle is imported or run."""

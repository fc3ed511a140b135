"""Executors: one port, one result type, one task identity, whether a task gets a process of its own or not."""

"""Executors: one port, one result type, one task identity. In this version: cold, a fresh process for each task."""

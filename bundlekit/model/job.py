"""What a job specification, a study or a grid file asks of a bundle beside targets and smoke tasks."""

from typing import NamedTuple

from bundlekit.model.place import Place, Text

__all__ = ["Job", "TaskEntrypoint"]


class TaskEntrypoint(NamedTuple):
    """The entrypoint of a task. `in_task`: the platform makes a task of it; else only bundlekit's grid reads it."""

    value: str
    place: Place
    in_task: bool


class Job(NamedTuple):
    """The names in one document: each entrypoint once, registered target sets, and ids of registered targets."""

    path: str
    entrypoints: tuple[TaskEntrypoint, ...] = ()
    target_sets: tuple[Text, ...] = ()
    target_ids: tuple[Text, ...] = ()

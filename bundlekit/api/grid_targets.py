"""What a job specification wants to be made of the results of its tasks: target functions, over replicates."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import TaskRefusedError
from bundlekit.model.grid import GridTask
from bundlekit.model.losses import Replicates
from bundlekit.model.nearest import nearest_name
from bundlekit.model.registry import Registry
from bundlekit.read.job_spec import read_job_spec

__all__ = ["Targets", "replicates_of", "targets_of"]


class Targets(NamedTuple):
    """Target functions by their entrypoints, each once, and those of each target set by the set's name."""

    entrypoints: tuple[str, ...] = ()
    sets: Mapping[str, tuple[str, ...]] = {}


def targets_of(spec: Path, registry: Registry | None) -> Targets:
    """Return the targets that the file at `spec` names: as functions, or as what `registry` calls them.

    Raises:
        TaskRefusedError: a name that is neither.
    """
    asked = read_job_spec(spec, spec.parent, [])
    named = {each.id: each.entrypoint.value for each in registry.targets if each.entrypoint} if registry else {}
    known = {each.id: tuple(text.value for text in each.targets) for each in registry.target_sets} if registry else {}
    job = asked.job
    names = [each.value for each in asked.targets] + [text.value for text in (job.target_ids if job else ())]
    sets = {
        text.value: tuple(_entrypoint(name, named, spec) for name in _members(text.value, known, spec))
        for text in (job.target_sets if job else ())
    }
    alone = [_entrypoint(name, named, spec) for name in names]
    return Targets(tuple(dict.fromkeys([*alone, *(target for each in sets.values() for target in each)])), sets)


def replicates_of(tasks: Iterable[GridTask], targets: Targets) -> tuple[Replicates, ...]:
    """Return which tasks the target functions are to be run on together; none where there are no targets."""
    if not targets.entrypoints:
        return ()
    sets: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        sets.setdefault(task.without_seed, []).append(number)
    return tuple(
        Replicates(number, tuple(members), targets.entrypoints) for number, members in enumerate(sets.values())
    )


def _members(name: str, known: Mapping[str, tuple[str, ...]], spec: Path) -> tuple[str, ...]:
    if name not in known:
        raise _unknown("target set", name, known, spec)
    return known[name]


def _entrypoint(name: str, named: Mapping[str, str], spec: Path) -> str:
    if name in named:
        return named[name]
    if not {":", "/"} & set(name):
        raise _unknown("target", name, named, spec)
    return name


def _unknown(kind: str, name: str, known: Iterable[str], spec: Path) -> TaskRefusedError:
    near = nearest_name(name, list(known))
    hint = f"did you mean {near!r}?" if near else "register it, or name a target function as module:function"
    return TaskRefusedError(f"{spec} names the {kind} {name!r:.100}, which is not registered", subject=name, hint=hint)

"""What is to be run: one simulation, replicates of one, or an aggregation of simulations; and what the latter gives.

See: CONTRACT sections 3 and 7.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bundlekit.errors import ContractError
from bundlekit.model.contracts.artifacts import SimReturn, TableArtifact
from bundlekit.model.contracts.fields import check_finite, check_text, check_whole, frozen_mapping, wrong
from bundlekit.model.contracts.parameters import UniqueParameterSet
from bundlekit.model.digest import Digest
from bundlekit.model.task_grammar import grammar_problem

__all__ = ["MAX_SEED", "AggregationReturn", "AggregationTask", "ReplicateSet", "SimTask", "digest_of_reference"]

MAX_SEED = (1 << 64) - 1
_DEFAULT_ENTRYPOINT = "main"
_ID_DIGITS = 16


def digest_of_reference(bundle_ref: object) -> Digest:
    """Return the digest that a bundle reference, ``[repository@]sha256:...``, ends with.

    Raises:
        ContractError: it does not end with one.
    """
    text = bundle_ref if isinstance(bundle_ref, str) else ""
    # A reference that starts with '@' has no repository: the whole of it is no digest then.
    digest = text.rpartition("@")[2] if not text.startswith("@") else text
    try:
        return Digest.parse(digest)
    except ValueError:
        raise wrong("bundle_ref: expected [repository@]sha256: and 64 lower-case hex digits", bundle_ref) from None


@dataclass(frozen=True)
class SimTask:
    """One simulation of a bundle.

    `entrypoint` is ``package.module.Class/scenario``, ``package.module:object``, or ``main``, the default that the wire
    function gives a meaning. `outputs` are the names asked for, sorted; None asks for all. `env` are variables of the
    task's own, which are no part of its identity. `config` is kept for whoever makes tasks of it; a wire function has
    no parameter that would take it.
    """

    bundle_ref: str
    entrypoint: str
    params: UniqueParameterSet
    seed: int
    outputs: tuple[str, ...] | None = None
    config: Mapping[str, object] | None = None
    env: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Check and freeze.

        Raises:
            ContractError: a field is not as the contract has it; the message names the field.
        """
        digest_of_reference(self.bundle_ref)
        if self.entrypoint != _DEFAULT_ENTRYPOINT:
            _check_grammar("entrypoint", self.entrypoint)
        _check_type("params", self.params, UniqueParameterSet)
        _check_seed(self.seed)
        if self.outputs is not None:
            object.__setattr__(self, "outputs", _output_names(self.outputs))
        if self.config is not None:
            object.__setattr__(self, "config", frozen_mapping("config", self.config))
        if self.env is not None:
            object.__setattr__(self, "env", frozen_mapping("env", self.env))


@dataclass(frozen=True)
class ReplicateSet:
    """`n_replicates` simulations that differ in their seeds alone: the base task's, plus `seed_offset`, and on."""

    base_task: SimTask
    n_replicates: int
    seed_offset: int = 0

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ContractError: there is no replicate, or a seed of one would not be one.
        """
        _check_type("base_task", self.base_task, SimTask)
        check_whole("n_replicates", self.n_replicates, 1)
        check_whole("seed_offset", self.seed_offset, 0)
        _check_seed(self.base_task.seed + self.seed_offset + self.n_replicates - 1)

    def tasks(self) -> list[SimTask]:
        """Return the simulations, in the order of their seeds."""
        first = self.base_task.seed + self.seed_offset
        return [replace(self.base_task, seed=first + position) for position in range(self.n_replicates)]


@dataclass(frozen=True)
class AggregationTask:
    """One call of a target function: which, on which simulations' results, against which data."""

    bundle_ref: str
    target_entrypoint: str
    sim_returns: Sequence[SimReturn]
    target_data: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        """Check and freeze.

        Raises:
            ContractError: a field is not as the contract has it; the message names the field.
        """
        digest_of_reference(self.bundle_ref)
        _check_grammar("target_entrypoint", self.target_entrypoint)
        object.__setattr__(self, "sim_returns", _sim_returns(self.sim_returns))
        if self.target_data is not None:
            object.__setattr__(self, "target_data", frozen_mapping("target_data", self.target_data))

    def aggregation_id(self) -> str:
        """Return the ecosystem's id of this aggregation: 16 hex digits over the target and the simulations' ids."""
        task_ids = ",".join(sorted(each.task_id for each in self.sim_returns))
        text = f"{self.target_entrypoint}:{task_ids}"
        return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True)
class AggregationReturn:
    """The result of one aggregation; `loss` is finite."""

    aggregation_id: str
    loss: float
    diagnostics: Mapping[str, object]
    outputs: Mapping[str, TableArtifact]
    n_replicates: int

    def __post_init__(self) -> None:
        """Check and freeze.

        Raises:
            ContractError: a field is not as the contract has it; the message names the field.
        """
        check_text("aggregation_id", self.aggregation_id)
        check_finite("loss", self.loss)
        check_whole("n_replicates", self.n_replicates, 1)
        object.__setattr__(self, "diagnostics", frozen_mapping("diagnostics", self.diagnostics))
        object.__setattr__(self, "outputs", frozen_mapping("outputs", self.outputs))


def _check_grammar(field: str, value: str) -> None:
    check_text(field, value)
    problem = grammar_problem(value)
    if problem is not None:
        hint = None if problem.nearest is None else f"did you mean {problem.nearest!r}?"
        raise ContractError(f"{field}: {value!r:.120} cannot be run, {problem.reason}", subject=value, hint=hint)
    if ".." in value.replace("/", ":").partition(":")[0]:
        raise wrong(f"{field}: expected one '.' between packages and modules", value)


def _check_seed(seed: object) -> None:
    check_whole("seed", seed, 0, MAX_SEED, told="a whole number from 0 to 2**64 - 1")


def _check_type(field: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise wrong(f"{field}: expected a {kind.__name__}", value)


def _sim_returns(given: object) -> tuple[object, ...]:
    returns = tuple(given) if isinstance(given, Iterable) else ()
    if not returns:
        raise wrong("sim_returns: expected at least one", given)
    for position, each in enumerate(returns):
        _check_type(f"sim_returns[{position}]", each, SimReturn)
    return returns


def _output_names(names: object) -> tuple[str, ...]:
    found = [] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
    texts = [name for name in found if isinstance(name, str) and name]
    if not texts or len(texts) != len(found) or len(set(texts)) != len(texts):
        raise wrong("outputs: expected distinct names, or None for all outputs", names)
    return tuple(sorted(texts))

"""The contracts' task and result types, with their fields, limits and ids: what executors take in and give back.

Whoever has the ecosystem's own types can use those instead: executors look at the shape of a task, and return types
from whatever namespace they are given. Here is refused what the ecosystem lets pass by mistake: a digest that is not 64
lower-case hex digits, a seed that is a bool, a checksum that does not fit the data, a parameter id of other parameters.

Unlike the rest of `model` these are dataclasses: they check what they are made of, and nothing of the command line
loads them.

See: CONTRACT section 7.
"""

from bundlekit.model.contracts.artifacts import INLINE_CAP, ErrorInfo, SimReturn, TableArtifact
from bundlekit.model.contracts.parameters import Scalar, SimParams, UniqueParameterSet
from bundlekit.model.contracts.tasks import AggregationReturn, AggregationTask, ReplicateSet, SimTask

__all__ = [
    "INLINE_CAP",
    "AggregationReturn",
    "AggregationTask",
    "ErrorInfo",
    "ReplicateSet",
    "Scalar",
    "SimParams",
    "SimReturn",
    "SimTask",
    "TableArtifact",
    "UniqueParameterSet",
]

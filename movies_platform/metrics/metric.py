"""A pure function and its contract: an answer.

The function's parameters name the core tables it reads, as relations of DuckDB; it returns a relation, which is
computed in the database when `metrics.assets` stores it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from movies_platform.contracts.relations import Relation

Compute = Callable[..., Relation]


@dataclass(frozen=True)
class Metric:
    """The function that computes the rows of a table."""

    contract: sa.Table
    compute: Compute

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the core tables that the function asks for."""
        return tuple(inspect.signature(self.compute).parameters)


def metric(contract: sa.Table) -> Callable[[Compute], Metric]:
    """Make the decorated function the metric that fills `contract`."""
    return lambda compute: Metric(contract, compute)

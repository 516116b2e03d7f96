"""A pure function and its contract -> an asset.

The function's parameters name the core tables it reads, as relations of DuckDB; it returns a relation, which is
computed in the database. The asset is named like the function and its table. The I/O manager loads and stores;
the checks see the rows before they are stored, so that rows that break their contract never replace a good table.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movies_platform.checks.outcomes import results_of
from movies_platform.checks.registry import checks_of, run_checks, specs_of
from movies_platform.contracts.catalogue import asset_key, table_spec
from movies_platform.contracts.relations import Relation
from movies_platform.contracts.tables import table_named
from movies_platform.resources import warehouse
from movies_platform.resources.codelinks import SOURCE
from movies_platform.resources.io_manager import stage

Compute = Callable[..., Relation]


def metric(contract: sa.Table) -> Callable[[Compute], dg.AssetsDefinition]:
    """Make the decorated function the asset of `contract`."""

    def decorate(compute: Compute) -> dg.AssetsDefinition:
        inputs = {
            name: dg.AssetIn(asset_key(table_named(f"core.{name}"))) for name in inspect.signature(compute).parameters
        }

        def build(**tables: Relation) -> Iterator[Any]:
            with warehouse.opened() as connection:
                staged = stage(connection, contract, compute(**tables))
                yield from results_of(run_checks(connection, checks_of([contract]), relation=staged.alias))
                yield dg.Output(staged)

        setattr(build, SOURCE, compute)  # what the catalogue links to
        make: Callable[..., dg.AssetsDefinition] = dg.asset(
            **table_spec(contract), ins=inputs, check_specs=specs_of([contract]), io_manager_key="io_manager",
            pool="duckdb",
        )  # fmt: skip
        return make(build)

    return decorate

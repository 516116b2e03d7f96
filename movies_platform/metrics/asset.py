"""A pure function and its contract -> an asset.

The function's parameters name the core tables it reads; the asset is named like the function and its
table. The I/O manager loads and stores; the checks see the frame before it is stored, so that a frame
that breaks its contract never replaces a good table.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from movies_platform.checks.outcomes import Outcome, results_of
from movies_platform.checks.registry import checks_of, run_checks, specs_of
from movies_platform.contracts.catalogue import asset_key, table_spec
from movies_platform.contracts.frames import conform
from movies_platform.contracts.tables import table_named
from movies_platform.resources import warehouse
from movies_platform.resources.codelinks import SOURCE
from movies_platform.resources.io_manager import stage

Compute = Callable[..., pd.DataFrame]


def metric(contract: sa.Table, **columns: Sequence[str]) -> Callable[[Compute], dg.AssetsDefinition]:
    """Make the decorated function the asset of `contract`.

    `columns` says which columns of a table it reads, where it does not need all.
    """

    def decorate(compute: Compute) -> dg.AssetsDefinition:
        parameters = list(inspect.signature(compute).parameters)
        inputs = {
            name: dg.AssetIn(asset_key(table_named(f"core.{name}")), metadata={"columns": list(columns.get(name, ()))})
            for name in parameters
        }

        def build(**frames: pd.DataFrame) -> Iterator[Any]:
            frame = conform(compute(**frames), contract)
            yield from results_of(check_frame(frame, contract))
            yield dg.Output(frame)

        setattr(build, SOURCE, compute)  # what the catalogue links to
        make: Callable[..., dg.AssetsDefinition] = dg.asset(
            **table_spec(contract), ins=inputs, check_specs=specs_of([contract]), io_manager_key="io_manager",
            pool="duckdb",
        )  # fmt: skip
        return make(build)

    return decorate


def check_frame(frame: pd.DataFrame, contract: sa.Table) -> list[Outcome]:
    """Run the checks of `contract` on a conforming frame that is not stored yet."""
    with warehouse.opened() as connection:
        return run_checks(connection, checks_of([contract]), relation=stage(connection, contract, frame))

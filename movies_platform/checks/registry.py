"""All checks by table, and how they are run."""

import datetime as dt
import warnings
from collections.abc import Iterable, Sequence
from functools import cache

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.checks import deliveries, history, oddities, present, shares, values, volume
from movies_platform.checks.contract import contract_checks
from movies_platform.checks.outcomes import Check, Outcome, Scope
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.resources.warehouse import undo

_DOMAIN = tuple(
    check for subject in (deliveries, volume, values, present, history, oddities, shares) for check in subject.CHECKS
)


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check of every table."""
    return tuple(
        check
        for table in all_tables()
        for check in [*contract_checks(table), *(c for c in _DOMAIN if c.table is table)]
    )


def checks_of(tables: Iterable[sa.Table]) -> list[Check]:
    """The checks of some tables."""
    wanted = list(tables)
    return [check for check in all_checks() if check.table in wanted]


def specs_of(
    tables: Iterable[sa.Table], partitions_def: "dg.PartitionsDefinition[str] | None" = None
) -> list[dg.AssetCheckSpec]:
    """The checks of some tables as Dagster declares them; with partitions, judged month by month."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*partitions_def.*AssetCheckSpec.*")
        return [
            dg.AssetCheckSpec(
                check.name, asset=asset_key(check.table), description=check.description, blocking=check.blocking,
                partitions_def=partitions_def,
            )
            for check in checks_of(tables)
        ]  # fmt: skip


def kept_if_sound(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[sa.Table], *, month: dt.date | None = None
) -> list[Outcome]:
    """Run the checks of tables that the open transaction has filled; where one blocks, the tables are as before it.

    There is an open transaction afterwards in either case.
    """
    outcomes = run_checks(connection, checks_of(tables), month=month)
    if any(outcome.blocks for outcome in outcomes):
        undo(connection)
        connection.begin()
    return outcomes


def run_checks(
    connection: duckdb.DuckDBPyConnection,
    checks: Sequence[Check],
    *,
    month: dt.date | None = None,
    relation: str | None = None,
) -> list[Outcome]:
    """Run the checks on their tables (on `relation` instead, if given), on one month if given."""
    return [
        Outcome(check, check.find(Scope(connection, relation or qualified(check.table), month))) for check in checks
    ]

"""Contracts -> what Dagster shows of a table: meaning, columns, origin, owner, rhythm; and the assets' decorators."""

import datetime as dt
import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import all_tables, key_of, qualified, references_of
from movies_platform.partitions import delivery_months

OWNER = "team:data-platform"
MONTHLY = ("raw", "parsed")
KINDS = {"raw": "csv", "parsed": "sql", "core": "narwhals", "metrics": "narwhals"}
POOL = "duckdb"  # the warehouse takes one writer
# A delivery comes once a month. By the end of the 10th (UTC) its tables are expected; what was filled before the 1st
# is last month's.
RHYTHM = dg.FreshnessPolicy.cron("0 0 11 * *", lower_bound_delta=dt.timedelta(days=10))


def asset_key(table: sa.Table) -> dg.AssetKey:
    """`metrics/genre_budget_by_year`, after the table `metrics.genre_budget_by_year`."""
    return dg.AssetKey([table.schema or "", table.name])


def table_asset(table: sa.Table) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate a function that computes a table: each of its parameters is the table of that name."""

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        keys = {t.name: asset_key(t) for t in all_tables()}
        ins = {name: dg.AssetIn(keys[name]) for name in inspect.signature(function).parameters}
        asset: dg.AssetsDefinition = dg.asset(**_options(table), ins=ins, pool=POOL)(function)
        return asset

    return decorate


def monthly_asset(table: sa.Table, *, deps: Sequence[sa.Table]) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate a function that fills a month's rows of a table by itself, from the tables `deps`."""
    decorate: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        **_options(table), deps=[asset_key(t) for t in deps], partitions_def=delivery_months, pool=POOL,
        retry_policy=dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    )  # fmt: skip
    return decorate


def monthly_spec(table: sa.Table) -> dg.AssetSpec:
    """The asset of a table that is filled month by month, in one step with others."""
    return dg.AssetSpec(**_options(table), partitions_def=delivery_months)


def _options(table: sa.Table) -> dict[str, Any]:
    monthly = {"partition_expr": "delivery_month"} if table.schema in MONTHLY else {}
    return {
        "key": asset_key(table),
        "group_name": table.schema,
        "description": description(table),
        "kinds": {"duckdb", KINDS[table.schema or ""]},
        "owners": [OWNER],
        "tags": tags(table),
        "freshness_policy": RHYTHM,
        "metadata": {"dagster/column_schema": column_schema(table), "dagster/table_name": qualified(table), **monthly},
    }


def column_schema(table: sa.Table) -> dg.TableSchema:
    """Columns with types, meanings and constraints, for the catalogue."""
    key = key_of(table)
    constraints = [f"key: {', '.join(key)}"] if key else []
    constraints += [
        f"{', '.join(own)} refers to {qualified(other)} ({', '.join(theirs)})"
        for own, other, theirs in references_of(table)
    ]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=column_type(column),
                description=column_description(column),
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), other=_ranges(column)),
            )
            for column in table.columns
        ],
        constraints=dg.TableConstraints(other=constraints),
    )


def column_description(column: sa.Column[Any]) -> str:
    """Meaning of the column, with what it is computed from (markdown)."""
    sources = ", ".join(f"`{source}`" for source in column.info["comes_from"])
    return f"{column.comment}{f' (from {sources})' if sources else ''}"


@cache
def column_lineage(table: sa.Table) -> dg.TableColumnLineage | None:
    """From which columns of which tables each column is computed; None where the contract does not say."""
    deps = {column.name: [_dep(source) for source in column.info["comes_from"]] for column in table.columns}
    return dg.TableColumnLineage(deps) if any(deps.values()) else None


def description(table: sa.Table) -> str:
    """What the table is, what a row stands for, how to read it (markdown)."""
    month = " of a month of delivery" if table.schema in MONTHLY else ""
    key = [name for name in key_of(table) if not (month and name == "delivery_month")]
    row = f"One row for each {', '.join(f'`{name}`' for name in key)}{month}. " if key else ""
    return f"{table.comment}\n\n{row}Read it with `movies-platform show {table.name}`."


def tags(table: sa.Table) -> dict[str, str]:
    """Words to filter the catalogue by: what the table is about."""
    subjects = [word for word in ("company", "genre") if word in table.name or f"{word}_id" in table.columns]
    return {f"about-{subject}": "" for subject in subjects}


def _dep(source: str) -> dg.TableColumnDep:
    schema, table, column = source.split(".")
    return dg.TableColumnDep(dg.AssetKey([schema, table]), column)


def _ranges(column: sa.Column[Any]) -> list[str]:
    least, choices = column.info.get("at_least"), column.info.get("one_of")
    return [
        *([f">= {least}"] if least is not None else []),
        *([f"one of {', '.join(choices)}"] if choices else []),
    ]

"""Contracts -> what the Dagster UI shows of a table: meaning, columns, origin, owner, rhythm."""

import datetime as dt
from functools import cache
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import key_of, qualified, references_of

OWNER = "team:data-platform"
MONTHLY = ("raw", "parsed")
KINDS = {"raw": "csv", "parsed": "sql", "core": "sql", "metrics": "sql"}
# A delivery comes once a month. By the end of the 10th (UTC) its tables are expected; what was filled before the 1st
# is last month's.
RHYTHM = dg.FreshnessPolicy.cron("0 0 11 * *", lower_bound_delta=dt.timedelta(days=10))


def asset_key(table: sa.Table) -> dg.AssetKey:
    """`metrics/genre_budget_by_year`, after the table `metrics.genre_budget_by_year`."""
    return dg.AssetKey([table.schema or "", table.name])


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
    """Words to filter the catalogue by: the stage, how often it is filled, what it is about."""
    subjects = [word for word in ("company", "genre") if word in table.name or f"{word}_id" in table.columns]
    return {
        "stage": table.schema or "",
        "filled": "month-by-month" if table.schema in MONTHLY else "from-all-months",
        **{f"about-{subject}": "" for subject in subjects},
    }


def table_spec(table: sa.Table) -> dict[str, Any]:
    """Keyword arguments for `dg.AssetSpec` (and, with `key`, for `dg.asset`) of a contract's table."""
    return {
        "key": asset_key(table),
        "group_name": table.schema,
        "description": description(table),
        "kinds": {"duckdb", KINDS[table.schema or ""]},
        "owners": [OWNER],
        "tags": tags(table),
        "freshness_policy": RHYTHM,
        "metadata": {"dagster/column_schema": column_schema(table), "dagster/table_name": qualified(table)},
    }


def row_count_metadata(rows: int, *, partition: bool = False) -> dict[str, Any]:
    """Row count under the name that Dagster plots."""
    return {"dagster/partition_row_count" if partition else "dagster/row_count": rows}


def lineage_metadata(table: sa.Table) -> dict[str, Any]:
    """The lineage of the columns under the name that Dagster draws."""
    lineage = column_lineage(table)
    return {"dagster/column_lineage": lineage} if lineage else {}


def _dep(source: str) -> dg.TableColumnDep:
    schema, table, column = source.split(".")
    return dg.TableColumnDep(dg.AssetKey([schema, table]), column)


def _ranges(column: sa.Column[Any]) -> list[str]:
    least, choices = column.info.get("at_least"), column.info.get("one_of")
    return [
        *([f">= {least}"] if least is not None else []),
        *([f"one of {', '.join(choices)}"] if choices else []),
    ]

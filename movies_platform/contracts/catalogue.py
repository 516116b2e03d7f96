"""Contracts -> what the Dagster UI shows: column schema, table name, description, kinds, owners."""

from typing import Any

import dagster as dg
import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import key_of, qualified, references_of

OWNER = "team:data-platform"


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
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), other=_ranges(column)),
            )
            for column in table.columns
        ],
        constraints=dg.TableConstraints(other=constraints),
    )


def table_spec(table: sa.Table) -> dict[str, Any]:
    """Keyword arguments for `dg.AssetSpec` (and, with `key`, for `dg.asset`) of a contract's table."""
    return {
        "key": asset_key(table),
        "group_name": table.schema,
        "description": table.comment,
        "kinds": {"duckdb", "sql"},
        "owners": [OWNER],
        "metadata": {"dagster/column_schema": column_schema(table), "dagster/table_name": qualified(table)},
    }


def row_count_metadata(rows: int, *, partition: bool = False) -> dict[str, Any]:
    """Row count under the name that Dagster plots."""
    return {"dagster/partition_row_count" if partition else "dagster/row_count": rows}


def _ranges(column: sa.Column[Any]) -> list[str]:
    least, choices = column.info.get("at_least"), column.info.get("one_of")
    return [
        *([f">= {least}"] if least is not None else []),
        *([f"one of {', '.join(choices)}"] if choices else []),
    ]

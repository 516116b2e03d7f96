"""Contracts -> DDL for DuckDB.

Keys and references are declared in the contract and proven by checks before a commit; DuckDB's own
constraints are left out (an index per key costs memory and time, and replacing rows inside one
transaction trips over them: docs/decisions/0004).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from movies_platform.contracts.columns import types_of
from movies_platform.contracts.tables import qualified, quoted


def column_type(column: sa.Column[Any]) -> str:
    """The column's type as DDL and docs spell it."""
    return types_of(column).ddl


def create_statements(table: sa.Table, *, in_lake: bool = False) -> list[str]:
    """Statements that create the table with its comments; run them where it does not exist.

    `in_lake`: as DuckLake has it, which compresses every column by itself.
    """
    columns = ", ".join(_column_ddl(table, column, in_lake) for column in table.columns)
    name = qualified(table)
    return [
        f"CREATE SCHEMA IF NOT EXISTS {table.schema}",
        f"CREATE TABLE {name} ({columns})",
        f"COMMENT ON TABLE {name} IS {literal(table.comment or '')}",
        *(_comment_statement(table, column) for column in table.columns),
    ]


def add_column_statements(table: sa.Table, column: sa.Column[Any]) -> list[str]:
    """Statements that give a stored table a column that its contract has gained."""
    return [
        f"ALTER TABLE {qualified(table)} ADD COLUMN {quoted(column.name)} {column_type(column)}",
        _comment_statement(table, column),
    ]


def _comment_statement(table: sa.Table, column: sa.Column[Any]) -> str:
    return f"COMMENT ON COLUMN {qualified(table)}.{quoted(column.name)} IS {literal(column.comment or '')}"


def _column_ddl(table: sa.Table, column: sa.Column[object], in_lake: bool) -> str:
    # Long texts compress better and twice as fast with zstd than with what DuckDB would try out.
    has_long_texts = table.info.get("has_long_texts") and column.nullable and not in_lake
    compression = " USING COMPRESSION zstd" if has_long_texts else ""
    return f"{quoted(column.name)} {column_type(column)}{'' if column.nullable else ' NOT NULL'}{compression}"


def parquet(files: Iterable[object]) -> str:
    """Parquet files as SQL for FROM, with the columns that are in them: folders named a=b are no columns."""
    return f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning=false)"


def literal(value: object) -> str:
    """A value as SQL writes it: nothing, a whole number, a day, or else a text or a path, whatever quotes are in it."""
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    text = "'" + str(value).replace("'", "''") + "'"
    return f"DATE {text}" if type(value) is dt.date else text

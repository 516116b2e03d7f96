"""A row for every table, made from its contract alone, and a warehouse in memory that holds them.

`valid_row`, `insert` and `warehouse_in_memory` are used by the other tests of contracts and checks.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from movies_platform.contracts import all_tables, qualified, table_named
from movies_platform.contracts.tables import quoted
from movies_platform.contracts.violations import violations_of
from movies_platform.resources.warehouse import ensure

MONTH = dt.date(2017, 11, 1)
NOON = dt.datetime.fromisoformat("2017-11-01T12:00")
TABLES = pytest.mark.parametrize("table", all_tables(), ids=qualified)
_SAMPLES: dict[type, Any] = {sa.Text: "some text", sa.BigInteger: 1, sa.Double: 1.0, sa.Date: MONTH, sa.DateTime: NOON}


def valid_row(table: sa.Table, **given: Any) -> dict[str, Any]:
    """A value for each column, in its range; ids are 1, so that references exist."""
    row = {c.name: (c.info["one_of"] or [_SAMPLES[type(c.type)]])[0] for c in table.columns}
    assert set(given) <= set(row), f"{qualified(table)} has no column {set(given) - set(row)}"
    return {**row, **given}


def insert(connection: duckdb.DuckDBPyConnection, relation: str, *rows: Mapping[str, Any]) -> None:
    """Insert rows by column name."""
    for row in rows:
        marks = ", ".join("?" * len(row))
        names = ", ".join(map(quoted, row))
        connection.execute(f"INSERT INTO {relation} ({names}) VALUES ({marks})", list(row.values()))


def add(connection: duckdb.DuckDBPyConnection, table: str, **given: Any) -> None:
    """Insert a valid row with some values given; create the table where it is missing."""
    contract = table_named(table)
    insert(connection, ensure(connection, contract), valid_row(contract, **given))


@contextmanager
def warehouse_in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table, each with one valid row."""
    with duckdb.connect() as connection:
        for table in all_tables():
            add(connection, qualified(table))
        yield connection


@TABLES
def test_a_valid_row_breaks_no_contract(table: sa.Table):
    with warehouse_in_memory() as connection:
        assert violations_of(connection, table) == []

"""Contracts -> tables in DuckDB: types, comments and what is required."""

import duckdb
import pytest
import sqlalchemy as sa

from movies_platform.contracts import qualified
from movies_platform.contracts.columns import Real, Text, Whole, column
from movies_platform.contracts.ddl import column_type, create_statements
from movies_platform.resources.warehouse import ensure
from movies_platform_tests.test_contracts_rows import TABLES, insert, valid_row


def stored_columns(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> list[tuple[object, ...]]:
    """(name, type, nullable, comment) as DuckDB has it."""
    return connection.execute(
        "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
        [table.schema, table.name],
    ).fetchall()


@TABLES
def test_a_table_has_the_columns_of_its_contract(table: sa.Table):
    names = {"TEXT": "VARCHAR", "DOUBLE PRECISION": "DOUBLE"}
    with duckdb.connect() as connection:
        ensure(connection, table)
        declared = [(c.name, names.get(t := column_type(c), t), c.nullable, c.comment) for c in table.columns]
        assert stored_columns(connection, table) == declared


@TABLES
def test_a_table_has_its_comment(table: sa.Table):
    with duckdb.connect() as connection:
        ensure(connection, table)
        found = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table.name])
        assert found.fetchall() == [(table.comment,)]


@TABLES
def test_a_required_column_refuses_null(table: sa.Table):
    with duckdb.connect() as connection:
        ensure(connection, table)
        for required in [c.name for c in table.columns if not c.nullable]:
            with pytest.raises(duckdb.ConstraintException, match=f"NOT NULL.*{required}"):
                insert(connection, qualified(table), valid_row(table, **{required: None}))


@TABLES
def test_what_is_not_required_may_be_null(table: sa.Table):
    with duckdb.connect() as connection:
        ensure(connection, table)
        nulls = {c.name: None for c in table.columns if c.nullable}
        insert(connection, qualified(table), valid_row(table, **nulls))


def contract(*columns: sa.Column[object], comment: str = "of some things") -> sa.Table:
    return sa.Table("things", sa.MetaData(), *columns, schema="core", comment=comment)


def test_comments_may_hold_apostrophes():
    with duckdb.connect() as connection:
        ensure(connection, contract(column("thing_id", Whole, "TMDB's number", key=True), comment="'tis"))
        assert connection.execute("SELECT comment FROM duckdb_tables()").fetchall() == [("'tis",)]
        assert connection.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'thing_id'").fetchall() == [
            ("TMDB's number",)
        ]


def test_a_column_that_a_contract_gains_is_added_to_the_stored_table_with_its_comment():
    before = [("thing_id", Whole, "number"), ("name", Text, "what it is called")]
    after = [before[0], ("length_m", Real, "meters"), ("weight_code", Text, "light or heavy"), before[1]]
    with duckdb.connect() as connection:
        old = contract(*(column(*c) for c in before))
        new = contract(*(column(*c) for c in after))
        ensure(connection, old)
        insert(connection, "core.things", {"thing_id": 1, "name": "one"})
        ensure(connection, new)
        ensure(connection, new)
        assert connection.execute("SELECT thing_id, name, length_m, weight_code FROM core.things").fetchall() == [
            (1, "one", None, None)
        ]
        assert stored_columns(connection, new)[2:] == [
            ("length_m", "DOUBLE", True, "meters"),
            ("weight_code", "VARCHAR", True, "light or heavy"),
        ]


def test_a_required_column_that_a_contract_gains_is_filled_by_the_next_write():
    with duckdb.connect() as connection:
        ensure(connection, contract(column("thing_id", Whole, "number", key=True)))
        insert(connection, "core.things", {"thing_id": 1})
        gained = contract(column("thing_id", Whole, "number", key=True), column("size", Whole, "size", null=False))
        assert ensure(connection, gained) == "core.things"
        assert connection.execute("SELECT thing_id, size FROM core.things").fetchall() == [(1, None)]


def test_ensure_keeps_the_rows_of_a_table_that_fits():
    table = contract(column("thing_id", Whole, "number", key=True))
    with duckdb.connect() as connection:
        ensure(connection, table)
        insert(connection, "core.things", {"thing_id": 1})
        ensure(connection, table)
        assert connection.execute("SELECT * FROM core.things").fetchall() == [(1,)]


def test_a_table_is_created_in_a_schema_that_may_exist():
    statements = create_statements(contract(column("thing_id", Whole, "number", key=True)))
    assert statements[0] == "CREATE SCHEMA IF NOT EXISTS core"
    assert statements[1] == 'CREATE TABLE core.things ("thing_id" BIGINT NOT NULL)'

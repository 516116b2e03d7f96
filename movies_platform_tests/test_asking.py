"""Queries with values: understood as parameters are, without what DuckDB imports for those."""

import datetime as dt

import duckdb
import pytest

from movies_platform.resources.asking import ask

VALUES = [None, 0, -(2**63), 2**63 - 1, dt.date(1, 1, 1), dt.date(2017, 11, 1), "", "it's", "'; DROP TABLE kept; --",
          "$1 ?", "\\", "é€\U0001f600\n", "x" * 100_000]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_value_is_understood_as_a_parameter_is(value: object):
    with duckdb.connect() as connection:
        expected = connection.execute("SELECT $1, typeof($1), $1 IS NULL", [value]).fetchall()
        assert ask(connection, "SELECT $1, typeof($1), $1 IS NULL", value).fetchall() == expected


def test_values_take_their_places():
    with duckdb.connect() as connection:
        assert ask(connection, "SELECT ?, ?", "a", 1).fetchall() == [("a", 1)]
        assert ask(connection, "SELECT $2, $1, $2", "a", 1).fetchall() == [(1, "a", 1)]
        assert ask(connection, "SELECT 1").fetchall() == [(1,)]


def test_rows_are_changed_within_a_transaction():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE kept (day DATE, n BIGINT)")
        connection.begin()
        assert ask(connection, "INSERT INTO kept VALUES (?, ?)", dt.date(2017, 11, 1), 1).fetchone() == (1,)
        assert ask(connection, "UPDATE kept SET n = 2 WHERE day <= ?", dt.date(2017, 11, 1)).fetchone() == (1,)
        connection.rollback()
        assert ask(connection, "DELETE FROM kept WHERE n = ?", 2).fetchone() == (0,)


def test_a_text_that_sql_cannot_write_is_refused():
    with duckdb.connect() as connection, pytest.raises(duckdb.ParserException):
        ask(connection, "SELECT ?", "a\0b")

"""Raw records of a month -> its parsed tables: one asset for each, in one transaction with the issues that it found.

Read are the records that the raw stage accepted. Nothing is refused here: what does not fit is null or left out, and
in raw.data_issues. Each table notes the delivery that it was made from, so that core never reads a mixture.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.catalogue import monthly_asset
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.parsed import PARSED_COMPANIES, PARSED_GENRES, PARSED_MOVIES
from movies_platform.contracts.raw import DATA_ISSUES, RAW_MOVIES
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import qualified
from movies_platform.contracts.text import positive_integer, trimmed
from movies_platform.parsed.casts import cast_columns, typed_records
from movies_platform.parsed.nested import kept_items, list_issues, read_lists
from movies_platform.resources.build_log import loaded_deliveries, note_build
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.metadata import table_metadata
from movies_platform.resources.months import parse_month
from movies_platform.resources.warehouse import ensure, transaction_on


def accepted_records(month: dt.date, *columns: str) -> str:
    """SQL for the month's raw movies that were not rejected: source_file, record_number, movie_id and `columns`."""
    names = ", ".join(["source_file", "record_number", *columns])
    return (
        f"(SELECT {names}, {positive_integer(trimmed('id'))} AS movie_id FROM {qualified(RAW_MOVIES)} "
        f"ANTI JOIN (SELECT source_file, record_number FROM {qualified(DATA_ISSUES)} "
        f"WHERE delivery_month = {literal(month)} AND action = 'rejected') USING (source_file, record_number) "
        f"WHERE delivery_month = {literal(month)})"
    )


def fill_movies(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Replace the month's rows of parsed_movies."""
    delivered = [column.delivered for column in cast_columns(PARSED_MOVIES)]
    typed = typed_records(
        accepted_records(month, *delivered), PARSED_MOVIES, "source_file", "record_number", "movie_id"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE typed AS {typed}")
    with _replaced_month(connection, PARSED_MOVIES, month):
        connection.execute(
            f"INSERT INTO {qualified(PARSED_MOVIES)} BY NAME "
            f"SELECT {literal(month)} AS delivery_month, * EXCLUDE (source_file, issues) FROM typed"
        )
        _insert_issues(
            connection, PARSED_MOVIES, month,
            "SELECT source_file, record_number, movie_id, issue.column_name, issue.issue, 'nulled' AS action, "
            "issue.value FROM (SELECT *, unnest(issues) AS issue FROM typed WHERE issues IS NOT NULL) "
            "ORDER BY record_number, issue.column_name",
        )  # fmt: skip
    connection.execute("DROP TABLE typed")


def fill_items(connection: duckdb.DuckDBPyConnection, month: dt.date, nested: NestedList, table: sa.Table) -> None:
    """Replace the month's rows of the parsed `table` of a nested list."""
    read_lists(connection, accepted_records(month, nested.column), nested.column)
    with _replaced_month(connection, table, month):
        connection.execute(
            f"INSERT INTO {qualified(table)} BY NAME SELECT {literal(month)} AS delivery_month, movie_id, position, "
            f"id AS {nested.kind}_id, name AS {nested.kind}_name FROM ({kept_items()})"
        )
        _insert_issues(
            connection, table, month,
            f"SELECT * EXCLUDE (position), {literal(nested.column)} AS column_name FROM ({list_issues()}) "
            "ORDER BY record_number, position",
        )  # fmt: skip


@contextmanager
def _replaced_month(connection: duckdb.DuckDBPyConnection, table: sa.Table, month: dt.date) -> Iterator[None]:
    """A transaction that has taken the month's rows and issues away, and notes at its end what the new ones show."""
    with transaction_on(connection):
        for name, also in ((table, ""), (DATA_ISSUES, f" AND found_by = {literal(table.name)}")):
            connection.execute(f"DELETE FROM {ensure(connection, name)} WHERE delivery_month = {literal(month)}{also}")
        yield
        note_build(connection, table, loaded_deliveries(connection).get(month, ""), month)


def _insert_issues(connection: duckdb.DuckDBPyConnection, table: sa.Table, month: dt.date, query: str) -> None:
    connection.execute(
        f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME SELECT {literal(month)} AS delivery_month, "
        f"{literal(table.name)} AS found_by, * FROM ({query})"
    )


def _parse(
    context: dg.AssetExecutionContext, warehouse: Warehouse, table: sa.Table,
    fill: Callable[[duckdb.DuckDBPyConnection, dt.date], None],
) -> dg.MaterializeResult[None]:  # fmt: skip
    month = parse_month(context.partition_key)
    with warehouse.opened() as connection:
        for needed in (RAW_MOVIES, DATA_ISSUES, table):
            ensure(connection, needed)
        fill(connection, month)
        query = f"SELECT count(*) FROM {qualified(table)} WHERE delivery_month = {literal(month)}"
        rows = connection.execute(query).fetchall()[0][0]
        return dg.MaterializeResult(metadata=table_metadata(connection, table, rows, month))


@monthly_asset(PARSED_MOVIES, deps=[RAW_MOVIES])
def parsed_movies(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The accepted records of the month, typed."""
    return _parse(context, warehouse, PARSED_MOVIES, fill_movies)


@monthly_asset(PARSED_GENRES, deps=[RAW_MOVIES])
def parsed_genres(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The genres of the month's movies."""
    return _parse(context, warehouse, PARSED_GENRES, lambda c, month: fill_items(c, month, GENRES, PARSED_GENRES))


@monthly_asset(PARSED_COMPANIES, deps=[RAW_MOVIES])
def parsed_companies(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """The production companies of the month's movies."""
    return _parse(
        context, warehouse, PARSED_COMPANIES, lambda c, month: fill_items(c, month, COMPANIES, PARSED_COMPANIES)
    )

"""Raw records of a month -> its parsed tables: one asset for each, in one transaction with the issues that it found.

The tables follow from the declared files (`contracts.sources`): one of typed records for each file, one of items for
each nested list. Read are the records that the raw stage accepted. Nothing is refused here: what does not fit is null
or left out, and in raw.data_issues. Each table notes the delivery that it was made from, so that core never reads a
mixture.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.casts import value_of
from movies_platform.contracts.catalogue import monthly_asset
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.parsed import items_table, records_table
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import SOURCES, NestedList, Source
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.engines import lake
from movies_platform.parsed.executors import fill_on_executors
from movies_platform.parsed.nested import kept_items, list_issues, read_lists
from movies_platform.parsed.records import typed_records
from movies_platform.resources.build_log import loaded_deliveries, note_build
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.metadata import table_metadata
from movies_platform.resources.months import parse_month
from movies_platform.resources.warehouse import NAME, ensure, transaction_on
from movies_platform.settings import settings


def accepted_records(source: Source, month: dt.date, *columns: str) -> str:
    """SQL for the file's raw records of the month that were not rejected: source_file, record_number and `columns`."""
    names = ", ".join(["source_file", "record_number", *columns])
    return (
        f"(SELECT {names} FROM {qualified(raw_table(source))} "
        f"ANTI JOIN (SELECT source_file, record_number FROM {qualified(DATA_ISSUES)} "
        f"WHERE delivery_month = {literal(month)} AND action = 'rejected') USING (source_file, record_number) "
        f"WHERE delivery_month = {literal(month)})"
    )


def fill_records(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source) -> None:
    """Replace the month's rows of the file's table of typed records."""
    table, attributes = records_table(source), (*source.key, *source.attributes)
    movie_id = "movie_id" if source.movie_id else "NULL"
    records = accepted_records(source, month, *(quoted(a.delivered) for a in attributes))
    typed = typed_records(records, source.key, source.attributes, "source_file", "record_number")
    is_null = " OR ".join(f"{a.name} IS NULL" for a in source.attributes) or "false"
    # Of millions of ratings, nearly none has a null. Only where there is one can there be an issue.
    suspects = f"SELECT record_number FROM {qualified(table)} WHERE delivery_month = {literal(month)} AND ({is_null})"
    doubtful = f"(FROM {records} SEMI JOIN ({suspects}) USING (record_number))"
    judged = typed_records(doubtful, source.key, source.attributes, "source_file", "record_number")
    with _replaced_month(connection, table, month):
        connection.execute(
            f"INSERT INTO {qualified(table)} BY NAME "
            f"SELECT {literal(month)} AS delivery_month, * EXCLUDE (source_file, issues) FROM ({typed})"
        )
        _insert_issues(
            connection, table, month,
            f"SELECT source_file, record_number, {movie_id} AS movie_id, issue.column_name, issue.issue, "
            f"'nulled' AS action, issue.value FROM (SELECT *, unnest(issues) AS issue FROM ({judged}) "
            "WHERE issues IS NOT NULL) ORDER BY record_number, issue.column_name",
        )  # fmt: skip


def fill_items(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source, nested: NestedList) -> None:
    """Replace the month's rows of a nested list's table of items."""
    table, (key,) = items_table(nested), source.key
    records = accepted_records(source, month, quoted(nested.column), f"{value_of(key)} AS movie_id")
    read_lists(connection, records, nested)
    with _replaced_month(connection, table, month):
        connection.execute(
            f"INSERT INTO {qualified(table)} BY NAME SELECT {literal(month)} AS delivery_month, * "
            f"FROM ({kept_items(nested)})"
        )
        _insert_issues(
            connection, table, month,
            f"SELECT * EXCLUDE (position), {literal(nested.column)} AS column_name FROM ({list_issues(nested)}) "
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


def _parsed_asset(
    source: Source, table: sa.Table, fill: Callable[[duckdb.DuckDBPyConnection, dt.date], None]
) -> dg.AssetsDefinition:
    @monthly_asset(table, deps=[raw_table(source)])
    def asset(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
        month = parse_month(context.partition_key)
        with warehouse.opened() as connection:
            if settings().is_lake:
                lake.renew_access(connection, NAME)
                with _replaced_month(connection, table, month):
                    fill_on_executors(connection, month, raw_table(source), table, fill)
            else:
                for needed in (raw_table(source), DATA_ISSUES, table):
                    ensure(connection, needed)
                fill(connection, month)
            query = f"SELECT count(*) FROM {qualified(table)} WHERE delivery_month = {literal(month)}"
            rows = connection.execute(query).fetchall()[0][0]
            return dg.MaterializeResult(metadata=table_metadata(connection, table, rows, month))

    return asset


ASSETS = [
    *(_parsed_asset(s, records_table(s), partial(fill_records, source=s)) for s in SOURCES),
    *(
        _parsed_asset(s, items_table(nested), partial(fill_items, source=s, nested=nested))
        for s in SOURCES
        for nested in s.nested
    ),
]

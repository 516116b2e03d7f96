"""Stage parsed on executors of Spark: what fills a table does it for one file of raw records at a time."""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal, parquet
from movies_platform.contracts.raw import DATA_ISSUES
from movies_platform.contracts.tables import qualified, table_named
from movies_platform.engines import lake, places, spark
from movies_platform.engines.executors import private_database
from movies_platform.resources.build_log import BUILDS
from movies_platform.resources.warehouse import NAME, ensure

Fill = Callable[[duckdb.DuckDBPyConnection, dt.date], None]


def fill_on_executors(
    connection: duckdb.DuckDBPyConnection, month: dt.date, raw: sa.Table, table: sa.Table, fill: Fill
) -> None:
    """Add the month's rows to a table of the lake, and what was found to raw.data_issues, in the open transaction."""
    ensure(connection, raw)
    files = lake.files_of_month(connection, NAME, raw, month)
    if not files:
        return
    folder = lake.folder_of(connection, NAME)
    place = places.new_place(folder, qualified(table))
    with places.work_place(folder) as work:
        rejected = f"{work}/rejected.parquet"
        connection.execute(
            f"COPY (FROM {qualified(DATA_ISSUES)} WHERE delivery_month = {literal(month)} AND action = 'rejected' "
            f"AND found_by = {literal(raw.name)}) TO {literal(rejected)} (FORMAT parquet)"
        )
        task = partial(_fill, qualified(raw), qualified(table), month, fill, rejected, place, work)
        filled = spark.on_executors(task, files)
        lake.add_files(connection, NAME, table, [rows for rows, _ in filled])
        issues = f"{parquet(i for _, i in filled)} ORDER BY record_number, file_index, file_row_number"
        connection.execute(f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME FROM {issues}")


def _fill(
    raw: str, table: str, month: dt.date, fill: Fill, rejected: str, place: str, work: str, file: str
) -> tuple[str, str]:
    """Parquet files: the table's rows from a file of raw records, and the issues found."""
    name = uuid.uuid4().hex
    rows, issues = f"{place}/{name}.parquet", f"{work}/{name}.parquet"
    with private_database(place, table_named(table), DATA_ISSUES, BUILDS) as connection:
        connection.execute(
            f"CREATE VIEW {raw} AS FROM {parquet([file])}; INSERT INTO {qualified(DATA_ISSUES)} BY NAME "
            f"FROM {parquet([rejected])}"
        )
        fill(connection, month)
        found = f"FROM {qualified(DATA_ISSUES)} WHERE found_by = {literal(table_named(table).name)}"
        for query, path in ((f"FROM {table}", rows), (found, issues)):
            connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)")
    return rows, issues

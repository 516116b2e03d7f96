"""The lake: tables as Parquet files in a folder or on S3, and their catalogue, which DuckDB opens as a database.

The catalogue is DuckLake's. What is read and written by SQL is the same as in a warehouse of one DuckDB file,
transactions too. Files that Spark wrote are added to the catalogue in the transaction that takes the rows of before
away: what no commit names is never read.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.tables import qualified
from movies_platform.engines import places

CATALOGUE = "__ducklake_metadata_{}"  # DuckLake's name for the catalogue's database in a connection
_KEPT = "1 hour"  # versions of before stay so long, for whoever reads them


def attach(connection: duckdb.DuckDBPyConnection, catalogue: Path, folder: str, name: str, *, read_only: bool) -> None:
    """Attach the lake as the database `name`; a new one gets a folder of its own in `folder`, which may be on S3."""
    places.load_extension(connection, "ducklake")
    # No rows within the catalogue: Spark would not see them.
    options = ["DATA_INLINING_ROW_LIMIT 0", *(["READ_ONLY"] if read_only else [])]
    places.let_read(connection, folder_at(catalogue) or folder)
    if not catalogue.exists():
        place = f"{folder.rstrip('/')}/{uuid.uuid4().hex}/"
        if not places.is_on_s3(place):
            Path(place).mkdir(parents=True)
        options.append(f"DATA_PATH {literal(place)}")
    connection.execute(f"ATTACH {literal(f'ducklake:{catalogue}')} AS {name} ({', '.join(options)})")


def renew_access(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let it read and write on S3 with the keys of now: those of a role may be good for an hour only."""
    places.let_read(connection, folder_of(connection, name))


def folder_of(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Where the files of the lake lie: a folder, or an address on S3."""
    query = f"SELECT value FROM ducklake_options({literal(name)}) WHERE option_name = 'data_path'"
    return str(connection.execute(query).fetchall()[0][0]).rstrip("/")


def folder_at(database: Path) -> str | None:
    """Where the files lie of the lake whose catalogue this is; None where it is none, or cannot be read."""
    if not database.exists():  # to attach it would make it
        return None
    with duckdb.connect() as connection, contextlib.suppress(duckdb.Error):
        connection.execute(f"ATTACH {literal(database)} AS catalogue (READ_ONLY)")
        query = "SELECT value FROM catalogue.ducklake_metadata WHERE key = 'data_path'"
        return str(connection.execute(query).fetchall()[0][0]).rstrip("/")
    return None


def files_of(connection: duckdb.DuckDBPyConnection, name: str, table: sa.Table) -> list[str]:
    """The Parquet files that hold the rows of a table, those of the transaction that is open too."""
    found = connection.execute(
        f"SELECT data_file, delete_file FROM ducklake_list_files({_named(name, table)})"
    ).fetchall()
    if any(deleted for _, deleted in found):  # rows go by whole months and tables, each of which has its own files
        raise RuntimeError(f"{qualified(table)} has files of which some rows are deleted")
    return [file for file, _ in found]


def files_of_month(connection: duckdb.DuckDBPyConnection, name: str, table: sa.Table, month: dt.date) -> list[str]:
    """Those that hold rows of a month, in the order of their records."""
    files_of(connection, name, table)  # raises where rows of files are deleted
    rows = f"{qualified(table)} WHERE delivery_month = {literal(month)}"
    query = f"SELECT filename FROM {rows} GROUP BY filename ORDER BY min(record_number)"
    return [file for (file,) in connection.execute(query).fetchall()]


def add_files(connection: duckdb.DuckDBPyConnection, name: str, table: sa.Table, files: Sequence[str]) -> None:
    """Make files that somebody else wrote rows of the table, in the transaction that is open."""
    for file in files:
        connection.execute(
            f"CALL ducklake_add_data_files({_named(name, table, literal(file))}, hive_partitioning => false)"
        )


def _named(name: str, table: sa.Table, *more: str) -> str:
    return ", ".join([literal(name), literal(table.name), *more, f"schema => {literal(table.schema)}"])


def tidy(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove the files of versions that nobody reads any more, and those that a killed run left.

    What cannot be removed now (a connection that a signal interrupted, a folder that is away) is removed another time.
    """
    old = f"{literal(name)}, older_than => now() - INTERVAL {literal(_KEPT)}"
    with contextlib.suppress(duckdb.Error):
        for work in ("expire_snapshots", "cleanup_old_files", "delete_orphaned_files"):
            connection.execute(f"CALL ducklake_{work}({old})")

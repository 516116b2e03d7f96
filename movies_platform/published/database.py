"""Tables of the warehouse -> the DuckDB file for analysts.

It is the first file of a snapshot and all others are made from it: the warehouse is needed for a second only, and
what is in one file is in the others.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlalchemy as sa

from movies_platform.checks.registry import checks_of, run_checks
from movies_platform.contracts.ddl import create_statements, literal
from movies_platform.contracts.published import SNAPSHOT, present_tables, published_tables
from movies_platform.contracts.raw import DELIVERIES
from movies_platform.contracts.tables import order_of, qualified
from movies_platform.errors import SnapshotRefused
from movies_platform.resources import warehouse
from movies_platform.resources.asking import ask
from movies_platform.resources.builds import deliveries_fingerprint, stale_tables
from movies_platform.resources.months import month_name
from movies_platform.snapshots.manifest import Content

# Any DuckDB since 1.0 opens the file.
_STORAGE = "v1.0.0"
_NAME = "fresh_snapshot"


@dataclass(frozen=True)
class Copied:
    """What was copied: the months in the tables, a fingerprint of their deliveries, rows by qualified table name."""

    deliveries: str
    months: list[str]
    rows: Mapping[str, int]


def copy_tables(target: Path) -> Copied:
    """Copy the published tables, all as they are at one moment, into a new DuckDB file.

    Raises SnapshotRefused when tables do not show what was delivered, or when a blocking check fails on them.
    """
    with warehouse.opened() as connection:
        source = connection.execute("SELECT current_database()").fetchall()[0][0]
        connection.execute(f"ATTACH {literal(target)} AS {_NAME} (STORAGE_VERSION '{_STORAGE}')")
        connection.begin()
        try:
            _refuse_unfit(connection)
            months = _months(connection)
            deliveries = deliveries_fingerprint(connection) or ""
            connection.execute(f"USE {_NAME}")
            for table in [*published_tables(), SNAPSHOT]:
                for statement in create_statements(table):
                    connection.execute(statement)
            for table in published_tables():
                connection.execute(_copy_statement(table, source))
            rows = {qualified(t): warehouse.row_count(connection, t) for t in published_tables()}
            connection.execute(f"USE {source}")
            connection.commit()
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the first error is the one to be seen
                connection.rollback()
            raise
        finally:
            connection.execute(f"USE {source}")
            connection.execute(f"DETACH {_NAME}")
    return Copied(deliveries, [month_name(month) for month in months], rows)


def note_contents(target: Path, snapshot: str, tables: Mapping[str, Content]) -> None:
    """Write into the file itself which snapshot it is."""
    with duckdb.connect(target) as connection:
        for name, content in tables.items():
            ask(
                connection,
                f"INSERT INTO {qualified(SNAPSHOT)} VALUES (?, ?, ?, ?, ?)",
                name,
                snapshot,
                content.rows,
                content.sha256,
                content.contract_version,
            )


def _refuse_unfit(connection: duckdb.DuckDBPyConnection) -> None:
    stale = [qualified(table) for table in stale_tables(connection)]
    if stale or not warehouse.table_exists(connection, DELIVERIES):
        raise SnapshotRefused(
            f"Not published: {', '.join(stale) or 'the warehouse'} does not show what was delivered. "
            "Run 'movies-platform refresh' first; 'status' says what holds the tables back."
        )
    blocking = [check for check in checks_of(present_tables()) if check.blocking]
    failed = [str(outcome) for outcome in run_checks(connection, blocking) if outcome.blocks]
    if failed:
        raise SnapshotRefused("Not published: blocking checks fail on the tables.\n" + "\n".join(failed))


def _months(connection: duckdb.DuckDBPyConnection) -> list[dt.date]:
    found = connection.execute(f"SELECT DISTINCT delivery_month FROM {qualified(DELIVERIES)} ORDER BY 1").fetchall()
    return [row[0] for row in found]


def _copy_statement(table: sa.Table, source: str) -> str:
    columns = ", ".join(column.name for column in table.columns)
    order = ", ".join(order_of(table)) or "ALL"
    return f"INSERT INTO {qualified(table)} SELECT {columns} FROM {source}.{qualified(table)} ORDER BY {order}"

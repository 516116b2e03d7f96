"""The warehouse: one DuckDB file, written by one process at a time, always in transactions.

DuckDB takes one writing process and lets go of its lock when that process dies, so its lock is the
only one there is: a second writer waits for it. Within a run the connection stays open; every
write is one transaction, so that a killed run leaves the old rows or the new ones.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type, comment_statement, create_statements, literal
from movies_platform.contracts.tables import METADATA, qualified
from movies_platform.errors import UnknownTable, WarehouseBusy, WarehouseDamaged
from movies_platform.resources.settings import Settings, settings

_LOCKED = "Could not set lock on file"
_DAMAGED = ("not a valid DuckDB database file", "Corrupt database file", "Could not read enough bytes", "replaying WAL")
_POLL_SECONDS = 0.1
# Otherwise DuckDB takes the type of an array of objects from a sample of them, and fails at the first misfit.
_NO_GUESSING = "SET pandas_analyze_sample=0"
# A month lies in row groups of its own, which a new delivery replaces as a whole. DuckDB would merge those that are not
# full, again and again, and so compress three months of text anew for each one that comes (docs/benchmarks.md).
_LEFT_AS_STORED = {"max_vacuum_tasks": 0}
_log = logging.getLogger(__name__)
_open: dict[Path, duckdb.DuckDBPyConnection] = {}
# Tables that were found complete; no one else changes them while a connection has the warehouse open for writing.
_complete: WeakKeyDictionary[duckdb.DuckDBPyConnection, set[sa.Table]] = WeakKeyDictionary()
_guard = threading.RLock()


@contextlib.contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse open for writing until the end of the outermost `with`.

    Raises WarehouseBusy when another process keeps it longer than MOVIES_WAIT, WarehouseDamaged when it is no database.
    """
    chosen = settings()
    with _guard:
        connection = _open.get(chosen.warehouse)
        if connection is not None:
            yield connection
            return
        connection = _open[chosen.warehouse] = _connect(chosen, read_only=False)
        try:
            yield connection
        finally:
            _open.pop(chosen.warehouse)
            connection.close()


@contextlib.contextmanager
def transaction() -> Iterator[duckdb.DuckDBPyConnection]:
    """A transaction of the warehouse: committed at the end, rolled back on any error."""
    with opened() as connection:
        connection.begin()
        try:
            yield connection
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the first error is the one to be seen
                undo(connection)
            raise
        connection.commit()


def undo(connection: duckdb.DuckDBPyConnection) -> None:
    """Roll the transaction back, tables that it made included."""
    _complete.pop(connection, None)
    connection.rollback()


@contextlib.contextmanager
def reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse for reading; waits while another process writes."""
    chosen = settings()
    if chosen.warehouse in _open:
        yield _open[chosen.warehouse]
        return
    if not chosen.warehouse.exists():
        raise UnknownTable(f"There is no warehouse at {chosen.warehouse} yet. Deliver a month, then run 'refresh'.")
    connection = _connect(chosen, read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def _connect(chosen: Settings, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    chosen.warehouse.parent.mkdir(parents=True, exist_ok=True)
    # Given at opening: a second connection of the process may not set them once the first has spilled.
    options = {**_bounds(chosen), "storage_compatibility_version": "v1.5.0", **_LEFT_AS_STORED}
    deadline = time.monotonic() + chosen.wait_seconds
    told = False
    while True:
        try:
            return duckdb.connect(chosen.warehouse, read_only=read_only, config=options)
        except duckdb.IOException as problem:
            if any(sign in str(problem) for sign in _DAMAGED):
                raise WarehouseDamaged(
                    f"{chosen.warehouse} is damaged: {str(problem).splitlines()[0]} "
                    "'movies-platform rebuild' makes it again from processed/."
                ) from problem
            if _LOCKED not in str(problem):
                raise
            if time.monotonic() > deadline:
                raise WarehouseBusy(
                    f"{chosen.warehouse} is open in another process for more than {chosen.wait_seconds:.0f} seconds. "
                    "Try again when that has ended (readers keep it from being written, too), or raise MOVIES_WAIT."
                ) from problem
            if not told:
                _log.warning("waiting for another process to finish writing %s", chosen.warehouse.name)
                told = True
            time.sleep(_POLL_SECONDS)


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Bound another database of this process as the warehouse is: by MOVIES_MEMORY, beyond which it spills to disk."""
    for name, value in _bounds(settings()).items():
        connection.execute(f"SET {name} = {literal(value)}")


def _bounds(chosen: Settings) -> dict[str, str | bool | int | float | list[str]]:
    return {"temp_directory": str(chosen.scratch / "spill"), "memory_limit": chosen.memory or _room()}


@cache
def _room() -> str:
    """A quarter of the memory that there is; DuckDB, which sees the limits of containers, would take 80 %."""
    with duckdb.connect() as connection:  # (a database of its own, whose limit nobody has set)
        row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    amount, unit = str(row[0]).split() if row else ("1", "GiB")
    return f"{float(amount) * 0.25 / 0.8:.2f} {unit}"


def table_exists(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> bool:
    """Whether the table is in the warehouse."""
    return bool(_stored_columns(connection, table))


def ensure(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> str:
    """Create the table, or the columns its contract has gained; its qualified name."""
    name = qualified(table)
    if table in _complete.get(connection, ()):
        return name
    present = _stored_columns(connection, table)
    if not present:
        connection.execute("; ".join(create_statements(table)))
    if present.issuperset(column.name for column in table.columns):
        _complete.setdefault(connection, set()).add(table)
    for column in table.columns if present else []:
        if column.name not in present:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {column.name} {column_type(column)}")
            connection.execute(comment_statement(table, column))
    return name


def _stored_columns(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> set[str]:
    # Asked in vain for a table, DuckDB goes on in the transaction. Its catalogue, duckdb_tables(), takes ten times as
    # long: it writes down the definition of every table.
    try:
        return {column[0] for column in connection.execute(f"SELECT * FROM {qualified(table)} LIMIT 0").description}
    except duckdb.CatalogException:
        return set()


def row_count(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> int:
    """Rows of the table, 0 where it does not exist."""
    if not table_exists(connection, table):
        return 0
    row = connection.execute(f"SELECT count(*) FROM {qualified(table)}").fetchone()
    return int(row[0]) if row else 0


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Append rows in the order of the contract's columns (through arrays: a hundred times executemany).

    A stored table may have its columns in another order, as its contract gained some later. Tables without a
    contract take the rows as they are.
    """
    if rows:
        import numpy as np

        contract = METADATA.tables.get(table)
        names = [c.name for c in contract.columns] if contract is not None else [f"c{i}" for i in range(len(rows[0]))]
        # DuckDB reads them as it would a frame: as texts, of which the table makes its types. No import of pandas.
        arrays = {name: np.fromiter((row[i] for row in rows), object, len(rows)) for i, name in enumerate(names)}
        connection.execute(_NO_GUESSING)
        connection.register("appended_rows", arrays)
        try:
            by_name = "BY NAME " if contract is not None else ""
            connection.execute(f"INSERT INTO {table} {by_name}SELECT * FROM appended_rows")
        finally:
            connection.unregister("appended_rows")

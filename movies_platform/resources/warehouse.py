"""The warehouse: one DuckDB file, or a lake's catalogue; written by one process at a time, always in transactions.

DuckDB takes one writing process and lets go of its lock when that process dies, so its lock is the
only one there is: a second writer waits for it. Within a run the connection stays open; every
write is one transaction, so that a killed run leaves the old rows or the new ones.
"""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import add_column_statements, create_statements, literal
from movies_platform.contracts.tables import METADATA, qualified
from movies_platform.engines import lake
from movies_platform.errors import ENDED_BY_SIGNAL, UnknownTable, WarehouseBusy, WarehouseDamaged, WarehouseOutdated
from movies_platform.resources import interruption
from movies_platform.resources.failures import DAMAGED
from movies_platform.resources.scratch import spill_folder
from movies_platform.settings import Settings, settings

_LOCKED = "Could not set lock on file"
_POLL_SECONDS = 0.1
_STORAGE = "v1.5.0"
NAME = "warehouse"  # of the database in a connection
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
_keeping: list[contextlib.ExitStack] = []  # of runs that keep the warehouse open


@contextlib.contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse open for writing until the end of the outermost `with`, or of `kept_open` around it.

    Raises WarehouseBusy when another process keeps it longer than MOVIES_WAIT, WarehouseDamaged when it is no database.
    """
    chosen = settings()
    with _guard, _ending_with_signals():
        if chosen.warehouse in _open:
            yield _open[chosen.warehouse]
            return
        with contextlib.ExitStack() as closing:
            closing.enter_context(_locked(chosen))
            connection = _open[chosen.warehouse] = closing.enter_context(_connect(chosen, read_only=False))
            closing.callback(_open.pop, chosen.warehouse)
            if chosen.is_lake:
                closing.callback(lake.tidy, connection, NAME)
            if _keeping:
                _keeping[-1].push(closing.pop_all())
            yield connection


@contextlib.contextmanager
def _ending_with_signals() -> Iterator[None]:
    """A signal that ends the process ends the work that uses the warehouse.

    Otherwise DuckDB makes an ordinary error of it, and Dagster a reason to try the step again.
    """
    try:
        yield
    except BaseException as problem:
        causes = (problem, problem.__cause__, problem.__context__) if isinstance(problem, RuntimeError) else (problem,)
        if any(isinstance(cause, BaseException) and _is_interrupt(cause) for cause in causes):
            raise SystemExit(interruption.status() or ENDED_BY_SIGNAL) from problem
        raise


def _is_interrupt(problem: BaseException) -> bool:
    return not isinstance(problem, Exception | GeneratorExit | SystemExit)


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Once it is opened for writing, the warehouse stays open until the end of this `with`: for the steps of a run."""
    with contextlib.ExitStack() as kept:
        _keeping.append(kept)
        try:
            yield
        finally:
            _keeping.remove(kept)


@contextlib.contextmanager
def replacing() -> Iterator[bool]:
    """Keep other writers out while the warehouse's file is replaced; gives whether that is damaged.

    That is, whether it cannot be opened, or was cut off. Blocks that only reading all of it would find damaged are not
    looked for: processed/ has what is in them.
    """
    chosen = settings()
    with _guard, _locked(chosen):
        is_damaged = False
        with contextlib.suppress(WarehouseOutdated):
            try:
                if chosen.warehouse.exists():
                    with contextlib.closing(_connect(chosen, read_only=True)) as connection:
                        size = "SELECT block_size * total_blocks FROM pragma_database_size() WHERE database_name = ?"
                        database = lake.CATALOGUE.format(NAME) if chosen.is_lake else NAME
                        blocks = connection.execute(size, [database]).fetchall()[0][0]
                        is_damaged = chosen.warehouse.stat().st_size < blocks
            except WarehouseDamaged:
                is_damaged = True
        yield is_damaged


@contextlib.contextmanager
def _locked(chosen: Settings) -> Iterator[None]:
    """The lock of whoever writes the file: DuckDB's own is only there while the file is a database."""
    path = chosen.warehouse.with_name(f".{chosen.warehouse.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        for _ in _waits(chosen):
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        yield


def _waits(chosen: Settings) -> Iterator[None]:
    """Tries, a tenth of a second apart; raises WarehouseBusy when MOVIES_WAIT has passed."""
    deadline = time.monotonic() + chosen.wait
    yield
    _log.warning("waiting for another process to finish writing %s", chosen.warehouse.name)
    while time.monotonic() <= deadline:
        time.sleep(_POLL_SECONDS)
        yield
    raise WarehouseBusy(
        f"{chosen.warehouse} is open in another process for more than {chosen.wait:.0f} seconds. "
        "Try again when that has ended (readers keep it from being written, too), or raise MOVIES_WAIT."
    )


@contextlib.contextmanager
def transaction() -> Iterator[duckdb.DuckDBPyConnection]:
    """A transaction of the warehouse: committed at the end, rolled back on any error."""
    with opened() as connection:
        if settings().is_lake:
            lake.renew_access(connection, NAME)
        with transaction_on(connection):
            yield connection


@contextlib.contextmanager
def transaction_on(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction of a connection: committed at the end, rolled back on any error."""
    connection.begin()
    try:
        yield
    except BaseException:
        _complete.pop(connection, None)  # tables that the transaction made are gone
        with contextlib.suppress(duckdb.Error):  # the first error is the one to be seen
            connection.rollback()
        raise
    connection.commit()


def exists() -> bool:
    """Whether there is a warehouse. Raises WarehouseOutdated where it is that of the other engine."""
    chosen = settings()
    _expect_own(chosen)
    return chosen.warehouse.exists()


def _expect_own(chosen: Settings) -> None:
    if other := chosen.other_warehouse:
        raise WarehouseOutdated(
            f"The tables of this home are in {other.name}, which MOVIES_ENGINE={chosen.engine} does not read. Set the "
            f"other engine, or let 'movies-platform rebuild' make {chosen.warehouse.name} from processed/ in its place."
        )


@contextlib.contextmanager
def reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse for reading; waits while another process writes."""
    chosen = settings()
    if chosen.warehouse in _open:
        yield _open[chosen.warehouse]
        return
    if not exists():
        raise UnknownTable(f"There is no warehouse at {chosen.warehouse} yet. Deliver a month, then run 'refresh'.")
    connection = _connect(chosen, read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def _connect(chosen: Settings, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse, attached under one name, whatever its file is called."""
    chosen.warehouse.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={**_bounds(chosen), **_LEFT_AS_STORED})
    try:
        _attach(connection, chosen, "READ_ONLY" if read_only else f"STORAGE_VERSION '{_STORAGE}'")
        connection.execute(f"USE {NAME}")
        connection.execute("SET enable_progress_bar = false")
        if _is_outdated(connection):
            raise WarehouseOutdated(
                f"{chosen.warehouse} was made by an earlier version. 'movies-platform rebuild' makes it again from "
                "processed/; deliveries and published snapshots stay as they are."
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, chosen: Settings, option: str) -> None:
    _expect_own(chosen)
    for _ in _waits(chosen):
        try:
            if chosen.is_lake:
                lake.attach(connection, chosen.warehouse, chosen.lake, NAME, read_only=option == "READ_ONLY")
            else:
                connection.execute(f"ATTACH {literal(chosen.warehouse)} AS {NAME} ({option})")
            return
        except (duckdb.IOException, duckdb.SerializationException) as problem:
            if any(sign in str(problem) for sign in DAMAGED):
                raise WarehouseDamaged(
                    f"{chosen.warehouse} is damaged: {str(problem).splitlines()[0]} "
                    "'movies-platform rebuild' makes it again from processed/."
                ) from problem
            if _LOCKED not in str(problem):
                raise


def _is_outdated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables are those of the first version, which noted builds in another way."""
    try:
        connection.execute("SELECT fingerprint FROM platform.builds LIMIT 0")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Bound another database of this process as the warehouse is: its memory, beyond which it spills, and cores."""
    for name, value in _bounds(settings()).items():
        connection.execute(f"SET {name} = {literal(value)}")


def _bounds(chosen: Settings) -> dict[str, str | bool | int | float | list[str]]:
    cores = {"threads": chosen.cores} if chosen.cores else {}
    return {"temp_directory": str(spill_folder()), "memory_limit": chosen.memory or _room(), **cores}


def cores_of(connection: duckdb.DuckDBPyConnection) -> int:
    """How many cores the database uses: MOVIES_CORES, or all. DuckDB sees the limits of containers."""
    return int(connection.execute("SELECT current_setting('threads')").fetchall()[0][0])


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


def expect_table(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> None:
    """Raise UnknownTable where the table is not in the warehouse."""
    if not table_exists(connection, table):
        raise UnknownTable(f"{qualified(table)} was not computed yet. Run 'movies-platform refresh'.")


def ensure(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> str:
    """Create the table, or the columns its contract has gained; its qualified name."""
    name = qualified(table)
    if table in _complete.get(connection, ()):
        return name
    present = _stored_columns(connection, table)
    if not present:
        connection.execute("; ".join(create_statements(table, in_lake=settings().is_lake)))
    if present.issuperset(column.name for column in table.columns):
        _complete.setdefault(connection, set()).add(table)
    for column in table.columns if present else []:
        if column.name not in present:
            connection.execute("; ".join(add_column_statements(table, column)))
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
        contract = METADATA.tables.get(table)
        names = [c.name for c in contract.columns] if contract is not None else [f"c{i}" for i in range(len(rows[0]))]
        by_name = "BY NAME " if contract is not None else ""
        with registered(connection, rows, names) as given:
            connection.execute(f"INSERT INTO {table} {by_name}SELECT * FROM {given}")


@contextlib.contextmanager
def registered(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[object]], names: Sequence[str]
) -> Iterator[str]:
    """The rows as a view of the connection, by its name."""
    import numpy as np

    # DuckDB reads them as it would a frame: as texts, of which the table makes its types. No import of pandas.
    arrays = {name: np.fromiter((row[i] for row in rows), object, len(rows)) for i, name in enumerate(names)}
    connection.execute(_NO_GUESSING)
    connection.register("given_rows", arrays)
    try:
        yield "given_rows"
    finally:
        connection.unregister("given_rows")

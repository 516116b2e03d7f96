"""Loading a SQLite file: rows by DuckDB into a file beside, from there into the tables in one transaction.

The file is in WAL mode, in which a reader goes on reading the old snapshot while the new one is written and neither
waits for the other. At the end the log is folded in, so that the file can be copied alone.
"""

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.tables import qualified
from movies_platform.errors import LoadFailed
from movies_platform.loaded.database import Database, Loaded, expect_rows
from movies_platform.loaded.extensions import load_extension
from movies_platform.loaded.merge import Merge, merge_statements
from movies_platform.loaded.source import Source
from movies_platform.loaded.tables import Pair, create_statements, reference_statements, tables_for

_BESIDE, _NEW = "beside", "__new"
_WAIT_MS = 60_000  # for somebody else who writes the file


class SQLite(Database):
    """A SQLite file; it has no schemas, so tables go by their plain names."""

    def load(self, source: Source, *, again: bool = False) -> Loaded:
        """See `Database.load`."""
        if not self.engine.url.database:
            raise LoadFailed("A SQLite database in memory is gone after the load. Name a file: sqlite:////path/file.db")
        target = Path(self.engine.url.database).absolute()
        pairs = tables_for(lambda _: None)
        with _beside(target) as file, self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_WAIT_MS}")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            pending = self.pending(connection, pairs, source, again=again)
            if pending.pairs:
                _fill(file, pending.pairs, source)
                connection.exec_driver_sql(f"ATTACH {literal(file)} AS {_BESIDE}")
                with _transaction(connection):
                    (_rebuild if pending.rebuild else _merge)(connection, pending.pairs, source)
                connection.exec_driver_sql(f"DETACH {_BESIDE}")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Loaded(source.manifest.snapshot, [pair.name for pair in pending.pairs])


def _merge(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    for statement in merge_statements(_merges(pairs)):
        connection.execute(statement)
    for pair in pairs:
        expect_rows(connection, pair.target, pair.contract, source)


def _rebuild(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    for pair in reversed(pairs):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS main.{pair.target.name}")
    for pair in pairs:
        for statement in create_statements(pair, references=True):
            connection.execute(statement)
    for merge in _merges(pairs):
        connection.execute(merge.add_all())
    for pair in pairs:
        for statement in reference_statements(pair, constraints=False):
            connection.execute(statement)
        expect_rows(connection, pair.target, pair.contract, source)


def _merges(pairs: Sequence[Pair]) -> list[Merge]:
    beside = {pair.name: pair for pair in tables_for(lambda _: _BESIDE, suffix=_NEW, references=False)}
    return [Merge(pair.target, beside[pair.name].target) for pair in pairs]


def _fill(file: Path, pairs: Sequence[Pair], source: Source) -> None:
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        for pair in tables_for(lambda _: None, suffix=_NEW, references=False):
            for statement in create_statements(pair):
                connection.execute(statement)
    with duckdb.connect() as connection:
        load_extension(connection, "sqlite_scanner")
        connection.execute(f"ATTACH {literal(source.database)} AS snapshot (READ_ONLY)")
        connection.execute(f"ATTACH {literal(file)} AS {_BESIDE} (TYPE sqlite)")
        connection.begin()
        for pair in pairs:
            columns = ", ".join(column.name for column in pair.contract.columns)
            rows = f"SELECT {columns} FROM snapshot.{qualified(pair.contract)}"
            connection.execute(f"INSERT INTO {_BESIDE}.{pair.target.name}{_NEW} ({columns}) {rows}")
        connection.commit()


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """The file beside, new; one load at a time. The lock goes with the process, what a killed one left is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    file = target.with_name(f".{target.name}.loading")
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _remove(file)
            yield file
        finally:
            _remove(file)


@contextlib.contextmanager
def _transaction(connection: sa.Connection) -> Iterator[None]:
    # Python's driver would commit before DDL, so the transaction is ours.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + ending).unlink(missing_ok=True)

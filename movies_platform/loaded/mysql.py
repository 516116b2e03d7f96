"""Loading MySQL or MariaDB: rows by LOAD DATA into tables beside, then one transaction or one RENAME.

Their DDL commits at once, so nothing of it stands between two snapshots: where the tables are as their contracts
declare them, the rows of the tables beside are merged in one transaction; where they are not, the tables beside are
built whole and take their names in one RENAME TABLE, which is atomic (grants are by name and stay).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from movies_platform.errors import LoadFailed
from movies_platform.loaded.database import Database, Loaded, expect_rows
from movies_platform.loaded.merge import Merge, merge_statements
from movies_platform.loaded.source import Source
from movies_platform.loaded.tables import Pair, create_statements, reference_statements, tables_for

_BESIDE, _OLD = "__loading", "__old"
_LOCK = "movies_platform_load"
_WAIT = 600  # seconds for another load to end
# Errors by which a server or a proxy says that it takes no files from clients.
_NO_FILES = {1148, 3948, 4166}
_BATCH = 1_000


class MySQL(Database):
    """A MySQL or MariaDB database, named in the URL; it has no schemas, so tables go by their plain names."""

    def load(self, source: Source, *, again: bool = False) -> Loaded:
        """See `Database.load`."""
        pairs = tables_for(lambda _: None)
        with self.engine.connect() as connection, _alone(connection):
            _remove_leftovers(connection, pairs)
            pending = self.pending(connection, pairs, source, again=again)
            if pending.rebuild:
                _rebuild(connection, pairs, source)
            elif pending.pairs:
                _merge(connection, pending.pairs, source)
            _remove_leftovers(connection, pairs)
        return Loaded(source.manifest.snapshot, [pair.name for pair in pending.pairs])


def _merge(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    beside = {p.name: p for p in tables_for(lambda _: None, suffix=_BESIDE, references=False)}
    merges = [Merge(pair.target, beside[pair.name].target) for pair in pairs]
    for pair in pairs:
        _fill(connection, beside[pair.name], source)
    connection.commit()
    for statement in merge_statements(merges):
        connection.execute(statement)
    for pair in pairs:
        expect_rows(connection, pair.target, pair.contract, source)
    connection.commit()


def _rebuild(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    beside = tables_for(lambda _: None, suffix=_BESIDE)
    for pair in beside:
        _fill(connection, pair, source)
    # Every reference was proven before the tables were published; proving it again copies each table.
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    for pair in beside:
        for statement in reference_statements(pair):
            connection.execute(statement)
    there = [p.target.name for p in pairs if sa.inspect(connection).has_table(p.target.name)]
    steps = [f"{name} TO {name}{_OLD}" for name in there]
    steps += [f"{pair.target.name}{_BESIDE} TO {pair.target.name}" for pair in pairs]
    connection.exec_driver_sql(f"RENAME TABLE {', '.join(steps)}")


def _fill(connection: sa.Connection, pair: Pair, source: Source) -> None:
    for statement in create_statements(pair):
        connection.execute(statement)
    with source.csv(pair.contract) as path:
        try:
            _load_data(connection, pair, path)
        except sa.exc.DBAPIError as problem:
            if _code(problem) not in _NO_FILES:
                raise
            _insert(connection, pair, source)
    expect_rows(connection, pair.target, pair.contract, source)


def _load_data(connection: sa.Connection, pair: Pair, path: Path) -> None:
    """Let the client send the file; what the server had to guess is a failure, not a warning."""
    columns = ", ".join(column.name for column in pair.contract.columns)
    connection.exec_driver_sql(
        f"LOAD DATA LOCAL INFILE %s INTO TABLE {pair.target.name} CHARACTER SET utf8mb4 "
        "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' "
        f"IGNORE 1 LINES ({columns})",
        (str(path),),  # written as this server reads quotes and backslashes
    )
    warnings = connection.exec_driver_sql("SHOW WARNINGS LIMIT 3").all()
    if warnings:
        raise LoadFailed(f"{pair.name} does not arrive as it is: {'; '.join(str(w[2]) for w in warnings)}.")


def _insert(connection: sa.Connection, pair: Pair, source: Source) -> None:
    """The slower way, for servers that take no files from clients: rows in INSERTs of a thousand."""
    names = [column.name for column in pair.contract.columns]
    for rows in source.batches(pair.contract, _BATCH):
        connection.execute(sa.insert(pair.target), [dict(zip(names, row, strict=True)) for row in rows])


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """One load at a time; the lock goes with the connection."""
    database = connection.engine.url.database
    got = connection.execute(sa.text("SELECT GET_LOCK(:name, :wait)"), {"name": f"{_LOCK}.{database}", "wait": _WAIT})
    if got.scalar_one() != 1:
        raise LoadFailed(f"Another load of {database} has been going on for {_WAIT} seconds.")
    connection.exec_driver_sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
    yield
    connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": f"{_LOCK}.{database}"})


def _remove_leftovers(connection: sa.Connection, pairs: Sequence[Pair]) -> None:
    """Drop the tables beside and the old ones: of this load, or of one that was killed."""
    names = ", ".join(f"{p.target.name}{suffix}" for suffix in (_BESIDE, _OLD) for p in reversed(pairs))
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {names}")
    connection.exec_driver_sql("SET foreign_key_checks = 1")
    connection.commit()


def _code(problem: sa.exc.DBAPIError) -> Any:
    return problem.orig.args[0] if problem.orig and problem.orig.args else None

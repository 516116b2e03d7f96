"""A snapshot -> PostgreSQL, MySQL or MariaDB, and SQLite, each in one transaction.

The new rows go into temporary tables by the fastest way of each driver; plain UPDATE, INSERT and DELETE then change
only the rows that differ, so that no reader waits and views, grants and a user's own indexes stay
(docs/decisions/0011). Only where tables are missing, or a contract has changed, are all of them built again.
Nothing is read into memory whole: rows are streamed from the snapshot's DuckDB file, as CSV on disk or in batches.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import SNAPSHOT
from movies_platform.contracts.tables import qualified
from movies_platform.errors import LoadFailed, SettingsError
from movies_platform.loaded.tables import (
    contract_of,
    merge_statements,
    name_of,
    part_of,
    staging_table,
    target_tables,
)
from movies_platform.published.read import Snapshot, database_of
from movies_platform.published.store import Content, Manifest
from movies_platform.resources.scratch import own_folder
from movies_platform.resources.warehouse import limit_memory
from movies_platform.settings import LOAD_URLS, settings

_NULL = "NULL"  # without quotes, as both PostgreSQL and MySQL read it; texts are in quotes
_BLOCK = 1 << 18
_BATCH = 5_000
# What neither waiting nor trying again changes; PostgreSQL and the resolver say it in words only.
_HOPELESS = re.compile(
    r"authentication failed|no password supplied|no pg_hba.conf entry|Access denied|(role|database) .* does not exist|"
    r"Unknown database|is not allowed to connect|Connection refused|Name or service not known|No address associated|"
    r"nodename nor servname|invalid .* value|unable to open database file|readonly database"
)
_REMEDIES = {  # by SQLSTATE
    "2BP01": "A contract has changed, so the tables are built again: drop what depends on them, load, and create it "
    "again.",
    "22021": "PostgreSQL cannot store the character NUL in a text. Deliver the month again without it.",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one database: `name` is its URL without the password, `found` what was done or differs."""

    name: str
    found: Sequence[str] = ()
    error: Exception | None = None

    @property
    def message(self) -> str:
        """The error in words, with what to do where it is known."""
        problem = getattr(self.error, "orig", None) or self.error
        remedy = _REMEDIES.get(str(getattr(problem, "sqlstate", "")))
        return f"{str(problem).strip()}{f'. {remedy}' if remedy else ''}"

    @property
    def may_pass(self) -> bool:
        """Whether the error may go away by itself: a lost connection or a timeout, but no wrong password."""
        problem = getattr(self.error, "orig", None) or self.error
        kinds = {kind.__name__ for kind in type(problem).__mro__}  # those of PEP 249, the same in all drivers
        return bool(kinds & {"OperationalError", "InterfaceError", "OSError"}) and not _HOPELESS.search(str(problem))


def load_all(urls: Sequence[str], snapshot: Snapshot, *, force: bool = False) -> list[Outcome]:
    """Load a snapshot into each database; `found` are the tables whose rows were written.

    One that fails keeps no other from its rows, and its readers see what they saw before. Raises SettingsError for a
    URL that names no database.
    """
    databases = [open_database(url) for url in urls]
    file = database_of(snapshot)
    return [_outcome(database, lambda d: d.load(snapshot.manifest, file, force=force)) for database in databases]


def compare_all(urls: Sequence[str], snapshot: Snapshot) -> list[Outcome]:
    """Compare each database with a snapshot, the latest; `found` are sentences that say what differs."""
    databases = [open_database(url) for url in urls]
    return [_outcome(database, lambda d: d.differences(snapshot.manifest)) for database in databases]


def open_database(url: str) -> "Database":
    """The database of a URL such as `postgresql://user:password@host/database`; nothing is connected yet."""
    try:
        parsed = sa.make_url(url)
        kind = _KINDS[parsed.get_backend_name()]
        if parsed.password is not None and url.partition("://")[2].partition(":")[2].count("@") > 1:
            raise ValueError("a part of the password would be taken for the host")
        return kind(parsed)
    except (sa.exc.ArgumentError, KeyError, ValueError):
        # any part of the URL may be the password, so only its beginning is shown
        raise SettingsError(
            f"MOVIES_LOAD_TO: {url.partition(':')[0]}:... is no database to load; {LOAD_URLS}."
        ) from None


def _outcome(database: "Database", act: Callable[["Database"], list[str]]) -> Outcome:
    try:
        return Outcome(database.name, act(database))
    except Exception as problem:  # whatever it is: the other databases get their rows, then the asset raises it
        return Outcome(database.name, error=problem)


class Database:
    """A database that takes snapshots. What differs between the kinds is in the subclasses."""

    driver: ClassVar[str]
    options: ClassVar[Mapping[str, Any]]  # for the driver, where the URL has no others
    has_schemas = False
    last_time: ClassVar[str] = ""  # the latest that a column can hold, if there is one

    def __init__(self, url: sa.URL):
        options = {name: value for name, value in self.options.items() if name not in url.query}
        # No pool: a load is one connection, and its locks and temporary tables go with it.
        self.engine = sa.create_engine(url.set(drivername=self.driver), connect_args=options, poolclass=sa.NullPool)
        # without options, which may hold a password too
        self.name = url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)
        self.tables = target_tables(schemas=self.has_schemas, without=settings().load_without)
        self.known = target_tables(schemas=self.has_schemas)  # an earlier load may have brought what is left out now

    def load(self, manifest: Manifest, file: Path, *, force: bool = False) -> list[str]:
        """Bring the database to the snapshot and name the tables written; with `force`, also where it is there."""
        manifest = part_of(manifest, self.tables)
        with self._connect() as connection:
            self._begin(connection)
            held = self._held(connection)
            wanted = {name: (manifest.snapshot, content) for name, content in manifest.tables.items()}
            if held == wanted and not force:
                return []
            rebuild = _versions(held) != _versions(wanted)
            targets = [
                table for table in self.tables if force or rebuild or contract_of(table) is SNAPSHOT
                or held[name_of(table)][1] != wanted[name_of(table)][1]
            ]  # fmt: skip
            if not held:  # nobody reads yet
                with self._rebuilt(connection):
                    for table in targets:
                        self._fill(connection, table, file)
            else:
                staged = [staging_table(table) for table in targets]
                for table in staged:
                    connection.execute(sa.schema.CreateTable(table))
                    self._fill(connection, table, file)
                with self._rebuilt(connection) if rebuild else contextlib.nullcontext():
                    for statement in merge_statements(list(zip(targets, staged, strict=True))):
                        connection.execute(statement)
            for table in targets:
                expect_rows(connection, table, manifest)
            connection.commit()
        return [name_of(table) for table in targets]

    def differences(self, manifest: Manifest) -> list[str]:
        """Sentences that say what of the snapshot the database does not hold."""
        manifest = part_of(manifest, self.tables)
        with self._connect() as connection:
            held = self._held(connection)
            if held.keys() != manifest.tables.keys():
                return ["it was never loaded, or has lost tables"]
            if older := {snapshot for snapshot, _ in held.values()} - {manifest.snapshot}:
                return [f"it holds snapshot {' and '.join(sorted(older))}, the latest is {manifest.snapshot}"]
            rows = [(table, _count(connection, table), _expected(table, manifest)) for table in self.tables]
        return [
            f"{name_of(t)} has {found:,} rows instead of {wanted:,}" for t, found, wanted in rows if found != wanted
        ]

    def _connect(self) -> sa.Connection:
        return self.engine.connect()

    def _begin(self, connection: sa.Connection) -> None:
        """Begin the transaction; waits for another load of the same database."""
        raise NotImplementedError

    def _held(self, connection: sa.Connection) -> dict[str, tuple[str, Content]]:
        """Snapshot and content of each table that is there, as the database says; nothing before the first load."""
        inspector = sa.inspect(connection)
        present = {name_of(table): table for table in self.known if inspector.has_table(table.name, table.schema)}
        table = present.get(qualified(SNAPSHOT))
        return {} if table is None else {
            row.table_name: (row.snapshot_id, Content(row.row_count, row.sha256, row.contract_version))
            for row in connection.execute(sa.select(table)) if row.table_name in present
        }  # fmt: skip

    def _fill(self, connection: sa.Connection, table: sa.Table, file: Path) -> None:
        """Insert the snapshot's rows into a table, batch by batch."""
        marks = ", ".join(["?" if connection.dialect.paramstyle == "qmark" else "%s"] * len(table.columns))
        for rows in _batches(file, self._rows(contract_of(table))):
            connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", rows)

    def _rows(self, contract: sa.Table) -> str:
        """The query of the snapshot's rows for a table; a time that the database cannot hold is null."""
        columns = []
        for column in contract.columns:
            value = column.name
            if isinstance(column.type, sa.DateTime) and self.last_time:
                value = f"CASE WHEN {value} <= TIMESTAMP '{self.last_time}' THEN {value} END"
            if isinstance(column.type, sa.Date | sa.DateTime):
                value = f"({value})::VARCHAR"  # every driver has its own idea of days and times, and the same of text
            columns.append(f"{value} AS {column.name}")
        query = f"SELECT {', '.join(columns)} FROM {qualified(contract)}"
        if contract is SNAPSHOT:
            query += f" WHERE table_name IN ({', '.join(literal(name_of(table)) for table in self.tables)})"
        return query

    @contextlib.contextmanager
    def _rebuilt(self, connection: sa.Connection) -> Iterator[None]:
        """Make all tables again, empty, and let the caller fill them."""
        self.known[0].metadata.drop_all(connection)
        self.tables[0].metadata.create_all(connection)
        yield


class Postgres(Database):
    """Tables go to the schemas `core`, `metrics`, `raw` and `published`; rows arrive by COPY."""

    driver = "postgresql+psycopg"
    options: ClassVar = {"connect_timeout": 10, "keepalives_idle": 30, "tcp_user_timeout": 120_000}
    has_schemas = True

    def _begin(self, connection: sa.Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(7_206_881_442)))  # any number, always the same

    def _fill(self, connection: sa.Connection, table: sa.Table, file: Path) -> None:
        driver: Any = connection.connection.driver_connection  # because COPY goes past SQLAlchemy
        name = connection.dialect.identifier_preparer.format_table(table)
        copying = driver.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv, NULL '{_NULL}')")
        with _csv(file, self._rows(contract_of(table)), table) as path, path.open("rb") as rows, copying as copy:
            while block := rows.read(_BLOCK):
                copy.write(block)
        connection.exec_driver_sql(f"ANALYZE {name}")

    @contextlib.contextmanager
    def _rebuilt(self, connection: sa.Connection) -> Iterator[None]:
        """Make all tables again; references are proven when the rows are there, grants of the old tables repeated."""
        granted = connection.exec_driver_sql(
            "SELECT n.nspname || '.' || c.relname, format('GRANT %%s ON %%s TO %%s%%s', acl.privilege_type, "
            "c.oid::regclass, CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END, "
            "CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) acl "
            "WHERE acl.grantee <> c.relowner"
        ).all()
        for schema in {table.schema for table in self.tables}:
            connection.execute(sa.schema.CreateSchema(str(schema), if_not_exists=True))
        references = [key for table in self.tables for key in table.foreign_key_constraints]
        with super()._rebuilt(connection):
            for key in references:
                connection.execute(sa.schema.DropConstraint(key))
            yield
        for key in references:
            connection.execute(sa.schema.AddConstraint(key))
        ours = {name_of(table) for table in self.tables}
        for grant in (grant for table, grant in granted if table in ours):
            connection.exec_driver_sql(grant)


class MySQL(Database):
    """MySQL or MariaDB: all tables go to the URL's database; rows arrive by LOAD DATA where the server allows it.

    Their DDL commits at once: where tables are built again, they are empty until the rows are merged.
    """

    driver = "mysql+pymysql"
    last_time = "9999-12-31 23:59:59"
    options: ClassVar = {
        "connect_timeout": 10,
        "read_timeout": 3_600,  # without a word from the server, it is gone
        "local_infile": True,
        "init_command": "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
    }
    _WAIT = 600  # seconds for another load to end
    _NO_FILES: ClassVar = {1148, 2068, 3948, 4166}  # errors by which a server says that it takes no files from clients

    def _begin(self, connection: sa.Connection) -> None:
        lock = f"SELECT GET_LOCK(CONCAT('movies_platform_', MD5(DATABASE())), {self._WAIT})"
        if connection.exec_driver_sql(lock).scalar_one() != 1:
            raise LoadFailed(f"Another load of {self.name} has been running for {self._WAIT} seconds.")

    def _fill(self, connection: sa.Connection, table: sa.Table, file: Path) -> None:
        """Let the client send a file; what the server had to guess is a failure, not a warning."""
        statement = (
            f"LOAD DATA LOCAL INFILE %s INTO TABLE {table.name} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
            "OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n'"
        )
        try:
            with _csv(file, self._rows(contract_of(table)), table) as path:
                connection.exec_driver_sql(statement, (str(path),))
        except sa.exc.DBAPIError as problem:
            if problem.orig is None or problem.orig.args[0] not in self._NO_FILES:
                raise
            super()._fill(connection, table, file)
        if warnings := connection.exec_driver_sql("SHOW WARNINGS LIMIT 3").all():
            raise LoadFailed(f"{name_of(table)} does not arrive as it is: {'; '.join(str(w[2]) for w in warnings)}.")

    @contextlib.contextmanager
    def _rebuilt(self, connection: sa.Connection) -> Iterator[None]:
        connection.exec_driver_sql("SET foreign_key_checks = 0")  # they were proven before the tables were published
        with super()._rebuilt(connection):
            yield


class SQLite(Database):
    """A file in WAL mode, in which readers go on reading the old snapshot while the new one is written."""

    driver = "sqlite+pysqlite"
    options: ClassVar = {"timeout": 60}  # seconds for somebody else who writes the file

    def __init__(self, url: sa.URL):
        super().__init__(url)
        self._file = Path(url.database or ":memory:")
        if self._file.name == ":memory:":
            raise SettingsError(
                "A SQLite database in memory is gone after the load. Name a file: sqlite:////path/file.db"
            )

    def _connect(self) -> sa.Connection:
        if not (folder := self._file.absolute().parent).is_dir():  # not made: it may be misspelled, or not mounted
            raise LoadFailed(f"The folder {folder} does not exist. Make it, or correct MOVIES_LOAD_TO.")
        return super()._connect()

    def _begin(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


_KINDS = {"postgresql": Postgres, "postgres": Postgres, "mysql": MySQL, "mariadb": MySQL, "sqlite": SQLite}


def expect_rows(connection: sa.Connection, table: sa.Table, manifest: Manifest) -> None:
    """Compare the number of rows that arrived; raises LoadFailed."""
    found, expected = _count(connection, table), _expected(table, manifest)
    if found != expected:
        raise LoadFailed(f"{name_of(table)}: {found:,} of {expected:,} rows arrived.")


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _expected(table: sa.Table, manifest: Manifest) -> int:
    return len(manifest.tables) if contract_of(table) is SNAPSHOT else manifest.tables[name_of(table)].rows


def _versions(tables: Mapping[str, tuple[str, Content]]) -> dict[str, str]:
    return {name: content.contract_version for name, (_, content) in tables.items()}


@contextlib.contextmanager
def _csv(file: Path, query: str, table: sa.Table) -> Iterator[Path]:
    """The rows for a table as a CSV file without header, texts in quotes, `NULL` for null; removed afterwards."""
    texts = ", ".join(column.name for column in table.columns if isinstance(column.type, sa.Text))
    options = f"FORMAT csv, HEADER false, NULLSTR '{_NULL}'{f', FORCE_QUOTE ({texts})' if texts else ''}"
    with own_folder("load-") as folder:
        path = folder / f"{table.name}.csv"
        with duckdb.connect(file, read_only=True) as connection:
            limit_memory(connection)
            connection.execute(f"COPY ({query}) TO {literal(path)} ({options})")
        yield path


def _batches(file: Path, query: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query, some thousands at a time."""
    with duckdb.connect(file, read_only=True) as connection:
        limit_memory(connection)
        rows = connection.execute(query)
        while batch := rows.fetchmany(_BATCH):
            yield batch

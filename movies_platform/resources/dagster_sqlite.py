"""Dagster's SQLite storages with connections that stay open.

Dagster opens and closes a database file for every event, and SQLite writes its whole log back each time: with 12
steps and 60 checks that took ten times as long as the steps. Here each file keeps its connection. Nothing else
differs: the files are Dagster's own, where and as Dagster keeps them, and either kind reads what the other wrote.

Together with the I/O manager this is the only module that imports Dagster's private modules; a deployment on
PostgreSQL does not use it.
"""

import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

KEPT_SHARDS = 8  # the events of each run are a file of their own; a long-lived server meets thousands


def kept_engine(url: str) -> sa.Engine:
    """An engine that keeps its connections."""
    engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    # In WAL mode NORMAL survives a killed process; only a power cut may lose the last events. Dagster switches a new
    # file to WAL only after it has created its tables, each of which waits for the disk.
    @sa.event.listens_for(engine, "connect")
    def _relax(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")
        with contextlib.suppress(sqlite3.OperationalError):  # another process is creating the file
            connection.execute("PRAGMA journal_mode=WAL")

    return engine


class KeptEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log: an index, and a shard for each run, of which the last used stay open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self.engines: OrderedDict[str, sa.Engine] = OrderedDict()  # guarded by Dagster's _db_lock
        self._present: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            if shard not in self.engines:
                self.engines[shard] = kept_engine(self.conn_string_for_shard(shard))
            self.engines.move_to_end(shard)
            if shard not in self._initialized_dbs:
                self._initdb(self.engines[shard])
                self._initialized_dbs.add(shard)
            with self.engines[shard].begin() as connection:
                yield connection
            while len(self.engines) > KEPT_SHARDS:
                self.engines.popitem(last=False)[1].dispose()

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; Dagster asks that for every event of an asset, and opens the file for it."""
        if table_name not in self._present and super().has_table(table_name):
            self._present.add(table_name)
        return table_name in self._present

    def dispose(self) -> None:
        """Close every kept connection."""
        while self.engines:
            self.engines.popitem()[1].dispose()
        super().dispose()


class _OneFile:
    """What the storages of runs and of schedules have in common."""

    _conn_string: str

    @cached_property
    def engine(self) -> sa.Engine:
        """The engine of the one file."""
        return kept_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in a transaction."""
        with self.engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the kept connection."""
        self.engine.dispose()


class KeptRunStorage(_OneFile, SqliteRunStorage):
    """Dagster's run storage."""


class KeptScheduleStorage(_OneFile, SqliteScheduleStorage):
    """Dagster's schedule storage: sensors and their ticks."""


class KeptSqliteStorage(DagsterSqliteStorage):
    """All of Dagster's history below one folder, for `storage: {custom: ...}` in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self.base_dir = base_dir
        self._inst_data = inst_data
        self._run_storage = KeptRunStorage.from_local(str(Path(base_dir, "history")))
        self._event_log_storage = KeptEventLogStorage(str(Path(base_dir, "history", "runs")))
        self._schedule_storage = KeptScheduleStorage.from_local(str(Path(base_dir, "schedules")))
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptSqliteStorage":
        """Built by Dagster from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

"""Dagster's run and event history in SQLite, with connections that are kept.

Dagster's own SQLite storages open, and at the end checkpoint, a database file for every event, and look for
migrations at every start. For the refresh of a month that was most of the time spent in Dagster
(docs/benchmarks.md). These subclasses keep a small pool of connections and look once; the files are the same,
so either kind can read what the other wrote. A deployment on PostgreSQL does not use them.
"""

import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import StringSource
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._serdes import ConfigurableClassData

_KEPT_SHARDS = 8  # each run's events are a file of their own; a long-lived server meets thousands


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    # In WAL mode NORMAL survives a killed process; only a power cut may lose the last events.
    @sa.event.listens_for(engine, "connect")
    def _relax(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _is_complete(database: Path) -> bool:
    """Whether the database was created to the end: its version is written last."""
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(database)) as connection, contextlib.suppress(sqlite3.Error):
        return bool(connection.execute("SELECT 1 FROM alembic_version").fetchall())
    return False


class PooledEventLogStorage(SqliteEventLogStorage):
    """Dagster's SQLite event log with kept connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)
        if _is_complete(Path(self.path_for_shard(INDEX_SHARD_NAME))):
            self._initialized_dbs.add(INDEX_SHARD_NAME)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledEventLogStorage":
        """Built by Dagster from dagster.yaml."""
        return cls(str(Path(config_value["home"], "history", "runs")), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """One setting: the folder of dagster.yaml."""
        return {"home": StringSource}

    def _kept_engine(self, shard: str) -> sa.Engine:
        if shard not in self._engines:
            self._engines[shard] = _engine(self.conn_string_for_shard(shard))
        self._engines.move_to_end(shard)
        while len(self._engines) > _KEPT_SHARDS:
            self._engines.popitem(last=False)[1].dispose()
        return self._engines[shard]

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._kept_engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the index database has the table (asked while the lock is held: so without it)."""
        with self._kept_engine(INDEX_SHARD_NAME).connect() as connection:
            return bool(sa.inspect(connection).has_table(table_name))

    def dispose(self) -> None:
        """Close every kept connection."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()


class PooledRunStorage(SqliteRunStorage):
    """Dagster's SQLite run storage with kept connections."""

    _kept: sa.Engine | None = None

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledRunStorage":
        """Built by Dagster from dagster.yaml."""
        folder = Path(config_value["home"], "history")
        if _is_complete(folder / "runs.db"):
            return cls(create_db_conn_string(str(folder), "runs"), inst_data)
        return cls.from_local(str(folder), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """One setting: the folder of dagster.yaml."""
        return {"home": StringSource}

    @contextlib.contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in a transaction."""
        if self._kept is None:
            self._kept = _engine(self._conn_string)
        with self._kept.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close every kept connection."""
        if self._kept is not None:
            self._kept.dispose()
        super().dispose()


class ReadyScheduleStorage(SqliteScheduleStorage):
    """Dagster's SQLite schedule storage, without a look for migrations at every start."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "ReadyScheduleStorage":
        """Built by Dagster from dagster.yaml."""
        folder = Path(config_value["home"], "schedules")
        if not _is_complete(folder / "schedules.db"):
            SqliteScheduleStorage.from_local(str(folder), inst_data).dispose()
        return cls(create_db_conn_string(str(folder), "schedules"), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """One setting: the folder of dagster.yaml."""
        return {"home": StringSource}

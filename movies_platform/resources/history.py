"""Dagster's run and event history in SQLite, with connections that are kept.

Dagster's own SQLite storages open, and at the end checkpoint, a database file for every event, and look for
migrations at every start. For the refresh of a month that was most of the time spent in Dagster
(docs/benchmarks.md). These subclasses keep a small pool of connections and look once; the files are the same,
so either kind can read what the other wrote. A deployment on PostgreSQL does not use them.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import DagsterInstance, EventLogEntry, StringSource
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData

from movies_platform.resources.asset_reads import AssetReads
from movies_platform.resources.sqlite_files import is_complete, kept_engine
from movies_platform.resources.write_behind import WriteBehind

_KEPT_SHARDS = 8  # each run's events are a file of their own; a long-lived server meets thousands


class PooledEventLogStorage(AssetReads):
    """Dagster's SQLite event log with kept connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        self._engines_lock = threading.Lock()
        self._writer: WriteBehind[EventLogEntry] | None = None
        self._batch: dict[str, sa.Connection] | None = None
        super().__init__(base_dir, inst_data)
        if is_complete(Path(self.path_for_shard(INDEX_SHARD_NAME))):
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

    @contextlib.contextmanager
    def written_behind(self) -> Iterator[None]:
        """Events are stored while the run goes on, many in one transaction, until the end of the `with`.

        Whoever reads in this process waits for them (`AssetReads`: for those that matter to it). A process that is
        killed leaves the last ones unsaid.
        """
        self._writer = WriteBehind(self._store_batch)
        try:
            yield
        finally:
            try:
                self._writer.close()
            finally:
                self._writer = None
                self._tickets.clear()

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, or leave it to be stored."""
        if self._writer is None:
            super().store_event(event)
        else:
            self.note_ticket(event, self._writer.put(event))

    def wait_for(self, ticket: int) -> None:
        """Wait until the event of this ticket is stored."""
        if self._writer is not None:
            self._writer.flush(ticket)

    def _store_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self._db_lock, contextlib.ExitStack() as transactions:
            self._batch = {}
            transactions.callback(setattr, self, "_batch", None)
            for shard in {INDEX_SHARD_NAME, *(event.run_id for event in events)}:
                self._batch[shard] = transactions.enter_context(self._ready_engine(shard).begin())
            for event in events:
                super().store_event(event)

    def _kept_engine(self, shard: str) -> sa.Engine:
        with self._engines_lock:
            if shard not in self._engines:
                self._engines[shard] = kept_engine(self.conn_string_for_shard(shard))
            self._engines.move_to_end(shard)
            while len(self._engines) > _KEPT_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
            return self._engines[shard]

    def _ready_engine(self, shard: str) -> sa.Engine:
        engine = self._kept_engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        if self._writer is not None:
            if self._batch is not None and self._writer.is_here():
                yield self._batch[shard]
                return
            if shard == INDEX_SHARD_NAME and self.has_waited():
                # Not behind the lock, which the thread holds while it stores: beside a writer, SQLite reads (in WAL
                # mode) what was there before.
                with self._kept_engine(shard).begin() as connection:
                    yield connection
                return
            self._writer.flush()
        with self._db_lock, self._ready_engine(shard).begin() as connection:
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


def written_behind(instance: DagsterInstance) -> contextlib.AbstractContextManager[None]:
    """Events of this process stored beside its work, where the storage can; see `PooledEventLogStorage`."""
    storage = instance.event_log_storage
    return storage.written_behind() if isinstance(storage, PooledEventLogStorage) else contextlib.nullcontext()


class PooledRunStorage(SqliteRunStorage):
    """Dagster's SQLite run storage with kept connections."""

    _kept: sa.Engine | None = None

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledRunStorage":
        """Built by Dagster from dagster.yaml."""
        folder = Path(config_value["home"], "history")
        if is_complete(folder / "runs.db"):
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
            self._kept = kept_engine(self._conn_string)
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
        if not is_complete(folder / "schedules.db"):
            SqliteScheduleStorage.from_local(str(folder), inst_data).dispose()
        return cls(create_db_conn_string(str(folder), "schedules"), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """One setting: the folder of dagster.yaml."""
        return {"home": StringSource}

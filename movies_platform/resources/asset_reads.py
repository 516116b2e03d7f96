"""How a run reads about assets: it waits for their own events only, and asks the shape of the database once.

For every input of a step and every result of a check, Dagster looks up the last materialization of an asset: some
sixty times in the refresh of a month. Each look-up asked five times how the database is made, and waited until all
events were stored, though planned events, check results and steps have no part in its answer.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from dagster import AssetKey, AssetRecordsFilter, EventLogEntry
from dagster._core.event_api import EventRecordsResult
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData


class AssetReads(SqliteEventLogStorage):
    """Dagster's SQLite event log, quick to read about assets.

    Records of assets may be behind in `last_run_id`, which a planned event sets, and so may lack an asset that was
    planned and nothing else: in this process only, which does not look (the UI and the daemon do, to tell the health
    of an asset, in their own processes). To a run, no record and one without a materialization are the same.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._facts: set[str] = set()
        self._tickets: dict[AssetKey, int] = {}
        self._mine = threading.local()
        super().__init__(base_dir, inst_data)

    def wait_for(self, ticket: int) -> None:
        """Wait until the event of this ticket is stored; nothing to do where events are stored at once."""

    def note_ticket(self, event: EventLogEntry, ticket: int) -> None:
        """Remember the ticket of an event that reads about its asset depend on."""
        inner = event.dagster_event
        if inner and inner.asset_key and (inner.is_step_materialization or inner.is_asset_observation):
            self._tickets[inner.asset_key] = ticket

    def has_waited(self) -> bool:
        """Whether this thread is in a read that has waited for what it depends on."""
        return getattr(self._mine, "has_waited", False)

    @contextlib.contextmanager
    def _stored(self, keys: Iterable[AssetKey] | None) -> Iterator[None]:
        """A read that depends on the materializations and observations of these assets, or of all."""
        tickets = list(self._tickets.values()) if keys is None else [self._tickets.get(key, 0) for key in keys]
        self.wait_for(max(tickets, default=0))
        self._mine.has_waited = True
        try:
            yield
        finally:
            self._mine.has_waited = False

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """See Dagster's."""
        with self._stored(asset_keys):
            return super().get_asset_records(asset_keys)

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """See Dagster's."""
        with self._stored([_key(records_filter)]):
            return super().fetch_materializations(records_filter, limit, cursor, ascending)

    def fetch_observations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """See Dagster's."""
        with self._stored([_key(records_filter)]):
            return super().fetch_observations(records_filter, limit, cursor, ascending)

    # A migration adds columns and indices, and none takes one away: what was once there is not asked for again.

    def has_secondary_index(self, name: str) -> bool:
        """Whether this migration of the index database was done."""
        return self._fact(f"index {name}") or self._learn(f"index {name}", super().has_secondary_index(name))

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has this column."""
        return self._fact(f"column {column_name}") or super().has_asset_key_col(column_name)

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        name = f"column {column_name}"
        return self._fact(name) or self._learn(name, super()._has_asset_key_col_on_connection(conn, column_name))

    def _fact(self, name: str) -> bool:
        return name in self._facts

    def _learn(self, name: str, found: bool) -> bool:
        if found:
            self._facts.add(name)
        return found


def _key(records_filter: AssetKey | AssetRecordsFilter) -> AssetKey:
    return records_filter if isinstance(records_filter, AssetKey) else records_filter.asset_key

"""Dagster's history with kept connections: the same files, fewer of them open."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage

from movies_platform.resources import history
from movies_platform.resources.history import PooledEventLogStorage, PooledRunStorage
from movies_platform.resources.home import prepare_home


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Dagster keeps its history in a home of the platform."""
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    return home / "dagster" / "history"


@pytest.fixture
def instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster as the platform's dagster.yaml has it."""
    prepare_home()
    with dg.DagsterInstance.get() as made:
        yield made


@dg.asset
def something() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


def run(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([something], instance=instance)
    assert result.success
    return result.run_id


def test_dagster_takes_the_storages_from_its_configuration(instance: dg.DagsterInstance):
    assert isinstance(instance.run_storage, PooledRunStorage)
    assert isinstance(instance.event_log_storage, PooledEventLogStorage)


def test_what_we_wrote_is_read_by_the_storages_of_dagster(instance: dg.DagsterInstance, folder: Path):
    run_id = run(instance)
    ours = [r.event_log_entry.message for r in instance.get_records_for_run(run_id).records]
    runs = SqliteRunStorage.from_local(str(folder))
    events = SqliteEventLogStorage(str(folder / "runs"))
    assert [(r.run_id, r.status) for r in runs.get_runs()] == [(run_id, dg.DagsterRunStatus.SUCCESS)]
    theirs = [r.event_log_entry for r in events.get_records_for_run(run_id).records]
    assert [e.message for e in theirs] == ours
    assert "ASSET_MATERIALIZATION" in [e.dagster_event.event_type_value for e in theirs if e.dagster_event]
    latest = events.get_latest_materialization_events([something.key])[something.key]
    assert latest.asset_materialization.metadata["rows"].value == 3
    events.dispose()
    runs.dispose()


def test_what_the_storages_of_dagster_wrote_is_read_by_ours(tmp_path: Path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as stock:
        run_id = run(stock)
        count = len(stock.get_records_for_run(run_id).records)
    events = PooledEventLogStorage(str(tmp_path / "history" / "runs"))
    assert len(events.get_records_for_run(run_id).records) == count
    events.dispose()


def test_only_some_shards_are_kept_open_and_all_can_still_be_read(instance, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "_KEPT_SHARDS", 3)
    runs = [run(instance) for _ in range(4)]
    events = instance.event_log_storage
    assert len(events._engines) == 3
    assert runs[-1] in events._engines
    assert runs[0] not in events._engines
    assert instance.get_records_for_run(runs[0]).records
    assert len(events._engines) == 3
    assert runs[0] in events._engines


def test_eight_shards_are_kept(tmp_path: Path):
    events = PooledEventLogStorage(str(tmp_path))
    engines = [events._kept_engine(f"run-{number}") for number in range(9)]
    assert list(events._engines) == [f"run-{number}" for number in range(1, 9)]
    assert events._kept_engine("run-8") is engines[8]
    events.dispose()


def test_disposing_closes_every_connection(instance: dg.DagsterInstance):
    run(instance)
    events, runs = instance.event_log_storage, instance.run_storage
    closed: list[object] = []
    for engine in [*events._engines.values(), runs._kept]:
        sa.event.listen(engine, "close", lambda connection, _: closed.append(connection))
    events.dispose()
    runs.dispose()
    assert len(events._engines) == 0
    assert len(closed) >= 3


def test_a_failed_transaction_of_the_run_storage_is_undone(instance: dg.DagsterInstance):
    storage = instance.run_storage
    with pytest.raises(ZeroDivisionError), storage.connect() as connection:  # noqa: PT012  (the block is the case)
        connection.exec_driver_sql("CREATE TABLE kept (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        raise ZeroDivisionError
    run(instance)
    assert len(instance.get_runs()) == 1


def test_what_is_written_behind_is_there_for_whoever_reads(instance: dg.DagsterInstance, folder: Path):
    def kinds(events: Any, run_id: str) -> list[str]:
        entries = [record.event_log_entry for record in events.get_records_for_run(run_id).records]
        return [entry.dagster_event.event_type_value for entry in entries]

    expected = kinds(instance, run(instance))
    with history.written_behind(instance):
        behind = run(instance)
        assert kinds(instance, behind) == expected
        assert instance.get_latest_materialization_event(something.key).run_id == behind
    stock = SqliteEventLogStorage(str(folder / "runs"))
    assert kinds(stock, behind) == expected
    stock.dispose()


def test_what_still_waits_at_the_end_is_stored(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch):
    store, asked_for = SqliteEventLogStorage.store_event, threading.Event()

    def late(self: SqliteEventLogStorage, event: dg.EventLogEntry) -> None:
        asked_for.wait(10)
        store(self, event)

    with history.written_behind(instance):
        run_id = run(instance)
        instance.get_records_for_run(run_id)
        monkeypatch.setattr(SqliteEventLogStorage, "store_event", late)
        instance.report_engine_event("the last word", run_id=run_id, job_name="any")
        threading.Timer(0.1, asked_for.set).start()
    messages = [record.event_log_entry.message for record in instance.get_records_for_run(run_id).records]
    assert messages[-1] == "the last word"


def test_an_event_that_cannot_be_stored_is_an_error(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", full)
    with pytest.raises(OSError, match="disk full"), history.written_behind(instance):
        dg.materialize([something], instance=instance, raise_on_error=False)


class Held:
    """Keeps the thread that stores events from going on, once it has met the last word."""

    def __init__(self, patch: pytest.MonkeyPatch):
        store = SqliteEventLogStorage.store_event
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.stored: list[str] = []

        def held(storage: SqliteEventLogStorage, event: dg.EventLogEntry) -> None:
            if event.message == "the last word":
                self.reached.set()
                assert self.go_on.wait(30)
            store(storage, event)
            self.stored.append(event.message)

        patch.setattr(SqliteEventLogStorage, "store_event", held)

    def say(self, instance: dg.DagsterInstance, run_id: str) -> None:
        instance.report_engine_event("the last word", run_id=run_id, job_name="any")
        assert self.reached.wait(10)


READS = {
    "asset records": lambda events: events.get_asset_records([something.key])[0].asset_entry.last_materialization,
    "all asset records": lambda events: events.get_asset_records()[0].asset_entry.last_materialization,
    "materializations": lambda events: events.fetch_materializations(something.key, limit=1).records[0],
    "observations": lambda events: not events.fetch_observations(dg.AssetRecordsFilter(something.key), limit=1).records,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_about_an_asset_does_not_wait_for_events_of_others(instance, read, monkeypatch: pytest.MonkeyPatch):
    held = Held(monkeypatch)
    with history.written_behind(instance):
        run_id = run(instance)
        instance.get_records_for_run(run_id)
        held.say(instance, run_id)  # from here on the thread holds the lock and has a transaction open
        found = read(instance.event_log_storage)
        assert "the last word" not in held.stored
        held.go_on.set()
    assert found
    assert held.stored[-1] == "the last word"


def test_a_read_about_an_asset_waits_for_its_own_events(instance, monkeypatch: pytest.MonkeyPatch):
    held, found = Held(monkeypatch), []

    def read() -> None:
        record = instance.event_log_storage.get_asset_records([something.key])[0]
        found.append((record.asset_entry.last_materialization.run_id, "the last word" in held.stored))

    with history.written_behind(instance):
        first = run(instance)
        held.say(instance, first)
        second = threading.Thread(target=lambda: instance.report_runless_asset_event(LATER))
        second.start()
        second.join(10)  # it has its ticket now, and is not stored
        reading = threading.Thread(target=read)
        reading.start()
        held.go_on.set()
        reading.join(10)
    assert found == [("", True)]


LATER = dg.AssetMaterialization(something.key)


def test_whoever_reads_events_waits_for_all_of_them(instance, monkeypatch: pytest.MonkeyPatch):
    held = Held(monkeypatch)
    with history.written_behind(instance):
        run_id = run(instance)
        held.say(instance, run_id)
        releasing = threading.Thread(target=held.go_on.set)
        releasing.start()
        messages = [record.event_log_entry.message for record in instance.get_records_for_run(run_id).records]
    releasing.join()
    assert messages[-1] == "the last word"


def test_how_the_database_is_made_is_asked_once(instance: dg.DagsterInstance):
    run(instance)
    events = instance.event_log_storage
    events.get_asset_records([something.key])
    asked: list[str] = []
    sa.event.listen(events._engines["index"], "before_cursor_execute", lambda *given: asked.append(given[2]))
    events.get_asset_records([something.key])
    assert asked
    assert not [query for query in asked if "PRAGMA" in query or "secondary_indexes" in query]


def test_a_column_that_was_not_there_is_asked_for_again(instance: dg.DagsterInstance):
    events = instance.event_log_storage
    assert not events.has_asset_key_col("a_new_one")
    with events.index_connection() as connection:
        connection.exec_driver_sql("ALTER TABLE asset_keys ADD COLUMN a_new_one TEXT")
    assert events.has_asset_key_col("a_new_one")

"""Dagster's history with connections that stay open: Dagster's own files, opened once."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from movies_platform.resources import dagster_sqlite
from movies_platform.resources.dagster_sqlite import KeptEventLogStorage, KeptRunStorage, KeptScheduleStorage
from movies_platform.resources.home import prepare_home


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster as the platform's dagster.yaml has it."""
    prepare_home()
    with dg.DagsterInstance.get() as made:
        yield made


def test_dagster_takes_the_storages_from_its_configuration(instance: dg.DagsterInstance):
    kinds = (KeptRunStorage, KeptEventLogStorage, KeptScheduleStorage)
    assert (type(instance.run_storage), type(instance.event_log_storage), type(instance.schedule_storage)) == kinds


@dg.asset
def something() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


def run(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([something], instance=instance)
    assert result.success
    return result.run_id


def test_what_we_wrote_is_read_by_the_storages_of_dagster(instance: dg.DagsterInstance, home: Path):
    run_id = run(instance)
    ours = [r.event_log_entry.message for r in instance.get_records_for_run(run_id).records]
    stock = DagsterSqliteStorage(str(home / "dagster"))
    assert [(r.run_id, r.status) for r in stock.run_storage.get_runs()] == [(run_id, dg.DagsterRunStatus.SUCCESS)]
    theirs = [r.event_log_entry for r in stock.event_log_storage.get_records_for_run(run_id).records]
    assert [e.message for e in theirs] == ours
    latest = stock.event_log_storage.get_latest_materialization_events([something.key])[something.key]
    assert latest.asset_materialization.metadata["rows"].value == 3
    assert stock.schedule_storage.all_instigator_state() == []
    stock.dispose()


def test_what_the_storages_of_dagster_wrote_is_read_and_continued_by_ours(home: Path):
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home / "dagster")) as stock:
        first = run(stock)
        count = len(stock.get_records_for_run(first).records)
    (home / "dagster" / "dagster.yaml").unlink()
    prepare_home()
    with dg.DagsterInstance.get() as ours:
        assert len(ours.get_records_for_run(first).records) == count
        second = run(ours)
        assert {r.run_id for r in ours.get_runs()} == {first, second}


def test_a_run_opens_its_own_file_and_no_other(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch):
    run(instance)
    opened, kept_engine = [], dagster_sqlite.kept_engine
    monkeypatch.setattr(dagster_sqlite, "kept_engine", lambda url: (opened.append(url), kept_engine(url))[1])
    run_id = run(instance)
    assert [Path(url).stem for url in opened] == [run_id]


def test_only_some_shards_are_kept_open_and_all_can_still_be_read(instance, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dagster_sqlite, "KEPT_SHARDS", 3)
    runs = [run(instance) for _ in range(4)]
    engines = instance.event_log_storage.engines
    assert len(engines) == 3
    assert runs[-1] in engines
    assert runs[0] not in engines
    assert instance.get_records_for_run(runs[0]).records
    assert len(engines) == 3
    assert runs[0] in engines


def test_disposing_closes_every_connection(instance: dg.DagsterInstance):
    run(instance)
    events, runs = instance.event_log_storage, instance.run_storage
    closed: list[object] = []
    for engine in [*events.engines.values(), runs.engine]:
        sa.event.listen(engine, "close", lambda connection, _: closed.append(connection))
    events.dispose()
    runs.dispose()
    assert len(events.engines) == 0
    assert len(closed) >= 3


def test_a_failed_transaction_is_undone(instance: dg.DagsterInstance):
    runs = instance.run_storage
    with pytest.raises(ZeroDivisionError), runs.connect() as connection:  # noqa: PT012  (the block is the case)
        connection.exec_driver_sql("CREATE TABLE kept (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        raise ZeroDivisionError
    with runs.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM kept").fetchall() == []


def test_connections_survive_a_killed_process_and_do_not_wait_for_the_disk(tmp_path: Path):
    events = KeptEventLogStorage(str(tmp_path))
    with events.index_connection() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    events.dispose()

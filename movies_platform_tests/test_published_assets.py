"""The assets of published and loaded in Dagster: when the daemon starts them, and what a run says when it fails."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from movies_platform.automation.jobs import LOAD_JOB, PUBLISH_JOB
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.published import SNAPSHOT, present_tables, published_tables
from movies_platform.contracts.raw import DATA_ISSUES
from movies_platform.definitions import defs
from movies_platform.handing_on import hand_on, publish_in_a_run
from movies_platform.resources.home import prepare_home
from movies_platform_tests.published_states import State

SNAPSHOT_KEY, LOADED_KEY = asset_key(SNAPSHOT), dg.AssetKey(["loaded", "warehouses"])
OURS = dg.AssetSelection.assets(SNAPSHOT_KEY, LOADED_KEY)


def requested(instance: dg.DagsterInstance, cursor: object = None) -> tuple[set[dg.AssetKey], object]:
    """What the daemon would start now, and the cursor for its next look."""
    found = dg.evaluate_automation_conditions(defs=defs, instance=instance, asset_selection=OURS, cursor=cursor)
    return {key for key in (SNAPSHOT_KEY, LOADED_KEY) if found.get_requested_partitions(key)}, found.cursor


def materialize(instance: dg.DagsterInstance, *keys: dg.AssetKey, partition: str | None = None) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))


def test_the_daemon_publishes_after_the_tables_and_loads_after_publishing():
    everything = [asset_key(table) for table in present_tables()]
    with dg.DagsterInstance.ephemeral() as instance:
        nothing, cursor = requested(instance)
        assert nothing == set()
        materialize(instance, asset_key(DATA_ISSUES), partition="2017-11")
        after_raw, cursor = requested(instance, cursor)
        assert after_raw == set()
        materialize(instance, *everything)
        started, cursor = requested(instance, cursor)
        assert SNAPSHOT_KEY in started
        materialize(instance, SNAPSHOT_KEY)
        later, cursor = requested(instance, cursor)
        assert SNAPSHOT_KEY not in later
        assert LOADED_KEY in started | later


def test_a_failed_blocking_check_holds_publishing_back():
    table = present_tables()[0]
    graph = defs.resolve_asset_graph()
    check = next(k for k in graph.asset_check_keys if k.asset_key == asset_key(table) and graph.get(k).blocking)
    with dg.DagsterInstance.ephemeral() as instance:
        _, cursor = requested(instance)
        materialize(instance, *(asset_key(t) for t in present_tables()))
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                check.asset_key, check.name, passed=False, severity=dg.AssetCheckSeverity.ERROR, metadata={}
            )
        )
        held, _ = requested(instance, cursor)
    assert SNAPSHOT_KEY not in held


@pytest.mark.parametrize(("job", "key"), [(PUBLISH_JOB, SNAPSHOT_KEY), (LOAD_JOB, LOADED_KEY)])
def test_a_job_does_its_one_asset(job: str, key: dg.AssetKey):
    assert set(defs.resolve_job_def(job).asset_layer.executable_asset_keys) == {key}


def test_what_a_run_did_and_why_it_failed_is_said(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    prepare_home()
    database = home / "films.db"
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{database}")
    lines, problems = hand_on(anew=True, tell=lambda _: None)
    assert problems == []
    assert lines[0].startswith("snapshot  2017-11-")
    assert lines[1] == f"loaded    sqlite:///{database}: {len(published_tables()) + 1} tables"
    lines, _ = hand_on(anew=True, tell=lambda _: None)
    assert lines[0].endswith("(as before)")
    assert lines[1].endswith("as before")
    monkeypatch.setenv("MOVIES_LOAD_TO", "postgresql://me:secret@127.0.0.1:1/x?connect_timeout=1 nonsense")
    lines, problems = hand_on(anew=False, tell=lambda _: None)
    assert lines == []
    assert "no database to load" in problems[0]
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM platform.builds")
    failed = publish_in_a_run(insist=True)
    assert failed.problem
    assert "does not show what was delivered" in failed.problem

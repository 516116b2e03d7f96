"""The assets of published and loaded in Dagster: when the daemon starts them, and what a run says when it fails."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from movies_platform.automation.jobs import LOAD_JOB, PUBLISH_JOB
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.published import SNAPSHOT, present_tables, published_tables
from movies_platform.contracts.raw import DATA_ISSUES
from movies_platform.definitions import defs
from movies_platform.landing.deliveries import Archived
from movies_platform.published.assets import snapshot_is_complete_and_current
from movies_platform.published.read import latest_snapshot
from movies_platform.published.write import publish
from movies_platform.refresh import Summary, publish_and_load
from movies_platform.resources.build_log import deliveries_fingerprint
from movies_platform.resources.home import prepare_home
from movies_platform_tests.published_states import State, run

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


@pytest.mark.parametrize(("job", "key"), [(PUBLISH_JOB, SNAPSHOT_KEY), (LOAD_JOB, LOADED_KEY)])
def test_a_job_does_its_one_asset(job: str, key: dg.AssetKey):
    assert set(defs.resolve_job_def(job).asset_layer.executable_asset_keys) == {key}


def test_what_a_run_did_and_why_it_failed_is_said(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    def done(*, recomputed: bool) -> tuple[list[str], list[str]]:
        summary = Summary(recomputed=recomputed)
        return list(publish_and_load(summary, lambda _: None)), summary.problems

    states[0].use(monkeypatch, home)
    prepare_home()
    database = home / "films.db"
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{database}")
    lines, problems = done(recomputed=True)
    assert problems == []
    assert lines[0].startswith("snapshot  2017-11-")
    assert lines[1] == f"loaded    sqlite:///{database}: {len(published_tables()) + 1} tables"
    lines, _ = done(recomputed=True)
    assert lines[0].endswith("(as before)")
    assert lines[1].endswith("as before")
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{home}/nowhere/films.db")
    lines, problems = done(recomputed=False)
    assert "nowhere" in problems[0]
    assert lines == [f"problem   {line}" for line in problems[0].splitlines()]
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM platform.builds")
    _, problem = run(PUBLISH_JOB, {"published__snapshot": {"config": {"force": True}}})
    assert "does not show what was delivered" in str(problem)


def damage_file(home: Path) -> None:
    found = latest_snapshot()
    path = home / "published" / found.path("parquet/core/movies.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def lose_file(home: Path) -> None:
    found = latest_snapshot()
    (home / "published" / found.path("movies.duckdb")).unlink()


def change_table(home: Path) -> None:
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM metrics.genre_budget_by_year WHERE year = 2000")


def deliver_again(home: Path) -> None:
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE raw.deliveries SET delivery_id = 'another'")


def recompute(home: Path) -> None:
    deliver_again(home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        now = deliveries_fingerprint(connection)
        connection.execute("UPDATE platform.builds SET built_from = ? WHERE delivery_month IS NULL", [now])


def lose_pointer(home: Path) -> None:
    (home / "published/latest.json").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage_file, r"movies\.parquet is not what was published.*publish --force"),
        (lose_file, r"movies\.duckdb does not exist.*publish --force"),
        (change_table, r"genre_budget_by_year has .* rows, .* in the snapshot\. Run 'movies-platform publish'"),
        (deliver_again, "does not show what was delivered. Run 'movies-platform refresh'"),
        (recompute, "made from other deliveries than the tables. Run 'movies-platform publish'"),
        (lose_pointer, "Nothing is published at .*Run 'movies-platform publish'"),
    ],
)
def test_the_check_of_the_snapshot_passes_when_published_and_fails_with_what_to_do(
    change: Callable[[Path], None], message: str, home: Path, states: tuple[State, State],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    states[0].use(monkeypatch, home)
    publish()
    passed = snapshot_is_complete_and_current()
    assert isinstance(passed, dg.AssetCheckResult)
    assert passed.passed, passed.description
    change(home)
    failed = snapshot_is_complete_and_current()
    assert isinstance(failed, dg.AssetCheckResult)
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert re.search(message, failed.description or ""), failed.description


def test_the_check_runs_with_the_asset_and_names_refused_and_missing_months(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    prepare_home()
    refused = Archived(dt.date(2018, 1, 1), 1, "0123456789ab", "failed", "failed/2018-01/0001-0123456789ab", {})
    monkeypatch.setattr("movies_platform.published.write.refused_months", lambda _: [refused])
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(PUBLISH_JOB).execute_in_process(instance=instance)
        metadata = result.asset_materializations_for_node("published__snapshot")[0].metadata
        assert [metadata[name].value for name in ("refused_months", "missing_months")] == ["2018-01", "2017-12"]
        (evaluation,) = result.get_asset_check_evaluations()
        assert evaluation.passed, evaluation.description

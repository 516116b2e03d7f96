"""When the tables follow the months, and when a month whose run was killed is completed."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from movies_platform.automation.conditions import automated
from movies_platform.contracts.raw import raw_table
from movies_platform.contracts.sources import SOURCES
from movies_platform.definitions import defs

FAULTS: dict[str, Exception] = {}  # by asset
DURING: dict[str, Callable[[], None]] = {}  # what happens while an asset is made
MONTHS = dg.MonthlyPartitionsDefinition("2017-01", fmt="%Y-%m", end_offset=1)


def _work(name: str) -> None:
    DURING.get(name, lambda: None)()
    if name in FAULTS:
        raise FAULTS[name]


@dg.asset(group_name="raw", key=["raw", "raw_movies"], partitions_def=MONTHS)
def raw_movies() -> None:
    _work("raw_movies")


@dg.asset(group_name="parsed", key=["parsed", "parsed_movies"], partitions_def=MONTHS, deps=[raw_movies])
def parsed_movies() -> None:
    _work("parsed_movies")


@dg.asset(group_name="raw", key=["raw", "data_issues"], partitions_def=MONTHS, deps=[raw_movies, parsed_movies])
def data_issues() -> None: ...


@dg.asset(key=["core", "movies"], deps=[parsed_movies])
def movies() -> None:
    _work("movies")


@dg.asset(key=["metrics", "answer"], deps=[movies])
def answer() -> None: ...


MONTHLY, TABLES = [raw_movies, parsed_movies, data_issues], [movies, answer]


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Evaluations:
    """One evaluation after the other of a small graph in the shape of the real one."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance, self.cursor = instance, None
        # Early in an hour, so that no full hour passes unless a test lets it.
        self.now = dt.datetime.now(dt.UTC).replace(minute=1) + dt.timedelta(hours=1)
        self.defs = dg.Definitions(automated([*MONTHLY, *TABLES]))
        self()

    def __call__(self, minutes: int = 0) -> set[str]:
        """Names of the assets that are asked for, with their months."""
        self.now += dt.timedelta(seconds=1, minutes=minutes)
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        asked = set()
        for table in TABLES:
            asked |= {table.key.path[-1]} if result.get_num_requested(table.key) else set()
        for asset in MONTHLY:
            asked |= {f"{asset.key.path[-1]} {month}" for month in result.get_requested_partitions(asset.key)}
        assert len(asked) == result.total_requested
        return asked

    def load(self, month: str, fault: str = "", selection: list[dg.AssetsDefinition] = MONTHLY) -> None:
        """Load a month in a run that ends where an asset fails."""
        FAULTS.update({fault: OSError("killed")} if fault else {})
        dg.materialize(
            MONTHLY, instance=self.instance, partition_key=month, selection=selection, raise_on_error=False
        )  # fmt: skip
        FAULTS.clear()

    def compute(self, fault: str = "") -> None:
        """Compute the tables."""
        FAULTS.update({fault: OSError("disk full")} if fault else {})
        dg.materialize([*MONTHLY, *TABLES], instance=self.instance, selection=TABLES, raise_on_error=False)
        FAULTS.clear()


@pytest.fixture
def evaluate(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Evaluations:
    monkeypatch.setattr(sys.modules[__name__], "FAULTS", {})
    return Evaluations(instance)


def test_the_tables_follow_any_month_once(evaluate: Evaluations):
    assert evaluate() == set()
    evaluate.load("2017-11")
    evaluate.load("2017-10")
    assert evaluate() == {"movies", "answer"}  # once for both months
    evaluate.compute()
    assert evaluate() == set()
    evaluate.load("2017-01")  # late
    assert evaluate() == {"movies", "answer"}


@dg.asset(group_name="parsed", key=["parsed", "parsed_links"], partitions_def=MONTHS, deps=[parsed_movies])
def parsed_links() -> None:
    _work("parsed_links")


@dg.asset(key=["core", "links"], deps=[parsed_movies, parsed_links])
def links() -> None: ...


@dg.asset(key=["core", "ratings"], deps=[parsed_movies, links])
def ratings() -> None: ...


@dg.asset(group_name="published", key=["published", "snapshot"], deps=[movies, links, ratings])
def snapshot() -> None: ...


@pytest.mark.parametrize("before", ["nothing", "a month"])
@pytest.mark.parametrize(
    ("run", "early", "late"),
    [
        ([raw_movies, parsed_movies, parsed_links, data_issues], set(), {"movies", "links", "ratings", "snapshot"}),
        ([parsed_movies, parsed_links], {"movies"}, {"links", "ratings", "snapshot"}),  # by hand
    ],
    ids=["a month", "some of it"],
)
def test_what_reads_a_table_waits_for_it(
    instance: dg.DagsterInstance, before: str, run: list[dg.AssetsDefinition], early: set[str], late: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A tick in the middle of a run asks for nothing; if it does, what reads a table that must wait does so, too."""
    months, tables, cursor = [*MONTHLY, parsed_links], [movies, links, ratings, snapshot], None
    definitions = dg.Definitions(automated([*months, *tables]))

    def asked() -> set[str]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
        cursor = result.cursor
        return {table.key.path[-1] for table in tables if result.get_num_requested(table.key)}

    def compute(names: set[str]) -> None:
        chosen = [table for table in tables if table.key.path[-1] in names]
        if chosen:
            dg.materialize([*months, *tables], instance=instance, selection=chosen)

    asked()
    if before == "a month":
        dg.materialize(months, instance=instance, partition_key="2017-11")
        every = asked()
        assert every == early | late
        compute(every)
        assert asked() == set()
    dg.materialize(months, instance=instance, partition_key="2017-12", selection=[raw_movies])
    found: list[set[str]] = []
    monkeypatch.setitem(DURING, "parsed_links", lambda: found.append(asked()))
    dg.materialize(months, instance=instance, partition_key="2017-12", selection=run)
    assert found == [early]
    compute(early)
    assert asked() == late
    compute(late)
    assert asked() == set()


def test_tables_that_failed_are_computed_some_minutes_later(evaluate: Evaluations):
    evaluate.load("2017-11")
    assert evaluate() == {"movies", "answer"}
    evaluate.compute(fault="movies")
    assert evaluate() == set()
    assert evaluate(minutes=11) == {"movies", "answer"}
    evaluate.compute()
    assert evaluate(minutes=11) == set()


def test_a_month_whose_run_was_killed_after_raw_is_completed_some_minutes_later(evaluate: Evaluations):
    evaluate.load("2017-10")
    evaluate.load("2017-11", fault="parsed_movies")
    assert evaluate() == {"movies", "answer"}
    evaluate.compute()
    assert evaluate() == set()
    assert evaluate(minutes=11) == {"parsed_movies 2017-11", "data_issues 2017-11"}
    evaluate.load("2017-11", selection=[parsed_movies, data_issues])
    assert evaluate() == {"movies", "answer"}
    evaluate.compute()
    assert evaluate(minutes=11) == set()


def test_a_month_that_was_completed_by_dagsters_retry_is_left_alone(evaluate: Evaluations):
    evaluate.load("2017-11", fault="parsed_movies")
    evaluate.load("2017-11", selection=[parsed_movies, data_issues])
    assert evaluate() == {"movies", "answer"}
    evaluate.compute()
    assert evaluate(minutes=11) == set()


def test_a_refused_delivery_starts_nothing(evaluate: Evaluations):
    evaluate.load("2017-10")
    evaluate()
    evaluate.compute()
    evaluate.load("2017-11", fault="raw_movies")
    evaluate.load("2017-10", fault="raw_movies")
    assert evaluate() == evaluate(minutes=11) == evaluate(minutes=11) == set()


def test_a_raw_table_that_failed_is_not_tried_again_by_a_condition(evaluate: Evaluations):
    """A refused month would turn green: its run would find nothing new to read. The sensor repeats what is due."""
    evaluate.load("2017-11", fault="raw_movies")
    assert evaluate(minutes=11) == set()
    assert evaluate(minutes=60) == set()
    evaluate.load("2017-11")
    evaluate()
    evaluate.compute()
    assert evaluate(minutes=60) == set()


def test_everything_but_what_the_sensor_starts_follows_by_a_condition():
    graph = defs.resolve_asset_graph()
    without = {key.path[-1] for key in graph.materializable_asset_keys if not graph.get(key).automation_condition}
    assert without == {"deliveries", *(raw_table(source).name for source in SOURCES)}


def test_the_sensors_are_on_from_the_start():
    sensors = [defs.resolve_sensor_def(name) for name in ("deliveries", "automation", "alerts", "run_monitoring")]
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}

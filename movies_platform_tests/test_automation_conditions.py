"""When the tables follow the months: missing months do not matter, a blocked month holds them."""

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from movies_platform.automation.conditions import automated, automation_sensor
from movies_platform.definitions import defs
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Settled, blocked_months

MONTH = dt.date(2017, 11, 1)
FAULTS: list[Exception] = []
MONTHS = dg.MonthlyPartitionsDefinition("2017-01-01")


@dg.asset(key=["parsed", "parsed_movies"], partitions_def=MONTHS)
def parsed_movies() -> None: ...


@dg.asset(key=["core", "movies"], deps=[parsed_movies])
def movies() -> None:
    for fault in FAULTS:
        raise fault


@dg.asset(key=["metrics", "answer"], deps=[movies])
def answer() -> None: ...


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Evaluations:
    """One evaluation after the other of a small graph in the shape of the real one."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance, self.cursor, self.now = instance, None, dt.datetime.now(dt.UTC)
        self.defs = dg.Definitions(automated([parsed_movies, movies, answer]))
        self()

    def __call__(self, minutes: int = 0) -> int:
        """How many assets are asked for."""
        self.now += dt.timedelta(seconds=1, minutes=minutes)
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        return result.total_requested

    def load(self, month: str) -> None:
        dg.materialize([parsed_movies], instance=self.instance, partition_key=month)

    def compute(self, *, raise_on_error: bool = True) -> None:
        dg.materialize(
            [movies, answer], instance=self.instance, selection=[movies, answer], raise_on_error=raise_on_error
        )
        FAULTS.clear()


@pytest.fixture
def evaluate(instance: dg.DagsterInstance) -> Evaluations:
    return Evaluations(instance)


def settle(home: Path, content: str, outcome: str, reason: str = "") -> None:
    source = home / "movies_metadata.csv"
    source.write_text(content)
    landing = open_landing()
    landing.settle(landing.put(MONTH, {source.name: source}), outcome, {"reason": reason})


def test_the_tables_follow_any_month_once(evaluate: Evaluations):
    assert evaluate() == 0
    evaluate.load("2017-11-01")
    evaluate.load("2017-10-01")
    assert evaluate() == 2  # both tables, once for both months
    evaluate.compute()
    assert evaluate() == 0
    evaluate.load("2017-01-01")  # late
    assert evaluate() == 2


def test_a_blocked_month_holds_the_tables_until_it_is_mended(evaluate: Evaluations, home: Path):
    settle(home, "bad", "failed", "blocking_check")
    evaluate.load("2017-12-01")
    assert evaluate() == evaluate() == 0
    settle(home, "worse", "failed", "rejected")
    assert evaluate() == 0
    settle(home, "good", "processed")
    assert evaluate() == 2


def test_a_refused_delivery_holds_nothing(evaluate: Evaluations, home: Path):
    settle(home, "bad", "failed", "rejected")
    evaluate.load("2017-12-01")
    assert evaluate() == 2


@pytest.mark.parametrize(
    ("outcomes", "blocked"),
    [
        (["blocking_check"], True),
        (["blocking_check", "rejected"], True),
        (["blocking_check", "superseded", "processed"], False),
        (["processed", "blocking_check"], True),
        (["processed", "rejected"], False),
        ([], False),
    ],
    ids=str,
)
def test_only_a_processed_delivery_mends_a_blocked_month(outcomes: list[str], blocked: bool):
    settled = [
        Settled(MONTH, n, "0" * 12, "processed" if o == "processed" else "failed", "", {"reason": o})
        for n, o in enumerate(outcomes)
    ]
    assert bool(blocked_months(settled)) == blocked


def test_a_run_that_failed_is_made_again_some_minutes_later(evaluate: Evaluations, monkeypatch: pytest.MonkeyPatch):
    evaluate.load("2017-11-01")
    assert evaluate() == 2
    monkeypatch.setattr(sys.modules[__name__], "FAULTS", [OSError("disk full")])
    evaluate.compute(raise_on_error=False)
    assert evaluate() == 0
    assert evaluate(minutes=11) == 2
    evaluate.compute()
    assert evaluate(minutes=11) == 0


def test_a_landing_zone_that_cannot_be_asked_raises(evaluate: Evaluations, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_LANDING", "ftp://nowhere")
    evaluate.load("2017-12-01")
    with pytest.raises(Exception, match="Error while evaluating") as raised:
        evaluate()
    assert "is no place on S3" in str(raised.value.__cause__)


def test_everything_behind_the_months_follows_by_a_condition():
    graph = defs.resolve_asset_graph()
    having = {key.path[0] for key in graph.materializable_asset_keys if graph.get(key).automation_condition}
    lacking = {key.path[0] for key in graph.materializable_asset_keys if not graph.get(key).automation_condition}
    assert {"core", "metrics"} <= having
    assert lacking == {"raw", "parsed"}


def test_the_sensors_are_on_from_the_start():
    sensors = defs.resolve_sensor_def("deliveries"), automation_sensor(), defs.resolve_sensor_def("alerts")
    assert {s.default_status for s in sensors} == {dg.DefaultSensorStatus.RUNNING}

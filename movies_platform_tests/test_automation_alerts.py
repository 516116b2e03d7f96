"""People are told of what ended badly, what warns and what is late, once for each cause."""

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from movies_platform.automation import alerts as module
from movies_platform.automation.alerts import Cause, Cursor, digest, send
from movies_platform.definitions import defs
from movies_platform.errors import DeliveryRejected, MonthIncomplete, TablesOutdated
from movies_platform_tests.faults import listener

NOW = dt.datetime(2026, 11, 12, tzinfo=dt.UTC)
ONE, TWO = "json://user:secret@one/hook", "mailto://user:secret@two"


class Channels:
    """Hears what is sent; those in `broken` take nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.tried: list[str] = []
        self.broken: set[str] = set()

    def send(self, url: str, title: str, text: str) -> str | None:
        self.tried.append(url)
        if url in self.broken:
            return f"{url.split(':')[0]}:// took no message"
        self.heard.append((url, title))
        return None


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> Channels:
    made = Channels()
    monkeypatch.setattr(module, "send", made.send)
    return made


def test_a_cause_is_reported_once_until_it_is_over(channels: Channels):
    cursor = Cursor.load(None, NOW)
    for over in (False, False, True, False):
        cursor.add(Cause("failed:job", "It failed", is_over=over), (ONE,))
        assert cursor.send((ONE,)) == []
        cursor = Cursor.load(cursor.model_dump_json(), NOW)
    assert channels.heard == [(ONE, "It failed")] * 2


def test_the_end_of_a_cause_ends_all_below_it_and_nothing_else():
    cursor = Cursor(since=NOW, sent=["check:a:b:", "check:a:b::6", "check:a:b2::6", "check:a"])
    cursor.add(Cause("check:a:b", is_over=True), ())
    assert cursor.sent == ["check:a:b2::6", "check:a"]


def test_a_broken_channel_is_tried_once_a_tick_and_holds_up_no_other(channels: Channels):
    cursor = Cursor.load(None, NOW)
    channels.broken.add(ONE)
    for key in "ab":
        cursor.add(Cause(key, key), (ONE, TWO))
    assert cursor.send((ONE, TWO)) == ["json:// took no message"]
    assert channels.heard == [(TWO, "a"), (TWO, "b")]
    assert channels.tried.count(ONE) == 1
    cursor = Cursor.load(cursor.model_dump_json(), NOW)
    channels.broken.clear()
    assert cursor.send((ONE, TWO)) == []
    assert channels.heard[2:] == [(ONE, "a"), (ONE, "b")]
    assert cursor.waiting == []


def test_a_channel_that_is_no_longer_configured_is_forgotten(channels: Channels):
    cursor = Cursor.load(None, NOW)
    cursor.add(Cause("a", "a"), (ONE,))
    assert cursor.send((TWO,)) == []
    assert (channels.heard, cursor.waiting) == ([], [])


@pytest.mark.parametrize(
    "text", ["no json", "[]", '{"since": "2026-11-12T00:00:00Z", "waiting": 7}', '{"waiting": []}']
)
def test_the_cursor_holds_no_secret_and_a_broken_one_begins_again(text: str):
    cursor = Cursor.load(text, NOW)
    assert cursor == Cursor(since=NOW)
    cursor.add(Cause("a", "a"), (ONE,))
    assert "secret" not in cursor.model_dump_json()
    assert digest(ONE) in cursor.model_dump_json()


def test_apprise_sends_by_url():
    with listener() as (url, heard):
        assert send(url, "A month is late", "Ask the provider.") is None
        assert send("json://127.0.0.1:1/nobody", "title", "text") == "json:// took no message"
    assert [(m["title"], m["message"]) for m in heard] == [("movies_platform: A month is late", "Ask the provider.")]


@pytest.mark.parametrize("url", ["no channel at all: secret", "sl4ck://secret", "slack://secret"])
def test_an_address_that_is_none_is_told_without_its_secrets(url, caplog):
    problem = send(url, "title", "text")
    assert problem.endswith("is no address that Apprise understands: correct it in MOVIES_ALERTS")
    assert "secret" not in problem + caplog.text
    logging.getLogger("apprise").error("heard again")
    assert "heard again" in caplog.text


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield made


class Ticks:
    """One tick of the sensor after the other."""

    def __init__(self, instance: dg.DagsterInstance, channels: Channels):
        self.instance, self.channels, self.cursor = instance, channels, None
        self()

    def __call__(self) -> list[str]:
        """Titles that were sent."""
        before = len(self.channels.heard)
        result = module.tick(dg.build_sensor_context(self.instance, cursor=self.cursor, definitions=defs))
        self.cursor, self.said = result.cursor, result.skip_reason.skip_message
        return [title for _, title in self.channels.heard[before:]]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIES_ALERTS", ONE)
    monkeypatch.setenv("MOVIES_UI_URL", "https://dagster.example/")


@pytest.fixture
def tick(instance: dg.DagsterInstance, channels: Channels, settings: None) -> Ticks:
    return Ticks(instance, channels)


def load_month(
    instance: dg.DagsterInstance, outcome: object, month: str = "2017-11", table: str = "raw.deliveries"
) -> dg.ExecuteInProcessResult:
    """A run named like the real one, of an asset that ends so."""
    key, months = table.split("."), dg.StaticPartitionsDefinition([month])

    @dg.asset(
        key=key, partitions_def=months,
        check_specs=[dg.AssetCheckSpec("columns_are_known", asset=key, partitions_def=months)],
    )  # fmt: skip
    def made():
        if isinstance(outcome, Exception):
            raise outcome
        yield dg.AssetCheckResult(passed=outcome is True, severity=dg.AssetCheckSeverity.WARN, description="imdb")
        yield dg.Output(None)

    job = dg.define_asset_job("load_month", selection=[made])
    resolved = dg.Definitions([made], jobs=[job]).resolve_job_def("load_month")
    return resolved.execute_in_process(instance=instance, partition_key=month, raise_on_error=False)


def refusal() -> Exception:
    problem = DeliveryRejected("lacks the column id", file="movies_metadata.csv", remedy="Deliver it whole.")
    failure = dg.Failure(description=f"2017-11: {problem}", allow_retries=False)
    problem.__cause__ = UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid")
    failure.__cause__ = problem
    return failure


def test_a_refused_delivery_is_told_once_with_its_reason_and_a_link(tick: Ticks, instance, monkeypatch):
    texts = []
    send_on = tick.channels.send
    monkeypatch.setattr(module, "send", lambda url, title, text: (texts.append(text), send_on(url, title, text))[1])
    result = load_month(instance, refusal())
    assert tick() == ["The delivery for 2017-11 is refused"]
    assert texts == [
        "2017-11: movies_metadata.csv: lacks the column id. Deliver it whole.\n"
        f"https://dagster.example/runs/{result.run_id}"
    ]
    assert tick() == []


def test_a_fault_is_told_once_until_the_job_succeeds_again(tick: Ticks, instance):
    for _ in range(2):
        load_month(instance, OSError("no route to host"))
    assert tick() == ["A run of load_month for 2017-11 failed"]
    load_month(instance, OSError("no route to host"))
    assert tick() == []
    load_month(instance, True)
    assert tick() == []
    load_month(instance, OSError("no route to host"))
    assert tick() == ["A run of load_month for 2017-11 failed"]


@pytest.mark.parametrize(("again", "told"), [("true", []), ("false", ["A run of load_month for 2017-11 failed"])])
def test_a_failed_run_is_told_when_it_is_known_not_to_be_tried_again(
    home: Path, channels: Channels, settings: None, monkeypatch: pytest.MonkeyPatch, again: str, told: list[str]
):
    retries = {"run_retries": {"enabled": True, "max_retries": 1}}
    with dg.DagsterInstance.local_temp(str(home), overrides=retries) as instance:
        tick = Ticks(instance, channels)
        with monkeypatch.context() as between:  # Dagster stores the failure first
            between.setattr(instance, "add_run_tags", lambda *_: None)
            run = load_month(instance, OSError("no route to host"))
        assert tick() == []
        instance.add_run_tags(run.run_id, {"dagster/will_retry": again})
        assert tick() == told
        assert tick() == []


@pytest.mark.parametrize("problem", [MonthIncomplete("half of it"), TablesOutdated("not yet")], ids=repr)
def test_what_the_next_run_sets_right_is_not_told(tick: Ticks, instance, problem: Exception):
    load_month(instance, problem)
    assert tick() == []


def test_a_check_that_warns_in_a_green_run_is_told_once(tick: Ticks, instance):
    assert load_month(instance, False).success
    assert tick() == ["raw.deliveries: the check columns_are_known warns for 2017-11"]
    load_month(instance, False)
    assert tick() == []


def refresh(instance: dg.DagsterInstance, offenders: int, month: str | None = None) -> None:
    """A run of a table of all months whose check finds so many."""

    @dg.asset(key=["core", "movies"], check_specs=[dg.AssetCheckSpec("budgets_fit_revenues", asset=["core", "movies"])])
    def made():
        warn = dg.AssetCheckSeverity.WARN
        yield dg.AssetCheckResult(
            passed=not offenders, severity=warn, description=f"{offenders} movies", metadata={"offenders": offenders}
        )
        yield dg.Output(None)

    resolved = dg.Definitions([made]).resolve_implicit_global_asset_job_def()
    resolved.execute_in_process(instance=instance, tags={"dagster/partition": month} if month else None)


def test_a_table_that_warns_each_month_is_told_when_it_begins_and_when_it_doubles(tick: Ticks, instance):
    told = []
    for month, offenders in enumerate([33, 34, 33, 40, 70, 63, 0, 33], 1):
        refresh(instance, offenders, f"2017-{month:02d}-01")
        told.append(tick())
    warns = ["core.movies: the check budgets_fit_revenues warns"]
    assert told == [warns, [], [], [], warns, [], [], warns]


def test_a_long_reason_is_cut_before_its_link(tick: Ticks, instance, monkeypatch):
    texts = []
    monkeypatch.setattr(module, "send", lambda url, title, text: texts.append(text))
    result = load_month(instance, dg.Failure(description="x" * 100_000, allow_retries=False))
    tick()
    assert len(texts[0]) < 2_000
    assert texts[0].endswith(f"...\nhttps://dagster.example/runs/{result.run_id}")


def test_a_run_that_is_to_be_retried_is_not_told(tick: Ticks, instance):
    result = load_month(instance, OSError("killed"))
    instance.add_run_tags(result.run_id, {"dagster/will_retry": "true"})
    assert tick() == []


def sensor_ticks(instance: dg.DagsterInstance, *statuses: TickStatus) -> None:
    """Ticks of a sensor, oldest first."""
    repository = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(LoadableTargetOrigin()), "repository")
    origin = repository.get_instigator_origin("deliveries")
    state = InstigatorState(
        origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData(min_interval=10)
    )
    if not instance.all_instigator_state():
        instance.add_instigator_state(state)
    for status in statuses:
        error = SerializableErrorInfo("S3 is away", [], "OSError") if status == TickStatus.FAILURE else None
        number = len(instance.get_ticks(origin.get_id(), state.selector_id))
        instance.create_tick(
            TickData(
                origin.get_id(), "deliveries", InstigatorType.SENSOR, status, number + 1.0, error=error,
                selector_id=state.selector_id,
            )
        )  # fmt: skip


def test_a_sensor_that_fails_three_times_in_a_row_is_told_once_and_again_next_time(tick: Ticks, instance):
    failed, skipped = TickStatus.FAILURE, TickStatus.SKIPPED
    told = []
    for status in (failed, failed, failed, failed, skipped, failed, failed, TickStatus.STARTED, failed):
        sensor_ticks(instance, status)
        told.append(len(tick()))
    assert told == [0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_a_landing_zone_that_cannot_be_asked_stops_no_message(tick: Ticks, instance, monkeypatch):
    monkeypatch.setenv("MOVIES_EXPECTED_DAY", "1")
    assert len(tick()) == 1  # the running month has not arrived
    tick.cursor = None
    tick()
    monkeypatch.setattr(module, "open_landing", lambda: 1 / 0)
    load_month(instance, refusal())
    assert "The delivery for 2017-11 is refused" in tick()


def test_without_channels_nothing_is_sent_and_it_says_so(tick: Ticks, instance, monkeypatch):
    monkeypatch.delenv("MOVIES_ALERTS")
    load_month(instance, refusal())
    assert tick() == []
    assert tick.said == "MOVIES_ALERTS is not set: nobody gets a message."


@pytest.mark.parametrize(
    ("day", "where", "sent"),
    [(11, None, 0), (12, None, 1), (12, "incoming", 0), (12, "failed", 0)],
)
def test_a_month_that_has_not_arrived_by_its_day_is_reported_once(tick, home, monkeypatch, day, where, sent):
    now = dt.datetime(2026, 11, day, 9, tzinfo=dt.UTC)
    monkeypatch.setattr(module.dt, "datetime", type("Now", (dt.datetime,), {"now": classmethod(lambda *_: now)}))
    monkeypatch.setenv("MOVIES_EXPECTED_DAY", "12")
    if where:
        folder = home / "landing" / where / "2026-11" / ("0001-0123456789ab" if where == "failed" else "")
        folder.mkdir(parents=True)
        (folder / "movies_metadata.csv").write_text("x")
        (folder / "error.json").write_text('{"files": []}') if where == "failed" else None
    assert tick() == ["The delivery for 2026-11 has not arrived"] * sent
    assert tick() == []

"""The sensor that sees deliveries arrive: one tick after the other, in a folder and on S3, with a queue and without."""

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import dagster as dg
import pytest

from movies_platform.automation import deliveries as module
from movies_platform.automation.deliveries import (
    ARRIVAL,
    DELIVERY,
    PARTITION,
    Attempt,
    Cursor,
    why_incomplete,
    why_not_again,
)  # fmt: skip
from movies_platform.definitions import defs
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Landing, arrival
from movies_platform_tests.buckets import Store

MOVIES = "movies_metadata.csv"
Put = Callable[..., None]
NOW = dt.datetime(2026, 11, 21, 12, 0, 0, 500_000, dt.UTC)
MONTH = dt.date(2026, 11, 1)
CREDITS = "credits.csv"


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


def reason(marker: str = "", unchanged_since: dt.datetime | None = None, **files: float) -> str | None:
    """Why files written so many seconds ago are not a complete delivery, with 10 seconds to settle."""
    names = {"movies": MOVIES, "credits": CREDITS, "success": "_SUCCESS", "manifest": "manifest.json"}
    found = arrival(MONTH, {names[name]: ("v", ago(seconds)) for name, seconds in files.items()})
    assert found is not None
    return why_incomplete(found, unchanged_since or NOW, NOW, 10, marker)


@pytest.mark.parametrize(
    ("files", "marker", "expected"),
    [
        ({"movies": 11}, "", None),
        ({"movies": 9}, "", "is still being written"),
        ({"movies": 60, "credits": 1}, "", "is still being written"),
        ({"movies": 1, "success": 1}, "", None),
        ({"movies": 1, "manifest": 0}, "", None),
        ({"movies": 1, "success": 30}, "", "is still being written"),
        ({"credits": 600}, "", "waits for movies_metadata, has credits.csv"),
        ({"credits": 3_601}, "", None),
        ({"movies": 600}, "_SUCCESS", "waits for _SUCCESS"),
        ({"movies": 600, "manifest": 600}, "_SUCCESS", "waits for _SUCCESS"),
        ({"movies": 600, "success": 599}, "_SUCCESS", None),
        ({"movies": 10, "success": 600}, "_SUCCESS", "waits for _SUCCESS"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_a_delivery_is_complete_when_it_is_quiet_or_marked(files, marker, expected):
    assert reason(marker, **files) == expected


def test_a_stamp_changes_with_every_write_and_not_with_a_marker():
    first = arrival(MONTH, {MOVIES: ("a", ago(9))})
    marked = arrival(MONTH, {MOVIES: ("a", ago(9)), "_SUCCESS": ("m", ago(1))})
    again = arrival(MONTH, {MOVIES: ("a", ago(8))})
    other = arrival(MONTH, {MOVIES: ("b", ago(9))})
    assert first.stamp == marked.stamp
    assert len({first.stamp, again.stamp, other.stamp}) == 3
    assert arrival(MONTH, {"notes.txt": ("a", NOW)}) is None


@pytest.mark.parametrize(
    ("ended", "waits"),
    [
        ([], False),
        ([None], True),
        ([500, None], True),
        ([29], True),
        ([31], False),
        ([500, 31], True),
        ([500, 61], False),
        ([9_999] * 20 + [3_599], True),
        ([9_999] * 20 + [3_601], False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_arrival_that_was_not_archived_is_tried_again_after_a_growing_pause(ended, waits):
    attempts = [Attempt(f"run{n}", None if seconds is None else ago(seconds)) for n, seconds in enumerate(ended)]
    assert (why_not_again(attempts, NOW) is not None) == waits


def test_what_is_unexpected_is_reported_once_and_again_when_it_comes_back():
    cursor = Cursor.load(None)
    assert cursor.new(["a", "b"]) == ["a", "b"]
    cursor = Cursor.load(cursor.model_dump_json())
    assert cursor.new(["b", "c"]) == ["c"]
    assert cursor.new(["a"]) == ["a"]


@pytest.mark.parametrize("cursor", [None, "", "no json", "[]", '{"unknown": 1}'])
def test_a_cursor_that_cannot_be_read_is_an_empty_cursor(cursor):
    assert Cursor.load(cursor) == Cursor()


def test_what_was_first_seen_is_kept_until_the_files_change():
    def see(seconds: float, version: str) -> dt.datetime:
        found = arrival(MONTH, {MOVIES: (version, NOW)})
        return cursor.see([found], ago(seconds))[MONTH]

    cursor = Cursor()
    assert see(30, "a") == ago(30)
    cursor = Cursor.load(cursor.model_dump_json())
    assert see(20, "a") == ago(30)
    assert see(10, "b") == ago(10)
    assert cursor.see([], NOW) == cursor.seen == {}


@pytest.mark.parametrize(
    ("files", "marker", "unchanged_for", "expected"),
    [
        ({"movies": -3_600}, "", 9, "is still being written"),
        ({"movies": -3_600}, "", 11, None),
        ({"credits": -3_600}, "", 11, "waits for movies_metadata, has credits.csv"),
        ({"credits": -3_600}, "", 3_601, None),
        ({"movies": -3_600}, "_SUCCESS", 11, "waits for _SUCCESS"),
        ({"movies": -3_600, "success": 5}, "_SUCCESS", 9, "is still being written"),
        ({"movies": -3_600, "success": 5}, "_SUCCESS", 11, None),
    ],
    ids=str,
)
def test_a_modification_time_in_the_future_is_not_waited_for(files, marker, unchanged_for, expected):
    assert reason(marker, ago(unchanged_for), **files) == expected


@pytest.mark.parametrize(("month", "expected"), [(11, None), (12, "waits for 2026-12-01")])
def test_a_month_that_has_not_begun_waits_for_its_first_day(month: int, expected: str | None):
    found = arrival(dt.date(2026, month, 1), {MOVIES: ("v", ago(60)), "_SUCCESS": ("v", ago(1))})
    assert why_incomplete(found, NOW, NOW, 10, "") == expected
    begun = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert why_incomplete(found, NOW, begun, 10, "") is None


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(params=["folder", "s3"])
def put(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts an object into the landing zone, a folder or on S3."""
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "0")
    if request.param == "s3":
        store: Store = request.getfixturevalue("store")
        monkeypatch.setenv("MOVIES_LANDING", store.address)
        return store.put

    def write(key: str, content: str) -> None:
        path = home / "landing" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    return write


class Ticks:
    """One tick after the other, each with the cursor of the one before."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance, self.cursor = instance, None

    def __call__(self) -> dg.SensorResult:
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, definitions=defs)
        result = defs.resolve_sensor_def("deliveries").evaluate_tick(context)
        self.cursor = result.cursor
        return result

    def requests(self) -> list[dg.RunRequest]:
        return list(self().run_requests)

    def started(self, status: dg.DagsterRunStatus) -> dg.DagsterRun:
        """The run that the next tick asks for, as the daemon would make it, in that state."""
        (request,) = self.requests()
        return self.run_of(request, status)

    def run_of(self, request: dg.RunRequest, status: dg.DagsterRunStatus) -> dg.DagsterRun:
        run = self.instance.create_run_for_job(
            defs.resolve_job_def("load_month"), tags={**request.tags, PARTITION: str(request.partition_key)}
        )
        self.change(run, status)
        return run

    def change(self, run: dg.DagsterRun, status: dg.DagsterRunStatus) -> None:
        kind = {"SUCCESS": dg.DagsterEventType.RUN_SUCCESS, "FAILURE": dg.DagsterEventType.RUN_FAILURE}
        if status.value in kind:
            event = dg.DagsterEvent(kind[status.value].value, run.job_name, message="ended")
            self.instance.report_dagster_event(event, run.run_id)


@pytest.fixture
def tick(instance: dg.DagsterInstance) -> Ticks:
    return Ticks(instance)


def test_a_delivery_asks_for_the_run_of_its_month_and_only_once(tick: Ticks, put: Put):
    put(f"incoming/2017-11/{MOVIES}", "A")
    (request,) = tick.requests()
    assert request.partition_key == "2017-11"
    assert request.tags[DELIVERY] == open_landing().incoming(dt.date(2017, 11, 1)).id
    assert request.run_key.startswith(f"{request.tags[ARRIVAL]}:{request.tags[DELIVERY]}:0")
    assert tick.requests()[0].run_key == request.run_key  # nothing was started: the daemon ignores a known key
    tick.run_of(request, dg.DagsterRunStatus.QUEUED)
    assert "is in progress" in tick().skip_message
    tick.cursor = None  # a lost cursor starts nothing twice
    assert "is in progress" in tick().skip_message


def test_several_months_ask_for_one_run_each(tick: Ticks, put: Put):
    for month in ("2018-01", "2017-11", "2017-12"):
        put(f"incoming/{month}/{MOVIES}", month)
    assert [r.partition_key for r in tick.requests()] == ["2017-11", "2017-12", "2018-01"]
    assert set(json.loads(tick.cursor)["seen"]) == {"2017-11", "2017-12", "2018-01"}


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS], ids=str)
def test_a_run_that_left_its_delivery_is_followed_by_another_after_a_pause(tick, put, status, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    tick.started(status)
    assert "did not finish it" in tick().skip_message
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40)
    monkeypatch.setattr(module.dt, "datetime", type("Later", (dt.datetime,), {"now": classmethod(lambda *_: later)}))
    (request,) = tick.requests()
    assert request.run_key.endswith(":1")


def test_a_run_that_dagster_retries_is_not_followed_by_ours(tick: Ticks, put: Put, instance):
    put(f"incoming/2017-11/{MOVIES}", "A")
    run = tick.started(dg.DagsterRunStatus.FAILURE)
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert f"{run.run_id} is in progress" in tick().skip_message


def test_what_was_processed_last_delivered_again_is_archived_without_a_run(tick: Ticks, put: Put):
    month, landing = dt.date(2017, 11, 1), open_landing()
    for content in "AB":
        put(f"incoming/2017-11/{MOVIES}", content)
        landing.archive(landing.incoming(month), "processed", {"run_id": content})
    before = landing.archived()
    put(f"incoming/2017-11/{MOVIES}", "B")
    assert "delivered again; it is in" in tick().skip_message
    assert landing.incoming(month) is None
    assert landing.archived() == before
    assert [a.note["run_id"] for a in landing.archived()] == ["A", "B"]
    put(f"incoming/2017-11/{MOVIES}", "A")  # the state before the last is news
    assert len(tick.requests()) == 1


def test_what_joins_a_delivery_while_its_run_goes_on_waits_for_that_run(tick: Ticks, put: Put):
    put(f"incoming/2017-11/{MOVIES}", "A")
    run = tick.started(dg.DagsterRunStatus.QUEUED)
    put("incoming/2017-11/credits.csv", "B")
    assert f"changed while run {run.run_id} is in progress, and waits for it" in tick().skip_message
    tick.change(run, dg.DagsterRunStatus.FAILURE)
    assert len(tick.requests()) == 1


def test_the_same_content_delivered_again_after_a_fault_runs_again(tick: Ticks, put: Put):
    put(f"incoming/2017-11/{MOVIES}", "A")
    tick.started(dg.DagsterRunStatus.FAILURE)
    time.sleep(1.1)  # moto tells the time of an object in whole seconds
    put(f"incoming/2017-11/{MOVIES}", "A")
    assert len(tick.requests()) == 1


def test_a_delivery_that_was_archived_during_the_tick_starts_nothing(tick: Ticks, put: Put, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    ask = module._attempts

    def archive_and_ask(instance: dg.DagsterInstance, tag: str) -> list[module.Attempt]:
        landing = open_landing()
        landing.archive(landing.incoming(dt.date(2017, 11, 1)), "processed", {})
        return ask(instance, tag)

    monkeypatch.setattr(module, "_attempts", archive_and_ask)
    assert tick().skip_message == "2017-11 was archived or replaced meanwhile"


def test_what_is_no_delivery_is_reported_once_and_the_others_go_on(tick: Ticks, put: Put):
    future = f"{dt.datetime.now(dt.UTC).year + 2}-01"
    for key in (f"1999-12/{MOVIES}", f"{future}/{MOVIES}", "2017-11/notes.txt", f"november/{MOVIES}",
                f"2017-12/{MOVIES}"):  # fmt: skip
        put(f"incoming/{key}", "x")
    (request,) = tick.requests()
    assert request.partition_key == "2017-12"
    tick.run_of(request, dg.DagsterRunStatus.QUEUED)
    reasons = tick().skip_message
    for line in (
        "incoming/1999-12: before the first month, 2015-01", f"{future} waits for {future}-01",
        "2017-11/notes.txt: not a file", "incoming/november: not a month's folder", "2017-12 run",
    ):  # fmt: skip
        assert line in reasons
    assert "incoming" not in tick().skip_message


@pytest.mark.parametrize("put", ["folder"], indirect=True)  # S3 sets the time of an object itself
def test_a_file_from_the_future_starts_its_run(tick: Ticks, put: Put, home: Path, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    path = home / "landing" / "incoming" / "2017-11" / MOVIES
    os.utime(path, (time.time() + 9_999,) * 2)
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "0.5")
    assert tick().skip_message == "2017-11 is still being written"
    time.sleep(0.6)
    assert len(tick.requests()) == 1


def test_a_delivery_that_is_still_being_written_waits(tick: Ticks, put: Put, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "60")
    assert tick().skip_message == "2017-11 is still being written"
    put("incoming/2017-11/_SUCCESS", "")
    assert len(tick.requests()) == 1


def test_a_tick_that_fails_is_made_again_and_loses_nothing(tick: Ticks, put: Put, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_landing", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            module.tick(dg.build_sensor_context(tick.instance))
    assert len(tick.requests()) == 1


class Queue:
    """A queue to which the bucket tells of new objects, itself or through a topic."""

    def __init__(self, store: Store, *, through_sns: bool):
        self.store, self.client = store, boto3.client("sqs")
        self.url = self.client.create_queue(QueueName=store.bucket)["QueueUrl"]
        named = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        told, kind, name = named["Attributes"]["QueueArn"], "Queue", "QueueArn"
        if through_sns:
            topic = boto3.client("sns").create_topic(Name=store.bucket)["TopicArn"]
            boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told)
            told, kind, name = topic, "Topic", "TopicArn"
        store.client.put_bucket_notification_configuration(
            Bucket=store.bucket,
            NotificationConfiguration={f"{kind}Configurations": [{name: told, "Events": ["s3:ObjectCreated:*"]}]},
        )

    def left(self) -> int:
        """Messages that nobody deleted, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture(params=[False, True], ids=["direct", "through SNS"])
def queue(request: pytest.FixtureRequest, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue(store, through_sns=request.param)
    for name, value in {"LANDING": store.address, "QUEUE_URL": made.url, "SETTLE_SECONDS": "0"}.items():
        monkeypatch.setenv(f"MOVIES_{name}", value)
    return made


def test_a_queue_is_read_instead_of_listing_and_emptied_only_when_remembered(tick, queue, monkeypatch):
    tick()  # lists everything once
    looks = []
    look = Landing.list_incoming
    monkeypatch.setattr(Landing, "list_incoming", lambda *a: (looks.append(a[1:]), look(*a))[1])
    assert tick().skip_message == "Nothing waits."
    assert looks == []
    assert queue.left() == 0  # the greeting is gone
    for month in ("2017-11", "2017-12"):
        queue.store.put(f"incoming/{month}/{MOVIES}", "x")
    queue.client.send_message(QueueUrl=queue.url, MessageBody="something else")
    lost = tick.cursor
    assert len(tick.requests()) == 2
    assert () not in looks  # no full listing
    assert queue.left() == 3  # not deleted before the cursor that holds them is stored
    kept, tick.cursor = tick.cursor, lost
    assert tick.requests() == []  # that tick was lost: its messages are still hidden
    tick.cursor = kept
    assert len(tick.requests()) == 2
    assert queue.left() == 0
    assert len(tick.requests()) == 2


def test_without_a_message_everything_is_listed_once_a_day(tick: Ticks, queue: Queue):
    tick()
    queue.store.put(f"incoming/2017-11/{MOVIES}", "x")
    queue.client.purge_queue(QueueUrl=queue.url)
    assert tick.requests() == []
    memory = json.loads(tick.cursor)
    memory["listed"] = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=25)).isoformat()
    tick.cursor = json.dumps(memory)
    assert len(tick.requests()) == 1


def test_nothing_secret_is_in_what_a_tick_leaves(tick: Ticks, queue: Queue):
    queue.store.put(f"incoming/2017-11/{MOVIES}", "x")
    result = tick()
    left = f"{result.cursor} {result.run_requests}"
    assert DELIVERY in left
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in left

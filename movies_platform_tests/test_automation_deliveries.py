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
from movies_platform.automation.deliveries import ARRIVAL, DELIVERY, PARTITION, deliveries
from movies_platform.definitions import defs
from movies_platform.landing import open_landing
from movies_platform_tests.buckets import Store

MOVIES = "movies_metadata.csv"
Put = Callable[..., None]


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
        result = deliveries.evaluate_tick(context)
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
    assert "is on its way" in tick().skip_message
    tick.cursor = None  # a lost cursor starts nothing twice
    assert "is on its way" in tick().skip_message


def test_several_months_ask_for_one_run_each(tick: Ticks, put: Put):
    for month in ("2018-01", "2017-11", "2017-12"):
        put(f"incoming/{month}/{MOVIES}", month)
    assert [r.partition_key for r in tick.requests()] == ["2017-11", "2017-12", "2018-01"]
    assert set(json.loads(tick.cursor)["here"]) == {"2017-11", "2017-12", "2018-01"}


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
    assert f"{run.run_id} is on its way" in tick().skip_message


def test_what_was_processed_last_delivered_again_is_put_away_without_a_run(tick: Ticks, put: Put):
    month, landing = dt.date(2017, 11, 1), open_landing()
    for content in "AB":
        put(f"incoming/2017-11/{MOVIES}", content)
        landing.settle(landing.incoming(month), "processed", {"run_id": content})
    before = landing.settled()
    put(f"incoming/2017-11/{MOVIES}", "B")
    assert "delivered again; it lies in" in tick().skip_message
    assert landing.incoming(month) is None
    assert landing.settled() == before
    assert [s.note["run_id"] for s in landing.settled()] == ["A", "B"]
    put(f"incoming/2017-11/{MOVIES}", "A")  # the state before the last is news
    assert len(tick.requests()) == 1


def test_what_joins_a_delivery_while_its_run_goes_on_waits_for_that_run(tick: Ticks, put: Put):
    put(f"incoming/2017-11/{MOVIES}", "A")
    run = tick.started(dg.DagsterRunStatus.QUEUED)
    put("incoming/2017-11/credits.csv", "B")
    assert f"changed while run {run.run_id} is on its way, and waits for it" in tick().skip_message
    tick.change(run, dg.DagsterRunStatus.FAILURE)
    assert len(tick.requests()) == 1


def test_the_same_content_delivered_again_after_a_fault_runs_again(tick: Ticks, put: Put):
    put(f"incoming/2017-11/{MOVIES}", "A")
    tick.started(dg.DagsterRunStatus.FAILURE)
    time.sleep(1.1)  # moto tells the time of an object in whole seconds
    put(f"incoming/2017-11/{MOVIES}", "A")
    assert len(tick.requests()) == 1


def test_a_delivery_that_was_settled_during_the_tick_starts_nothing(tick: Ticks, put: Put, monkeypatch):
    put(f"incoming/2017-11/{MOVIES}", "A")
    ask = module._attempts

    def settle_and_ask(instance: dg.DagsterInstance, tag: str) -> list[module.Attempt]:
        landing = open_landing()
        landing.settle(landing.incoming(dt.date(2017, 11, 1)), "processed", {})
        return ask(instance, tag)

    monkeypatch.setattr(module, "_attempts", settle_and_ask)
    assert tick().skip_message == "2017-11 was settled meanwhile"


def test_what_is_no_delivery_is_told_once_and_the_others_go_on(tick: Ticks, put: Put):
    future = f"{dt.datetime.now(dt.UTC).year + 2}-01"
    for key in (f"1999-12/{MOVIES}", f"{future}/{MOVIES}", "2017-11/notes.txt", f"november/{MOVIES}",
                f"2017-12/{MOVIES}"):  # fmt: skip
        put(f"incoming/{key}", "x")
    (request,) = tick.requests()
    assert request.partition_key == "2017-12"
    tick.run_of(request, dg.DagsterRunStatus.QUEUED)
    said = tick().skip_message
    for line in (
        "incoming/1999-12: not between", f"incoming/{future}: not between", "2017-11/notes.txt: not a file",
        "incoming/november: not a month's folder", "2017-12 run",
    ):  # fmt: skip
        assert line in said
    assert "incoming" not in tick().skip_message


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
            deliveries(dg.build_sensor_context(tick.instance))
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
    look = type(open_landing()).look
    monkeypatch.setattr(type(open_landing()), "look", lambda *a: (looks.append(a[1:]), look(*a))[1])
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

"""Which arrivals are ready, which are tried again, and what the sensor remembers: plain functions."""

import datetime as dt
import json

import pytest

from movies_platform.automation.memory import Memory
from movies_platform.automation.queue import months_in
from movies_platform.automation.waiting import Attempt, why_not_again, why_unready
from movies_platform.landing.deliveries import arrival

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, 500_000, dt.UTC)
MONTH = dt.date(2026, 11, 1)
MOVIES, CREDITS = "movies_metadata.csv", "credits.csv"


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


def reason(marker: str = "", **files: float) -> str | None:
    """Why files written so many seconds ago are not a whole delivery, with 10 seconds to settle."""
    names = {"movies": MOVIES, "credits": CREDITS, "success": "_SUCCESS", "manifest": "manifest.json"}
    found = arrival(MONTH, {names[name]: ("v", ago(seconds)) for name, seconds in files.items()})
    assert found is not None
    return why_unready(found, NOW, 10, marker)


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
def test_a_delivery_is_whole_when_it_is_quiet_or_marked(files, marker, expected):
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
def test_an_arrival_that_was_not_settled_is_tried_again_after_a_growing_pause(ended, waits):
    attempts = [Attempt(f"run{n}", None if seconds is None else ago(seconds)) for n, seconds in enumerate(ended)]
    assert (why_not_again(attempts, NOW) is not None) == waits


def test_what_is_no_delivery_is_told_once_and_again_when_it_comes_back():
    memory = Memory.recall(None)
    assert memory.news(["a", "b"]) == ["a", "b"]
    memory = Memory.recall(memory.cursor())
    assert memory.news(["b", "c"]) == ["c"]
    assert memory.news(["a"]) == ["a"]


@pytest.mark.parametrize("cursor", [None, "", "no json", "[]", '{"unknown": 1}'])
def test_a_cursor_that_cannot_be_read_is_an_empty_memory(cursor):
    assert Memory.recall(cursor) == Memory()


def test_everything_is_listed_once_a_day():
    memory = Memory()
    assert memory.list_is_due(NOW)
    memory.listed = NOW.isoformat()
    assert not memory.list_is_due(NOW + dt.timedelta(hours=23))
    assert memory.list_is_due(NOW + dt.timedelta(hours=25))


def notification(*keys: str, bucket: str = "movies") -> str:
    return json.dumps({"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys]})


@pytest.mark.parametrize(
    ("body", "months"),
    [
        (notification("landing/incoming/2026-11/movies_metadata.csv"), {"2026-11"}),
        (notification("landing/incoming/2026-11/a+b%28.csv", "landing/incoming/2026-10/x"), {"2026-11", "2026-10"}),
        (
            json.dumps({"Type": "Notification", "Message": notification("landing/incoming/2026-11/x")}),
            {"2026-11"},
        ),
        (notification("landing/processed/2026-11/0001-abc/movies_metadata.csv"), set()),
        (notification("landing/incoming/november/x", "landing/incoming/loose"), set()),
        (notification("landing/incoming/2026-11/x", bucket="another"), set()),
        ('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "movies"}', set()),
        ('{"Records": [{"s3": {}}, 7, null]}', set()),
        ("no json", set()),
        ("[]", set()),
    ],
    ids=["direct", "two, encoded", "through SNS", "elsewhere", "no month", "bucket", "test event", "odd", "text", "[]"],
)
def test_months_are_read_from_notifications(body: str, months: set[str]):
    assert set(months_in(body, "s3://movies/landing")) == months

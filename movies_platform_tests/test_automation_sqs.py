"""Months are read from S3's notifications, whichever way they come; nonsense is ignored."""

import json

import pytest

from movies_platform.automation.sqs import months_in


def notification(*keys: str, bucket: str = "movies") -> str:
    return json.dumps({"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys]})


def event_bridge(key: str | None, bucket: str = "movies") -> str:
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"}
    return json.dumps({"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail})


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
        (notification("landing/incoming/2026-11/x").replace('"landing/incoming/2026-11/x"', "null"), set()),
        (event_bridge("landing/incoming/2026-11/a+b.csv"), {"2026-11"}),
        (json.dumps({"Type": "Notification", "Message": event_bridge("landing/incoming/2026-11/x")}), {"2026-11"}),
        (event_bridge(None), set()),
        (event_bridge("landing/incoming/2026-11/x", bucket="another"), set()),
        ('{"detail": {"bucket": "movies", "object": []}, "Message": null, "Records": {}}', set()),
        ("[" * 100_000, set()),
        ("no json", set()),
        ("[]", set()),
    ],
    ids=[
        "direct",
        "two, encoded",
        "through SNS",
        "elsewhere",
        "no month",
        "bucket",
        "test event",
        "odd",
        "no key",
        "EventBridge",
        "EventBridge through SNS",
        "EventBridge without a key",
        "EventBridge of another bucket",
        "nonsense",
        "deep",
        "text",
        "[]",
    ],
)
def test_months_are_read_from_notifications(body: str, months: set[str]):
    assert set(months_in(body, "s3://movies/landing")) == months

"""S3's event notifications from an SQS queue: which months have new objects.

S3 sends them itself, through SNS or through EventBridge; all three forms are understood, anything else is ignored.
A message is deleted only by the tick after the one that read it, when its month is stored in the sensor's cursor:
a tick that fails, or a daemon that is killed, leaves it in the queue. The same message twice changes nothing.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

from movies_platform.errors import SettingsError
from movies_platform.resources.months import parse_month
from movies_platform.resources.s3 import split_address

_MOST = 500  # messages of one tick
_BATCH = 10  # SQS gives and takes no more at once
_HIDDEN_SECONDS = 120  # from other readers, until the next tick deletes it


def receive(queue_url: str, landing: str) -> tuple[set[str], list[str]]:
    """Months (YYYY-MM) with new objects in incoming/ of the landing zone, and receipts of the messages read."""
    client = _client()
    months: set[str] = set()
    receipts: list[str] = []
    while len(receipts) < _MOST:
        answer = client.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_SECONDS
        )
        messages = answer.get("Messages", [])
        for message in messages:
            receipts.append(message["ReceiptHandle"])
            months.update(months_in(message["Body"], landing))
        if not messages:
            break
    return months, receipts


def delete(queue_url: str, receipts: Sequence[str]) -> None:
    """Delete messages that were read; one that was given out again meanwhile stays and is read again."""
    for start in range(0, len(receipts), _BATCH):
        entries = [{"Id": f"{n}", "ReceiptHandle": r} for n, r in enumerate(receipts[start : start + _BATCH])]
        _client().delete_message_batch(QueueUrl=queue_url, Entries=entries)


def months_in(body: str, landing: str) -> Iterator[str]:
    """Months of incoming/ in which a message reports objects; none for a message about anything else."""
    bucket, prefix = split_address(landing)
    folder = f"{prefix}/incoming/".lstrip("/")
    for name, key in _objects(_parsed(body)):
        if name == bucket and key.startswith(folder):
            month = key.removeprefix(folder).split("/")[0]
            with contextlib.suppress(SettingsError):
                parse_month(month)
                yield month


def _objects(content: object) -> Iterator[tuple[str, str]]:
    """Bucket and key of every object that a notification reports."""
    match content:
        case {"Message": str(inner)}:  # SNS's envelope
            yield from _objects(_parsed(inner))
        case {"detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:  # EventBridge
            yield bucket, key
        case {"Records": [*records]}:
            for record in records:
                match record:
                    case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
                        yield bucket, unquote_plus(key)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _client() -> Any:
    import boto3

    return boto3.client("sqs")

"""S3's event notifications from an SQS queue, sent by S3 itself or through SNS.

A message is deleted only by the tick after the one that read it, when what it said is stored in the cursor: a
tick that fails, or a daemon that is killed, leaves it in the queue. The same message twice changes nothing.
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


def messages(queue_url: str, landing: str) -> tuple[set[str], list[str]]:
    """Months (YYYY-MM) with new objects in incoming/ of the landing zone, and receipts of the messages read."""
    client = _client()
    months: set[str] = set()
    receipts: list[str] = []
    while len(receipts) < _MOST:
        answer = client.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_SECONDS
        )
        found = answer.get("Messages", [])
        for message in found:
            receipts.append(message["ReceiptHandle"])
            months.update(months_in(message["Body"], landing))
        if not found:
            break
    return months, receipts


def forget(queue_url: str, receipts: Sequence[str]) -> None:
    """Delete messages that were read; one that was given out again meanwhile stays and is read again."""
    for start in range(0, len(receipts), _BATCH):
        entries = [{"Id": f"{n}", "ReceiptHandle": r} for n, r in enumerate(receipts[start : start + _BATCH])]
        _client().delete_message_batch(QueueUrl=queue_url, Entries=entries)


def months_in(body: str, landing: str) -> Iterator[str]:
    """Months of incoming/ that a message tells of; none for one that is about other things, or is no notification."""
    bucket, prefix = split_address(landing)
    folder = f"{prefix}/incoming/".lstrip("/")
    for record in _records(body):
        with contextlib.suppress(KeyError, TypeError, SettingsError):
            key = unquote_plus(record["s3"]["object"]["key"])
            if record["s3"]["bucket"]["name"] == bucket and key.startswith(folder):
                month = key.removeprefix(folder).split("/")[0]
                parse_month(month)
                yield month


def _records(body: str) -> list[Any]:
    try:
        content = json.loads(body)
        if isinstance(content, dict) and isinstance(content.get("Message"), str):  # SNS's envelope
            content = json.loads(content["Message"])
    except ValueError:
        return []
    records = content.get("Records") if isinstance(content, dict) else None
    return records if isinstance(records, list) else []


def _client() -> Any:
    import boto3

    return boto3.client("sqs")

"""The S3 client: endpoint, region and credentials come from the usual AWS environment, and are kept nowhere."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from movies_platform.errors import SettingsError

_PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds before each further attempt
Read = TypeVar("Read")


def s3_client() -> Any:
    """A boto3 S3 client that retries what the network or the server gets wrong (loads boto3: 0.3 s).

    By itself and not through dagster-aws: who only reads snapshots, as the API does, loads nothing of Dagster.
    """
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client("s3", config=Config(retries={"max_attempts": 5, "mode": "standard"}))


def retried(read: Callable[[], Read]) -> Read:
    """What `read` returns; it is called again, up to five times in all, where an answer breaks off in its body.

    boto3 retries only until an answer begins, and has then done so for errors that are raised here at once.
    """
    from botocore import exceptions as boto
    from urllib3.exceptions import HTTPError

    broken = (
        boto.ResponseStreamingError, boto.IncompleteReadError, boto.ReadTimeoutError, boto.ConnectionClosedError,
        boto.FlexibleChecksumError, HTTPError, ValueError,  # the last is a header's time that ends in its middle
    )  # fmt: skip
    for pause in _PAUSES:
        try:
            return read()
        except broken:
            time.sleep(pause)
    return read()


def complete(answer: Any, *fields: str) -> Any:
    """The answer, if it has the fields; raises an error that is `retried` where it broke off among its headers.

    Python's HTTP client takes such an answer for a complete one, without a body.
    """
    from botocore.exceptions import IncompleteReadError

    if not all(field in answer for field in fields):
        raise IncompleteReadError(actual_bytes=0, expected_bytes="an unknown number of")
    return answer


def whole_body(get: Callable[[], Any]) -> bytes:
    """The body of the object that `get` asks for, asked for again where the answer breaks off."""
    return retried(lambda: bytes(complete(get(), "ContentLength", "ETag")["Body"].read()))


def split_address(address: str) -> tuple[str, str]:
    """Bucket and prefix (no slashes at its ends) of `s3://bucket/prefix`; raises SettingsError for anything else."""
    scheme, _, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise SettingsError(f"{address!r} is no place on S3. Write it as s3://bucket/prefix.")
    return bucket, prefix.strip("/")

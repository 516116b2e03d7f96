"""The S3 client: endpoint, region and credentials come from the usual AWS environment, and are kept nowhere."""

import time
from collections.abc import Callable
from typing import Any

from movies_platform.errors import SettingsError

_ATTEMPTS = 5
_FIRST_PAUSE = 0.1  # seconds, doubled each time


def s3_client() -> Any:
    """A boto3 S3 client that retries what the network or the server gets wrong (loads boto3: 0.3 s)."""
    from dagster_aws.s3 import S3Resource

    return S3Resource(max_attempts=5).get_client()


def whole_body(get: Callable[[], Any]) -> bytes:
    """The body of the answer that `get` asks for, asked for again where it breaks off.

    boto3 retries only until an answer begins.
    """
    from botocore.exceptions import BotoCoreError

    for attempt in range(_ATTEMPTS):
        try:
            return bytes(get()["Body"].read())
        except BotoCoreError:
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(_FIRST_PAUSE * 2**attempt)
    raise AssertionError


def split_address(address: str) -> tuple[str, str]:
    """Bucket and prefix (no slashes at its ends) of `s3://bucket/prefix`; raises SettingsError for anything else."""
    scheme, _, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise SettingsError(f"{address!r} is no place on S3. Write it as s3://bucket/prefix.")
    return bucket, prefix.strip("/")

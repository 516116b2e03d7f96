"""An S3 server of the tests' own, on a port of its own, spoken to over HTTP."""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def s3_server() -> Iterator[str]:
    """A moto server in a thread; its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def speak_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the usual AWS environment at the server."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
        monkeypatch.setenv(name, value)


class Store:
    """A bucket as its owner sees it, beside the platform."""

    def __init__(self, url: str, bucket: str):
        self.bucket = bucket
        self.address = f"s3://{bucket}/landing"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="provider",
            aws_secret_access_key="provider",
            # moto answers with the checksum of the parts' checksums as if it were that of the object
            config=Config(request_checksum_calculation="when_required"),
        )
        self.client.create_bucket(Bucket=bucket)

    def put(self, key: str, content: str | bytes) -> None:
        """Put an object below the landing zone."""
        body = content.encode() if isinstance(content, str) else content
        self.client.put_object(Bucket=self.bucket, Key=f"landing/{key}", Body=body)

    def get(self, key: str) -> str:
        """An object's text."""
        body = self.client.get_object(Bucket=self.bucket, Key=f"landing/{key}")["Body"]
        return str(body.read().decode())

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket=self.bucket, Key=f"landing/{key}")

    def listing(self, below: str = "") -> list[str]:
        """Every key below the landing zone."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"landing/{below}")
        return [o["Key"].removeprefix("landing/") for page in pages for o in page.get("Contents", ())]

    def written(self, key: str) -> dt.datetime:
        """When the object was written."""
        head = self.client.head_object(Bucket=self.bucket, Key=f"landing/{key}")
        return head["LastModified"]  # type: ignore[no-any-return]

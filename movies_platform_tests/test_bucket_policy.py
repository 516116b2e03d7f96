"""The policy in docs/operations.md is enough for everything the platform does on S3, and for nothing more."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import settings as moto_settings
from moto.core.responses import ActionAuthenticatorMixin

from movies_platform.landing.deliveries import Landing
from movies_platform.landing.s3 import Bucket
from movies_platform_tests.buckets import Store

MONTH = dt.date(2017, 11, 1)
MOVIES = "movies_metadata.csv"
OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"


def policy(bucket: str) -> str:
    """The documented policy, for that bucket."""
    text = OPERATIONS.read_text(encoding="utf-8")
    block = re.search(r"<!-- policy of the platform -->\n```json\n(.*?)```", text, re.DOTALL)
    assert block
    return json.dumps(json.loads(block[1])).replace("your-bucket", bucket)


@contextmanager
def enforced() -> Iterator[None]:
    """The test server checks policies, as S3 does."""
    before = moto_settings.INITIAL_NO_AUTH_ACTION_COUNT
    moto_settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin.request_count = 0
    try:
        yield
    finally:
        moto_settings.INITIAL_NO_AUTH_ACTION_COUNT = before


@pytest.fixture
def landing(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> Landing:
    """The landing zone as a user sees it who has the policy and nothing else."""
    iam = boto3.client("iam")
    user = f"platform-{uuid.uuid4().hex}"
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="landing", PolicyDocument=policy(store.bucket))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    return Landing(Bucket(store.address))


def test_the_policy_allows_what_the_platform_does(landing: Landing, home: Path):
    source = home / MOVIES
    with enforced():
        for content, outcome in (("A", "processed"), ("B", "failed")):
            source.write_text(content)
            delivery = landing.put(MONTH, {MOVIES: source})
            assert landing.list_incoming().arrivals
            with landing.local_files(delivery) as files:
                assert files[MOVIES].read_text() == content
            landing.archive(delivery, outcome, {})
        assert [s.outcome for s in landing.archived()] == ["processed", "failed"]
        assert landing.months() == []


@pytest.mark.parametrize(
    "key",
    ["landing/processed/2017-11/0001-0123456789ab/x", "landing/failed/2017-11/x", "other/x"],
)
def test_the_policy_allows_no_deletion_of_what_is_kept(landing: Landing, store: Store, key: str):
    store.client.put_object(Bucket=store.bucket, Key=key, Body=b"kept")
    with enforced(), pytest.raises(ClientError, match="AccessDenied"):
        landing.storage.client.delete_object(Bucket=store.bucket, Key=key)
    assert store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read() == b"kept"


def test_the_policy_allows_nothing_elsewhere(landing: Landing, store: Store):
    store.client.put_object(Bucket=store.bucket, Key="other/x", Body=b"x")
    client = landing.storage.client
    with enforced():
        for call in (
            lambda: client.get_object(Bucket=store.bucket, Key="other/x"),
            lambda: client.put_object(Bucket=store.bucket, Key="other/y", Body=b"y"),
            client.list_buckets,
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                call()

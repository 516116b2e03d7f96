"""Snapshots on S3 or anything that speaks its protocol.

An object appears whole or not at all, and `latest.json` is one object: replacing it is one conditional PUT
(`If-Match`). A server that does not know conditional writes gets a comparison right before a plain PUT.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from movies_platform.resources.s3 import s3_client, split_address, whole_body
from movies_platform.snapshots.store import LATEST, SNAPSHOTS

_BLOCK = 1 << 20
_AT_ONCE = 4  # uploads
_MISSING = {"NoSuchKey", "404", "NotFound"}
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_UNKNOWN = {"NotImplemented", "501"}


class BucketStore:
    """A `Store` in a bucket, below a prefix."""

    def __init__(self, address: str):
        self.address = address
        self._bucket, self._prefix = split_address(address)

    def prepare(self) -> None:
        """See `Store.prepare`: nothing is seen before the bucket is read, which comes next."""

    @cached_property
    def _client(self) -> Any:
        return s3_client()

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _get(self, path: str) -> Any | None:
        from botocore.exceptions import ClientError

        try:
            return self._client.get_object(Bucket=self._bucket, Key=self._key(path))
        except ClientError as problem:
            if _code(problem) in _MISSING:
                return None
            raise

    def _existing(self, path: str) -> Any:
        found = self._get(path)
        if found is None:
            raise FileNotFoundError(f"{self.address}/{path}")
        return found

    def read(self, path: str) -> bytes | None:
        """See `Store.read`."""
        try:
            return whole_body(lambda: self._existing(path))
        except FileNotFoundError:
            return None

    def put(self, place: str, source: Path, paths: Sequence[str]) -> None:
        """See `Store.put`."""
        client = self._client  # made once, before threads share it
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            list(workers.map(lambda path: self._put(client, f"{place}/{path}", source / path), paths))

    def _put(self, client: Any, path: str, source: Path) -> None:
        # Large files go in parts; each is compared with a checksum where it arrives.
        client.upload_file(str(source), self._bucket, self._key(path), ExtraArgs={"ChecksumAlgorithm": "SHA256"})

    def fetch(self, path: str, target: Path) -> None:
        """See `Store.fetch`."""
        found = self._existing(path)
        with target.open("wb") as file:
            for block in found["Body"].iter_chunks(_BLOCK):
                file.write(block)

    def digest(self, path: str) -> tuple[int, str]:
        """See `Store.digest`: the object is downloaded again."""
        found = self._existing(path)
        size, digest = 0, hashlib.sha256()
        for block in found["Body"].iter_chunks(_BLOCK):
            size += len(block)
            digest.update(block)
        return size, digest.hexdigest()

    def local(self, path: str) -> Path | None:
        """See `Store.local`: nothing on S3 lies here."""
        return None

    def point(self, content: bytes, expected: bytes | None) -> bool:
        """See `Store.point`."""
        from botocore.exceptions import ClientError

        found = self._get(LATEST)
        if (found["Body"].read() if found else None) != expected:
            return False
        target = {"Bucket": self._bucket, "Key": self._key(LATEST), "Body": content, "ContentType": "application/json"}
        condition = {"IfMatch": found["ETag"]} if found else {"IfNoneMatch": "*"}
        try:
            self._client.put_object(**target, **condition)
        except ClientError as problem:
            if _code(problem) in _UNKNOWN:
                self._client.put_object(**target)
            elif _code(problem) in _LOST:
                # A PUT whose answer was lost is sent again and meets itself.
                return self.read(LATEST) == content
            else:
                raise
        return True

    def folders(self) -> dict[str, dt.datetime]:
        """See `Store.folders`."""
        found: dict[str, dt.datetime] = {}
        for item in self._objects(f"{SNAPSHOTS}/"):
            folder = "/".join(item["Key"].removeprefix(self._key("")).split("/")[:2])
            found[folder] = max(item["LastModified"], found.get(folder, item["LastModified"]))
        return found

    def remove(self, folder: str) -> None:
        """See `Store.remove`. The manifest goes first: what is half removed is no snapshot."""
        self._client.delete_object(Bucket=self._bucket, Key=self._key(f"{folder}/manifest.json"))
        for item in self._objects(f"{folder}/"):
            self._client.delete_object(Bucket=self._bucket, Key=item["Key"])

    def _objects(self, below: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._key(below))
        return [item for page in pages for item in page.get("Contents", [])]


def _code(problem: Any) -> str:
    return str(problem.response.get("Error", {}).get("Code", ""))

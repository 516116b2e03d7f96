"""A bucket below a prefix: listing page by page, copies and deletions of exactly the object that was seen."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from movies_platform.landing.transfer import code_of, download, is_gone
from movies_platform.resources.s3 import s3_client, split_address, whole_body

_PUT_AT_ONCE = 64 << 20  # bytes; above, an upload is made in parts of this size
_COPY_AT_ONCE = 5 << 30  # bytes; the most that S3 copies in one request
_COPY_PART = 512 << 20


@dataclass(frozen=True)
class StoredObject:
    """An object of a listing; `key` is below the prefix, `etag` without quotes."""

    key: str
    size: int
    etag: str
    modified: dt.datetime


class Bucket:
    """The objects below `s3://bucket/prefix`. Errors of the store are raised as they are."""

    def __init__(self, address: str):
        self.name, prefix = split_address(address)
        self.prefix = f"{prefix}/" if prefix else ""

    @cached_property
    def client(self) -> Any:
        """One client for all requests."""
        return s3_client()

    def place(self, key: str) -> str:
        """The address of an object or a folder."""
        return f"s3://{self.name}/{self.prefix}{key}"

    def below(self, place: str) -> str:
        """The key of a `place`, below the prefix."""
        return place.removeprefix(self.place(""))

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key begins so, in the order of keys; a console's empty folders left out."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix + prefix)
        for page in pages:
            for found in page.get("Contents", ()):
                key = found["Key"].removeprefix(self.prefix)
                if not key.endswith("/"):
                    yield StoredObject(key, found["Size"], found["ETag"].strip('"'), found["LastModified"])

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below the prefix, which ends with a slash."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=self.prefix + prefix, Delimiter="/"
        )
        found = [common["Prefix"] for page in pages for common in page.get("CommonPrefixes", ())]
        return [name.removeprefix(self.prefix + prefix).rstrip("/") for name in found]

    def etag(self, key: str) -> str | None:
        """The object's ETag now; None where there is none."""
        from botocore.exceptions import ClientError

        try:
            return str(self.client.head_object(Bucket=self.name, Key=self.prefix + key)["ETag"]).strip('"')
        except ClientError as problem:
            if is_gone(problem):
                return None
            raise

    def read(self, key: str) -> str:
        """A small object's text."""
        body = whole_body(lambda: self.client.get_object(Bucket=self.name, Key=self.prefix + key))
        return body.decode("utf-8")

    def write(self, key: str, text: str) -> None:
        """Put a small object of JSON."""
        self.client.put_object(
            Bucket=self.name, Key=self.prefix + key, Body=text.encode(), ContentType="application/json"
        )

    def upload(self, source: Path, key: str) -> str:
        """Put a file, retried, in parts where it is large; its ETag."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=_PUT_AT_ONCE, multipart_chunksize=_PUT_AT_ONCE)
        self.client.upload_file(str(source), self.name, self.prefix + key, Config=config)
        return self.etag(key) or ""

    def copy(self, source: str, target: str, etag: str) -> bool:
        """Copy inside the bucket, however large, if the source still has that ETag; whether it had."""
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import ClientError

        config = TransferConfig(multipart_threshold=_COPY_AT_ONCE, multipart_chunksize=_COPY_PART)
        try:
            self.client.copy(
                {"Bucket": self.name, "Key": self.prefix + source}, self.name, self.prefix + target,
                ExtraArgs={"CopySourceIfMatch": f'"{etag}"'}, Config=config,
            )  # fmt: skip
        except ClientError as problem:
            if is_gone(problem):
                return False
            raise
        return True

    def delete(self, key: str, etag: str | None = None) -> bool:
        """Delete the object, if it still has that ETag where one is given; whether it was deleted.

        A store that does not know conditional deletion (it says so, or is silent) is asked for the ETag before.
        """
        from botocore.exceptions import ClientError

        which = {"Bucket": self.name, "Key": self.prefix + key}
        if etag is None:
            self.client.delete_object(**which)
            return True
        if self.etag(key) != etag:
            return False
        try:
            self.client.delete_object(**which, IfMatch=f'"{etag}"')
        except ClientError as problem:
            if is_gone(problem):
                return False
            if code_of(problem) not in ("NotImplemented", "501"):
                raise
            self.client.delete_object(**which)
        return True


class Downloads(Mapping[str, Path]):
    """Files of a folder by name, each brought to disk when it is first asked for."""

    def __init__(self, bucket: Bucket, folder: str, versions: Mapping[str, str], scratch: Path):
        self._bucket, self._folder, self._versions, self._scratch = bucket, folder, versions, scratch

    def __getitem__(self, name: str) -> Path:
        target = self._scratch / name
        if not target.exists():
            key = f"{self._bucket.prefix}{self._folder}/{name}"
            download(self._bucket.client, self._bucket.name, key, self._versions[name], target)
        return target

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

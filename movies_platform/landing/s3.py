"""A landing zone on S3, or any store that speaks its language.

An object appears complete, and nothing here renames: copies are made only of the object that was read
(CopySourceIfMatch), and objects are deleted from incoming/ only if nobody replaced them. `put` uploads to staging/ and
lets the movies appear last; until then there is no delivery.

An ETag is the MD5 of the content of an object that was put at once, and the MD5 of its parts' MD5s, with their
number, of one that was put in parts; the store knows how large a part is. Under a customer's key it is neither.
"""

import contextlib
import datetime as dt
import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from movies_platform.errors import DeliveryChanged, TransferBroken
from movies_platform.landing.deliveries import STAGED_SECONDS, DeliveredFile, StoredFile, brings_movies
from movies_platform.resources.s3 import split_address, whole_body
from movies_platform.resources.scratch import own_folder

_CHUNK = 1 << 20
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5  # seconds, doubled each time
_PUT_AT_ONCE = 64 << 20  # bytes; above, an upload is made in parts of this size
_COPY_AT_ONCE = 5 << 30  # bytes; the most that S3 copies in one request
_COPY_PART = 512 << 20
_GONE = ("404", "412", "NoSuchKey", "PreconditionFailed")
_log = logging.getLogger(__name__)


class Bucket:
    """A `Storage` below `s3://bucket/prefix`."""

    digest_name = "etag"

    def __init__(self, address: str):
        self.name, prefix = split_address(address)
        self.prefix = f"{prefix}/" if prefix else ""

    @cached_property
    def client(self) -> Any:
        """One client for all requests, as Dagster's users set it up."""
        from dagster_aws.s3 import S3Resource

        return S3Resource(max_attempts=5).get_client()

    def address(self, key: str) -> str:
        """The address of a key."""
        return f"s3://{self.name}/{self.prefix}{key}"

    def files(self, below: str) -> list[StoredFile]:
        """Every object below a folder; a console's empty folders left out."""
        found = []
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix + below):
            for stored in page.get("Contents", ()):
                key, etag = stored["Key"].removeprefix(self.prefix), stored["ETag"].strip('"')
                if not key.endswith("/"):
                    found.append(StoredFile(key, stored["Size"], etag, stored["LastModified"].astimezone(dt.UTC)))
        return found

    def digest(self, file: StoredFile) -> str:
        """The ETag."""
        return file.version

    def local_digest(self, path: Path, key: str, file: DeliveredFile) -> str:
        """`file.digest` if the local file has this ETag, or is the copy that was archived; else its MD5."""
        etag = _etag(path)
        same = file.version == file.archived_etag or etag in (file.digest, file.archived_etag)
        return file.digest if same or _etag(path, self._part_size(key, file.digest)) == file.digest else etag

    def read(self, key: str) -> bytes:
        """The content of a small object."""
        return whole_body(lambda: self.client.get_object(**self._named(key)))

    def write(self, key: str, content: str) -> None:
        """Put a small object of JSON."""
        self.client.put_object(**self._named(key), Body=content.encode(), ContentType="application/json")

    def copy(self, source: str, target: str, file: DeliveredFile) -> dict[str, str]:
        """Copy inside the bucket, however large, if the source has the same ETag still."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=_COPY_AT_ONCE, multipart_chunksize=_COPY_PART)
        with _changed_if_gone(self.address(source)):
            self.client.copy(
                self._named(source), self.name, self.prefix + target,
                ExtraArgs={"CopySourceIfMatch": f'"{file.version}"'}, Config=config,
            )  # fmt: skip
        return {"archived_etag": self._etag_of(target)}

    def delete(self, key: str, version: str) -> bool:
        """Delete the object if it has that ETag still; whether it was deleted.

        A store that does not know conditional deletion (it says so, or is silent) is asked for the ETag before.
        """
        from botocore.exceptions import ClientError

        try:
            with _changed_if_gone(key):
                if self._etag_of(key) != version:
                    return False
                self.client.delete_object(**self._named(key), IfMatch=f'"{version}"')
        except DeliveryChanged:
            return False
        except ClientError as problem:
            if _code_of(problem) not in ("NotImplemented", "501"):
                raise
            self.client.delete_object(**self._named(key))
        return True

    @contextlib.contextmanager
    def staged(self, folder: str, files: Mapping[str, Path]) -> Iterator[Callable[[], None]]:
        """Upload the files (retried, large ones in parts) to staging/."""
        from boto3.s3.transfer import TransferConfig

        for left in self.files("staging/"):  # by a delivery that was killed
            if (dt.datetime.now(dt.UTC) - left.written).total_seconds() > STAGED_SECONDS:
                self.client.delete_object(**self._named(left.key))
        config = TransferConfig(multipart_threshold=_PUT_AT_ONCE, multipart_chunksize=_PUT_AT_ONCE)
        staged = f"staging/{uuid.uuid4().hex}"

        def appear() -> None:
            uploaded = {file.key.rpartition("/")[2]: file for file in self.files(f"{staged}/")}
            for name in sorted(files, key=brings_movies):  # without the movies, which come last, it is no delivery yet
                file = DeliveredFile(name, uploaded[name].size, uploaded[name].version, uploaded[name].version)
                self.copy(uploaded[name].key, f"{folder}/{name}", file)

        try:
            for name, source in files.items():
                self.client.upload_file(str(source), self.name, f"{self.prefix}{staged}/{name}", Config=config)
            yield appear
        finally:
            for name in files:
                self.client.delete_object(**self._named(f"{staged}/{name}"))

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A folder that is removed at the end."""
        return own_folder("landing-")

    def fetch(self, key: str, file: DeliveredFile, scratch: Path) -> Path:
        """Download the object with that ETag.

        Raises DeliveryChanged when it was replaced or deleted, TransferBroken or the client's own errors when it
        does not arrive in several attempts.
        """
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        target, before = scratch / file.name, ""
        problem: Exception = TransferBroken(f"{self.address(key)} arrived damaged {_ATTEMPTS} times; it is not used.")
        for attempt in range(_ATTEMPTS):
            try:
                with _changed_if_gone(self.address(key)):
                    answer = self.client.get_object(**self._named(key), IfMatch=f'"{file.version}"')
                with contextlib.closing(answer["Body"]) as body, target.open("wb") as stream:
                    for chunk in body.iter_chunks(_CHUNK):
                        stream.write(chunk)
                found = _etag(target)
                # An ETag that is no digest is known by the same content arriving twice; damage is not the same twice.
                expected = {file.version, before} | {found for _ in [0] if _has_no_digest(answer)}
                if found in expected or _etag(target, self._part_size(key, file.version)) == file.version:
                    return target
                before = found
            except (BotoCoreError, HTTPError, OSError) as error:
                if isinstance(error, OSError) and error.filename:  # the disk's fault, not the network's
                    raise
                problem = error
            _log.warning("%s did not arrive (attempt %d of %d)", key, attempt + 1, _ATTEMPTS)
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_FIRST_PAUSE * 2**attempt)
        raise problem

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}

    def _etag_of(self, key: str) -> str:
        return str(self.client.head_object(**self._named(key))["ETag"]).strip('"')

    def _part_size(self, key: str, etag: str) -> int | None:
        """The size of an object's parts; None if it was not put in parts."""
        if "-" not in etag:
            return None
        first = self.client.head_object(**self._named(key), PartNumber=1)
        return int(first["ContentLength"]) if first.get("PartsCount") == int(etag.partition("-")[2]) else None


def _has_no_digest(answer: Mapping[str, Any]) -> bool:
    """Whether the ETag of an object says nothing of its content: it is encrypted under a customer's key."""
    return str(answer.get("ServerSideEncryption", "")).startswith("aws:kms") or "SSECustomerAlgorithm" in answer


def _etag(path: Path, part_size: int | None = None) -> str:
    """The ETag that the file would have, put at once or in parts of this size."""
    size, digests = path.stat().st_size, []
    with path.open("rb") as stream:
        for begin in range(0, size or 1, part_size or size or 1):
            digest, end = _md5(), begin + (part_size or size)
            while chunk := stream.read(min(_CHUNK, end - stream.tell())):
                digest.update(chunk)
            digests.append(digest)
    if part_size is None:
        return str(digests[0].hexdigest())
    return f"{_md5(b''.join(d.digest() for d in digests)).hexdigest()}-{len(digests)}"


def _md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def _code_of(problem: Exception) -> str:
    return str(getattr(problem, "response", {}).get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def _changed_if_gone(address: str) -> Iterator[None]:
    """Raise DeliveryChanged where the object that is asked for was deleted, or is another one now."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as problem:
        if _code_of(problem) in _GONE:
            raise DeliveryChanged(f"{address} was replaced or deleted while it was read.") from problem
        raise

"""Objects on S3 <-> files on disk: streamed, resumed where they break, and proved before they count.

An ETag is the MD5 of the content for an object that was put at once, and the MD5 of its parts' MD5s, with their
number, for one that was put in parts; the store says how large a part is. For objects under a customer's
key it is neither: then the store's own checksum (verified by boto3 as it reads) and the size are the proof.
"""

import contextlib
import hashlib
import logging
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from movies_platform.errors import DeliveryChanged, TransferBroken

_CHUNK = 1 << 20
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5  # seconds, doubled each time
_GONE = ("404", "412", "NoSuchKey", "PreconditionFailed")
_log = logging.getLogger(__name__)


def code_of(problem: Exception) -> str:
    """S3's code for an error of the client, such as `PreconditionFailed`; empty for other errors."""
    return str(getattr(problem, "response", {}).get("Error", {}).get("Code", ""))


def is_gone(problem: Exception) -> bool:
    """Whether the object that was asked for is no longer there, or is another one now."""
    return code_of(problem) in _GONE


def download(client: Any, bucket: str, key: str, etag: str, target: Path) -> None:
    """Bring the object with that ETag to `target`, whole or not at all.

    Raises DeliveryChanged when it was replaced or taken away, TransferBroken or the client's own errors when it
    does not come through in several attempts.
    """
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    before = None
    try:
        for attempt in range(_ATTEMPTS):
            answer = _fetch(client, {"Bucket": bucket, "Key": key, "IfMatch": f'"{etag}"'}, partial)
            if _is_content(client, bucket, key, etag, answer, partial):
                break
            _log.warning("%s arrived damaged (attempt %d of %d)", key, attempt + 1, _ATTEMPTS)
            digest = _md5(partial)
            if digest == before:  # damage is not the same twice: this store's ETags are no digests
                break
            before = digest
            partial.unlink()
        else:
            raise TransferBroken(f"s3://{bucket}/{key} arrived damaged {_ATTEMPTS} times; it is not used.")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _fetch(client: Any, which: dict[str, str], partial: Path) -> dict[str, Any]:
    """Stream the object to `partial`, going on where a connection broke; the headers of the answer."""
    from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError
    from urllib3.exceptions import HTTPError

    partial.touch()
    answer: dict[str, Any] = {}
    size = -1
    for attempt in range(_ATTEMPTS):
        there = partial.stat().st_size
        if there == size:
            return answer
        try:
            answer = client.get_object(**which, **({"Range": f"bytes={there}-"} if there else {}))
            size = there + int(answer["ContentLength"])
            with partial.open("ab") as stream, contextlib.closing(answer.pop("Body")) as body:
                for chunk in body.iter_chunks(_CHUNK):
                    stream.write(chunk)
            if partial.stat().st_size == size:
                return answer
            problem: Exception = TransferBroken(f"{which['Key']}: {partial.stat().st_size:,} of {size:,} bytes came.")
        except ClientError as error:
            if is_gone(error):
                raise DeliveryChanged(f"{which['Key']} was replaced or taken away while it was read.") from error
            problem = error
        except (BotoCoreError, HTTPError, OSError) as error:
            if isinstance(error, OSError) and error.filename:  # the disk's fault, not the network's
                raise
            if isinstance(error, FlexibleChecksumError):
                partial.write_bytes(b"")
            problem = error
        if attempt + 1 < _ATTEMPTS:
            _log.warning("%s: going on after %s", which["Key"], problem)
            time.sleep(_FIRST_PAUSE * 2**attempt)
    raise problem


def _is_content(client: Any, bucket: str, key: str, etag: str, answer: dict[str, Any], path: Path) -> bool:
    """Whether the file is what the ETag says, as far as the ETag says anything."""
    if str(answer.get("ServerSideEncryption", "")).startswith("aws:kms") or answer.get("SSECustomerAlgorithm"):
        return True
    if not re.fullmatch(r"[0-9a-f]{32}(-\d+)?", etag):  # some store's own idea
        return True
    if "-" not in etag:
        return _md5(path) == etag
    first = client.head_object(Bucket=bucket, Key=key, PartNumber=1)
    part_size = int(first["ContentLength"])
    known = first.get("PartsCount") == int(etag.partition("-")[2]) and part_size
    return not known or _md5_of_parts(path, part_size) == etag


def has_etag(path: Path, etag: str) -> bool:
    """Whether this file would surely get this ETag, put at once or in parts of a usual size."""
    parts = re.fullmatch(r"[0-9a-f]{32}-(\d+)", etag)
    sizes = _usual_part_sizes(path.stat().st_size, int(parts[1])) if parts else []
    return _md5(path) == etag or any(_md5_of_parts(path, size) == etag for size in sizes)


def _usual_part_sizes(size: int, parts: int) -> Iterator[int]:
    """Whole mebibytes that cut `size` bytes into that many parts."""
    mebibyte = 1 << 20
    for part in range(max(1, size // max(parts, 1) // mebibyte), size // max(parts - 1, 1) // mebibyte + 2):
        if -(-size // (part * mebibyte)) == parts:
            yield part * mebibyte


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, _new_md5).hexdigest()


def _md5_of_parts(path: Path, part_size: int) -> str:
    digests = []
    with path.open("rb") as stream:
        while chunk := stream.read(min(part_size, _CHUNK)):
            part, left = _new_md5(chunk), part_size - len(chunk)
            while left and (chunk := stream.read(min(left, _CHUNK))):
                part.update(chunk)
                left -= len(chunk)
            digests.append(part.digest())
    return f"{_new_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def _new_md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)

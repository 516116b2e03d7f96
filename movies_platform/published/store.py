"""Where snapshots are kept, a folder or a bucket, and the two JSON files: the pointer `latest.json` and the manifests.

Paths are relative to the store, with forward slashes. Files in `snapshots/` are written once; only `latest.json` is
ever replaced, in one step. Older versions refuse unknown fields in the pointer, and in the tables and files of a
manifest: new fields belong into the manifest itself.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from movies_platform.errors import SettingsError, SnapshotDamaged
from movies_platform.resources.s3 import complete, retried, s3_client, split_address
from movies_platform.settings import settings

LATEST, SNAPSHOTS, MANIFEST, DATABASE = "latest.json", "snapshots", "manifest.json", "movies.duckdb"
REMEDY = "'movies-platform publish --force' writes it again."
_BLOCK = 1 << 20
_AT_ONCE = 4  # uploads
_MISSING = {"NoSuchKey", "404", "NotFound"}
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_UNKNOWN = {"NotImplemented", "501"}
Found = TypeVar("Found")


@dataclass(frozen=True)
class Pointer:
    """`latest.json`: the snapshot's id, its folder, the SHA-256 of its manifest; `earlier` folders, newest first."""

    snapshot: str
    folder: str
    manifest_sha256: str
    published_at: str
    earlier: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Content:
    """A published table: rows, `sha256` of its rows as CSV in the order of its key, version of its contract."""

    rows: int
    sha256: str
    contract_version: str


@dataclass(frozen=True)
class PublishedFile:
    """A file: `path` below the snapshot's folder, size in bytes, digest.

    `table` and `contract_version` say what its rows are (None where it holds several tables), `month` (YYYY-MM)
    whose rows they are where a table is published month by month, `rows` is None for a database.
    """

    path: str
    bytes: int
    sha256: str
    table: str | None = None
    month: str | None = None
    rows: int | None = None
    contract_version: str | None = None


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: what a snapshot holds, with digests to prove it.

    `snapshot` is its id, made from the content: the same tables have the same id. `deliveries` identifies the
    deliveries that the tables were computed from when it was published.
    """

    snapshot: str
    published_at: str
    deliveries: str
    months: list[str]
    tables: dict[str, Content]
    files: list[PublishedFile]

    def file(self, path: str) -> PublishedFile:
        """The entry of a file; raises SnapshotDamaged where there is none."""
        for file in self.files:
            if file.path == path:
                return file
        raise SnapshotDamaged(f"{MANIFEST} of snapshot {self.snapshot} names no {path}. {REMEDY}")


def to_json(content: Pointer | Manifest) -> bytes:
    """The file's content."""
    return json.dumps(asdict(content), indent=1).encode() + b"\n"


def from_json(kind: type[Found], content: bytes, file: str) -> Found:
    """Read a file's content, unknown fields left out; raises SnapshotDamaged, naming `file`, where it is not one."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(content)
    except ValidationError as problem:
        first = problem.errors()[0]
        what = ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
        raise SnapshotDamaged(f"{file} is not what was published ({what}). {REMEDY}") from problem


class FolderStore:
    """A folder of this machine (or a mounted one): files are flushed to disk, the pointer is replaced by a rename."""

    def __init__(self, address: str):
        self.address = address
        self.root = Path(address)

    def check_writable(self) -> None:
        """Raise SettingsError where the store cannot be written, as far as can be seen before writing."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as problem:
            raise SettingsError(
                f"MOVIES_PUBLISHED: {self.address} cannot be written ({problem.strerror}). Choose another folder."
            ) from problem

    def read(self, path: str) -> bytes | None:
        """A small file's content; None where it does not exist."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, folder: str, source: Path, paths: Sequence[str]) -> None:
        """Store the files `paths` of the local folder `source` durably in `folder`."""
        folders = {self.root}
        for path in paths:
            target = self.root / folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, target)
            _flush(target)
            folders |= {parent for parent in target.parents if parent.is_relative_to(self.root)}
        for parent in folders:
            _flush(parent)

    def digest(self, path: str) -> tuple[int, str]:
        """Size in bytes and SHA-256 of a file, read back from the store; FileNotFoundError where it does not exist."""
        with (self.root / path).open("rb") as file:
            return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()

    def stream(self, path: str, first: int, size: int) -> Generator[bytes, None, None]:
        """`size` bytes of a file from `first` on, in blocks; FileNotFoundError where it does not exist."""
        with (self.root / path).open("rb") as file:
            file.seek(first)
            while size > 0 and (block := file.read(min(_BLOCK, size))):
                size -= len(block)
                yield block

    def replace_latest(self, content: bytes, expected: bytes | None) -> bool:
        """Replace `latest.json` in one step, if it is still as `expected` (None: it does not exist).

        False when another writer was faster; the file is then theirs.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".latest.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process
            if self.read(LATEST) != expected:
                return False
            fresh = self.root / f".{LATEST}.{os.getpid()}"
            fresh.write_bytes(content)
            _flush(fresh)
            fresh.replace(self.root / LATEST)
            _flush(self.root)
        return True

    def files(self, folder: str) -> dict[str, tuple[int, float]]:
        """Bytes and time of the last change (seconds since 1970) of each file in a folder, by path in the store."""
        found = {}
        for parent, _, names in os.walk(self.root / folder):
            for path in [Path(parent, name) for name in names]:
                with contextlib.suppress(FileNotFoundError):  # another writer removed it just now
                    stat = path.stat()
                    found[path.relative_to(self.root).as_posix()] = (stat.st_size, stat.st_mtime)
        return found

    def remove(self, folder: str) -> None:
        """Delete a folder in `snapshots/` with everything in it."""
        shutil.rmtree(self.root / folder, ignore_errors=True)


class BucketStore:
    """A bucket on S3 or anything that speaks its protocol, below a prefix; methods as in FolderStore.

    The pointer is one object: replacing it is one conditional PUT (`If-Match`). A server that does not know conditional
    writes gets a comparison right before a plain PUT.
    """

    def __init__(self, address: str):
        self.address = address
        self._bucket, self._prefix = split_address(address)

    def check_writable(self) -> None:
        """Nothing can be seen before the bucket is used."""

    @cached_property
    def _client(self) -> Any:
        return s3_client()

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{path}" if self._prefix else path}

    def _get(self, path: str, use: Callable[[Any], Found]) -> Found:
        """`use` of the answer that brings an object, repeated where it breaks off; FileNotFoundError without one."""
        from botocore.exceptions import ClientError

        try:
            return retried(lambda: use(complete(self._client.get_object(**self._at(path)), "ContentLength", "ETag")))
        except ClientError as problem:
            if _code(problem) in _MISSING:
                raise FileNotFoundError(f"{self.address}/{path}") from problem
            raise

    def read(self, path: str) -> bytes | None:
        """As in FolderStore."""
        try:
            return self._get(path, lambda answer: bytes(answer["Body"].read()))
        except FileNotFoundError:
            return None

    def put(self, folder: str, source: Path, paths: Sequence[str]) -> None:
        """As in FolderStore. An object appears complete or not at all."""
        client = self._client  # made once, before threads share it
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            list(workers.map(lambda path: self._put(client, f"{folder}/{path}", source / path), paths))

    def _put(self, client: Any, path: str, source: Path) -> None:
        from boto3.exceptions import S3UploadFailedError

        try:  # Large files go in parts; each is compared with a checksum where it arrives.
            client.upload_file(str(source), *self._at(path).values(), ExtraArgs={"ChecksumAlgorithm": "SHA256"})
        except S3UploadFailedError as problem:
            # Where the answer that an upload in parts is complete was lost, boto3's next attempt finds no upload.
            # Reading the object back, which follows, proves that it is there.
            if "NoSuchUpload" not in str(problem):
                raise

    def digest(self, path: str) -> tuple[int, str]:
        """As in FolderStore: the object is downloaded again."""

        def read(answer: Any) -> tuple[int, str]:
            digest = hashlib.sha256()
            for block in answer["Body"].iter_chunks(_BLOCK):
                digest.update(block)
            return answer["ContentLength"], digest.hexdigest()

        return self._get(path, read)

    def fetch(self, path: str, target: Path) -> None:
        """Copy an object to the local file `target`; FileNotFoundError where it does not exist."""

        def write(answer: Any) -> None:
            with target.open("wb") as file:
                file.writelines(answer["Body"].iter_chunks(_BLOCK))

        self._get(path, write)

    def stream(self, path: str, first: int, size: int) -> Generator[bytes, None, None]:
        """As in FolderStore. An answer that breaks off is an error: what was read of it has been used."""
        from botocore.exceptions import ClientError

        try:
            answer = self._client.get_object(**self._at(path), Range=f"bytes={first}-{first + size - 1}")
        except ClientError as problem:
            if _code(problem) in _MISSING:
                raise FileNotFoundError(f"{self.address}/{path}") from problem
            raise
        yield from answer["Body"].iter_chunks(_BLOCK)

    def replace_latest(self, content: bytes, expected: bytes | None) -> bool:
        """As in FolderStore."""
        from botocore.exceptions import ClientError

        found, condition = None, {"IfNoneMatch": "*"}
        with contextlib.suppress(FileNotFoundError):
            found, tag = self._get(LATEST, lambda answer: (answer["Body"].read(), answer["ETag"]))
            condition = {"IfMatch": tag}
        if found != expected:
            return False
        target = {**self._at(LATEST), "Body": content, "ContentType": "application/json"}
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

    def files(self, folder: str) -> dict[str, tuple[int, float]]:
        """As in FolderStore."""
        prefix = self._at(f"{folder}/")["Key"]
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {
            f"{folder}/{item['Key'].removeprefix(prefix)}": (item["Size"], item["LastModified"].timestamp())
            for page in retried(lambda: [complete(page, "Name") for page in pages])
            for item in page.get("Contents", [])
        }  # fmt: skip

    def remove(self, folder: str) -> None:
        """As in FolderStore. The manifest goes first: what is half removed is no snapshot."""
        for path in [f"{folder}/{MANIFEST}", *self.files(folder)]:
            self._client.delete_object(**self._at(path))


Store = FolderStore | BucketStore


def open_store(address: str | None = None) -> Store:
    """The store at `address`, or the one that the settings name (a folder or `s3://bucket/prefix`)."""
    place = address or settings().published
    return BucketStore(place) if "://" in place else FolderStore(place)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _code(problem: Any) -> str:
    return str(problem.response.get("Error", {}).get("Code", ""))

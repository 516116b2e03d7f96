"""Where the files of a lake lie: in a folder that every machine sees under the same path, or on S3."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module, resources
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import duckdb

from movies_platform.contracts.ddl import literal
from movies_platform.resources.s3 import complete, retried, s3_client, split_address, whole_body

ReadAt = Callable[[int, int], bytes]  # of so many bytes, from a byte on


class OpenFile(NamedTuple):
    """A file that can be read from its middle."""

    read: ReadAt
    size: int


def is_on_s3(place: str) -> bool:
    """Whether it is an address on S3, and no folder."""
    return place.startswith("s3://")


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load one of DuckDB's extensions, from the package it is installed with."""
    package = f"duckdb_extension_{name}"
    with resources.as_file(resources.files(import_module(package))) as folder:
        (extension,) = folder.glob("extensions/*/*.duckdb_extension")
        connection.execute(f"LOAD {literal(extension)}")


def let_read(connection: duckdb.DuckDBPyConnection, place: str) -> None:
    """Let DuckDB read and write in the place: on S3 as the usual AWS environment of this machine says."""
    if not is_on_s3(place):
        return
    load_extension(connection, "httpfs")
    import boto3

    client, found = s3_client(), boto3.session.Session().get_credentials()
    endpoint = urlsplit(client.meta.endpoint_url)
    options = {"REGION": client.meta.region_name, "ENDPOINT": endpoint.netloc}
    if not (endpoint.hostname or "").endswith(".amazonaws.com"):
        options |= {"URL_STYLE": "path", "USE_SSL": str(endpoint.scheme == "https")}
    if found:
        key = found.get_frozen_credentials()
        options |= {"KEY_ID": key.access_key, "SECRET": key.secret_key, "SESSION_TOKEN": key.token or ""}
    settings = ", ".join(f"{name} {literal(value)}" for name, value in options.items())
    connection.execute(f"CREATE OR REPLACE SECRET (TYPE s3, {settings})")


def new_place(parent: str, name: str) -> str:
    """A new folder for files that nothing names yet."""
    place = f"{parent.rstrip('/')}/spark/{name}-{uuid.uuid4().hex}"
    if not is_on_s3(place):
        Path(place).mkdir(parents=True)
    return place


@contextlib.contextmanager
def work_place(parent: str) -> Iterator[str]:
    """A folder for what is needed until the end of this `with`."""
    place = new_place(parent, "work")
    try:
        yield place
    finally:
        with contextlib.suppress(Exception):  # what is left is removed with the lake's other orphans
            remove(place)


def copied(file: Path, place: str) -> str:
    """A copy of a file of this machine where every machine sees it."""
    copy = f"{place}/{uuid.uuid4().hex}.parquet"  # else DuckLake would not remove it where a killed run leaves it
    if is_on_s3(copy):
        s3_client().upload_file(str(file), *split_address(copy))
    else:
        shutil.copyfile(file, copy)
    return copy


@contextlib.contextmanager
def opened(file: str) -> Iterator[OpenFile]:
    """A file to be read from its middle, on whatever machine."""
    if not is_on_s3(file):
        with Path(file).open("rb") as stream:
            yield OpenFile(partial(os.pread, stream.fileno()), os.fstat(stream.fileno()).st_size)
        return
    client, (bucket, key) = s3_client(), split_address(file)
    size = int(retried(lambda: complete(client.head_object(Bucket=bucket, Key=key), "ContentLength"))["ContentLength"])

    def read(length: int, position: int) -> bytes:
        if position >= size or not length:
            return b""
        part = f"bytes={position}-{position + length - 1}"
        content = whole_body(lambda: client.get_object(Bucket=bucket, Key=key, Range=part))
        if len(content) != min(length, size - position):
            raise OSError(f"{file}: {len(content):,} bytes came instead of {length:,} from byte {position:,} on")
        return content

    yield OpenFile(read, size)


def parquet_files(place: str) -> list[str]:
    """The Parquet files in a place."""
    if is_on_s3(place):
        found = [f"s3://{bucket}/{key}" for bucket, key in _objects(place)]
        return [file for file in found if file.endswith(".parquet") and "/" not in file.removeprefix(f"{place}/")]
    return sorted(str(file) for file in Path(place).glob("*.parquet"))


def remove(place: str) -> None:
    """Remove a folder and all that is in it."""
    if is_on_s3(place):
        client = s3_client()
        for bucket, key in _objects(place):
            client.delete_object(Bucket=bucket, Key=key)
    else:
        shutil.rmtree(place, ignore_errors=True)


def _objects(place: str) -> list[tuple[str, str]]:
    """Bucket and key of everything on S3 in a place, in the order of the keys."""
    bucket, prefix = split_address(place)
    pages: Any = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    return [(bucket, each["Key"]) for page in pages for each in page.get("Contents", [])]

"""The published files as they are, whole or in ranges.

The snapshot's manifest names them, with their digests: the digest is the ETag. A client that takes no block of a file
within half a minute is dropped.
"""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

from movies_platform.api.problems import Problem
from movies_platform.api.tables import served_tables
from movies_platform.contracts.tables import qualified
from movies_platform.published.read import Snapshot
from movies_platform.published.store import PublishedFile

FORMS = {"parquet": "application/vnd.apache.parquet", "csv.gz": "application/gzip"}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_log = logging.getLogger(__name__)


def file_of(snapshot: Snapshot, name: str, month: str | None) -> PublishedFile:
    """The file of `{table}.{form}`; raises Problem where there is none."""
    table, _, form = name.partition(".")
    known = served_tables().get(table)
    if known is None or form not in FORMS:
        raise Problem(
            404, f"There is no file {name!r}. /v1/tables lists them: a table's name and {' or '.join(FORMS)}."
        )
    files = [each for each in snapshot.manifest.files
             if each.table == qualified(known.contract) and each.path.endswith(f".{form}")]  # fmt: skip
    months = [each.month for each in files if each.month]
    if month is not None and not months:
        raise Problem(400, f"There is no parameter 'month' here: {table} is one file.", parameter="month")
    if months and month not in months:
        raise Problem(400, f"{table} is published month by month. Add month=...: {', '.join(months)}.",
                      parameter="month", known=months)  # fmt: skip
    found = [each for each in files if each.month == month]
    if not found:
        raise Problem(404, f"{table} is not in snapshot {snapshot.manifest.snapshot}.")
    return found[0]


def listed(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Every file of a table, with its address, size and digest."""
    found = []
    for each in snapshot.manifest.files:
        if each.table:
            table, form = each.table.split(".")[1], "csv.gz" if each.path.endswith(".csv.gz") else "parquet"
            month = f"?month={each.month}" if each.month else ""
            found.append({"table": table, "month": each.month, "rows": each.rows, "bytes": each.bytes,
                          "sha256": each.sha256, "path": f"/v1/tables/{table}.{form}{month}"})  # fmt: skip
    return found


def wanted(file: PublishedFile, asked: str | None, condition: str | None) -> tuple[int, int] | None:
    """First byte and number of bytes of a Range header; None where the whole file is to be sent.

    Several ranges at once, numbers that no file reaches, and a range of another content (If-Range) mean the whole file.
    Raises Problem (416).
    """
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if not match or (condition is not None and condition != etag(file)) or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, file.bytes - int(last))
    end = min(int(last), file.bytes - 1) if first and last else file.bytes - 1
    if first and last and int(last) < int(first):
        return None
    if start >= file.bytes or (not first and int(last) == 0):
        raise Problem(416, f"The file has {file.bytes} bytes.", {"Content-Range": f"bytes */{file.bytes}"})
    return start, end - start + 1


def etag(file: PublishedFile) -> str:
    """The file's ETag: its digest."""
    return f'"{file.sha256}"'


def headers_of(file: PublishedFile, part: tuple[int, int] | None, pinned: bool, scope: str) -> dict[str, str]:
    """The headers of a file, or of a part of it."""
    form = "csv.gz" if file.path.endswith(".csv.gz") else "parquet"
    name = "-".join(filter(None, [(file.table or "").replace(".", "-"), file.month]))
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    found = {
        "content-type": FORMS[form], "accept-ranges": "bytes", "etag": etag(file),
        "content-length": str(part[1] if part else file.bytes),
        "content-disposition": f'attachment; filename="{name}.{form}"',
        "cache-control": f"{scope}, max-age=31536000, immutable" if pinned else f"{scope}, no-cache",
        "repr-digest": f"sha-256=:{digest}:",
    }  # fmt: skip
    if part:
        found["content-range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{file.bytes}"
    return found


async def blocks(snapshot: Snapshot, file: PublishedFile, part: tuple[int, int] | None) -> AsyncIterator[bytes]:
    """The bytes, read in threads; the first of them are read at once, so that a Problem (503) can still be answered."""
    first, size = part or (0, file.bytes)
    source = snapshot.store.stream(snapshot.path(file.path), first, size)
    try:
        block = await asyncio.to_thread(next, source, b"")
    except Exception as problem:  # a folder's or S3's: the store is away, or the snapshot was just removed
        _log.warning("%s cannot be read: %s", file.path, problem)
        raise Problem(
            503, "The store of snapshots cannot be read now. Try again later.", {"Retry-After": "10"}
        ) from None

    async def following(sent: bytes) -> AsyncIterator[bytes]:
        while sent:
            yield sent
            # Where the client goes away meanwhile, the thread ends its read, and with its last user the source closes:
            # a generator that runs in a thread cannot be closed from here.
            sent = await asyncio.to_thread(next, source, b"")

    return following(block)

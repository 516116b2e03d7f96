"""Made-up movies_metadata.csv: texts of records, and what the reader makes of them."""

import csv
import io
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from movies_platform.contracts.sources import MOVIES_METADATA, Source
from movies_platform.raw.reader import Issue, RecordReader

NAMES = tuple(MOVIES_METADATA.columns)
WIDTH = len(NAMES)
HEADER = ",".join(NAMES) + "\n"
ONE_BLOCK = 2**23


class Found(NamedTuple):
    """What a file holds: accepted records as {number: columns}, issues, and the account."""

    accepted: dict[int, tuple[str, ...]]
    issues: list[Issue]
    records: int
    joined: int

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(issue.record_number, issue.issue) for issue in self.issues]

    def column(self, name: str) -> list[str]:
        return [columns[NAMES.index(name)] for columns in self.accepted.values()]


def reader(data: str | bytes, block_bytes: int = ONE_BLOCK, source: Source = MOVIES_METADATA) -> RecordReader:
    raw = data.encode() if isinstance(data, str) else data
    return RecordReader(io.BytesIO(raw), f"{source.name}.csv", source, block_bytes=block_bytes)


def read(data: str | bytes, block_bytes: int = ONE_BLOCK, source: Source = MOVIES_METADATA) -> Found:
    """Everything in a file; lines that go to the database as they are, are read with Python's csv."""
    found = reader(data, block_bytes, source)
    accepted: dict[int, tuple[str, ...]] = {}
    issues: list[Issue] = []
    for batch in found.batches():
        batch.lines.seek(0)
        rows = csv.reader(io.StringIO(batch.lines.read().decode(), newline=""))
        accepted |= zip(itertools.chain(*batch.numbers), map(tuple, rows), strict=True)
        accepted.update(batch.long)
        issues += batch.issues
    return Found(dict(sorted(accepted.items())), issues, found.records, found.joined)


def line(movie: int | str = 1, *, end: str = "\n", **texts: str) -> str:
    """A record; texts are put in as they are, so that quoting is up to the test."""
    columns = dict.fromkeys(NAMES, "") | {"id": str(movie)} | texts
    return ",".join(columns.values()) + end


def quoted(rows: Iterable[Iterable[str]], end: str = "\n", *, everywhere: bool = False) -> str:
    """Rows with quotes where they are needed, or everywhere."""
    quoting = csv.QUOTE_ALL if everywhere else csv.QUOTE_MINIMAL
    lines = []
    for row in rows:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n", quoting=quoting).writerow(
            row
        )  # quotes each of the two, whatever `end` is
        lines.append(text.getvalue().removesuffix("\r\n") + end)
    return "".join(lines)

"""Made-up movies_metadata.csv: texts of records, and what the reader makes of them."""

import csv
import io
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.raw.blocks import ROW_GROUP, Issue
from movies_platform.raw.records import RecordReader

NAMES = tuple(MOVIE_COLUMNS)
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


def reader(data: str | bytes, block_bytes: int = ONE_BLOCK, cut: int = ROW_GROUP) -> RecordReader:
    raw = data.encode() if isinstance(data, str) else data
    return RecordReader(io.BytesIO(raw), "movies_metadata.csv", block_bytes=block_bytes, cut=cut)


def read(data: str | bytes, block_bytes: int = ONE_BLOCK) -> Found:
    """Everything in a file; lines that go to the database as they are, are read with Python's csv."""
    source = reader(data, block_bytes)
    accepted: dict[int, tuple[str, ...]] = {}
    issues: list[Issue] = []
    for block in source.blocks():
        text = b"".join(block.lines).decode()
        rows = csv.reader(io.StringIO(text, newline=""))
        accepted |= zip(itertools.chain(*block.numbers), map(tuple, rows), strict=True)
        accepted.update(block.loose)
        issues += block.issues
    return Found(dict(sorted(accepted.items())), issues, source.records, source.joined)


def line(movie: int | str = 1, *, end: str = "\n", **texts: str) -> str:
    """A record; texts are put in as they are, so that quoting is up to the test."""
    columns = dict.fromkeys(NAMES, "") | {"id": str(movie)} | texts
    return ",".join(columns.values()) + end


def quoted(rows: Iterable[Iterable[str]], end: str = "\n") -> str:
    """Rows with quotes where they are needed."""
    lines = []
    for row in rows:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerow(row)  # quotes each of the two, whatever `end` is
        lines.append(text.getvalue().removesuffix("\r\n") + end)
    return "".join(lines)

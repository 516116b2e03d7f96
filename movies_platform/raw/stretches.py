"""The records of a delivery -> stretches that the database reads at once, from a file of lines.

A stretch has as many records as a row group of DuckDB. Then a row group is compressed and written while the next
stretch is read, instead of all of them at the commit.
"""

import codecs
import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.raw.blocks import Issue
from movies_platform.raw.records import RecordReader

SOURCES = ("movies_metadata.1.csv", "movies_metadata.2.csv")  # one is read while the other is written
# Of a longer text raw_movies keeps so many characters (docs/decisions/0004): a gigabyte in one field is data, but
# must not take the memory of all others.
LONGEST_TEXT = 2**24
LARGEST = 2**28  # bytes of lines; an ordinary row group has some 95 million
_MANY_ISSUES = 10_000


@dataclass(frozen=True)
class Rows:
    """Raw records as a relation for a FROM clause: record_number and the declared columns."""

    relation: str
    count: int


@dataclass
class Stretch:
    """Records as lines of the file `source`, with their numbers; `loose` and `issues` as in `Block`."""

    source: Path
    names: tuple[str, ...]
    numbers: list[range] = field(default_factory=list)
    loose: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def rows(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Rows]:
        """All records: those of the lines, and the loose ones."""
        if self.numbers:
            counted = np.concatenate([np.arange(run.start, run.stop) for run in self.numbers])
            with _registered(connection, "numbers", {"record_number": counted}):
                yield Rows(self._lines(), len(counted))
        for number, columns in self.loose:
            known = dict(zip(self.names, columns, strict=True))
            texts = {name: np.array([known[name][:LONGEST_TEXT] or None], object) for name in MOVIE_COLUMNS}
            with _registered(connection, "loose_record", texts):
                chosen = ", ".join(f"{name}::VARCHAR AS {name}" for name in MOVIE_COLUMNS)
                yield Rows(f"(SELECT {number} AS record_number, {chosen} FROM loose_record)", 1)

    def _lines(self) -> str:
        # The reader proved that every line is regular; nothing is left for DuckDB to guess.
        columns = {f"c{i}": "VARCHAR" for i in range(len(self.names))}
        chosen = ", ".join(f"c{i} AS {name}" for i, name in enumerate(self.names) if name in MOVIE_COLUMNS)
        return (
            f"(SELECT numbers.record_number, {chosen} FROM (SELECT true AS is_record, * FROM read_csv("
            f"{literal(self.source)}, auto_detect=false, header=false, delim=',', quote='\"', escape='\"', "
            f"new_line='\\n', columns={columns})) POSITIONAL JOIN numbers WHERE is_record)"
        )


@contextlib.contextmanager
def _registered(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, npt.NDArray[Any]]
) -> Iterator[None]:
    """Arrays as a table of the connection."""
    connection.register(name, columns)
    try:
        yield
    finally:
        connection.unregister(name)


class _Filling:
    """A stretch whose lines are being written."""

    def __init__(self, source: Path, names: tuple[str, ...]):
        self.stretch = Stretch(source, names)
        self.lines = self.size = 0
        self._file = source.open("wb")
        # DuckDB drops one at the start of a file. Then it is not that of the first record's text.
        self._file.write(codecs.BOM_UTF8)

    def add_lines(self, piece: bytes, numbers: range) -> None:
        self._file.write(piece)
        self.stretch.numbers.append(numbers)
        self.lines += len(numbers)
        self.size += len(piece)

    def done(self) -> Stretch:
        self._file.close()
        return self.stretch


def stretches(reader: RecordReader, folder: Path) -> Iterator[Stretch]:
    """All records of the reader; a stretch's file stays as it is until the one after the next is asked for."""
    sources = itertools.cycle([folder / source for source in SOURCES])
    filling = _Filling(next(sources), reader.header.names)
    for block in reader.blocks():
        for piece, numbers in zip(block.lines, block.numbers, strict=True):
            filling.add_lines(piece, numbers)
            if filling.lines >= reader.cut or filling.size >= LARGEST:
                yield filling.done()
                filling = _Filling(next(sources), reader.header.names)
        filling.stretch.loose.extend(block.loose)
        filling.stretch.issues.extend(block.issues)
        if block.loose or len(filling.stretch.issues) > _MANY_ISSUES:  # so that they do not pile up
            yield filling.done()
            filling = _Filling(next(sources), reader.header.names)
    yield filling.done()

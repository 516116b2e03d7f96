"""The records of a delivered file -> Parquet files, from which they are judged and stored: raw tables and data_issues.

Lines that the reader proved to be regular go to DuckDB as they are, in a file that its own CSV reader takes in: nothing
is left for it to guess. What it makes of them lies in Parquet files until the gate has judged them: DuckDB reads those
with all cores, and what an open transaction has stored with one.
"""

import codecs
import contextlib
import datetime as dt
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import duckdb

from movies_platform.contracts.ddl import column_type, literal, parquet
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import Source
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.raw.pieces import read_side_by_side
from movies_platform.raw.reader import Batch, Issue, RecordReader
from movies_platform.resources.warehouse import registered

# Of a longer text the raw table keeps so many characters (docs/decisions/0005): a gigabyte in one field is data, but
# must not take the memory of all others.
LONGEST_TEXT = 2**24
PIECE_BYTES = 2**25


@dataclass
class Part:
    """What a piece of the file holds, in Parquet files; its records are numbered from 1.

    The next piece starts at byte `end`; `joined` are the rests of broken records.
    """

    records: int = 0
    joined: int = 0
    end: int = 0
    record_files: list[str] = field(default_factory=list)
    issue_files: list[str] = field(default_factory=list)


class NumberedFile(NamedTuple):
    """A Parquet file of records or issues, and how many records of the delivered file come before its first piece."""

    path: str
    before: int


@dataclass(frozen=True)
class Reading:
    """What the pieces of a file hold together, as rows of `month`; `extra_columns` are those nobody declared."""

    source: Source
    month: dt.date
    file: str
    extra_columns: tuple[str, ...]
    parts: list[Part]

    @classmethod
    def of(cls, reader: RecordReader, month: dt.date, parts: list[Part]) -> "Reading":
        """What the parts are of the file of `reader`."""
        return cls(reader.source, month, reader.file, reader.header.extra, parts)

    @property
    def records(self) -> int:
        """How many there are."""
        return sum(part.records for part in self.parts)

    @property
    def joined(self) -> int:
        """How many of them are the rest of a broken one."""
        return sum(part.joined for part in self.parts)

    @property
    def record_files(self) -> list[NumberedFile]:
        """What `rows_in` takes."""
        return self._numbered([part.record_files for part in self.parts])

    @property
    def rows(self) -> str:
        """SQL for FROM: rows of the raw table."""
        return self.rows_in(self.record_files)

    @property
    def issues(self) -> str:
        """SQL for FROM: rows of data_issues, of what the reader found."""
        found_by = f"{literal(raw_table(self.source).name)} AS found_by"
        files = self._numbered([part.issue_files for part in self.parts])
        return self._select(files, qualified(DATA_ISSUES), f"{', '.join(Issue._fields[1:])}, {found_by}")

    def rows_in(self, files: Sequence[NumberedFile]) -> str:
        """SQL for FROM: the rows of the raw table that are in some of the files."""
        return self._select(files, qualified(raw_table(self.source)), ", ".join(map(quoted, self.source.columns)))

    def _numbered(self, files_of_parts: Sequence[list[str]]) -> list[NumberedFile]:
        before = itertools.accumulate((part.records for part in self.parts), initial=0)
        numbered = zip(before, files_of_parts, strict=False)
        return [NumberedFile(file, number) for number, files in numbered for file in files]

    def _select(self, files: Sequence[NumberedFile], table: str, columns: str) -> str:
        if not files:
            return f"(SELECT * FROM {table} LIMIT 0)"
        return (
            f"(SELECT {literal(self.month)} AS delivery_month, {literal(self.file)} AS source_file, "
            f"record_number + ({[file.before for file in files]})[file_index::BIGINT + 1] AS record_number, {columns} "
            f"FROM {parquet(file.path for file in files)})"
        )


def read_here(connection: duckdb.DuckDBPyConnection, reader: RecordReader, folder: Path, cores: int) -> list[Part]:
    """The pieces of what `reader` reads, by so many cores of this machine; `folder` takes their files."""
    read = partial(read_piece, connection, folder=folder, place=str(folder))
    return list(read_side_by_side(reader, read, cores=cores, piece_bytes=PIECE_BYTES))


def read_piece(
    connection: duckdb.DuckDBPyConnection, reader: RecordReader, name: object, *, folder: Path, place: str
) -> Part:
    """What `reader` reads, in Parquet files in `place`, whose names begin with `name`; `folder` takes what is in work.

    The next batch is read in a thread while DuckDB stores the present one.
    """
    part, numbers = Part(), itertools.count()

    def new_file() -> BinaryIO:
        lines = files.enter_context((folder / f"{name}-{next(numbers)}.csv").open("wb"))
        # DuckDB drops one at the start of a file. Then it is not that of the first record's text.
        lines.write(codecs.BOM_UTF8)
        return lines

    with contextlib.ExitStack() as files, connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as ahead:
        batches = reader.batches(new_file)
        try:
            upcoming = ahead.submit(next, batches, None)
            while batch := upcoming.result():
                upcoming = ahead.submit(next, batches, None)
                _store(cursor, batch, reader, part, place)
        except BaseException:
            reader.stop()  # or the error would wait for a thread that reads on
            raise
    part.records, part.joined, part.end = reader.records, reader.joined, reader.offset
    return part


def _store(connection: duckdb.DuckDBPyConnection, batch: Batch, reader: RecordReader, part: Part, place: str) -> None:
    names, declared = reader.header.names, reader.source.columns
    lines = Path(batch.lines.name)
    batch.lines.close()
    if batch.count:
        types = {f"c{i}": "VARCHAR" for i in range(len(names))}
        chosen = ", ".join(f"c{i} AS {quoted(name)}" for i, name in enumerate(names) if name in declared)
        connection.register("numbers", {"record_number": batch.record_numbers()})
        query = (
            f"SELECT record_number, {chosen} FROM (SELECT true AS is_record, * FROM read_csv({literal(lines)}, "
            f"auto_detect=false, header=false, delim=',', quote='\"', escape='\"', new_line='\\n', columns={types})) "
            "POSITIONAL JOIN numbers WHERE is_record"
        )
        stored = _write(connection, query, f"{place}/{lines.stem}.parquet", part.record_files)
        connection.unregister("numbers")
        if stored != batch.count:
            raise RuntimeError(f"{reader.file}: of {batch.count:,} records, {stored:,} were stored")
    lines.unlink()
    if batch.long:
        places = [names.index(name) for name in declared]
        rows = [[n, *(columns[i][:LONGEST_TEXT] or None for i in places)] for n, columns in batch.long]
        with registered(connection, rows, ["record_number", *declared]) as given:
            texts = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in declared)
            query = f"SELECT record_number::BIGINT AS record_number, {texts} FROM {given}"
            _write(connection, query, f"{place}/{lines.stem}.long.parquet", part.record_files)
    if batch.issues:
        with registered(connection, batch.issues, Issue._fields) as given:
            typed = ", ".join(f"{name}::{column_type(DATA_ISSUES.columns[name])} AS {name}" for name in Issue._fields)
            query = f"SELECT {typed} FROM {given}"
            _write(connection, query, f"{place}/{lines.stem}.issues.parquet", part.issue_files)


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: str, written: list[str]) -> int:
    """Write rows to a new file, and note it; how many they are."""
    count = connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)").fetchall()[0][0]
    written.append(path)
    return int(count)

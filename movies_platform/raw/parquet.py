"""The records of a delivered file -> Parquet files, from which they are judged and stored: raw tables and data_issues.

Lines that the reader proved to be regular go to DuckDB as they are, in a file that its own CSV reader takes in: nothing
is left for it to guess. What it makes of them lies in Parquet files until the gate has judged them: DuckDB reads those
with all cores, and what an open transaction has stored with one.
"""

import codecs
import datetime as dt
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import duckdb

from movies_platform.contracts.ddl import column_type, literal
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.raw.pieces import read_side_by_side
from movies_platform.raw.reader import Batch, Issue, RecordReader
from movies_platform.resources.warehouse import registered

# Of a longer text the raw table keeps so many characters (docs/decisions/0005): a gigabyte in one field is data, but
# must not take the memory of all others.
LONGEST_TEXT = 2**24
PIECE_BYTES = 2**25


@dataclass
class _Part:
    """What a piece of the file holds, in Parquet files; its records are numbered from 1."""

    records: list[Path] = field(default_factory=list)
    issues: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """What a file holds.

    `records` counts them, `joined` the rests of broken ones; `extra_columns` are those nobody declared. `rows` and
    `issues` are SQL for FROM: rows of the raw table and of data_issues.
    """

    records: int
    joined: int
    extra_columns: tuple[str, ...]
    rows: str
    issues: str


def read_records(
    connection: duckdb.DuckDBPyConnection, reader: RecordReader, *, month: dt.date, file: str, folder: Path, cores: int
) -> Reading:
    """Every record that `reader` finds, as rows of `month`, read by so many cores.

    `folder` takes the rows: they are there as long as it is.
    """
    read = partial(_read_piece, connection, folder)
    pieces = list(read_side_by_side(reader, read, cores=cores, piece_bytes=PIECE_BYTES))
    before = [0, *itertools.accumulate(piece.records for piece, _ in pieces)]

    def rows(files_of_parts: Sequence[list[Path]], table: str, columns: str) -> str:
        files = ", ".join(literal(path) for files in files_of_parts for path in files)
        if not files:
            return f"(SELECT * FROM {table} LIMIT 0)"
        numbers = [number for number, files in zip(before, files_of_parts, strict=False) for _ in files]
        return (
            f"(SELECT {literal(month)} AS delivery_month, {literal(file)} AS source_file, "
            f"record_number + ({numbers})[file_index::BIGINT + 1] AS record_number, {columns} "
            f"FROM read_parquet([{files}], hive_partitioning=false))"
        )

    table = raw_table(reader.source)
    declared = ", ".join(map(quoted, reader.source.columns))
    found = f"{', '.join(name for name in Issue._fields[1:])}, {literal(table.name)} AS found_by"
    return Reading(
        before[-1], sum(piece.joined for piece, _ in pieces), reader.header.extra,
        rows([part.records for _, part in pieces], qualified(table), declared),
        rows([part.issues for _, part in pieces], qualified(DATA_ISSUES), found),
    )  # fmt: skip


def _read_piece(connection: duckdb.DuckDBPyConnection, folder: Path, reader: RecordReader, number: int) -> _Part:
    """The next batch is read in a thread while DuckDB stores the present one."""
    part, numbers = _Part(), itertools.count()

    def new_file() -> BinaryIO:
        lines = (folder / f"{number}-{next(numbers)}.csv").open("wb")
        # DuckDB drops one at the start of a file. Then it is not that of the first record's text.
        lines.write(codecs.BOM_UTF8)
        return lines

    with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as ahead:
        batches = reader.batches(new_file)
        try:
            upcoming = ahead.submit(next, batches, None)
            while batch := upcoming.result():
                upcoming = ahead.submit(next, batches, None)
                _store(cursor, batch, reader, part)
        except BaseException:
            reader.stop()  # or the error would wait for a thread that reads on
            raise
    return part


def _store(connection: duckdb.DuckDBPyConnection, batch: Batch, reader: RecordReader, part: _Part) -> None:
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
        stored = _write(connection, query, lines.with_suffix(".parquet"), part.records)
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
            _write(connection, query, lines.with_suffix(".long.parquet"), part.records)
    if batch.issues:
        with registered(connection, batch.issues, Issue._fields) as given:
            typed = ", ".join(f"{name}::{column_type(DATA_ISSUES.columns[name])} AS {name}" for name in Issue._fields)
            _write(connection, f"SELECT {typed} FROM {given}", lines.with_suffix(".issues.parquet"), part.issues)


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path, written: list[Path]) -> int:
    """Write rows to a new file, and note it; how many they are."""
    count = connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)").fetchall()[0][0]
    written.append(path)
    return int(count)

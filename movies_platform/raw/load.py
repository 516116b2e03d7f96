"""The records of a delivery -> raw.raw_movies and raw.data_issues of its month.

A thread reads and checks the next block while DuckDB stores the present one.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.raw.records import Issue, RecordReader
from movies_platform.resources.warehouse import append

T = TypeVar("T")
_LINES = "movies_metadata.lines.csv"
# Of a longer text raw_movies keeps so many characters (docs/decisions/0004): a gigabyte in one field is data, but
# must not take the memory of all others.
LONGEST_TEXT = 2**24


@dataclass(frozen=True)
class Reading:
    """The account of one file: its records, the rests of broken ones, undeclared columns."""

    file: str
    records: int
    joined: int
    extra_columns: tuple[str, ...]


def load_records(
    connection: duckdb.DuckDBPyConnection, reader: RecordReader, *, month: dt.date, file: str, scratch: Path
) -> Reading:
    """Store every record that `reader` finds as rows of `month`; the tables must exist, without the month.

    `scratch` is a folder for a block of lines, a few megabytes at a time.
    """
    names = reader.header.names
    source = scratch / _LINES
    for block in _ahead(reader.blocks()):
        if block.lines:
            with source.open("wb") as lines:
                lines.writelines(block.lines)
            _insert_lines(connection, source, names, block.numbers, month=month, file=file)
        for number, columns in block.loose:
            _insert_loose(connection, month, file, number, dict(zip(names, columns, strict=True)))
        insert_issues(connection, block.issues, month=month, file=file)
    source.unlink(missing_ok=True)
    return Reading(file, reader.records, reader.joined, reader.header.extra)


def insert_issues(connection: duckdb.DuckDBPyConnection, issues: Iterable[Issue], *, month: dt.date, file: str) -> None:
    """Append rows of data_issues; the fields of an issue are its columns, in their order."""
    append(connection, "raw.data_issues", [[month, file, *issue] for issue in issues])


def _insert_lines(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    names: tuple[str, ...],
    numbers: list[range],
    *,
    month: dt.date,
    file: str,
) -> None:
    # The reader proved that every line is regular; nothing is left for DuckDB to guess.
    columns = {f"c{i}": "VARCHAR" for i in range(len(names))}
    chosen = ", ".join(f"c{i} AS {name}" for i, name in enumerate(names) if name in MOVIE_COLUMNS)
    counted = np.concatenate([np.arange(run.start, run.stop) for run in numbers])
    connection.register("numbers", {"record_number": counted})
    try:
        inserted = connection.execute(
            "INSERT INTO raw.raw_movies BY NAME SELECT $1 AS delivery_month, $2 AS source_file, numbers.record_number, "
            f"{chosen} FROM (SELECT true AS is_record, * FROM read_csv({literal(source)}, "
            "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', new_line='\\n', "
            f"columns={columns})) POSITIONAL JOIN numbers WHERE is_record",
            [month, file],
        ).fetchone()
    finally:
        connection.unregister("numbers")
    if inserted != (len(counted),):
        raise RuntimeError(f"{file}: of {len(counted):,} records up to number {counted[-1]:,}, {inserted} were stored")


def _insert_loose(
    connection: duckdb.DuckDBPyConnection, month: dt.date, file: str, number: int, columns: dict[str, str]
) -> None:
    row = {"delivery_month": month, "source_file": file, "record_number": number}
    row |= {name: columns[name][:LONGEST_TEXT] or None for name in MOVIE_COLUMNS}
    connection.execute(
        f"INSERT INTO raw.raw_movies ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
    )


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        done = object()
        upcoming = pool.submit(next, items, done)
        while (item := upcoming.result()) is not done:
            upcoming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]  # (only `done` is no T)

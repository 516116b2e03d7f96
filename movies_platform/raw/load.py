"""The records of a delivery -> raw.raw_movies and raw.data_issues of its month.

A thread reads and checks the next stretch while DuckDB stores the present one, and another thread does with the
present one whatever else is to be done with it.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

from movies_platform.raw.blocks import Issue
from movies_platform.raw.records import RecordReader
from movies_platform.raw.stretches import SOURCES, Stretch, stretches
from movies_platform.resources.asking import ask
from movies_platform.resources.warehouse import append

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """The account of one file: its records, the rests of broken ones, undeclared columns."""

    file: str
    records: int
    joined: int
    extra_columns: tuple[str, ...]


def load_records(
    connection: duckdb.DuckDBPyConnection,
    reader: RecordReader,
    *,
    month: dt.date,
    file: str,
    scratch: Path,
    beside: Callable[[Stretch], None],
) -> Reading:
    """Store every record that `reader` finds as rows of `month`; the tables must exist, without the month.

    `beside` is given each stretch in another thread while it is stored. `scratch` is a folder for two files of lines,
    up to some hundred megabytes each.
    """
    try:
        with ThreadPoolExecutor(max_workers=1) as other, _in_any_order(connection):
            for stretch in _ahead(stretches(reader, scratch)):
                aside = other.submit(beside, stretch)
                _store(connection, stretch, month=month, file=file)
                aside.result()
    finally:
        for source in SOURCES:
            (scratch / source).unlink(missing_ok=True)
    return Reading(file, reader.records, reader.joined, reader.header.extra)


def insert_issues(connection: duckdb.DuckDBPyConnection, issues: Iterable[Issue], *, month: dt.date, file: str) -> None:
    """Append rows of data_issues; the fields of an issue are its columns, in their order."""
    append(connection, "raw.data_issues", [[month, file, *issue] for issue in issues])


def _store(connection: duckdb.DuckDBPyConnection, stretch: Stretch, *, month: dt.date, file: str) -> None:
    for rows in stretch.rows(connection):
        inserted = ask(
            connection,
            "INSERT INTO raw.raw_movies BY NAME SELECT $1 AS delivery_month, $2 AS source_file, "
            f"* FROM {rows.relation}",
            month,
            file,
        ).fetchone()
        if inserted != (rows.count,):
            raise RuntimeError(f"{file}: of {rows.count:,} records, {inserted} were stored")
    insert_issues(connection, stretch.issues, month=month, file=file)


@contextlib.contextmanager
def _in_any_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Otherwise DuckDB compresses nothing before the commit, and then all of it, with one thread.

    (Lines and their numbers are read in order, because they are joined by position.)
    """
    with connection.cursor() as settings:  # not part of a transaction, which a fault may have ended
        settings.execute("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            settings.execute("SET preserve_insertion_order = true")


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        done = object()
        upcoming = pool.submit(next, items, done)
        while (item := upcoming.result()) is not done:
            upcoming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]  # (only `done` is no T)

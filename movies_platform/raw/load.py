"""The records of a delivered file -> its raw table and raw.data_issues, of its month.

Lines that the reader proved to be regular go to the database as they are, in a scratch file that its own CSV reader
takes in: nothing is left for it to guess. The next batch is read in a thread while DuckDB stores the present one.
"""

import codecs
import contextlib
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.raw.reader import Batch, Issue, RecordReader
from movies_platform.resources.scratch import own_folder
from movies_platform.resources.warehouse import append

# Of a longer text the raw table keeps so many characters (docs/decisions/0005): a gigabyte in one field is data, but
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

    `scratch` is a folder for a file of lines, up to some hundred megabytes.
    """
    with (
        own_folder("raw-", scratch) as folder,
        contextlib.ExitStack() as files,
        ThreadPoolExecutor(max_workers=1) as ahead,
        _in_any_order(connection),
    ):
        numbers = itertools.count()

        def new_file() -> BinaryIO:
            lines = files.enter_context((folder / f"{next(numbers)}.csv").open("wb"))
            # DuckDB drops one at the start of a file. Then it is not that of the first record's text.
            lines.write(codecs.BOM_UTF8)
            return lines

        batches = reader.batches(new_file)
        try:
            upcoming = ahead.submit(next, batches, None)
            while batch := upcoming.result():
                upcoming = ahead.submit(next, batches, None)
                _store(connection, batch, reader, month=month, file=file)
        except BaseException:
            reader.stop()  # or the error would wait for a thread that reads on
            raise
    return Reading(file, reader.records, reader.joined, reader.header.extra)


def _insert_issues(
    connection: duckdb.DuckDBPyConnection, issues: Iterable[Issue], *, table: sa.Table, month: dt.date, file: str
) -> None:
    """Append rows of data_issues; the fields of an issue are its columns, in their order."""
    append(connection, qualified(DATA_ISSUES), [[month, file, *issue, table.name] for issue in issues])


def _store(
    connection: duckdb.DuckDBPyConnection, batch: Batch, reader: RecordReader, *, month: dt.date, file: str
) -> None:
    table, names, declared = raw_table(reader.source), reader.header.names, reader.source.columns
    batch.lines.close()
    if batch.count:
        types = {f"c{i}": "VARCHAR" for i in range(len(names))}
        chosen = ", ".join(f"c{i} AS {quoted(name)}" for i, name in enumerate(names) if name in declared)
        connection.register("numbers", {"record_number": batch.record_numbers()})
        stored = connection.execute(
            f"INSERT INTO {qualified(table)} BY NAME "
            f"SELECT {literal(month)} AS delivery_month, {literal(file)} AS source_file, record_number, {chosen} FROM ("
            f"SELECT true AS is_record, * FROM read_csv({literal(batch.lines.name)}, auto_detect=false, header=false, "
            f"delim=',', quote='\"', escape='\"', new_line='\\n', columns={types})) "
            "POSITIONAL JOIN numbers WHERE is_record"
        ).fetchone()
        connection.unregister("numbers")
        if stored != (batch.count,):
            raise RuntimeError(f"{file}: of {batch.count:,} records, {stored} were stored")
    Path(batch.lines.name).unlink()
    places = [names.index(name) for name in declared]
    rows = [
        [month, file, number, *(columns[i][:LONGEST_TEXT] or None for i in places)] for number, columns in batch.long
    ]
    append(connection, qualified(table), rows)
    _insert_issues(connection, batch.issues, table=table, month=month, file=file)


@contextlib.contextmanager
def _in_any_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Otherwise DuckDB compresses nothing before the commit, and then all of it, with one thread.

    At 40 times the real month that took a third more CPU and memory. (Lines and their numbers are read in order, as
    they are joined by position.)
    """
    with connection.cursor() as settings:  # not part of a transaction, which a fault may have ended
        settings.execute("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            settings.execute("SET preserve_insertion_order = true")

"""A file of a delivery -> its raw table and its account, or the refusal of the whole delivery."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import Source
from movies_platform.contracts.tables import qualified
from movies_platform.errors import DeliveryRejected
from movies_platform.landing.files import find_table, open_table
from movies_platform.raw import executors
from movies_platform.raw.judging import refuse_if_faulty, reject_records, rejected
from movies_platform.raw.parquet import Reading, read_here
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.scratch import own_folder
from movies_platform.resources.warehouse import cores_of
from movies_platform.settings import settings


@dataclass(frozen=True)
class Account:
    """What became of the records of a file: records = accepted + rejected + joined; None where it was not read.

    `file` is its name in the tables, `delivered_in` the file of the delivery that holds it; `extra_columns` are those
    that nobody declared.
    """

    file: str
    delivered_in: str
    records: int | None = None
    joined: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    extra_columns: tuple[str, ...] = ()


def load_file(
    connection: duckdb.DuckDBPyConnection, source: Source, files: Mapping[str, Path], place: str, month: dt.date
) -> Account | None:
    """Store the records of one of the delivery's `files`, which lie in `place`; None where it has no such file.

    Raises DeliveryRejected for what refuses the delivery.
    """
    if source.optional and not find_table(files, source.names):
        return None
    with open_table(files, source.names, place) as table, own_folder("raw-") as folder:
        reader = RecordReader(table.stream, table.name, source)
        load = executors.load if settings().is_lake else _load
        reading = load(connection, reader, month, folder)
        if not reading.records and not source.optional:
            raise DeliveryRejected("has no records", file=table.name, remedy="Deliver the file again, complete.")
        refuse_if_faulty(connection, month, table.name, reading.records)
    stored = _count(connection, f"{qualified(raw_table(source))} WHERE delivery_month = {literal(month)}")
    refused = _count(connection, rejected(month, table.name))
    never_stored = _count(connection, f"{rejected(month, table.name)} AND issue = 'column_count'")
    return Account(
        file=table.name, delivered_in=table.file, records=reading.records, joined=reading.joined,
        accepted=stored + never_stored - refused, rejected=refused, extra_columns=reading.extra_columns,
    )  # fmt: skip


def _load(connection: duckdb.DuckDBPyConnection, reader: RecordReader, month: dt.date, folder: Path) -> Reading:
    """Store every record and what was found in them; `folder` takes what is in work."""
    reading = Reading.of(reader, month, read_here(connection, reader, folder, cores_of(connection)))
    connection.execute(f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME FROM {reading.issues}")
    reject_records(connection, reader.source, month, reading.rows)
    connection.execute(f"INSERT INTO {qualified(raw_table(reader.source))} BY NAME FROM {reading.rows}")
    return reading


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])

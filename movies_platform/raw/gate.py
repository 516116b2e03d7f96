"""A file of a delivery -> its raw table and its account, or the refusal of the whole delivery."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from movies_platform.contracts.casts import CASTS, value_of
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import Source
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.errors import DeliveryRejected
from movies_platform.landing.files import find_table, open_table
from movies_platform.raw.parquet import read_records
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.scratch import own_folder
from movies_platform.resources.warehouse import cores_of

HIGHEST_FAULTY_SHARE = 0.05
ALWAYS_TOLERATED = 10  # faulty records
_FAULTS = ("column_count", "invalid_id", "invalid_number")  # of the provider; "the last one counts" is none


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
        reading = read_records(
            connection, reader, month=month, file=table.name, folder=folder, cores=cores_of(connection)
        )
        if not reading.records and not source.optional:
            raise DeliveryRejected("has no records", file=table.name, remedy="Deliver the file again, complete.")
        connection.execute(f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME FROM {reading.issues}")
        reject_records(connection, source, month, reading.rows)
        refuse_if_faulty(connection, month, table.name, reading.records)
        connection.execute(f"INSERT INTO {qualified(raw_table(source))} BY NAME FROM {reading.rows}")
    stored = _count(connection, f"{qualified(raw_table(source))} WHERE delivery_month = {literal(month)}")
    rejected = _count(connection, _rejected(month, table.name))
    never_stored = _count(connection, f"{_rejected(month, table.name)} AND issue = 'column_count'")
    return Account(
        file=table.name, delivered_in=table.file, records=reading.records, joined=reading.joined,
        accepted=stored + never_stored - rejected, rejected=rejected, extra_columns=reading.extra_columns,
    )  # fmt: skip


def reject_records(connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, rows: str) -> None:
    """Note as rejected the file's records with an unusable key or required value, and all but the last of one key.

    `rows` is SQL for FROM: rows of the raw table.
    """
    judged = [*source.key, *(a for a in source.attributes if a.required)]
    values = {a.delivered: value_of(a) for a in judged}
    movie_id = next((value_of(a) for a in (*source.key, *source.attributes) if a.name == "movie_id"), "NULL::BIGINT")
    faults = " ".join(
        f"WHEN {values[a.delivered]} IS NULL THEN {{column_name: {literal(a.delivered)}, "
        f"issue: {literal(CASTS[a.cast].issue)}, value: {quoted(a.delivered)}[:500]}}"
        for a in judged
    )
    _insert_rejected(
        connection, source, month,
        f"SELECT source_file, record_number, {movie_id} AS movie_id, fault.* FROM ("
        f"SELECT *, CASE {faults} END AS fault FROM {rows}) WHERE fault IS NOT NULL",
    )  # fmt: skip
    key = ", ".join(f"key_{place}" for place, _ in enumerate(source.key))
    typed_key = ", ".join(f"{values[a.delivered]} AS key_{place}" for place, a in enumerate(source.key))
    # Nearly no record has a key twice. Those keys are looked for first, on their own, so that what is told of records
    # is computed for few.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE doubled AS SELECT {typed_key} FROM {rows} GROUP BY ALL HAVING count(*) > 1"
    )
    is_sound = " AND ".join(f"{value} IS NOT NULL" for value in values.values())
    column = literal(source.key[0].delivered if len(source.key) == 1 else None)
    text = " || ', ' || ".join(quoted(a.delivered) for a in source.key)
    _insert_rejected(
        connection, source, month,
        f"SELECT source_file, record_number, movie_id, {column} AS column_name, 'duplicate_id' AS issue, value FROM ("
        f"SELECT *, max(record_number) FILTER (is_sound) OVER (PARTITION BY {key}) AS last FROM ("
        f"SELECT source_file, record_number, {movie_id} AS movie_id, ({text})[:500] AS value, {key}, "
        f"({is_sound}) AS is_sound FROM (SELECT *, {typed_key} FROM {rows}) JOIN doubled USING ({key}))) "
        "WHERE is_sound AND record_number < last",
    )  # fmt: skip
    connection.execute("DROP TABLE doubled")


def _insert_rejected(connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, query: str) -> None:
    found_by = literal(raw_table(source).name)
    connection.execute(
        f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME SELECT {literal(month)} AS delivery_month, "
        f"'rejected' AS action, {found_by} AS found_by, * FROM ({query}) ORDER BY record_number"
    )


def refuse_if_faulty(connection: duckdb.DuckDBPyConnection, month: dt.date, file: str, records: int) -> None:
    """Raise DeliveryRejected when more than 5 %, and more than 10, of the file's records are faulty."""
    faulty = f"{_rejected(month, file)} AND issue IN {_FAULTS}"
    count = _count(connection, faulty)
    if count > max(ALWAYS_TOLERATED, HIGHEST_FAULTY_SHARE * records):
        record, column, issue, value = connection.execute(
            f"SELECT record_number, column_name, issue, value[:80] FROM {faulty} ORDER BY record_number LIMIT 1"
        ).fetchall()[0]
        raise DeliveryRejected(
            f"{count:,} of {records:,} records are rejected ({count / records:.1%}; at most "
            f"{HIGHEST_FAULTY_SHARE:.0%}), the first as {issue}{f' in {column}' if column else ''}: {value!r}",
            file=file, record=record, remedy="Deliver a corrected file for the same month.",
        )  # fmt: skip


def _rejected(month: dt.date, file: str) -> str:
    """SQL for FROM: the file's issues for which a record was rejected."""
    return (
        f"{qualified(DATA_ISSUES)} WHERE delivery_month = {literal(month)} AND source_file = {literal(file)} "
        "AND action = 'rejected'"
    )


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])

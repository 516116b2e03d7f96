"""The records of a file -> which of them are rejected, and whether the whole delivery is refused."""

import datetime as dt

import duckdb
import narwhals as nw

from movies_platform.contracts.casts import CASTS, value_of
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import Source
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.errors import DeliveryRejected

HIGHEST_FAULTY_SHARE = 0.05
ALWAYS_TOLERATED = 10  # faulty records
_FAULTS = ("column_count", "invalid_id", "invalid_number")  # of the provider; "the last one counts" is none


def reject_records(connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, rows: str) -> None:
    """Note as rejected the file's records with an unusable key or required value, and all but the last of one key.

    `rows` is SQL for FROM: rows of the raw table.
    """
    reject_faulty(connection, source, month, rows)
    keys: nw.LazyFrame = nw.from_native(connection.sql(f"SELECT {typed_key(source)} FROM {rows}"))
    query = nw.to_native(doubled_keys(keys)).sql_query()
    # Nearly no record has a key twice. Those keys are looked for first, on their own, so that what is told of records
    # is computed for few.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE doubled AS {query}")
    reject_doubled(connection, source, month, rows, "doubled")
    connection.execute("DROP TABLE doubled")


def typed_key(source: Source) -> str:
    """SQL for the columns of a record's key, typed: key_0, key_1, and so on."""
    return ", ".join(f"{value_of(a)} AS key_{place}" for place, a in enumerate(source.key))


def doubled_keys(keys: nw.LazyFrame) -> nw.LazyFrame:
    """The keys that more than one record has."""
    counted = keys.with_columns(one=nw.lit(1)).group_by(*keys.collect_schema().names()).agg(nw.col("one").sum())
    return counted.filter(nw.col("one") > 1).drop("one")


def reject_faulty(connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, rows: str) -> None:
    """Note as rejected the records with an unusable key or required value; `rows` is as in `reject_records`."""
    values = _judged_values(source)
    judged = [*source.key, *(a for a in source.attributes if a.required)]
    faults = " ".join(
        f"WHEN {values[a.delivered]} IS NULL THEN {{column_name: {literal(a.delivered)}, "
        f"issue: {literal(CASTS[a.cast].issue)}, value: {quoted(a.delivered)}[:500]}}"
        for a in judged
    )
    _insert_rejected(
        connection, source, month,
        f"SELECT source_file, record_number, {_movie_id(source)} AS movie_id, fault.* FROM ("
        f"SELECT *, CASE {faults} END AS fault FROM {rows}) WHERE fault IS NOT NULL",
    )  # fmt: skip


def reject_doubled(
    connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, rows: str, doubled: str
) -> None:
    """Note as rejected, of the records with the same one of the keys in `doubled`, all but the last sound one."""
    key = ", ".join(f"key_{place}" for place, _ in enumerate(source.key))
    is_sound = " AND ".join(f"{value} IS NOT NULL" for value in _judged_values(source).values())
    column = literal(source.key[0].delivered if len(source.key) == 1 else None)
    text = " || ', ' || ".join(quoted(a.delivered) for a in source.key)
    _insert_rejected(
        connection, source, month,
        f"SELECT source_file, record_number, movie_id, {column} AS column_name, 'duplicate_id' AS issue, value FROM ("
        f"SELECT *, max(record_number) FILTER (is_sound) OVER (PARTITION BY {key}) AS last FROM ("
        f"SELECT source_file, record_number, {_movie_id(source)} AS movie_id, ({text})[:500] AS value, {key}, "
        f"({is_sound}) AS is_sound FROM (SELECT *, {typed_key(source)} FROM {rows}) JOIN {doubled} USING ({key}))) "
        "WHERE is_sound AND record_number < last",
    )  # fmt: skip


def _judged_values(source: Source) -> dict[str, str]:
    """SQL for the typed value of each column without which a record is rejected, by its delivered name."""
    return {a.delivered: value_of(a) for a in (*source.key, *source.attributes) if a in source.key or a.required}


def _movie_id(source: Source) -> str:
    """SQL for the movie of a record."""
    return next((value_of(a) for a in (*source.key, *source.attributes) if a.name == "movie_id"), "NULL::BIGINT")


def _insert_rejected(connection: duckdb.DuckDBPyConnection, source: Source, month: dt.date, query: str) -> None:
    found_by = literal(raw_table(source).name)
    connection.execute(
        f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME SELECT {literal(month)} AS delivery_month, "
        f"'rejected' AS action, {found_by} AS found_by, * FROM ({query}) ORDER BY record_number"
    )


def refuse_if_faulty(connection: duckdb.DuckDBPyConnection, month: dt.date, file: str, records: int) -> None:
    """Raise DeliveryRejected when more than 5 %, and more than 10, of the file's records are faulty."""
    faulty = f"{rejected(month, file)} AND issue IN {_FAULTS}"
    count = connection.execute(f"SELECT count(*) FROM {faulty}").fetchall()[0][0]
    if count > max(ALWAYS_TOLERATED, HIGHEST_FAULTY_SHARE * records):
        record, column, issue, value = connection.execute(
            f"SELECT record_number, column_name, issue, value[:80] FROM {faulty} ORDER BY record_number LIMIT 1"
        ).fetchall()[0]
        raise DeliveryRejected(
            f"{count:,} of {records:,} records are rejected ({count / records:.1%}; at most "
            f"{HIGHEST_FAULTY_SHARE:.0%}), the first as {issue}{f' in {column}' if column else ''}: {value!r}",
            file=file, record=record, remedy="Deliver a corrected file for the same month.",
        )  # fmt: skip


def rejected(month: dt.date, file: str) -> str:
    """SQL for FROM: the file's issues for which a record was rejected."""
    return (
        f"{qualified(DATA_ISSUES)} WHERE delivery_month = {literal(month)} AND source_file = {literal(file)} "
        "AND action = 'rejected'"
    )

"""A month's delivery -> raw.raw_movies, raw.deliveries and the records that were rejected, in raw.data_issues.

raw is the gate: everything that can be refused is refused here. The delivery is read, every record is kept as text,
broken ones are joined, and it is decided which are rejected. All of it is committed in one transaction together with
the move of the delivery to processed/; or nothing is, and the delivery goes to failed/. What follows can be computed
again from raw.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import dagster as dg
import duckdb

from movies_platform.contracts.catalogue import POOL, asset_key, monthly_asset, monthly_spec
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.parsed import PARSED_COMPANIES, PARSED_GENRES, PARSED_MOVIES
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, RAW_MOVIES
from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.contracts.tables import qualified
from movies_platform.contracts.text import positive_integer, trimmed
from movies_platform.errors import DeliveryRejected
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Delivery, Landing
from movies_platform.landing.files import open_table
from movies_platform.raw.load import Reading, load_records
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.metadata import table_metadata
from movies_platform.resources.months import month_name, parse_month
from movies_platform.resources.warehouse import append, ensure, transaction
from movies_platform.settings import settings

HIGHEST_FAULTY_SHARE = 0.05
ALWAYS_TOLERATED = 10  # faulty records
_FAULTS = ("column_count", "invalid_id")  # of the provider; "the last one counts" is none
_TABLES = (DELIVERIES, RAW_MOVIES)


class DeliveryConfig(dg.Config):
    """`newest`: what waits in incoming/, else what was processed last. `processed`: only the latter."""

    source: Literal["newest", "processed"] = "newest"


@dg.multi_asset(
    name="read_delivery",
    specs=[monthly_spec(table) for table in _TABLES],
    can_subset=True,  # either is asked for, both are made: a raw table and the account of its file are read together
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    pool=POOL,
)
def read_delivery(
    context: dg.AssetExecutionContext, config: DeliveryConfig, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult[None]]:
    """Every record of the month's newest delivery, as text, with the account of its files."""
    month = parse_month(context.partition_key)
    landing = open_landing()
    delivery = landing.incoming(month) if config.source == "newest" else None
    delivery = delivery or landing.processed(month)
    if delivery is None:
        context.log.warning("Nothing was delivered for %s: no table changes.", month_name(month))
    else:
        _load_and_archive(context, landing, delivery)
    with warehouse.opened() as connection:
        for table in _TABLES:
            rows = _count(connection, f"{ensure(connection, table)} WHERE delivery_month = {literal(month)}")
            if asset_key(table) in context.selected_asset_keys:
                found = {"delivery": delivery.id if delivery else "nothing was delivered"}
                yield dg.MaterializeResult(
                    asset_key=asset_key(table), metadata={**table_metadata(connection, table, rows, month), **found}
                )


@monthly_asset(DATA_ISSUES, deps=[RAW_MOVIES, PARSED_MOVIES, PARSED_GENRES, PARSED_COMPANIES])
def data_issues(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """What the steps before found in the month, each having stored its own issues; the checks prove the account."""
    month = parse_month(context.partition_key)
    with warehouse.opened() as connection:
        rows = _count(connection, f"{ensure(connection, DATA_ISSUES)} WHERE delivery_month = {literal(month)}")
        return dg.MaterializeResult(metadata=table_metadata(connection, DATA_ISSUES, rows, month))


def _load_and_archive(context: dg.AssetExecutionContext, landing: Landing, delivery: Delivery) -> None:
    note: dict[str, Any] = {"run_id": context.run.run_id, "archived_at": dt.datetime.now(dt.UTC).isoformat()}
    try:
        load_delivery(landing, delivery, note)
    except DeliveryRejected as problem:
        reason = {
            "reason": "rejected", "problem": problem.problem, "file": problem.file, "record": problem.record,
            "remedy": problem.remedy,
        }  # fmt: skip
        place = landing.archive(delivery, "failed", {**note, **reason})
        raise dg.Failure(
            description=f"{month_name(delivery.month)}: {problem} The delivery is in {place}.", allow_retries=False
        ) from problem


def load_delivery(landing: Landing, delivery: Delivery, note: Mapping[str, Any]) -> None:
    """Replace the month's rows of the raw tables by what the delivery brings, and archive it with the note.

    Raises DeliveryRejected for a delivery that is refused; the tables are then as before.
    """
    month = delivery.month
    where = f"WHERE delivery_month = {literal(month)}"
    with transaction() as connection:
        for table in (*_TABLES, DATA_ISSUES):
            also = " AND found_by = 'raw_movies'" if table is DATA_ISSUES else ""
            connection.execute(f"DELETE FROM {ensure(connection, table)} {where}{also}")
        settings().scratch.mkdir(parents=True, exist_ok=True)
        with landing.local_files(delivery) as files:
            with open_table(files, [MOVIES_METADATA.name], delivery.place) as (name, stream):
                reader = RecordReader(stream, name, MOVIES_METADATA)
                reading = load_records(connection, reader, month=month, file=name, scratch=settings().scratch)
            if not reading.records:
                raise DeliveryRejected("has no records", file=name, remedy="Deliver the file again, whole.")
            reject_records(connection, month)
            refuse_if_faulty(connection, month, reading)
            _note_delivery(connection, delivery, reading)
        # Before the commit, so that no table ever shows a file that is nowhere. What is archived and not committed
        # is loaded from processed/ by the next run.
        rows = {table.name: _count(connection, f"{qualified(table)} {where}") for table in _TABLES}
        landing.archive(delivery, "processed", {**note, "rows": rows})


def reject_records(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Note as rejected the month's records without a usable id, and all but the last of several with one id."""
    connection.execute(
        f"WITH typed AS MATERIALIZED (SELECT source_file, record_number, id, {positive_integer(trimmed('id'))} AS "
        f"movie_id FROM {qualified(RAW_MOVIES)} WHERE delivery_month = {literal(month)}), "
        "counted AS (SELECT max(record_number) AS record_number FROM typed WHERE movie_id IS NOT NULL "
        f"GROUP BY movie_id) INSERT INTO {qualified(DATA_ISSUES)} BY NAME "
        f"SELECT {literal(month)} AS delivery_month, source_file, "
        "record_number, movie_id, 'id' AS column_name, "
        "CASE WHEN movie_id IS NULL THEN 'invalid_id' ELSE 'duplicate_id' END AS issue, 'rejected' AS action, "
        "id[:500] AS value, 'raw_movies' AS found_by FROM typed ANTI JOIN counted USING (record_number) "
        "ORDER BY record_number"
    )


def refuse_if_faulty(connection: duckdb.DuckDBPyConnection, month: dt.date, reading: Reading) -> None:
    """Raise DeliveryRejected when more than 5 %, and more than 10, of the file's records are faulty."""
    faulty = (
        f"FROM {qualified(DATA_ISSUES)} WHERE delivery_month = {literal(month)} AND source_file = "
        f"{literal(reading.file)} AND action = 'rejected' AND issue IN {_FAULTS}"
    )
    count = connection.execute(f"SELECT count(*) {faulty}").fetchall()[0][0]
    if count > max(ALWAYS_TOLERATED, HIGHEST_FAULTY_SHARE * reading.records):
        record, issue, value = connection.execute(
            f"SELECT record_number, issue, value[:80] {faulty} ORDER BY record_number LIMIT 1"
        ).fetchall()[0]
        raise DeliveryRejected(
            f"{count:,} of {reading.records:,} records are rejected ({count / reading.records:.1%}; at most "
            f"{HIGHEST_FAULTY_SHARE:.0%}), the first as {issue}: {value!r}",
            file=reading.file, record=record, remedy="Deliver a corrected file for the same month.",
        )  # fmt: skip


def _note_delivery(connection: duckdb.DuckDBPyConnection, delivery: Delivery, reading: Reading) -> None:
    """Add a row to raw.deliveries for each file; the one that was read has its records counted."""
    where = f"WHERE delivery_month = {literal(delivery.month)}"
    rejected = _count(connection, f"{qualified(DATA_ISSUES)} {where} AND action = 'rejected'")
    unusable = _count(connection, f"{qualified(DATA_ISSUES)} {where} AND issue IN ('invalid_id', 'duplicate_id')")
    accepted = _count(connection, f"{qualified(RAW_MOVIES)} {where}") - unusable
    account = [reading.records, reading.joined, accepted, rejected, ", ".join(reading.extra_columns) or None]
    rows = [
        [delivery.month, file.name, delivery.id, file.size, file.digest]
        + (account if file.name == reading.file else [None] * len(account))
        for file in delivery.files
    ]
    append(connection, qualified(DELIVERIES), rows)


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    """How many rows there are; `rows` is what follows FROM."""
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])

"""A month's delivery -> the raw tables of its files, raw.deliveries, and the records rejected, in raw.data_issues.

raw is the gate: everything that can be refused is refused here. The files of a delivery are read one after another,
every record is kept as text, broken ones are joined, and it is decided which are rejected. All of it is committed in
one transaction together with the move of the delivery to processed/; or nothing is, and the delivery goes to failed/.
What follows can be computed again from raw.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.catalogue import POOL, asset_key, monthly_asset, monthly_spec
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, raw_table
from movies_platform.contracts.sources import SOURCES
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.errors import DeliveryRejected
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Delivery, Landing
from movies_platform.raw.gate import Account, load_file
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.metadata import table_metadata
from movies_platform.resources.months import month_name, parse_month
from movies_platform.resources.warehouse import append, ensure, transaction

RAW_TABLES = tuple(raw_table(source) for source in SOURCES)
_TABLES = (DELIVERIES, *RAW_TABLES)


class DeliveryConfig(dg.Config):
    """`newest`: what waits in incoming/, else what was processed last. `processed`: only the latter."""

    source: Literal["newest", "processed"] = "newest"


@dg.multi_asset(
    name="read_delivery",
    specs=[monthly_spec(table) for table in _TABLES],
    can_subset=True,  # whichever is asked for, all are made: a delivery is taken or refused as a whole
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
            rows = _month_count(connection, table, month)
            if asset_key(table) in context.selected_asset_keys:
                found = {"delivery": delivery.id if delivery else "nothing was delivered"}
                yield dg.MaterializeResult(
                    asset_key=asset_key(table), metadata={**table_metadata(connection, table, rows, month), **found}
                )


@monthly_asset(DATA_ISSUES, deps=[*RAW_TABLES, *(table for table in all_tables() if table.schema == "parsed")])
def data_issues(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """What the steps before found in the month, each having stored its own issues; the checks prove the account."""
    month = parse_month(context.partition_key)
    with warehouse.opened() as connection:
        rows = _month_count(connection, DATA_ISSUES, month)
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
    with transaction() as connection:
        for table in (*_TABLES, DATA_ISSUES):
            found_here = f" AND found_by IN {tuple(t.name for t in RAW_TABLES)}" if table is DATA_ISSUES else ""
            connection.execute(
                f"DELETE FROM {ensure(connection, table)} WHERE delivery_month = {literal(month)}{found_here}"
            )
        with landing.local_files(delivery) as files:
            accounts = [load_file(connection, source, files, delivery.place, month) for source in SOURCES]
        _note_delivery(connection, delivery, [account for account in accounts if account])
        # Before the commit, so that no table ever shows a file that is nowhere. What is archived and not committed
        # is loaded from processed/ by the next run.
        rows = {table.name: _month_count(connection, table, month) for table in _TABLES}
        landing.archive(delivery, "processed", {**note, "rows": rows})


def _note_delivery(connection: duckdb.DuckDBPyConnection, delivery: Delivery, accounts: list[Account]) -> None:
    """Add a row to raw.deliveries for each file that was read, with the account of its records, and for each other."""
    unread = [
        Account(file.name, file.name) for file in delivery.files if file.name not in {a.delivered_in for a in accounts}
    ]
    stored = {file.name: file for file in delivery.files}
    rows = [
        [
            delivery.month, a.file, delivery.id, stored[a.delivered_in].size, stored[a.delivered_in].digest,
            a.records, a.joined, a.accepted, a.rejected, ", ".join(a.extra_columns) or None,
        ]
        for a in [*accounts, *unread]
    ]  # fmt: skip
    append(connection, qualified(DELIVERIES), rows)


def _month_count(connection: duckdb.DuckDBPyConnection, table: sa.Table, month: dt.date) -> int:
    rows = f"{ensure(connection, table)} WHERE delivery_month = {literal(month)}"
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])

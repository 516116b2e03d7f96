"""One month: its delivery -> raw and parsed, in one transaction.

Both stages of a month are one step, so that no month is ever half replaced and data_issues tells of
exactly the rows beside it (docs/decisions/0001). Afterwards the delivery moves to processed/, or to
failed/ with the reason when its data is at fault. A fault of the infrastructure moves nothing and is retried.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg
import duckdb

from movies_platform.checks.outcomes import Outcome, results_of
from movies_platform.checks.registry import kept_if_sound, specs_of
from movies_platform.contracts.catalogue import asset_key, table_spec
from movies_platform.contracts.parsed import PARSED_COMPANIES, PARSED_GENRES, PARSED_MOVIES
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, RAW_MOVIES
from movies_platform.contracts.tables import qualified
from movies_platform.errors import DeliveryRejected, NoDelivery
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Delivery, Landing
from movies_platform.landing.streams import movies_stream
from movies_platform.parsed.lists import read_lists, store_lists
from movies_platform.parsed.movies import choose_records, store_movies
from movies_platform.parsed.typing import prepare_typing, type_records
from movies_platform.partitions import delivery_months
from movies_platform.raw.accounts import note_delivery
from movies_platform.raw.load import load_records
from movies_platform.raw.records import RecordReader
from movies_platform.raw.stretches import Stretch
from movies_platform.resources.asking import ask
from movies_platform.resources.builds import forget_in_history
from movies_platform.resources.facts import table_facts
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.months import month_name, parse_month
from movies_platform.resources.settings import settings
from movies_platform.resources.staging import staging
from movies_platform.resources.warehouse import ensure

TABLES = (DELIVERIES, RAW_MOVIES, DATA_ISSUES, PARSED_MOVIES, PARSED_GENRES, PARSED_COMPANIES)
_READS = {
    DATA_ISSUES: [RAW_MOVIES],
    PARSED_MOVIES: [RAW_MOVIES],
    PARSED_GENRES: [RAW_MOVIES],
    PARSED_COMPANIES: [RAW_MOVIES],
}


class MonthConfig(dg.Config):
    """`newest`: what waits in incoming/, else what was processed last. `processed`: only the latter."""

    source: Literal["newest", "processed"] = "newest"


@dataclass(frozen=True)
class Loaded:
    """A month that was read: what its checks found and, if nothing blocks, its rows by table."""

    outcomes: list[Outcome]
    rows: Mapping[str, int]

    @property
    def blocked(self) -> bool:
        """Whether a blocking check failed, so that nothing was stored."""
        return any(outcome.blocks for outcome in self.outcomes)


@dg.multi_asset(
    name="delivered_month",
    specs=[
        dg.AssetSpec(**table_spec(t), partitions_def=delivery_months, deps=[asset_key(s) for s in _READS.get(t, [])])
        for t in TABLES
    ],
    check_specs=specs_of(TABLES, delivery_months),
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    pool="duckdb",
)
def delivered_month(
    context: dg.AssetExecutionContext, config: MonthConfig, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """A month's newest delivery, read record by record, typed and checked."""
    month = parse_month(context.partition_key)
    landing = open_landing()
    delivery = choose(landing, month, config.source)
    note: dict[str, Any] = {"run_id": context.run_id, "settled_at": dt.datetime.now(dt.UTC).isoformat()}
    try:
        loaded = load(warehouse, landing, delivery)
    except DeliveryRejected as problem:
        refusal = {
            "reason": "rejected", "problem": problem.problem, "file": problem.file, "record": problem.record,
            "remedy": problem.remedy,
        }  # fmt: skip
        place = landing.settle(delivery, "failed", {**note, **refusal})
        raise dg.Failure(
            description=f"{month_name(month)}: {problem} The delivery is in {place}.", allow_retries=False
        ) from problem
    if loaded.blocked:
        failed = [str(outcome) for outcome in loaded.outcomes if outcome.blocks]
        reason: dict[str, Any] = {
            "reason": "blocking_check", "problem": "\n".join(failed), "file": None, "record": None,
            "remedy": "Deliver a corrected file for the same month.",
            "worst": [list(row) for outcome in loaded.outcomes if outcome.blocks for row in outcome.findings.worst],
        }  # fmt: skip
        landing.settle(delivery, "failed", {**note, **reason})
    else:
        landing.settle(delivery, "processed", {**note, "rows": dict(loaded.rows)})
    # The rows first: Dagster counts a check of a month for the materialization that it follows.
    for table in () if loaded.blocked else TABLES:
        yield dg.MaterializeResult(
            asset_key=asset_key(table),
            metadata={**table_facts(table, loaded.rows[table.name], month), "delivery_id": delivery.id},
        )
    yield from results_of(loaded.outcomes)


def choose(landing: Landing, month: dt.date, source: str) -> Delivery:
    """The delivery to read for the month; raises NoDelivery (as a failure, not retried) without one."""
    delivery = landing.incoming(month) if source == "newest" else None
    delivery = delivery or landing.processed(month)
    if delivery is None:
        problem = NoDelivery(
            f"Nothing was delivered for {month_name(month)}. Deliver it with 'movies-platform deliver', or put it "
            f"into incoming/{month_name(month)}/ of the landing zone."
        )
        raise dg.Failure(description=str(problem), allow_retries=False) from problem
    return delivery


def load(warehouse: Warehouse, landing: Landing, delivery: Delivery) -> Loaded:
    """Replace the month's rows of all raw and parsed tables, unless a blocking check fails.

    Raises DeliveryRejected for a delivery that cannot be read; the tables are then as before.
    """
    month = delivery.month
    with (
        contextlib.ExitStack() as at_last, warehouse.transaction() as connection, landing.local_files(delivery) as files
    ):  # fmt: skip
        for table in TABLES:
            ask(connection, f"DELETE FROM {ensure(connection, table)} WHERE delivery_month = ?", month)
        forget_in_history(connection, month)
        scratch = settings().scratch
        scratch.mkdir(parents=True, exist_ok=True)
        with movies_stream(files, delivery.place) as (name, stream):
            # Only now: looking for tables, as `ensure` does, would be the transaction's first look at what is there.
            beside = at_last.enter_context(staging(connection))
            prepare_typing(beside)
            reading = load_records(
                connection, RecordReader(stream, name), month=month, file=name, scratch=scratch,
                beside=lambda stretch: type_stretch(beside, stretch),
            )  # fmt: skip
        if not reading.records:
            raise DeliveryRejected("has no records", file=name, remedy="Deliver the file again, whole.")
        choose_records(beside)
        read_lists(beside)
        store_movies(connection, month)
        store_lists(connection, month, name)
        note_delivery(connection, delivery, reading)
        outcomes = kept_if_sound(connection, TABLES, month=month)
        stored = () if any(outcome.blocks for outcome in outcomes) else TABLES
        return Loaded(outcomes, {table.name: _rows(connection, qualified(table), month) for table in stored})


def type_stretch(staging: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    """Add the typed form of a stretch of records to the staging database."""
    for rows in stretch.rows(staging):
        type_records(staging, rows.relation)


def _rows(connection: duckdb.DuckDBPyConnection, table: str, month: dt.date) -> int:
    row = ask(connection, f"SELECT count(*) FROM {table} WHERE delivery_month = ?", month).fetchone()
    return int(row[0]) if row else 0

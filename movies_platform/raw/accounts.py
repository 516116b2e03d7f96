"""The account of a delivery: its files, and where every record went -> raw.deliveries."""

import duckdb

from movies_platform.landing.deliveries import Delivery
from movies_platform.raw.load import Reading
from movies_platform.resources.asking import ask
from movies_platform.resources.warehouse import append


def note_delivery(connection: duckdb.DuckDBPyConnection, delivery: Delivery, reading: Reading) -> None:
    """Add a row for each file; the one that was read has its records counted."""
    accepted, rejected = (
        _count(connection, query, delivery)
        for query in (
            "SELECT count(*) FROM parsed.parsed_movies WHERE delivery_month = ?",
            "SELECT count(*) FROM raw.data_issues WHERE delivery_month = ? AND action = 'rejected'",
        )
    )
    account = [reading.records, reading.joined, accepted, rejected, ", ".join(reading.extra_columns) or None]
    rows = [
        [delivery.month, file.name, delivery.id, file.size, file.digest]
        + (account if file.name == reading.file else [None] * len(account))
        for file in delivery.files
    ]
    append(connection, "raw.deliveries", rows)


def _count(connection: duckdb.DuckDBPyConnection, query: str, delivery: Delivery) -> int:
    row = ask(connection, query, delivery.month).fetchone()
    return int(row[0]) if row else 0

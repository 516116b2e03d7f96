"""Which delivery each parsed month, and which deliveries each core and metric table, was computed from.

Every write notes it in its own transaction. So what a killed run left undone is known, whoever started the run: a
shell, the UI or the daemon.
"""

import datetime as dt
from collections.abc import Iterable

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Text, column
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import present_tables
from movies_platform.contracts.raw import DELIVERIES
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.errors import MonthIncomplete
from movies_platform.resources.months import month_name
from movies_platform.resources.warehouse import ensure, table_exists

BUILDS = sa.Table(
    "builds", sa.MetaData(),
    column("table_name", Text, "qualified name", key=True),
    column("delivery_month", Day, "month of a parsed table, its first day; null for tables of all months"),
    column("built_from", Text, "delivery_id of the month, or a fingerprint of all deliveries", null=False),
    schema="platform",
    comment="Bookkeeping of the platform: what each table was computed from.",
)  # fmt: skip


def note_build(
    connection: duckdb.DuckDBPyConnection, table: sa.Table, built_from: str, month: dt.date | None = None
) -> None:
    """Note what `table` (or its `month`) was computed from; call it in the transaction that writes the rows."""
    name, when = literal(qualified(table)), literal(month)
    connection.execute(
        f"DELETE FROM {ensure(connection, BUILDS)} WHERE table_name = {name} AND delivery_month IS NOT DISTINCT FROM "
        f"{when}; INSERT INTO {qualified(BUILDS)} BY NAME SELECT {name} AS table_name, {when}::DATE AS delivery_month, "
        f"{literal(built_from)} AS built_from"
    )


def loaded_deliveries(connection: duckdb.DuckDBPyConnection) -> dict[dt.date, str]:
    """The delivery that raw holds of each month."""
    if not table_exists(connection, DELIVERIES):
        return {}
    query = f"SELECT DISTINCT delivery_month, delivery_id FROM {qualified(DELIVERIES)}"
    return dict(connection.execute(query).fetchall())


def incomplete_months(connection: duckdb.DuckDBPyConnection) -> list[dt.date]:
    """Months whose parsed tables are not all made from the delivery that raw holds."""
    made = _builds(connection)
    parsed = [qualified(t) for t in all_tables() if t.schema == "parsed"]
    loaded = loaded_deliveries(connection)
    return sorted(m for m, delivery in loaded.items() if any(made.get((name, m)) != delivery for name in parsed))


def expect_complete_months(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise MonthIncomplete where the parsed tables are a mixture of deliveries, which a killed run leaves."""
    if months := incomplete_months(connection):
        names = ", ".join(map(month_name, months))
        raise MonthIncomplete(
            f"The parsed tables of {names} do not show the delivery that raw holds. 'movies-platform refresh' "
            "completes them, or materialize the group 'parsed' for the month."
        )


def deliveries_fingerprint(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Identifies the deliveries that raw holds now; None before the first."""
    if not table_exists(connection, DELIVERIES):
        return None
    row = connection.execute(
        "SELECT md5(string_agg(DISTINCT delivery_month || delivery_id, ',' "
        f"ORDER BY delivery_month || delivery_id)) FROM {qualified(DELIVERIES)}"
    ).fetchone()
    return row[0] if row else None


def fingerprint_from(connection: duckdb.DuckDBPyConnection, sources: Iterable[sa.Table]) -> str:
    """The deliveries that all of the tables `sources` show; empty where they do not show the same ones."""
    made, now = _builds(connection), deliveries_fingerprint(connection) or ""
    shown = {now if t.schema in ("raw", "parsed") else made.get((qualified(t), None), "") for t in sources}
    return shown.pop() if len(shown) == 1 else ""


def built_from(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> str | None:
    """The deliveries that a table of all months shows, as `deliveries_fingerprint`; None when it was never computed."""
    return _builds(connection).get((qualified(table), None))


def stale_tables(connection: duckdb.DuckDBPyConnection) -> list[sa.Table]:
    """Core and metric tables that do not show the deliveries in raw."""
    made, now = _builds(connection), deliveries_fingerprint(connection)
    return [t for t in present_tables() if made.get((qualified(t), None)) != now] if now else []


def _builds(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, dt.date | None], str]:
    if not table_exists(connection, BUILDS):
        return {}
    rows = connection.execute(f"SELECT table_name, delivery_month, built_from FROM {qualified(BUILDS)}").fetchall()
    return {(name, month): built_from for name, month, built_from in rows}

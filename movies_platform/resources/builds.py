"""Which deliveries each table was computed from.

Every write of a core or metric table notes, in the same transaction, the fingerprint of the
deliveries behind it. So a killed refresh is known by what it left undone, whoever ran it: a shell, the
UI or the daemon.
"""

import datetime as dt

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Text, column
from movies_platform.contracts.parsed import PARSED_MOVIES
from movies_platform.contracts.raw import DELIVERIES
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.resources.asking import ask
from movies_platform.resources.warehouse import ensure, table_exists

BUILDS = sa.Table(
    "builds", sa.MetaData(),
    column("table_name", Text, "qualified name", key=True),
    column("fingerprint", Text, "of the deliveries the table was computed from", null=False),
    schema="platform",
    comment="Bookkeeping of the platform: from which deliveries each table was computed.",
)  # fmt: skip

HISTORY_MONTHS = sa.Table(
    "history_months", sa.MetaData(),
    column("delivery_month", Day, "a month that core.movie_history has taken in, its first day", key=True),
    schema="platform",
    comment="Bookkeeping of the platform: months in core.movie_history that were not loaded again since.",
)  # fmt: skip


def deliveries_fingerprint(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Identifies the deliveries that raw and parsed hold now; None before the first."""
    if not table_exists(connection, DELIVERIES):
        return None
    row = connection.execute(
        "SELECT md5(string_agg(DISTINCT delivery_month || delivery_id, ',' "
        f"ORDER BY delivery_month || delivery_id)) FROM {qualified(DELIVERIES)}"
    ).fetchone()
    return row[0] if row else None


def loaded_deliveries(connection: duckdb.DuckDBPyConnection) -> dict[dt.date, str]:
    """The delivery that raw and parsed hold of each month."""
    if not table_exists(connection, DELIVERIES):
        return {}
    query = f"SELECT DISTINCT delivery_month, delivery_id FROM {qualified(DELIVERIES)}"
    return dict(connection.execute(query).fetchall())


def note_build(connection: duckdb.DuckDBPyConnection, table: sa.Table, fingerprint: str | None) -> None:
    """Note what `table` was computed from; call it in the transaction that writes the table."""
    ensure(connection, BUILDS)
    ask(connection, "DELETE FROM platform.builds WHERE table_name = ?", qualified(table))
    ask(connection, "INSERT INTO platform.builds VALUES (?, ?)", qualified(table), fingerprint or "")


def built_from(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> str | None:
    """The fingerprint noted for `table`; None when it was never computed."""
    if not table_exists(connection, BUILDS):
        return None
    row = ask(connection, "SELECT fingerprint FROM platform.builds WHERE table_name = ?", qualified(table)).fetchone()
    return row[0] if row else None


def forget_in_history(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Note that `month` is loaded anew; call it in the transaction that replaces its rows."""
    ask(connection, f"DELETE FROM {ensure(connection, HISTORY_MONTHS)} WHERE delivery_month = ?", month)


def unseen_months(connection: duckdb.DuckDBPyConnection) -> list[dt.date]:
    """The oldest month in parsed that the history has not taken in, and all later ones."""
    rows = connection.execute(
        f"WITH delivered AS (SELECT DISTINCT delivery_month FROM {ensure(connection, PARSED_MOVIES)}), unseen AS "
        f"(SELECT min(delivery_month) AS oldest FROM delivered ANTI JOIN {ensure(connection, HISTORY_MONTHS)} "
        "USING (delivery_month)) SELECT delivery_month FROM delivered, unseen WHERE delivery_month >= oldest ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def note_history(connection: duckdb.DuckDBPyConnection, months: list[dt.date]) -> None:
    """Note that the history has taken the months in; call it in the transaction that extends it."""
    for month in months:
        forget_in_history(connection, month)
        ask(connection, f"INSERT INTO {qualified(HISTORY_MONTHS)} VALUES (?)", month)


def stale_tables(connection: duckdb.DuckDBPyConnection) -> list[sa.Table]:
    """Core and metric tables that do not yet show the deliveries in raw and parsed."""
    now = deliveries_fingerprint(connection)
    if now is None:
        return []
    return [
        table for table in all_tables() if table.schema in ("core", "metrics") and built_from(connection, table) != now
    ]

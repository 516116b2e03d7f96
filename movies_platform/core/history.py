"""parsed.parsed_movies of all months -> core.movie_history: what changed, and from which month on.

A movie's values hold from the month that first delivers them until a later month delivers others. What months
before M say depends on no later month. So a refresh looks only at what is new: the history is cut at the oldest
month that was loaded since, and the months from there on are played back onto it. A month that comes late or again
gives the same history as all of them in order.
"""

import datetime as dt

import duckdb

from movies_platform.contracts.core import HISTORY_VALUES
from movies_platform.contracts.ddl import literal
from movies_platform.resources.asking import ask
from movies_platform.resources.builds import note_history, unseen_months

MONTHS_AT_ONCE = 12  # bounds the memory of a rebuild; a refresh usually has one
_VALUES = ", ".join(HISTORY_VALUES)


def extend_history(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring core.movie_history up to the months in parsed; the tables must exist."""
    months = unseen_months(connection)
    if not months:
        return
    _cut(connection, months[0])
    for start in range(0, len(months), MONTHS_AT_ONCE):
        some = months[start : start + MONTHS_AT_ONCE]
        _play_back(connection, some[0], some[-1])
    note_history(connection, months)


def _cut(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Forget what `month` and later months said."""
    ask(connection, "DELETE FROM core.movie_history WHERE valid_from >= ?", month)
    ask(connection, "UPDATE core.movie_history SET valid_to = NULL WHERE valid_to >= ?", month)


def _play_back(connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date) -> None:
    """Add what the months from `first` to `last` changed to a history that ends before `first`."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changes AS WITH versions AS ("
        f"SELECT movie_id, valid_from, {_VALUES} FROM core.movie_history WHERE valid_to IS NULL UNION ALL "
        f"SELECT movie_id, delivery_month, {_VALUES} FROM parsed.parsed_movies "
        f"WHERE delivery_month BETWEEN {literal(first)} AND {literal(last)}), "
        f"compared AS (SELECT *, lag(valid_from) OVER by_month IS NULL OR row({_VALUES}) IS DISTINCT FROM "
        f"lag(row({_VALUES})) OVER by_month AS is_changed FROM versions "
        "WINDOW by_month AS (PARTITION BY movie_id ORDER BY valid_from)) "
        "SELECT * EXCLUDE (is_changed), lead(valid_from) OVER (PARTITION BY movie_id ORDER BY valid_from) AS valid_to "
        "FROM compared WHERE is_changed"
    )
    ask(
        connection,
        "UPDATE core.movie_history h SET valid_to = c.valid_to FROM changes c WHERE h.movie_id = c.movie_id "
        "AND h.valid_from = c.valid_from AND c.valid_from < ? AND c.valid_to IS NOT NULL",
        first,
    )
    ask(
        connection,
        "INSERT INTO core.movie_history BY NAME SELECT * FROM changes WHERE valid_from >= ? "
        "ORDER BY movie_id, valid_from",
        first,
    )
    connection.execute("DROP TABLE changes")

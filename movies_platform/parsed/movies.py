"""Typed records of a month -> parsed.parsed_movies: one row for each movie.

Refused are records whose id is no positive integer, and all but the last of several with one id.
What does not fit its type is blanked and noted.
"""

import datetime as dt

import duckdb

from movies_platform.parsed.scalars import SCALARS, trimmed
from movies_platform.parsed.typing import TYPED
from movies_platform.resources.asking import ask

ACCEPTED = "staging.accepted_records"  # record_number and movie_id of the month's accepted records
ISSUE_COLUMNS = "delivery_month, source_file, record_number, movie_id, column_name, issue, action, value"


def choose_records(staging: duckdb.DuckDBPyConnection) -> None:
    """Choose the record of each movie among the typed ones."""
    staging.execute(
        f"CREATE OR REPLACE TABLE {ACCEPTED} AS SELECT max(record_number) AS record_number, movie_id "
        f"FROM {TYPED} WHERE movie_id IS NOT NULL GROUP BY movie_id"
    )


def store_movies(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Fill the month's rows of parsed_movies and note issues; the tables must exist, without the rows."""
    ask(
        connection,
        f"INSERT INTO parsed.parsed_movies BY NAME SELECT $1::DATE AS delivery_month, movie_id, record_number, "
        f"{', '.join(SCALARS)} FROM {TYPED} SEMI JOIN {ACCEPTED} USING (record_number)",
        month,
    )
    _note_rejected(connection, month)
    _note_unfit(connection, month)


def _note_rejected(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    ask(
        connection,
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, 'id', "
        "CASE WHEN movie_id IS NULL THEN 'invalid_id' ELSE 'duplicate_id' END, 'rejected', id[:500] "
        f"FROM (SELECT * FROM raw.raw_movies WHERE delivery_month = $1) JOIN "
        f"(SELECT record_number, movie_id FROM {TYPED} ANTI JOIN {ACCEPTED} USING (record_number)) "
        "USING (record_number) ORDER BY record_number",
        month,
    )


def _note_unfit(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    judged = {name: s for name, s in SCALARS.items() if s.issue}
    notes = ", ".join(
        f"{{'column_name': '{s.raw}', 'issue': '{s.issue}', 'value': r.{s.raw}[:500], "
        f"'unfit': t.{name} IS NULL AND {s.unfit(text := trimmed(f'r.{s.raw}'), s.read(text))}}}"
        for name, s in judged.items()
    )
    ask(
        connection,
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, "
        f"note.column_name, note.issue, 'nulled', note.value FROM ("
        f"SELECT r.source_file, record_number, t.movie_id, unnest([{notes}]) AS note FROM "
        f"(SELECT * FROM raw.raw_movies WHERE delivery_month = $1) r JOIN (SELECT * FROM {TYPED} SEMI JOIN {ACCEPTED} "
        "USING (record_number) WHERE is_unfit) t USING (record_number)"
        ") WHERE note.unfit ORDER BY record_number, note.column_name",
        month,
    )

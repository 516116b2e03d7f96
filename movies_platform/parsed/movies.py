"""raw.raw_movies of a month -> parsed.parsed_movies: one typed row for each movie.

Refused are records whose id is no positive integer, and all but the last of several with one id.
What does not fit its type is blanked and noted.
"""

import datetime as dt

import duckdb

from movies_platform.parsed.scalars import SCALARS, positive_integer, trimmed

ACCEPTED = "accepted_records"  # temporary: record_number and movie_id of the month's accepted records
ISSUE_COLUMNS = "delivery_month, source_file, record_number, movie_id, column_name, issue, action, value"


def parse_movies(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Fill the month's rows of parsed_movies and note issues; the tables must exist, without the rows."""
    _choose_records(connection, month)
    _store_typed(connection, month)
    _note_unfit(connection, month)


def _store_typed(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    # One subquery after another, so that no expression is computed twice.
    texts = ", ".join(f"{trimmed(s.raw)} AS {name}" for name, s in SCALARS.items())
    values = ", ".join(f"{s.read(name)} AS {name}" for name, s in SCALARS.items())
    accepted = ", ".join(f"{s.accept(name)} AS {name}" for name, s in SCALARS.items())
    connection.execute(
        f"INSERT INTO parsed.parsed_movies BY NAME SELECT $1::DATE AS delivery_month, movie_id, record_number, "
        f"{accepted} FROM (SELECT movie_id, record_number, {values} FROM ("
        f"SELECT a.movie_id, record_number, {texts} FROM raw.raw_movies JOIN {ACCEPTED} a USING (record_number) "
        f"WHERE delivery_month = $1))",
        [month],
    )


def _note_unfit(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    judged = {name: s for name, s in SCALARS.items() if s.issue}
    unfit = {name: f"p.{name} IS NULL AND {s.unfit(trimmed(f'r.{s.raw}'))}" for name, s in judged.items()}
    notes = ", ".join(
        f"{{'column_name': '{s.raw}', 'issue': '{s.issue}', 'value': r.{s.raw}[:500], 'unfit': {unfit[name]}}}"
        for name, s in judged.items()
    )
    connection.execute(
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, "
        f"note.column_name, note.issue, 'nulled', note.value FROM ("
        f"SELECT r.source_file, r.record_number, p.movie_id, unnest([{notes}]) AS note FROM raw.raw_movies r "
        f"JOIN parsed.parsed_movies p USING (delivery_month, record_number) "
        f"WHERE delivery_month = $1 AND ({' OR '.join(f'({u})' for u in unfit.values())})"
        f") WHERE note.unfit ORDER BY record_number, note.column_name",
        [month],
    )


def _choose_records(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE identified AS SELECT source_file, record_number, id, "
        f"{positive_integer('text')} AS movie_id FROM (SELECT *, {trimmed('id')} AS text FROM raw.raw_movies) "
        "WHERE delivery_month = $1",
        [month],
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {ACCEPTED} AS SELECT max(record_number) AS record_number, movie_id "
        "FROM identified WHERE movie_id IS NOT NULL GROUP BY movie_id"
    )
    connection.execute(
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, 'id', "
        "CASE WHEN movie_id IS NULL THEN 'invalid_id' ELSE 'duplicate_id' END, 'rejected', id[:500] "
        f"FROM identified ANTI JOIN {ACCEPTED} USING (record_number) ORDER BY record_number",
        [month],
    )
    connection.execute("DROP TABLE identified")

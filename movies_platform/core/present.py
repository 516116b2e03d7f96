"""parsed.* of all months -> core.movies and its links.

A movie is what the newest month that delivers it says, links included, whatever the order in which
months were delivered. The whole stage is computed anew each time: that makes the result independent of what
was computed before, and costs a fraction of a second for ten years of full histories.
"""

import duckdb

from movies_platform.core.names import most_frequent_names

LINKS = {"movie_genres": ("parsed_genres", "genre"), "movie_companies": ("parsed_companies", "company")}
CATALOGUES = {"genres": "movie_genres", "companies": "movie_companies"}


def compute_present(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the rows of all core tables, in key order; the tables must exist."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE present AS "
        "SELECT movie_id, max(delivery_month) AS delivery_month FROM parsed.parsed_movies GROUP BY movie_id"
    )
    _replace(
        connection, "movies",
        "SELECT p.* EXCLUDE (record_number), year(release_date) AS release_year, month(release_date) AS release_month "
        "FROM parsed.parsed_movies p JOIN present USING (movie_id, delivery_month) ORDER BY movie_id",
    )  # fmt: skip
    for table, (source, kind) in LINKS.items():
        _replace(
            connection, table,
            f"SELECT movie_id, {kind}_id FROM parsed.{source} JOIN present USING (movie_id, delivery_month) "
            f"ORDER BY movie_id, {kind}_id",
        )  # fmt: skip
    for table, links in CATALOGUES.items():
        source, kind = LINKS[links]
        _replace(connection, table, most_frequent_names(f"parsed.{source}", f"core.{links}", kind))


def _replace(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"DELETE FROM core.{table}")
    connection.execute(f"INSERT INTO core.{table} BY NAME {query}")

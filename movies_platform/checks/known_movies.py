"""Checks that the records of the other files are about movies that the platform knows.

What belongs to unknown movies stays in parsed, so these checks stand at the core tables that leave it out. They look at
the newest month of the file and at the whole history before it only: ratings are too many for all months.
"""

import datetime as dt
from functools import partial, update_wrapper

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.checks.baseline import FEWEST, SHOWN, highest_usual, months_until, whole_history_before
from movies_platform.checks.results import Findings, Rows, fetch, month_rows, table_check
from movies_platform.contracts import core
from movies_platform.contracts.parsed import records_table
from movies_platform.contracts.sources import CREDITS, KEYWORD_LISTS, LINKS, RATINGS, Source
from movies_platform.contracts.tables import qualified
from movies_platform.resources.months import month_name

USUAL_UNKNOWN_SHARE = 0.02  # 0.8 % of the data set's links lead nowhere


def records_are_of_known_movies(
    connection: duckdb.DuckDBPyConnection, source: Source, key: str, catalogue: sa.Table
) -> Findings:
    """Few of the file's newest records are of unknown movies (links: lead nowhere), and not more than before.

    Such records are left out of core. If it warns, the files of the delivery may be of different dates, or links are
    missing: deliver those that belong together, or ask the provider for the movies of the table.
    """
    months = months_until(connection, dt.date.max, source)
    if not months:
        return Findings(0, f"No {source.name} was delivered.", {"unknown_records": 0, "unknown_share": 0.0})
    month = months[-1].month
    since = whole_history_before(connection, month, source)

    def by_movie(of: dt.date) -> str:
        # Counted before they are looked up: there are hundreds of ratings for each movie.
        rows = month_rows(qualified(records_table(source)), of)
        return (
            f"(SELECT {key}, n, coalesce({key} IN (SELECT {key} FROM {qualified(catalogue)}), false) AS is_known "
            f"FROM (SELECT {key}, count(*) AS n FROM {rows} GROUP BY 1))"
        )

    def count(of: dt.date) -> tuple[int, int, int]:
        """Records, those of unknown movies, and those of them that name no movie at all."""
        sums = ("true", "NOT is_known", f"{key} IS NULL")
        counted = ", ".join(f"coalesce(sum(n) FILTER ({which}), 0)::BIGINT" for which in sums)
        counts: tuple[int, int, int] = fetch(connection, f"SELECT {counted} FROM {by_movie(of)}")[0]
        return counts

    records, missing, nameless = count(month)
    share = missing / max(records, 1)
    learned, compared = [], ""
    if since:
        of_before, missing_before, _ = count(since)
        learned = [missing_before / max(of_before, 1)] if missing_before else []
        compared = f" after {month_name(since)}"
    highest = max(USUAL_UNKNOWN_SHARE, highest_usual(learned))
    offenders = missing if share > highest and missing >= FEWEST else 0
    message = (
        f"{missing:,} of {records:,} records of {month_name(month)}'s {source.name} ({share:.2%}) are of unknown movies"
        + (f", {nameless:,} of them name none" if nameless else "")
        + f"; at most {highest:.2%} is usual{compared}."
    )
    worst: Rows = ()
    if offenders:
        unknown = f"{by_movie(month)} WHERE NOT is_known"
        worst = fetch(connection, f"SELECT {key}, n FROM {unknown} ORDER BY n DESC, 1 LIMIT {SHOWN}")
    numbers = {"unknown_records": missing, "unknown_share": share}
    return Findings(offenders, message, numbers, worst, (key, "records"))


def _for_each_file() -> list[dg.AssetChecksDefinition]:
    files = (
        (core.MOVIE_CAST, CREDITS, "movie_id", core.MOVIES),
        (core.MOVIE_KEYWORDS, KEYWORD_LISTS, "movie_id", core.MOVIES),
        (core.MOVIE_LINKS, LINKS, "movie_id", core.MOVIES),
        (core.RATINGS, RATINGS, "movielens_id", core.MOVIE_LINKS),
    )
    find = records_are_of_known_movies
    return [
        table_check(table)(update_wrapper(partial(find, source=source, key=key, catalogue=catalogue), find))
        for table, source, key, catalogue in files
    ]


CHECKS = _for_each_file()

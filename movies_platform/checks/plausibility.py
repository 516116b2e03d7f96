"""Checks on the present movies that a person should look at: amounts and dates that can hardly be true."""

import duckdb

from movies_platform.checks.results import Findings, fetch, table_check, value
from movies_platform.contracts.core import MOVIES

SMALLEST_BUDGET_USD = 1_000
LARGE_REVENUE_USD = 1_000_000
YEARS_AHEAD = 5
_SHOWN = 50
_LONGEST_TITLE = 80


@table_check(MOVIES)
def budgets_fit_revenues(connection: duckdb.DuckDBPyConnection) -> Findings:
    """No movie that cost less than 1,000 dollars earned more than a million.

    Such budgets are often in millions, or placeholders. If it warns, leave the movies of the table out of profit
    questions, and tell the provider.
    """
    worst = fetch(
        connection,
        "SELECT movie_id, title, release_year, budget_usd, revenue_usd, count(*) OVER () FROM core.movies "
        f"WHERE budget_usd < {SMALLEST_BUDGET_USD} AND revenue_usd > {LARGE_REVENUE_USD} "
        f"ORDER BY revenue_usd DESC, movie_id LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} movies cost less than ${SMALLEST_BUDGET_USD:,} and earned more than ${LARGE_REVENUE_USD:,}"
    message += f", first of all {_title(*worst[0][:2])}." if worst else "."
    columns = ("movie_id", "title", "release_year", "budget_usd", "revenue_usd")
    return Findings(count, message, {"implausible_movies": count}, [row[:-1] for row in worst], columns)


def _title(movie_id: int, title: str | None) -> str:
    if title is None:
        return f"movie {movie_id}"
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


@table_check(MOVIES)
def release_dates_are_near(connection: duckdb.DuckDBPyConnection) -> Findings:
    """No release later than five years after the newest delivery.

    If it warns, the dates of the table are mistyped or placeholders: years in the far future of the metrics come from
    them.
    """
    newest = "(SELECT max(delivery_month) FROM core.movies)"
    worst = fetch(
        connection,
        "SELECT movie_id, title, release_date, count(*) OVER () FROM core.movies "
        f"WHERE release_date > {newest} + INTERVAL {YEARS_AHEAD} YEAR ORDER BY release_date DESC, movie_id "
        f"LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    announced = value(connection, f"SELECT count(*) FROM core.movies WHERE release_date > {newest}")
    message = f"{count:,} releases later than {YEARS_AHEAD} years after the newest delivery; {announced:,} after it."
    numbers = {"far_releases": count, "announced_releases": announced}
    return Findings(count, message, numbers, [row[:-1] for row in worst], ("movie_id", "title", "release_date"))


CHECKS = [budgets_fit_revenues, release_dates_are_near]

"""Checks on the present movies that a person should look at: amounts and dates that can hardly be true."""

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.core import MOVIES
from movies_platform.contracts.metrics import MEASURES, MOST_POPULAR_GENRE_BY_YEAR

SMALLEST_BUDGET_USD = 1_000
LARGE_REVENUE_USD = 1_000_000
YEARS_AHEAD = 5
_SHOWN = 50
_LONGEST_TITLE = 80


def budgets_fit_revenues(scope: Scope) -> Findings:
    """No movie that cost less than 1,000 dollars earned more than a million."""
    worst = scope.fetch(
        f"SELECT movie_id, title, release_year, budget_usd, revenue_usd, count(*) OVER () FROM {scope.rows} "
        f"WHERE budget_usd < {SMALLEST_BUDGET_USD} AND revenue_usd > {LARGE_REVENUE_USD} "
        f"ORDER BY revenue_usd DESC, movie_id LIMIT {_SHOWN}"
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} movies cost less than ${SMALLEST_BUDGET_USD:,} and earned more than ${LARGE_REVENUE_USD:,}"
    message += f", first of all {_named(*worst[0][:2])}." if worst else "."
    columns = ("movie_id", "title", "release_year", "budget_usd", "revenue_usd")
    return Findings(count, message, {"implausible_movies": count}, [row[:-1] for row in worst], columns)


def _named(movie_id: int, title: str | None) -> str:
    if title is None:
        return f"movie {movie_id}"
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


def release_dates_are_near(scope: Scope) -> Findings:
    """No release later than five years after the newest delivery."""
    newest = f"(SELECT max(delivery_month) FROM {scope.rows})"
    worst = scope.fetch(
        f"SELECT movie_id, title, release_date, count(*) OVER () FROM {scope.rows} "
        f"WHERE release_date > {newest} + INTERVAL {YEARS_AHEAD} YEAR ORDER BY release_date DESC, movie_id "
        f"LIMIT {_SHOWN}"
    )
    count = worst[0][-1] if worst else 0
    announced = scope.value(f"SELECT count(*) FROM {scope.rows} WHERE release_date > {newest}")
    message = f"{count:,} releases later than {YEARS_AHEAD} years after the newest delivery; {announced:,} after it."
    numbers = {"far_releases": count, "announced_releases": announced}
    return Findings(count, message, numbers, [row[:-1] for row in worst], ("movie_id", "title", "release_date"))


def each_year_has_its_winners(scope: Scope) -> Findings:
    """Each year with a movie of known popularity and a genre has one winner by each measure."""
    worst = scope.fetch(
        "SELECT * FROM (SELECT DISTINCT release_year AS year, 1 AS due FROM core.movies "
        "SEMI JOIN core.movie_genres USING (movie_id) WHERE release_year IS NOT NULL AND popularity IS NOT NULL) "
        "FULL JOIN (SELECT year, count(*) AS winners, count(DISTINCT measure) AS measures "
        f"FROM {scope.rows} GROUP BY year) USING (year) "
        f"WHERE due IS NULL OR winners IS DISTINCT FROM {len(MEASURES)} OR measures <> {len(MEASURES)} ORDER BY year"
    )
    message = f"{len(worst)} years lack a winner or have one too many." if worst else "Each year has its winners."
    rows = [(year, winners, measures) for year, _, winners, measures in worst[:_SHOWN]]
    return Findings(len(worst), message, worst=rows, columns=("year", "winners", "measures"))


CHECKS = (
    Check(
        "budgets_fit_revenues", MOVIES,
        "No movie that cost less than 1,000 dollars earned more than a million: such budgets are often in millions, or "
        "placeholders. If it warns, leave the movies of the table out of profit questions, and tell the provider.",
        blocking=False, find=budgets_fit_revenues,
    ),
    Check(
        "release_dates_are_near", MOVIES,
        "No release later than five years after the newest delivery. If it warns, the dates of the table are mistyped "
        "or placeholders: years in the far future of the metrics come from them.",
        blocking=False, find=release_dates_are_near,
    ),
    Check(
        "each_year_has_its_winners", MOST_POPULAR_GENRE_BY_YEAR,
        f"{each_year_has_its_winners.__doc__} A failure is a bug of the platform; nothing was stored.",
        blocking=True, find=each_year_has_its_winners,
    ),
)  # fmt: skip

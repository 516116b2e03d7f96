"""Checks on a delivery of ratings: whether it is shorter than the one before, and whether people rate as they did.

Ratings may be 26 million a month: only the newest file is read, and the whole history before it, each once and
neither sorted nor joined row by row.
"""

import datetime as dt

import duckdb

from movies_platform.checks.baseline import FEWEST, FIRST, SHOWN, USUAL_SHARE, WIDEST, Delivered, months_until
from movies_platform.checks.results import Findings, Rows, fetch, month_rows, table_check
from movies_platform.contracts.parsed import records_table
from movies_platform.contracts.raw import DELIVERIES, raw_table
from movies_platform.contracts.sources import RATINGS
from movies_platform.contracts.tables import qualified
from movies_platform.resources.months import month_name

MOST_STARS_MOVED = 0.5  # of a mean
_NONE = "No ratings were delivered."


@table_check(raw_table(RATINGS), reads=[DELIVERIES])
def ratings_are_not_fewer(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """A whole history of ratings has at least as many records as the one before: nobody takes ratings back.

    If it warns, the file was probably cut off: compare its size with the provider's and deliver it again. The ratings
    that it lacks stay in core as they were.
    """
    now, before = _compared(connection, month)
    if now is None:
        return Findings(0, _NONE)
    numbers = {"records": now.records}
    if before is None:
        return Findings(0, f"{now.records:,} ratings; {FIRST}", numbers)
    if not now.whole:
        return Findings(0, f"{now.records:,} ratings, a delta: not compared with a whole history.", numbers)
    lost = before.records - now.records
    message = f"{now.records:,} ratings, {abs(lost):,} {'fewer' if lost > 0 else 'more'} than in "
    return Findings(lost if lost >= FEWEST else 0, f"{message}{month_name(before.month)}.", numbers)


@table_check(records_table(RATINGS))
def ratings_by_month_stay(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """The ratings of each past month are about as many as they were, and their mean is about the same.

    Of a whole history, a month's ratings are between half and double in number and within half a star in their mean,
    but for months with 1 % of all ratings; of a delta, the mean of all is. If it warns, do not compare ratings across
    this delivery, and ask the provider how stars or times are written now.
    """
    now, before = _compared(connection, month)
    if now is None:
        return Findings(0, _NONE)
    stars, people, mean = fetch(
        connection,
        "SELECT count(rating), count(DISTINCT user_id), avg(rating) FROM "
        f"{month_rows(qualified(records_table(RATINGS)), month)}",
    )[0]
    numbers: dict[str, float | int] = {"ratings": stars, "mean_rating": mean or 0.0}
    message = f"{stars:,} ratings by {people:,} people, {mean or 0:.2f} stars in the mean; "
    if before is None:
        return Findings(0, message + FIRST, numbers)
    if not now.whole and people < FEWEST:
        return Findings(0, f"{message}too few people to compare.", numbers)
    groups = _groups(connection, before.month, month, by_month=now.whole)
    moved = [group for group in groups if _has_moved(*group[1:], is_whole=now.whole)]
    compared, elsewhere = (sum(group[1] for group in some) for some in (groups, moved))
    share = numbers["moved_share"] = elsewhere / max(compared, 1)
    message += f"{share:.1%} of the ratings of {month_name(before.month)} are "
    message += "of months whose number or mean has moved" if now.whole else "compared with a delta whose mean has moved"
    offenders = len(moved) if share > USUAL_SHARE else 0
    worst: Rows = sorted(moved, key=lambda group: -group[1])[:SHOWN] if offenders else ()
    columns = ("rated in", "ratings before", "ratings now", "mean before", "mean now")
    return Findings(offenders, f"{message} (at most {USUAL_SHARE:.0%} is usual).", numbers, worst, columns)


def _compared(
    connection: duckdb.DuckDBPyConnection, month: dt.date
) -> tuple[Delivered, Delivered | None] | tuple[None, None]:
    """The month's ratings, if any, and the newest whole history of ratings before them."""
    months = months_until(connection, month, RATINGS)
    if not months or months[-1].month != month:
        return None, None
    *earlier, now = months
    return now, next((m for m in reversed(earlier) if m.whole), None)


def _groups(
    connection: duckdb.DuckDBPyConnection, before: dt.date, month: dt.date, *, by_month: bool
) -> list[tuple[str, int, int, float, float | None]]:
    """Month of rating, number before and now, mean before and now; one group of all where not `by_month`.

    Left out are months with few ratings, and the last one of before, which had not ended.
    """
    rated_in, otherwise = ("date_trunc('month', rated_at)", "unknown") if by_month else ("NULL::TIMESTAMP", "any month")
    rows = qualified(records_table(RATINGS))
    was, is_now = (
        f"(SELECT {rated_in} AS rated_in, count(*) AS ratings, avg(rating) AS mean "
        f"FROM {month_rows(rows, m)} GROUP BY 1)"
        for m in (before, month)
    )
    return fetch(
        connection,
        f"WITH was AS {was}, is_now AS {is_now} SELECT coalesce(strftime(was.rated_in, '%Y-%m'), '{otherwise}'), "
        "was.ratings, coalesce(is_now.ratings, 0), was.mean, is_now.mean FROM was "
        "LEFT JOIN is_now ON was.rated_in IS NOT DISTINCT FROM is_now.rated_in "
        f"WHERE was.ratings >= {FEWEST} AND (was.rated_in IS NULL OR was.rated_in < (SELECT max(rated_in) FROM was)) "
        "ORDER BY was.rated_in",
    )


def _has_moved(was: int, is_now: int, mean_before: float, mean: float | None, *, is_whole: bool) -> bool:
    fits = not is_whole or was / WIDEST <= is_now <= was * WIDEST
    return not fits or mean is None or abs(mean - mean_before) > MOST_STARS_MOVED


CHECKS = [ratings_are_not_fewer, ratings_by_month_stay]

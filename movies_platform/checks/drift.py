"""Checks on how a delivery differs from those of before: how much it brings, what it lost, what changed its meaning.

Whole histories are compared with whole histories and deltas with deltas, file by file (`checks.baseline`); values are
compared movie by movie, with the newest earlier whole history, so that a delta is as good as a full month. None of
these checks blocks: the tables must not depend on the order in which months were delivered.
"""

import datetime as dt
import itertools

import duckdb

from movies_platform.checks.baseline import (
    FEWEST,
    FIRST,
    REMEMBERED,
    SHOWN,
    USUAL_SHARE,
    WIDEST,
    Delivered,
    each_file,
    of_file,
    usual_range,
    usual_share,
    whole_history_before,
)  # fmt: skip
from movies_platform.checks.results import Findings, fetch, month_rows, table_check, value
from movies_platform.contracts.core import MOVIE_HISTORY, MOVIES
from movies_platform.contracts.parsed import PARSED_MOVIES
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, raw_table
from movies_platform.contracts.sources import MOVIES_METADATA, Source
from movies_platform.contracts.tables import qualified, quoted
from movies_platform.resources.months import month_name

# A delta's records lie scattered over the history; those of a file that was cut off lie in it side by side.
DENSE = 0.9
HIGHEST_UNREADABLE_SHARE = 0.2
_AMOUNTS = ("budget", "revenue")


@table_check(DELIVERIES)
def about_as_many_records_as_before(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Each file has as many records as its earlier deliveries of its kind (whole histories, deltas) lead to expect.

    If it warns, compare the file's size with the provider's and deliver it again if it is not whole; if it is right
    (the first delta is), leave it: the bounds learn from it.
    """

    def judge(source: Source, months: list[Delivered]) -> Findings:
        *before, now = months
        numbers: dict[str, float | int] = {"records": now.records}
        if not before:
            return Findings(0, f"{now.records:,} records; {FIRST}", numbers)
        kind = "whole history" if now.whole else "delta"
        alike = [m for m in before if m.whole == now.whole]
        message = f"{now.records:,} records; "
        offenders = 0
        if alike:
            low, high = usual_range([m.records for m in alike], WIDEST)
            numbers |= {"fewest_expected": round(low), "most_expected": round(high)}
            message += f"a {kind}; {low:,.0f} to {high:,.0f} are usual after {len(alike)} before."
            offenders += not low <= now.records <= high
        else:
            offenders += 1
            message += f"the first delta: far fewer than the {before[-1].records:,} of {month_name(before[-1].month)}."
        if not now.whole:
            density = numbers["density"] = _density(connection, month, source)
            if density >= DENSE:
                offenders += 1
                message += f" They lie side by side in the whole history before ({density:.0%}): a cut-off file?"
        return Findings(offenders, message, numbers)

    return each_file(connection, month, judge)


def _density(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source) -> float:
    """Share of the keys here among those of the stretch that they span in the whole history before."""
    before = whole_history_before(connection, month, source)
    records, key = qualified(raw_table(source)), ", ".join(quoted(a.delivered) for a in source.key)
    known, span = fetch(
        connection,
        f"SELECT count(*), max(b.record_number) - min(b.record_number) + 1 FROM {records} b "
        f"SEMI JOIN {month_rows(records, month)} USING ({key}) WHERE b.delivery_month = DATE '{before}'",
    )[0]
    return known / span if known >= FEWEST else 0.0


@table_check(DATA_ISSUES)
def few_values_are_changed(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """The shares of each file's records that were repaired, had a value nulled or an item dropped are as before.

    If it warns, look at the table for the column and ask the provider what has changed in it.
    """

    def judge(source: Source, months: list[Delivered]) -> Findings:
        *before, now = months
        counts = fetch(
            connection,
            "SELECT delivery_month, action, count(DISTINCT record_number) FROM raw.data_issues "
            f"WHERE delivery_month <= DATE '{month}' AND action <> 'rejected' AND {of_file(source)} GROUP BY ALL",
        )
        changed = {(of, action): count for of, action, count in counts}
        numbers: dict[str, float] = {}
        parts: list[str] = []
        offenders = 0
        for action in ("repaired", "nulled", "dropped"):
            count = changed.get((month, action), 0)
            share = numbers[f"{action}_share"] = count / now.records
            highest = usual_share([changed.get((m.month, action), 0) / m.records for m in before])
            numbers[f"{action}_share_expected"] = highest
            parts += [f"{action} {share:.2%} (at most {highest:.2%} expected)"] if count else []
            offenders += count if share > highest and count >= FEWEST else 0
        message = f"of {now.records:,} records, {', '.join(parts) or 'none was changed'}."
        worst = fetch(
            connection,
            "SELECT column_name, issue, action, count(*) AS n, min(value)[:80] "
            f"FROM {month_rows('raw.data_issues', month)} WHERE action <> 'rejected' AND {of_file(source)} "
            f"GROUP BY ALL ORDER BY n DESC, 1, 2, 3 LIMIT {SHOWN}",
        )
        columns = ("column", "issue", "action", "rows", "an example")
        return Findings(offenders, message, numbers, worst if offenders else (), columns)

    return each_file(connection, month, judge)


@table_check(DATA_ISSUES)
def every_column_can_be_read(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Of no column of a file could more than a fifth of the values be read, whatever other months were.

    If it warns, the column has another form than the data set's (`1,000,000`, a date of another order): ask the
    provider for the usual one.
    """

    def judge(source: Source, months: list[Delivered]) -> Findings:
        nulled = fetch(
            connection,
            f"SELECT column_name, count(*) AS n, min(value)[:80] FROM {month_rows('raw.data_issues', month)} "
            f"WHERE action = 'nulled' AND {of_file(source)} GROUP BY 1 ORDER BY 1",
        )
        records, found = month_rows(qualified(raw_table(source)), month), []
        for column, count, example in nulled:
            filled = value(connection, f"SELECT count(*) FROM {records} WHERE ltrim({quoted(column)}) <> ''")
            found.append((column, count, filled, count / max(filled, 1), example))
        worst = sorted((f for f in found if f[3] > HIGHEST_UNREADABLE_SHARE), key=lambda f: -f[3])
        highest = max(found, key=lambda f: f[3], default=None)
        message = "every value of every column could be read."
        if highest:
            column, count, filled, share, example = highest
            message = f"{share:.1%} of the values of {column} could not be read ({count:,} of {filled:,}; {example!r})"
            message += f"; at most {HIGHEST_UNREADABLE_SHARE:.0%} is usual."
        return Findings(
            len(worst), message, {"highest_unreadable_share": highest[3] if highest else 0.0}, worst,
            ("column", "not read", "values", "share not read", "an example"),
        )  # fmt: skip

    return each_file(connection, month, judge)


@table_check(PARSED_MOVIES)
def amounts_stay_known(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Budgets and revenues that were known in the whole history before are still known.

    If it warns, more than 1 % of them, or of their dollars, are gone, and the sums of this month are lower for it:
    ask the provider. The table shows the largest losses.
    """
    before = whole_history_before(connection, month, MOVIES_METADATA)
    pairs = _pairs(month, before)
    numbers: dict[str, float] = {}
    parts: list[str] = []
    offenders = 0
    for amount in _AMOUNTS:
        was, now = f"b.{amount}_usd", f"n.{amount}_usd"
        movies, unknown, known, lost, dollars, lost_dollars = fetch(
            connection,
            f"SELECT count(*), count(*) FILTER ({now} IS NULL), count({was}), count({was}) FILTER ({now} IS NULL), "
            f"coalesce(sum({was}), 0), coalesce(sum({was}) FILTER ({now} IS NULL), 0) FROM {pairs}",
        )[0]
        numbers[f"{amount}_unknown_share"] = unknown / max(movies, 1)
        part = f"{amount} unknown for {unknown / max(movies, 1):.1%} of {movies:,} movies"
        if known:
            numbers |= {f"{amount}_lost_share": lost / known, f"{amount}_lost_share_of_dollars": lost_dollars / dollars}
            part += (
                f", lost for {lost:,} of {known:,} that were known ({lost_dollars / 1e6:,.1f} of {dollars / 1e6:,.1f} "
            )
            part += "million dollars)"
            is_much = lost >= FEWEST and max(lost / known, lost_dollars / dollars) > USUAL_SHARE
            offenders += lost if is_much else 0
        parts.append(part)
    compared = f" Compared with {month_name(before)}." if before else ""
    message = f"{'; '.join(parts).capitalize()}.{compared}"
    worst = fetch(
        connection,
        f"SELECT movie_id, n.title, b.budget_usd, n.budget_usd, b.revenue_usd, n.revenue_usd FROM {pairs} "
        "WHERE (b.budget_usd IS NOT NULL AND n.budget_usd IS NULL) OR (b.revenue_usd IS NOT NULL "
        "AND n.revenue_usd IS NULL) ORDER BY greatest(CASE WHEN n.budget_usd IS NULL THEN b.budget_usd END, "
        f"CASE WHEN n.revenue_usd IS NULL THEN b.revenue_usd END) DESC NULLS LAST, movie_id LIMIT {SHOWN}",
    )
    columns = ("movie_id", "title", "budget before", "budget now", "revenue before", "revenue now")
    return Findings(offenders, message, numbers, worst if offenders else (), columns)


def _pairs(month: dt.date, before: dt.date | None) -> str:
    """SQL: the month's movies as `n`, each with its version of the month `before` as `b`."""
    earlier = f"DATE '{before}'" if before else "NULL"
    return (
        f"{month_rows('parsed.parsed_movies', month)} n LEFT JOIN "
        f"(SELECT * FROM parsed.parsed_movies WHERE delivery_month = {earlier}) b USING (movie_id)"
    )


@table_check(PARSED_MOVIES)
def popularity_keeps_its_scale(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """The median movie's popularity is between half and double of what it was.

    If it warns, TMDB may score in another way: do not compare popularity across this month.
    """
    now = value(connection, f"SELECT median(popularity) FROM {month_rows('parsed.parsed_movies', month)}")
    before = whole_history_before(connection, month, MOVIES_METADATA)
    both = f"{_pairs(month, before)} WHERE n.popularity > 0 AND b.popularity > 0"
    compared, ratio = fetch(connection, f"SELECT count(*), median(n.popularity / b.popularity) FROM {both}")[0]
    numbers: dict[str, float | int] = {"median_popularity": now or 0.0, "movies_compared": compared}
    if not compared or before is None:
        return Findings(0, f"Median popularity {now or 0:.3f}; {FIRST}", numbers)
    numbers["median_ratio_to_before"] = ratio
    drifted = not 1 / WIDEST <= ratio <= WIDEST
    message = (
        f"Median popularity {now or 0:.3f}; the median of {compared:,} movies has {ratio:.2f} times its popularity "
        f"of {month_name(before)} ({1 / WIDEST:g} to {WIDEST:g} times is usual)."
    )
    worst = fetch(
        connection,
        "SELECT movie_id, n.title, b.popularity, n.popularity, round(n.popularity / b.popularity, 4) "
        f"FROM {both} ORDER BY abs(ln(n.popularity / b.popularity)) DESC, movie_id LIMIT {SHOWN}",
    )
    columns = ("movie_id", "title", "popularity before", "popularity now", "ratio")
    return Findings(int(drifted), message, numbers, worst if drifted else (), columns)


@table_check(MOVIE_HISTORY, reads=[MOVIES])
def totals_of_past_years_stay(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Yearly totals of money change from one delivery to the next by about as much as they usually do.

    If it warns, look at the years of the table and ask the provider: answers that were read before have changed.
    """
    months = [row[0] for row in fetch(
        connection, "SELECT DISTINCT valid_from FROM core.movie_history UNION SELECT DISTINCT delivery_month "
        "FROM core.movies ORDER BY 1"
    )][-REMEMBERED - 1 :]  # fmt: skip
    changes = {}
    for before, month in itertools.pairwise(months):
        rows = fetch(connection, _changes_of_totals(before, month))
        was = sum(row[2] or 0.0 for row in rows)
        changes[month] = (sum(abs(row[4]) for row in rows) / was if was else 0.0, rows)
    if not changes:
        return Findings(0, f"Totals; {FIRST}", {"changed_share": 0.0})
    *earlier, now = changes
    share, rows = changes[now]
    highest = max(5 * USUAL_SHARE, usual_share([changes[month][0] for month in earlier]))
    message = (
        f"Yearly budgets and revenues of the years before {now.year} changed by {share:.2%} of their dollars with "
        f"{month_name(now)} (at most {highest:.2%} is usual)."
    )
    columns = ("year", "amount", "total before", "total now", "change")
    return Findings(
        int(share > highest), message, {"changed_share": share}, [row for row in rows if row[4]][:SHOWN], columns
    )


def _changes_of_totals(before: dt.date, month: dt.date) -> str:
    """Query: year, amount, total before, total now, change, the largest first; of the years before the month's."""
    held = "valid_from <= DATE '{0}' AND (valid_to IS NULL OR valid_to > DATE '{0}')"
    totals = " UNION ALL ".join(
        f"SELECT release_year AS year, '{amount}' AS amount, coalesce(sum(h.{amount}_usd) FILTER "
        f"({held.format(before)}), 0) AS was, coalesce(sum(h.{amount}_usd) FILTER ({held.format(month)}), 0) "
        f"AS is_now, is_now - was AS change FROM core.movie_history h JOIN core.movies USING (movie_id) "
        f"WHERE release_year < {month.year} GROUP BY 1 HAVING is_now <> was OR was > 0"
        for amount in _AMOUNTS
    )
    return f"FROM ({totals}) ORDER BY abs(change) DESC, year, amount"


CHECKS = [
    about_as_many_records_as_before, few_values_are_changed, every_column_can_be_read, amounts_stay_known,
    popularity_keeps_its_scale, totals_of_past_years_stay,
]  # fmt: skip

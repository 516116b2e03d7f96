"""Checks on how a delivery differs from those of before: how much it brings, what it lost, what changed its meaning.

A delivery is the whole history again or only what is new and changed; nobody says which. One that brings at least
half as many records as the whole history before it counts as a whole history, a smaller one as a delta. Whole histories
are compared with whole histories and deltas with deltas; values are compared movie by movie, with the newest earlier
whole history, so that a delta is as good as a full month. None of these checks blocks: the tables must not depend on
the order in which months were delivered.
"""

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from statistics import median

import dagster as dg
import duckdb

from movies_platform.checks.results import Findings, Rows, fetch, month_rows, table_check, value
from movies_platform.contracts.core import MOVIE_HISTORY, MOVIES
from movies_platform.contracts.parsed import PARSED_MOVIES
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import table_named
from movies_platform.resources.months import month_name

LOWEST_SHARE_OF_WHOLE = 0.5
REMEMBERED = 12  # months from which bounds are learned
WIDEST = 2.0  # factor around a single earlier month
# A delta's movies lie scattered over the history; those of a file that was cut off lie in it side by side.
DENSE = 0.9
FEWEST = 20  # so few are never a reason to warn
USUAL_SHARE = 0.01  # of records (movies, dollars), is always usual
WIDEST_SHARE = 3.0  # factor around the shares of before
HIGHEST_UNREADABLE_SHARE = 0.2
HIGHEST_NEW_SHARE = {"genre": 0.0, "company": 0.5}
HIGHEST_RENAMED_SHARE = {"genre": 0.0, "company": 0.01}
_SPREAD = 3.5 * 1.4826  # times the median absolute deviation: 3.5 standard deviations of a normal distribution
_AMOUNTS = ("budget", "revenue")
_FIRST = "no earlier month to compare with."
_SHOWN = 20


@dataclass(frozen=True)
class Delivered:
    """A delivered month: its records, and whether it is a whole history."""

    month: dt.date
    records: int
    whole: bool


def months_until(connection: duckdb.DuckDBPyConnection, month: dt.date) -> list[Delivered]:
    """The delivered months up to `month`, oldest first."""
    rows = fetch(
        connection,
        "SELECT delivery_month, sum(records)::BIGINT AS records FROM raw.deliveries "
        f"WHERE delivery_month <= DATE '{month}' GROUP BY 1 HAVING records IS NOT NULL ORDER BY 1",
    )
    months: list[Delivered] = []
    whole = 0
    for delivered, records in rows:
        is_whole = records >= LOWEST_SHARE_OF_WHOLE * whole
        whole = records if is_whole else whole
        months.append(Delivered(delivered, records, is_whole))
    return months


def whole_history_before(connection: duckdb.DuckDBPyConnection, month: dt.date) -> dt.date | None:
    """The newest earlier month that brought the whole history; None for the first month."""
    earlier = [m for m in months_until(connection, month) if m.month < month]
    return next((m.month for m in reversed(earlier) if m.whole), None)


def usual_range(values: Sequence[float], widest: float) -> tuple[float, float]:
    """Lowest and highest value to expect after `values` (positive, oldest first), by median and deviation.

    The bounds are factors around the median. `widest` is the factor allowed after a single value, and the highest ever;
    the more values there are, the more the bounds are those that the values themselves show.
    """
    known = [math.log(value) for value in values[-REMEMBERED:]]
    middle = median(known)
    deviation = _SPREAD * median(abs(value - middle) for value in known)
    allowed = min(max(deviation, math.log(widest) / math.sqrt(len(known))), math.log(widest))
    return math.exp(middle - allowed), math.exp(middle + allowed)


def usual_share(shares: Sequence[float]) -> float:
    """The highest share to expect after `shares` (oldest first); what was higher than expected is not learned from."""
    learned: list[float] = []
    for share in shares:
        if share and share <= _highest(learned):
            learned.append(share)
    return _highest(learned)


def _highest(learned: Sequence[float]) -> float:
    return max(USUAL_SHARE, usual_range(learned, WIDEST_SHARE)[1]) if learned else USUAL_SHARE


@table_check(DELIVERIES)
def about_as_many_records_as_before(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """As many records as earlier deliveries of its kind (whole histories, deltas) lead to expect.

    If it warns, compare the file's size with the provider's and deliver it again if it is not whole; if it is right
    (the first delta is), leave it: the bounds learn from it.
    """
    *before, now = months_until(connection, month) or [Delivered(month, 0, True)]
    if now.month != month or not now.records:
        return Findings(0, "Nothing was delivered.")
    numbers: dict[str, float | int] = {"records": now.records}
    if not before:
        return Findings(0, f"{now.records:,} records; {_FIRST}", numbers)
    kind = "whole history" if now.whole else "delta"
    alike = [m for m in before if m.whole == now.whole]
    message = f"{now.records:,} records; "
    offenders = 0
    if alike:
        low, high = usual_range([m.records for m in alike], WIDEST)
        numbers |= {"fewest_expected": round(low), "most_expected": round(high)}
        message += f"a {kind}; {low:,.0f} to {high:,.0f} are usual after {len(alike)} before."
        offenders += not low <= now.records <= high
    elif now.whole:
        message += "the first whole history."
    else:
        offenders += 1
        message += f"the first delta: far fewer than the {before[-1].records:,} of the month before."
    if not now.whole:
        density = numbers["density"] = _density(connection, month)
        if density >= DENSE:
            offenders += 1
            message += f" Its movies lie side by side in the whole history before ({density:.0%}): a cut-off file?"
    return Findings(offenders, message, numbers)


def _density(connection: duckdb.DuckDBPyConnection, month: dt.date) -> float:
    """Share of the movies here among those of the stretch that they span in the whole history before."""
    before = whole_history_before(connection, month)
    known, span = fetch(
        connection,
        "SELECT count(*), max(b.record_number) - min(b.record_number) + 1 FROM raw.raw_movies b "
        f"SEMI JOIN {month_rows('raw.raw_movies', month)} USING (id) WHERE b.delivery_month = DATE '{before}'",
    )[0]
    return known / span if known >= FEWEST else 0.0


@table_check(DATA_ISSUES)
def few_values_are_changed(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """The shares of records that were repaired, had a value nulled or an item dropped are about those of before.

    If it warns, look at the table for the column and ask the provider what has changed in it.
    """
    *before, now = months_until(connection, month) or [Delivered(month, 0, True)]
    if now.month != month or not now.records:
        return Findings(0, "Nothing was delivered.")
    counts = fetch(
        connection,
        "SELECT delivery_month, action, count(DISTINCT (source_file, record_number)) FROM raw.data_issues "
        f"WHERE delivery_month <= DATE '{month}' AND action <> 'rejected' GROUP BY ALL",
    )
    shares = {(of, action): count for of, action, count in counts}
    numbers: dict[str, float] = {}
    parts: list[str] = []
    offenders = 0
    for action in ("repaired", "nulled", "dropped"):
        count = shares.get((month, action), 0)
        share = numbers[f"{action}_share"] = count / now.records
        highest = usual_share([shares.get((m.month, action), 0) / m.records for m in before])
        numbers[f"{action}_share_expected"] = highest
        parts.append(f"{action} {share:.2%} (at most {highest:.2%} expected)")
        offenders += count if share > highest and count >= FEWEST else 0
    worst = fetch(
        connection,
        "SELECT column_name, issue, action, count(*) AS n, min(value)[:80] "
        f"FROM {month_rows('raw.data_issues', month)} WHERE action <> 'rejected' GROUP BY ALL "
        f"ORDER BY n DESC, 1, 2, 3 LIMIT {_SHOWN}",
    )
    message = f"Of {now.records:,} records of {month_name(month)}: {', '.join(parts)}."
    columns = ("column", "issue", "action", "rows", "an example")
    return Findings(offenders, message, numbers, worst if offenders else (), columns)


@table_check(DATA_ISSUES)
def every_column_can_be_read(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Of no column could more than a fifth of the values be read, whatever other months were.

    If it warns, the column has another form than the data set's (`1,000,000`, a date of another order): ask the
    provider for the usual one.
    """
    nulled = fetch(
        connection,
        f"SELECT column_name, count(*) AS n, min(value)[:80] FROM {month_rows('raw.data_issues', month)} "
        "WHERE action = 'nulled' GROUP BY 1 ORDER BY 1",
    )
    found = []
    for column, count, example in nulled:
        filled = value(
            connection, f"SELECT count(*) FROM {month_rows('raw.raw_movies', month)} WHERE trim({column}) <> ''"
        )
        found.append((column, count, filled, count / filled, example))
    worst = sorted((f for f in found if f[3] > HIGHEST_UNREADABLE_SHARE), key=lambda f: -f[3])
    highest = max(found, key=lambda f: f[3], default=None)
    message = "Every value of every column could be read."
    if highest:
        column, count, filled, share, example = highest
        message = f"{share:.1%} of the values of {column} could not be read ({count:,} of {filled:,}; {example!r})"
        message += f"; at most {HIGHEST_UNREADABLE_SHARE:.0%} is usual."
    numbers = {"highest_unreadable_share": highest[3] if highest else 0.0}
    return Findings(
        len(worst), message, numbers, worst, ("column", "not read", "values", "share not read", "an example")
    )


@table_check(PARSED_MOVIES)
def amounts_stay_known(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Budgets and revenues that were known in the whole history before are still known.

    If it warns, more than 1 % of them, or of their dollars, are gone, and the sums of this month are lower for it:
    ask the provider. The table shows the largest losses.
    """
    before = whole_history_before(connection, month)
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
        f"CASE WHEN n.revenue_usd IS NULL THEN b.revenue_usd END) DESC NULLS LAST, movie_id LIMIT {_SHOWN}",
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
    before = whole_history_before(connection, month)
    both = f"{_pairs(month, before)} WHERE n.popularity > 0 AND b.popularity > 0"
    compared, ratio = fetch(connection, f"SELECT count(*), median(n.popularity / b.popularity) FROM {both}")[0]
    numbers: dict[str, float | int] = {"median_popularity": now or 0.0, "movies_compared": compared}
    if not compared or before is None:
        return Findings(0, f"Median popularity {now or 0:.3f}; {_FIRST}", numbers)
    numbers["median_ratio_to_before"] = ratio
    drifted = not 1 / WIDEST <= ratio <= WIDEST
    message = (
        f"Median popularity {now or 0:.3f}; the median of {compared:,} movies has {ratio:.2f} times its popularity "
        f"of {month_name(before)} ({1 / WIDEST:g} to {WIDEST:g} times is usual)."
    )
    worst = fetch(
        connection,
        "SELECT movie_id, n.title, b.popularity, n.popularity, round(n.popularity / b.popularity, 4) "
        f"FROM {both} ORDER BY abs(ln(n.popularity / b.popularity)) DESC, movie_id LIMIT {_SHOWN}",
    )
    columns = ("movie_id", "title", "popularity before", "popularity now", "ratio")
    return Findings(int(drifted), message, numbers, worst if drifted else (), columns)


def ids_are_known(connection: duckdb.DuckDBPyConnection, month: dt.date, group: NestedList) -> Findings:
    """Most ids were there before: a new genre is rare, and not more than half of a month's companies are new.

    If it warns, see whether ids of another list were delivered, or ask the provider whether they were numbered again.
    """
    items, key = f"parsed.parsed_{group.plural}", f"{group.kind}_id"
    since = whole_history_before(connection, month)
    count = value(connection, f"SELECT count(DISTINCT {key}) FROM {month_rows(items, month)}")
    if since is None:
        return Findings(0, f"{count:,} ids; {_FIRST}", {"ids": count, "new_ids": 0})
    found = fetch(
        connection,
        f"SELECT {key}, min({group.kind}_name), count(*) AS movies, count(*) OVER () FROM {month_rows(items, month)} n "
        f"ANTI JOIN (SELECT {key} FROM {items} WHERE delivery_month >= DATE '{since}' AND delivery_month < "
        f"DATE '{month}') b USING ({key}) GROUP BY 1 ORDER BY movies DESC, 1 LIMIT {_SHOWN}",
    )
    new = found[0][-1] if found else 0
    message = f"{new:,} of {count:,} ids are new since {month_name(since)}."
    offenders = new if new > HIGHEST_NEW_SHARE[group.kind] * count else 0
    worst: Rows = [row[:-1] for row in found] if offenders else ()
    return Findings(offenders, message, {"ids": count, "new_ids": new}, worst, (key, "name", "movies"))


def names_stay_with_their_ids(connection: duckdb.DuckDBPyConnection, month: dt.date, group: NestedList) -> Findings:
    """An id has a name that it had before: genres keep theirs, at most 1 % of the companies have a new one.

    If it warns, ids may have been given to others: ask the provider before comparing years of one of them.
    """
    items, key, name = f"parsed.parsed_{group.plural}", f"{group.kind}_id", f"{group.kind}_name"
    since = whole_history_before(connection, month)
    if since is None:
        return Findings(0, f"Names; {_FIRST}", {"renamed_ids": 0})
    now, before = (f"SELECT DISTINCT {key} AS id, {name} AS name FROM {month_rows(items, m)}" for m in (month, since))
    renamed = fetch(
        connection,
        f"WITH now AS ({now}), before AS ({before}), kept AS (SELECT id FROM now JOIN before USING (id, name)) "
        "SELECT id, min(before.name), min(now.name), count(*) OVER () FROM now JOIN before USING (id) "
        f"ANTI JOIN kept USING (id) GROUP BY id ORDER BY id LIMIT {_SHOWN}",
    )
    count = renamed[0][-1] if renamed else 0
    ids = value(connection, f"SELECT count(DISTINCT {key}) FROM {month_rows(items, month)}")
    message = f"{count:,} of {ids:,} ids have another name than in {month_name(since)}."
    offenders = count if count > HIGHEST_RENAMED_SHARE[group.kind] * ids else 0
    worst: Rows = [row[:-1] for row in renamed] if offenders else ()
    return Findings(offenders, message, {"renamed_ids": count}, worst, (key, "name before", "name now"))


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
        return Findings(0, f"Totals; {_FIRST}", {"changed_share": 0.0})
    *earlier, now = changes
    share, rows = changes[now]
    highest = max(5 * USUAL_SHARE, usual_share([changes[month][0] for month in earlier]))
    message = (
        f"Yearly budgets and revenues of the years before {now.year} changed by {share:.2%} of their dollars with "
        f"{month_name(now)} (at most {highest:.2%} is usual)."
    )
    columns = ("year", "amount", "total before", "total now", "change")
    return Findings(
        int(share > highest), message, {"changed_share": share}, [row for row in rows if row[4]][:_SHOWN], columns
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


def _for_each_group() -> list[dg.AssetChecksDefinition]:
    return [
        table_check(table_named(f"parsed.parsed_{group.plural}"))(update_wrapper(partial(find, group=group), find))
        for group in (GENRES, COMPANIES)
        for find in (ids_are_known, names_stay_with_their_ids)
    ]


CHECKS = [
    about_as_many_records_as_before, few_values_are_changed, every_column_can_be_read, amounts_stay_known,
    popularity_keeps_its_scale, totals_of_past_years_stay, *_for_each_group(),
]  # fmt: skip

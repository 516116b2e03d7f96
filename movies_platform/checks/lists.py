"""Checks on the items of lists: ids that are new or have another name than before, movies that lost their people.

Compared with the newest earlier whole history of the same file (`checks.baseline`), so that a delta is as good as a
full month. None blocks, as none does that compares months.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper

import dagster as dg
import duckdb

from movies_platform.checks.baseline import FIRST, SHOWN, USUAL_SHARE, whole_history_before
from movies_platform.checks.results import Findings, Rows, fetch, month_rows, table_check, value
from movies_platform.contracts.parsed import items_table, records_table
from movies_platform.contracts.sources import (
    CAST,
    COLLECTIONS,
    COMPANIES,
    CREDITS,
    CREW,
    GENRES,
    KEYWORD_LISTS,
    KEYWORDS,
    MOVIES_METADATA,
    NestedList,
    Source,
)  # fmt: skip
from movies_platform.contracts.tables import qualified
from movies_platform.resources.months import month_name

HIGHEST_NEW_SHARE = {"genre": 0.0, "company": 0.5}
HIGHEST_RENAMED_SHARE = {"genre": 0.0, "company": 0.01, "collection": 0.01, "keyword": 0.01, "person": 0.01}
KEPT_SHARE = 0.5  # of its people, that a movie keeps from one delivery to the next
FEWEST_LOST = 5  # people; a short cast that is shorter by less says nothing


def ids_are_known(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source, group: NestedList) -> Findings:
    """Most ids were there before: a new genre is rare, and not more than half of a month's companies are new.

    If it warns, see whether ids of another list were delivered, or ask the provider whether they were numbered again.
    """
    items, key = qualified(items_table(group)), f"{group.kind}_id"
    since = whole_history_before(connection, month, source)
    count = value(connection, f"SELECT count(DISTINCT {key}) FROM {month_rows(items, month)}")
    if since is None:
        return Findings(0, f"{count:,} ids; {FIRST}", {"ids": count, "new_ids": 0})
    found = fetch(
        connection,
        f"SELECT {key}, min({group.kind}_name), count(*) AS movies, count(*) OVER () FROM {month_rows(items, month)} n "
        f"ANTI JOIN (SELECT {key} FROM {items} WHERE delivery_month >= DATE '{since}' AND delivery_month < "
        f"DATE '{month}') b USING ({key}) GROUP BY 1 ORDER BY movies DESC, 1 LIMIT {SHOWN}",
    )
    new = found[0][-1] if found else 0
    message = f"{new:,} of {count:,} ids are new since {month_name(since)}."
    offenders = new if new > HIGHEST_NEW_SHARE[group.kind] * count else 0
    worst: Rows = [row[:-1] for row in found] if offenders else ()
    return Findings(offenders, message, {"ids": count, "new_ids": new}, worst, (key, "name", "movies"))


def names_stay_with_their_ids(
    connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source, group: NestedList
) -> Findings:
    """An id has a name that it had before: genres keep theirs, at most 1 % of all others have a new one.

    If it warns, ids may have been given to others: ask the provider before comparing years of one of them.
    """
    items, key, name = qualified(items_table(group)), f"{group.kind}_id", f"{group.kind}_name"
    since = whole_history_before(connection, month, source)
    if since is None:
        return Findings(0, f"Names; {FIRST}", {"renamed_ids": 0})
    now, before = (f"SELECT DISTINCT {key} AS id, {name} AS name FROM {month_rows(items, m)}" for m in (month, since))
    renamed = fetch(
        connection,
        f"WITH now AS ({now}), before AS ({before}), kept AS (SELECT id FROM now JOIN before USING (id, name)) "
        "SELECT id, min(before.name), min(now.name), count(*) OVER () FROM now JOIN before USING (id) "
        f"ANTI JOIN kept USING (id) GROUP BY id ORDER BY id LIMIT {SHOWN}",
    )
    count = renamed[0][-1] if renamed else 0
    ids = value(connection, f"SELECT count(DISTINCT {key}) FROM {month_rows(items, month)}")
    message = f"{count:,} of {ids:,} ids have another name than in {month_name(since)}."
    offenders = count if count > HIGHEST_RENAMED_SHARE[group.kind] * ids else 0
    worst: Rows = [row[:-1] for row in renamed] if offenders else ()
    return Findings(offenders, message, {"renamed_ids": count}, worst, (key, "name before", "name now"))


def movies_keep_their_people(
    connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source, group: NestedList
) -> Findings:
    """At most 1 % of the movies lost more than half of their cast (or crew), five people at least.

    If it warns, lists were cut short or emptied, and core shows them so: look at the movies of the table and ask the
    provider, then deliver the file again.
    """
    items = qualified(items_table(group))
    since = whole_history_before(connection, month, source)
    if since is None:
        return Findings(0, f"{group.plural.capitalize()}; {FIRST}", {"shrunk_movies": 0})
    now, before = (
        f"(SELECT movie_id, count(*) AS people FROM {month_rows(items, m)} GROUP BY 1)" for m in (month, since)
    )
    pairs = (
        f"(SELECT movie_id, b.people AS was, coalesce(n.people, 0) AS is_now FROM {before} b SEMI JOIN "
        f"{month_rows(qualified(records_table(source)), month)} USING (movie_id) LEFT JOIN {now} n USING (movie_id))"
    )
    shrunk = f"is_now < {KEPT_SHARE} * was AND was - is_now >= {FEWEST_LOST}"
    compared, count = fetch(connection, f"SELECT count(*), count(*) FILTER ({shrunk}) FROM {pairs}")[0]
    message = (
        f"{count:,} of {compared:,} movies have lost more than half of their {group.plural} since {month_name(since)} "
        f"(at most {USUAL_SHARE:.0%} is usual)."
    )
    offenders = count if count > USUAL_SHARE * compared else 0
    worst = fetch(
        connection, f"SELECT * FROM {pairs} WHERE {shrunk} ORDER BY was - is_now DESC, movie_id LIMIT {SHOWN}"
    )
    columns = ("movie_id", f"{group.plural} before", f"{group.plural} now")
    return Findings(offenders, message, {"shrunk_movies": count}, worst if offenders else (), columns)


_LISTS: Sequence[tuple[Callable[..., Findings], Source, tuple[NestedList, ...]]] = (
    (ids_are_known, MOVIES_METADATA, (GENRES, COMPANIES)),
    (names_stay_with_their_ids, MOVIES_METADATA, (GENRES, COMPANIES, COLLECTIONS)),
    (names_stay_with_their_ids, KEYWORD_LISTS, (KEYWORDS,)),
    (names_stay_with_their_ids, CREDITS, (CAST, CREW)),
    (movies_keep_their_people, CREDITS, (CAST, CREW)),
)


def _for_each_list() -> list[dg.AssetChecksDefinition]:
    return [
        table_check(items_table(group), reads=[records_table(source)])(
            update_wrapper(partial(find, source=source, group=group), find)
        )
        for find, source, groups in _LISTS
        for group in groups
    ]


CHECKS = _for_each_list()

"""Checks that tables fit each other: no movie lost or outdated, names for the links, a history without gaps, sums."""

from functools import partial, update_wrapper

import dagster as dg
import duckdb

from movies_platform.checks.results import Findings, fetch, table_check
from movies_platform.contracts import metrics
from movies_platform.contracts.core import HISTORY_VALUES, MOVIE_HISTORY, MOVIES
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import table_named

_SHOWN = 5
_TOLERANCE = 1e-9  # relative to the amounts without their signs: rounding does not cancel out as profits do
_ROUNDED = 1e-5  # dollars, for each share of a year that was rounded
_AMOUNTS = {"budget": "budget_usd", "revenue": "revenue_usd", "profit": "revenue_usd - budget_usd"}


@table_check(MOVIES, blocking=True)
def every_movie_is_newest(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Every movie ever delivered is there once, as the newest month has it.

    A failure is a bug of the platform: report it.
    """
    worst = fetch(
        connection,
        "SELECT movie_id, newest, count(*) OVER () FROM (SELECT movie_id, max(p.delivery_month) AS newest "
        "FROM parsed.parsed_movies p GROUP BY 1) n FULL JOIN core.movies m USING (movie_id) "
        f"WHERE m.delivery_month IS DISTINCT FROM n.newest ORDER BY 1 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} movies are missing or outdated." if count else "Every movie is as its newest month has it."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=("movie_id", "newest month"))


def names_fit_the_links(connection: duckdb.DuckDBPyConnection, group: NestedList) -> Findings:
    """The ids are exactly those that the present links use.

    A failure is a bug of the platform: report it.
    """
    key, links = f"{group.kind}_id", f"core.movie_{group.plural}"
    worst = fetch(
        connection,
        f"SELECT {key}, a.{key} IS NOT NULL, b.{key} IS NOT NULL, count(*) OVER () FROM core.{group.plural} a "
        f"FULL JOIN (SELECT DISTINCT {key} FROM {links}) b USING ({key}) "
        f"WHERE a.{key} IS NULL OR b.{key} IS NULL ORDER BY 1 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} ids are only here or only in {links}." if count else f"The ids are those of {links}."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=(key, "is here", "is linked"))


@table_check(MOVIE_HISTORY, blocking=True, reads=[MOVIES])
def history_ends_in_the_present(connection: duckdb.DuckDBPyConnection) -> Findings:
    """A row ends where the next one of its movie begins, and the last one has the values that the movie has now.

    A failure is a bug of the platform: report it.
    """
    differ = " OR ".join(f"h.{name} IS DISTINCT FROM m.{name}" for name in HISTORY_VALUES)
    worst = fetch(
        connection,
        "SELECT movie_id, valid_from, valid_to, count(*) OVER () FROM (SELECT *, "
        "lead(valid_from) OVER (PARTITION BY movie_id ORDER BY valid_from) AS following FROM core.movie_history) h "
        "FULL JOIN core.movies m USING (movie_id) WHERE h.valid_from IS NULL OR m.delivery_month IS NULL "
        f"OR valid_to IS DISTINCT FROM following OR (valid_to IS NULL AND ({differ})) ORDER BY 1, 2 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} rows have a gap behind them or do not end in the present." if count else (
        "No gap, and each history ends in the present."
    )  # fmt: skip
    columns = ("movie_id", "valid_from", "valid_to")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


def shares_add_up(connection: duckdb.DuckDBPyConnection, group: NestedList, amount: str) -> Findings:
    """The shares of a year add up to the total of its movies that have at least one group.

    A failure is a bug of the platform: report it.
    """
    worst = fetch(
        connection,
        "SELECT year, shares, total, count(*) OVER () FROM (SELECT year, count(*) AS groups, "
        f"sum({amount}_share_usd) AS shares FROM metrics.{group.kind}_{amount}_by_year GROUP BY 1) "
        f"FULL JOIN (SELECT release_year AS year, sum({_AMOUNTS[amount]}) AS total, "
        f"sum(abs({_AMOUNTS[amount]})) AS size FROM core.movies SEMI JOIN core.movie_{group.plural} USING (movie_id) "
        "WHERE release_year IS NOT NULL GROUP BY 1) USING (year) WHERE abs(coalesce(shares, 0) - coalesce(total, 0)) > "
        f"{_TOLERANCE} * greatest(size, 1) + {_ROUNDED} * coalesce(groups, 0) ORDER BY year LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} years do not add up." if count else "The shares of every year add up."
    columns = ("year", "sum of shares", "total of movies")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


@table_check(metrics.MOST_POPULAR_GENRE_BY_YEAR, blocking=True)
def each_year_has_its_winners(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Each year with a movie of known popularity and a genre has one winner by each measure.

    A failure is a bug of the platform: report it.
    """
    measures = len(metrics.MEASURES)
    worst = fetch(
        connection,
        "SELECT year, winners, measures, count(*) OVER () FROM (SELECT DISTINCT release_year AS year, 1 AS due "
        "FROM core.movies SEMI JOIN core.movie_genres USING (movie_id) WHERE release_year IS NOT NULL "
        "AND popularity IS NOT NULL) FULL JOIN (SELECT year, count(*) AS winners, count(DISTINCT measure) AS measures "
        "FROM metrics.most_popular_genre_by_year GROUP BY year) USING (year) "
        f"WHERE due IS NULL OR winners IS DISTINCT FROM {measures} OR measures <> {measures} ORDER BY year "
        f"LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} years lack a winner or have one too many." if count else "Each year has its winners."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=("year", "winners", "measures"))


def _for_each_group() -> list[dg.AssetChecksDefinition]:
    checks = []
    for group in (GENRES, COMPANIES):
        names = update_wrapper(partial(names_fit_the_links, group=group), names_fit_the_links)
        checks.append(table_check(table_named(f"core.{group.plural}"), blocking=True)(names))
        for amount in _AMOUNTS:
            shares = update_wrapper(partial(shares_add_up, group=group, amount=amount), shares_add_up)
            checks.append(table_check(table_named(f"{group.kind}_{amount}_by_year"), blocking=True)(shares))
    return checks


CHECKS = [every_movie_is_newest, history_ends_in_the_present, each_year_has_its_winners, *_for_each_group()]

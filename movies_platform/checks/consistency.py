"""Checks that tables fit each other: nothing lost or outdated, names for the links, a history without gaps, sums."""

from functools import partial, update_wrapper

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.checks.results import Findings, fetch, table_check, value
from movies_platform.contracts import core, metrics
from movies_platform.contracts.core import HISTORY_VALUES, MOVIE_HISTORY, MOVIE_LINKS, MOVIES, RATINGS
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import all_tables, key_of, qualified, references_of, table_named

_SHOWN = 5
_COMPARED = 1_000_000  # ratings; of more, those of some users are compared
_TOLERANCE = 1e-9  # relative to the amounts without their signs: rounding does not cancel out as profits do
_TIED = 1e-8  # values that differ by less may be ranked by the number of movies
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


@table_check(MOVIE_LINKS, blocking=True)
def every_link_is_newest(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Every link to a present movie is there once, as the newest month that has its movielens_id has it.

    A failure is a bug of the platform: report it.
    """
    values = "{movie: movie_id, imdb: imdb_id}"
    worst = fetch(
        connection,
        "SELECT movielens_id, newest, stored, count(*) OVER () FROM (SELECT movielens_id, "
        f"arg_max({values}, delivery_month) AS newest FROM parsed.parsed_links GROUP BY 1 "
        "HAVING newest['movie'] IN (SELECT movie_id FROM core.movies)) "
        f"FULL JOIN (SELECT movielens_id, {values} AS stored FROM core.movie_links) USING (movielens_id) "
        f"WHERE newest IS DISTINCT FROM stored ORDER BY 1 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} links are missing or outdated." if count else "Every link is as its newest month has it."
    columns = ("movielens_id", "newest", "stored")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


@table_check(RATINGS, blocking=True)
def every_rating_is_newest(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Every rating of a present movie is there once, as the newest month that has it: of all users, or of every n-th.

    Some million of them are compared, as all of many months would take longer than computing the table. A failure is a
    bug of the platform: report it.
    """
    delivered = value(connection, "SELECT count(*) FROM parsed.parsed_ratings")
    some = f"user_id % {-(-delivered // _COMPARED) or 1} = 0"
    worst = fetch(
        connection,
        "SELECT user_id, movielens_id, newest, stored, count(*) OVER () FROM (SELECT user_id, movielens_id, "
        "{movie: movie_id, stars: rated.stars, time: rated.time} AS newest FROM (SELECT user_id, movielens_id, "
        "arg_max({stars: rating, time: rated_at}, delivery_month) AS rated FROM parsed.parsed_ratings "
        f"WHERE {some} GROUP BY ALL) JOIN core.movie_links USING (movielens_id)) FULL JOIN (SELECT user_id, "
        f"movielens_id, {{movie: movie_id, stars: rating, time: rated_at}} AS stored FROM core.ratings WHERE {some}) "
        f"USING (user_id, movielens_id) WHERE newest IS DISTINCT FROM stored ORDER BY 1, 2 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} ratings are missing or outdated." if count else "Every rating is as its newest month has it."
    columns = ("user_id", "movielens_id", "newest", "stored")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


def names_fit_the_links(connection: duckdb.DuckDBPyConnection, catalogue: sa.Table) -> Findings:
    """The ids (codes) are exactly those that the present rows use.

    A failure is a bug of the platform: report it.
    """
    (key,), users = key_of(catalogue), _users_of(catalogue)
    used = " UNION ".join(
        f"SELECT {column} AS {key} FROM {table} WHERE {column} IS NOT NULL" for table, column in users
    )
    worst = fetch(
        connection,
        f"SELECT {key}, a.{key} IS NOT NULL, b.{key} IS NOT NULL, count(*) OVER () FROM {qualified(catalogue)} a "
        f"FULL JOIN ({used}) b USING ({key}) WHERE a.{key} IS NULL OR b.{key} IS NULL ORDER BY 1 LIMIT {_SHOWN}",
    )
    count, where = worst[0][-1] if worst else 0, " and ".join(f"{table}.{column}" for table, column in users)
    message = f"{count:,} ids are only here or only in {where}." if count else f"The ids are those of {where}."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=(key, "is here", "is used"))


def _users_of(catalogue: sa.Table) -> list[tuple[str, str]]:
    """Table and column of everything in core that refers to a catalogue."""
    return [
        (qualified(table), own[0])
        for table in all_tables()
        for own, other, _ in references_of(table)
        if table.schema == "core" and other is catalogue
    ]


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


@table_check(metrics.MOVIE_RATINGS, blocking=True)
def movies_are_those_voted_on_or_rated(connection: duckdb.DuckDBPyConnection) -> Findings:
    """It has exactly the movies that somebody voted on or rated, with as many votes and ratings as core has.

    A failure is a bug of the platform: report it.
    """
    worst = fetch(
        connection,
        "SELECT movie_id, due, stored, count(*) OVER () FROM (SELECT movie_id, "
        "{votes: CASE WHEN vote_count > 0 AND vote_average IS NOT NULL THEN vote_count END, "
        "ratings: coalesce(ratings, 0)} AS due FROM core.movies LEFT JOIN (SELECT movie_id, count(*) AS ratings "
        "FROM core.ratings GROUP BY 1) USING (movie_id) WHERE due['votes'] IS NOT NULL OR due['ratings'] > 0) "
        "FULL JOIN (SELECT movie_id, {votes: votes, ratings: ratings} AS stored FROM metrics.movie_ratings) "
        f"USING (movie_id) WHERE due IS DISTINCT FROM stored ORDER BY 1 LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} movies are missing, or have other votes or ratings than in core." if count else (
        "The movies are those voted on or rated."
    )  # fmt: skip
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=("movie_id", "in core", "here"))


@table_check(metrics.BEST_RATED_GENRE_BY_YEAR, blocking=True)
def each_year_has_its_best(connection: duckdb.DuckDBPyConnection) -> Findings:
    """Each measure that some genre of the year has above 0 has a winner, and no genre has a higher value.

    A failure is a bug of the platform: report it.
    """
    measures = " UNION ALL ".join(
        f"SELECT year, '{measure}' AS measure, max({measure})::DOUBLE AS best FROM metrics.genre_ratings_by_year "
        f"GROUP BY year HAVING max({measure}) > 0"
        for measure in metrics.RATING_MEASURES
    )
    worst = fetch(
        connection,
        f"SELECT year, measure, best, value, count(*) OVER () FROM ({measures}) FULL JOIN "
        "metrics.best_rated_genre_by_year USING (year, measure) WHERE best IS NULL OR value IS NULL "
        f"OR abs(best - value) > {_TIED} ORDER BY year, measure LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = (
        f"{count:,} winners are missing, one too many, or not the best." if count else "Each year has its winners."
    )
    columns = ("year", "measure", "highest value", "winner's value")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


def votes_add_up(connection: duckdb.DuckDBPyConnection, group: NestedList) -> Findings:
    """Votes and ratings of a year add up to those of its releases, each counted once for each of its groups.

    A failure is a bug of the platform: report it.
    """
    sums = "{votes: coalesce(sum(votes), 0), ratings: coalesce(sum(ratings), 0)}"
    worst = fetch(
        connection,
        f"SELECT year, here, due, count(*) OVER () FROM (SELECT year, {sums} AS here "
        f"FROM metrics.{group.kind}_ratings_by_year GROUP BY 1) FULL JOIN (SELECT release_year AS year, {sums} AS due "
        f"FROM core.movies JOIN core.movie_{group.plural} USING (movie_id) LEFT JOIN metrics.movie_ratings "
        "USING (movie_id) WHERE release_year IS NOT NULL GROUP BY 1) USING (year) WHERE here IS DISTINCT FROM due "
        f"ORDER BY year LIMIT {_SHOWN}",
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} years do not add up." if count else "Votes and ratings of every year add up."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=("year", "here", "of its releases"))


_CATALOGUES = (
    core.GENRES, core.COMPANIES, core.COUNTRIES, core.LANGUAGES, core.COLLECTIONS, core.KEYWORDS, core.PEOPLE
)  # fmt: skip


def _for_each_group() -> list[dg.AssetChecksDefinition]:
    checks = []
    for catalogue in _CATALOGUES:
        names = update_wrapper(partial(names_fit_the_links, catalogue=catalogue), names_fit_the_links)
        checks.append(table_check(catalogue, blocking=True)(names))
    for group in (GENRES, COMPANIES):
        votes = update_wrapper(partial(votes_add_up, group=group), votes_add_up)
        checks.append(table_check(table_named(f"{group.kind}_ratings_by_year"), blocking=True)(votes))
        for amount in _AMOUNTS:
            shares = update_wrapper(partial(shares_add_up, group=group, amount=amount), shares_add_up)
            checks.append(table_check(table_named(f"{group.kind}_{amount}_by_year"), blocking=True)(shares))
    return checks


CHECKS = [
    every_movie_is_newest, every_link_is_newest, every_rating_is_newest, history_ends_in_the_present,
    each_year_has_its_winners, movies_are_those_voted_on_or_rated, each_year_has_its_best, *_for_each_group(),
]  # fmt: skip

"""Contracts of the present state: for each movie, the newest month's version."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Text, Whole, column, delivery_month, movie_id
from movies_platform.contracts.parsed import movie_attributes
from movies_platform.contracts.tables import METADATA

PARSED = "parsed.parsed_movies"


def _movie_columns() -> list[sa.Column[object]]:
    released = (f"{PARSED}.release_date",)
    year = column("release_year", Whole, "year of the first release", at_least=1, comes_from=released)
    month = column("release_month", Whole, "month of the first release, 1 to 12", at_least=1, comes_from=released)
    columns = movie_attributes(PARSED)
    after_date = [c.name for c in columns].index("release_date") + 1
    return [*columns[:after_date], year, month, *columns[after_date:]]


MOVIES = sa.Table(
    "movies", METADATA,
    movie_id(key=True, comes_from=f"{PARSED}.movie_id"),
    *_movie_columns(),
    delivery_month(comes_from=f"{PARSED}.delivery_month"),
    schema="core",
    comment="Each movie once: its version in the newest month that delivers it.",
)  # fmt: skip


def _catalogue(name: str, kind: str) -> sa.Table:
    return sa.Table(
        name, METADATA,
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True,
               comes_from=f"parsed.parsed_{name}.{kind}_id"),
        column(f"{kind}_name", Text, "its most frequent name in the newest month that delivers it", null=False,
               comes_from=f"parsed.parsed_{name}.{kind}_name"),
        schema="core",
        comment=f"The {name} of the present movies.",
    )  # fmt: skip


def _links(name: str, kind: str, target: sa.Table) -> sa.Table:
    return sa.Table(
        name, METADATA,
        movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"parsed.parsed_{target.name}.movie_id"),
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True,
               refers_to=f"core.{target.name}.{kind}_id", comes_from=f"parsed.parsed_{target.name}.{kind}_id"),
        schema="core",
        comment=f"Which {target.name} each present movie has.",
    )  # fmt: skip


GENRES = _catalogue("genres", "genre")
COMPANIES = _catalogue("companies", "company")
MOVIE_GENRES = _links("movie_genres", "genre", GENRES)
MOVIE_COMPANIES = _links("movie_companies", "company", COMPANIES)

HISTORY_VALUES = ("popularity", "vote_average", "vote_count", "budget_usd", "revenue_usd")
MOVIE_HISTORY = sa.Table(
    "movie_history", METADATA,
    movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{PARSED}.movie_id"),
    column("valid_from", Day, "month of delivery, its first day, from which the values hold", key=True,
           comes_from=f"{PARSED}.delivery_month"),
    column("valid_to", Day, "first day of the month from which other values hold; null for the present ones",
           comes_from=f"{PARSED}.delivery_month"),
    *(c for c in movie_attributes(PARSED) if c.name in HISTORY_VALUES),
    schema="core",
    comment="What changed and when: a row for each movie and month of delivery in which its popularity, votes, budget "
    "or revenue differ from what was delivered before. The row of month m is the one with valid_from <= m < valid_to.",
)  # fmt: skip

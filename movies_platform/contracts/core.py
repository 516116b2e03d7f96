"""Contracts of the present state: for each movie, the newest month's version."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Text, Whole, column, delivery_month, movie_id
from movies_platform.contracts.parsed import movie_attributes
from movies_platform.contracts.sources import COMPANIES as COMPANY_LIST
from movies_platform.contracts.sources import GENRES as GENRE_LIST
from movies_platform.contracts.sources import NestedList
from movies_platform.contracts.tables import METADATA

_PARSED = "parsed.parsed_movies"


def _movie_columns() -> list[sa.Column[object]]:
    released = (f"{_PARSED}.release_date",)
    year = column("release_year", Whole, "year of the first release", at_least=1, comes_from=released)
    month = column("release_month", Whole, "month of the first release, 1 to 12", at_least=1, comes_from=released)
    columns = movie_attributes(_PARSED)
    after_date = [c.name for c in columns].index("release_date") + 1
    return [*columns[:after_date], year, month, *columns[after_date:]]


MOVIES = sa.Table(
    "movies", METADATA,
    movie_id(key=True, comes_from=f"{_PARSED}.movie_id"),
    *_movie_columns(),
    delivery_month(comes_from=f"{_PARSED}.delivery_month"),
    schema="core",
    comment="Each movie once: its version in the newest month that delivers it.",
)  # fmt: skip


def _catalogue(nested: NestedList) -> sa.Table:
    kind, parsed = nested.kind, f"parsed.parsed_{nested.plural}"
    return sa.Table(
        nested.plural, METADATA,
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True, comes_from=f"{parsed}.{kind}_id"),
        column(f"{kind}_name", Text, "its most frequent name in the newest month that delivers it", null=False,
               comes_from=f"{parsed}.{kind}_name"),
        schema="core",
        comment=f"The {nested.plural} of the present movies.",
    )  # fmt: skip


def _links(nested: NestedList) -> sa.Table:
    kind, parsed = nested.kind, f"parsed.parsed_{nested.plural}"
    return sa.Table(
        f"movie_{nested.plural}", METADATA,
        movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{parsed}.movie_id"),
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True,
               refers_to=f"core.{nested.plural}.{kind}_id", comes_from=f"{parsed}.{kind}_id"),
        schema="core",
        comment=f"Which {nested.plural} each present movie has.",
    )  # fmt: skip


GENRES, COMPANIES = _catalogue(GENRE_LIST), _catalogue(COMPANY_LIST)
MOVIE_GENRES, MOVIE_COMPANIES = _links(GENRE_LIST), _links(COMPANY_LIST)

HISTORY_VALUES = ("popularity", "vote_average", "vote_count", "budget_usd", "revenue_usd")
MOVIE_HISTORY = sa.Table(
    "movie_history", METADATA,
    movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{_PARSED}.movie_id"),
    column("valid_from", Day, "month of delivery, its first day, from which the values hold", key=True,
           comes_from=f"{_PARSED}.delivery_month"),
    column("valid_to", Day, "first day of the month from which other values hold; null for the present ones",
           comes_from=f"{_PARSED}.delivery_month"),
    *(c for c in movie_attributes(_PARSED) if c.name in HISTORY_VALUES),
    schema="core",
    comment="What changed and when: a row for each movie and month of delivery in which its popularity, votes, budget "
    "or revenue differ from what was delivered before. The row of month m is the one with valid_from <= m < valid_to.",
)  # fmt: skip

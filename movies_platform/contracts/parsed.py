"""Contracts of the typed records of each month."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column, delivery_month, movie_id
from movies_platform.contracts.columns import record_number as record_number_column
from movies_platform.contracts.tables import METADATA


def movie_attributes() -> list[sa.Column[object]]:
    """The scalar columns of a movie, the same in parsed and core."""
    return [
        column("imdb_id", Text, "IMDb's number of the movie"),
        column("title", Text, "title in English"),
        column("original_title", Text, "title in the original language"),
        column("original_language", Text, "two-letter code of the original language"),
        column("release_date", Day, "first release"),
        column("budget_usd", Real, "budget in US dollars; null when unknown", at_least=0),
        column("revenue_usd", Real, "revenue in US dollars; null when unknown", at_least=0),
        column("popularity", Real, "TMDB's popularity score", at_least=0),
        column("vote_average", Real, "mean of the votes, 0 to 10", at_least=0),
        column("vote_count", Whole, "number of votes", at_least=0),
        column("runtime_minutes", Real, "runtime in minutes", at_least=0),
        column("status", Text, "Released, Rumored, ..."),
    ]


def item_columns(kind: str) -> list[sa.Column[object]]:
    """Id and name of a list item."""
    return [
        column("position", Whole, "1-based place in the list as delivered", null=False, at_least=1),
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True),
        column(f"{kind}_name", Text, f"name of the {kind} in this record", null=False),
    ]


PARSED_MOVIES = sa.Table(
    "parsed_movies", METADATA,
    delivery_month(key=True),
    movie_id(key=True),
    record_number_column(),
    *movie_attributes(),
    schema="parsed",
    comment="The accepted records of each month, typed. Text is trimmed, empty text is null; budget and "
    "revenue of 0 are null.",
)  # fmt: skip

PARSED_GENRES = sa.Table(
    "parsed_genres", METADATA,
    delivery_month(key=True),
    movie_id(key=True),
    *item_columns("genre"),
    schema="parsed",
    comment="The genres of each month's movies, in the order delivered.",
)  # fmt: skip

PARSED_COMPANIES = sa.Table(
    "parsed_companies", METADATA,
    delivery_month(key=True),
    movie_id(key=True),
    *item_columns("company"),
    schema="parsed",
    comment="The production companies of each month's movies, in the order delivered.",
)  # fmt: skip

"""Contracts of the typed records of each month."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column, delivery_month, movie_id
from movies_platform.contracts.columns import record_number as record_number_column
from movies_platform.contracts.tables import METADATA

RAW = "raw.raw_movies"
_RAW_NAMES = {"budget_usd": "budget", "revenue_usd": "revenue", "runtime_minutes": "runtime"}
_LISTS = {"genre": "genres", "company": "production_companies"}


def movie_attributes(source: str) -> list[sa.Column[object]]:
    """The scalar columns of a movie, the same in parsed and core; `source` is the table they come from."""
    columns = _movie_attributes()
    for each in columns:
        name = _RAW_NAMES.get(each.name, each.name) if source == RAW else each.name
        each.info["comes_from"] = (f"{source}.{name}",)
    return columns


def _movie_attributes() -> list[sa.Column[object]]:
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
    source = (f"{RAW}.{_LISTS[kind]}",)
    return [
        column("position", Whole, "1-based place in the list as delivered", null=False, at_least=1, comes_from=source),
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=True, comes_from=source),
        column(f"{kind}_name", Text, f"name of the {kind} in this record", null=False, comes_from=source),
    ]


PARSED_MOVIES = sa.Table(
    "parsed_movies", METADATA,
    delivery_month(key=True, comes_from=f"{RAW}.delivery_month"),
    movie_id(key=True, comes_from=f"{RAW}.id"),
    record_number_column(comes_from=f"{RAW}.record_number"),
    *movie_attributes(RAW),
    schema="parsed",
    comment="The accepted records of each month, typed. Text is trimmed, empty text is null; budget and "
    "revenue of 0 are null.",
)  # fmt: skip

PARSED_GENRES = sa.Table(
    "parsed_genres", METADATA,
    delivery_month(key=True, comes_from=f"{RAW}.delivery_month"),
    movie_id(key=True, comes_from=f"{RAW}.id"),
    *item_columns("genre"),
    schema="parsed",
    comment="The genres of each month's movies, in the order delivered.",
)  # fmt: skip

PARSED_COMPANIES = sa.Table(
    "parsed_companies", METADATA,
    delivery_month(key=True, comes_from=f"{RAW}.delivery_month"),
    movie_id(key=True, comes_from=f"{RAW}.id"),
    *item_columns("company"),
    schema="parsed",
    comment="The production companies of each month's movies, in the order delivered.",
)  # fmt: skip

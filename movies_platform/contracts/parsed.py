"""Contracts of the typed records of each month.

`cast` says how delivered text becomes a value (`parsed.casts`); `comes_from` names the delivered column.
"""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column, delivery_month, movie_id, record_number
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import METADATA

_RAW = "raw.raw_movies"
# delivered column, and the parsed column with its type, meaning, cast
_ATTRIBUTES = (
    ("imdb_id", "imdb_id", Text, "IMDb's number of the movie", "text"),
    ("title", "title", Text, "title in English", "text"),
    ("original_title", "original_title", Text, "title in the original language", "text"),
    ("original_language", "original_language", Text, "two-letter code of the original language", "text"),
    ("release_date", "release_date", Day, "first release", "date"),
    ("budget", "budget_usd", Real, "budget in US dollars; null when unknown", "amount"),
    ("revenue", "revenue_usd", Real, "revenue in US dollars; null when unknown", "amount"),
    ("popularity", "popularity", Real, "TMDB's popularity score", "number"),
    ("vote_average", "vote_average", Real, "mean of the votes, 0 to 10", "number"),
    ("vote_count", "vote_count", Whole, "number of votes", "whole"),
    ("runtime", "runtime_minutes", Real, "runtime in minutes", "number"),
    ("status", "status", Text, "Released, Rumored, ...", "text"),
)


def movie_attributes(source: str) -> list[sa.Column[object]]:
    """The scalar columns of a movie, the same in parsed and core; `source` is the table they come from."""
    return [
        column(name, type_, meaning, at_least=0 if type_ in (Real, Whole) else None, cast=cast,
               comes_from=f"{source}.{delivered if source == _RAW else name}")
        for delivered, name, type_, meaning, cast in _ATTRIBUTES
    ]  # fmt: skip


PARSED_MOVIES = sa.Table(
    "parsed_movies", METADATA,
    delivery_month(key=True, comes_from=f"{_RAW}.delivery_month"),
    movie_id(key=True, comes_from=f"{_RAW}.id"),
    record_number(comes_from=f"{_RAW}.record_number"),
    *movie_attributes(_RAW),
    schema="parsed",
    comment="The accepted records of each month, typed. Text is trimmed, empty text is null; budget and "
    "revenue of 0 are null.",
)  # fmt: skip


def _items_of(nested: NestedList) -> sa.Table:
    source = f"{_RAW}.{nested.column}"
    return sa.Table(
        f"parsed_{nested.plural}", METADATA,
        delivery_month(key=True, comes_from=f"{_RAW}.delivery_month"),
        movie_id(key=True, comes_from=f"{_RAW}.id"),
        column("position", Whole, "1-based place in the list as delivered", null=False, at_least=1, comes_from=source),
        column(f"{nested.kind}_id", Whole, f"TMDB's number of the {nested.kind}", key=True, comes_from=source),
        column(f"{nested.kind}_name", Text, f"name of the {nested.kind} in this record", null=False,
               comes_from=source),
        schema="parsed",
        comment=f"The {nested.plural} of each month's movies, in the order delivered.",
    )  # fmt: skip


PARSED_GENRES = _items_of(GENRES)
PARSED_COMPANIES = _items_of(COMPANIES)

"""Parsed list items of all months -> which genres and companies each present movie has.

A movie's links come from the month that its version in core.movies comes from.
"""

import narwhals as nw

from movies_platform.contracts.catalogue import table_asset
from movies_platform.contracts.core import MOVIE_COMPANIES, MOVIE_GENRES


def present_links(items: nw.LazyFrame, movies: nw.LazyFrame, group: str) -> nw.LazyFrame:
    """movie_id and `group` (an id column of `items`) of the items delivered with the present version of their movie."""
    version = movies.select("movie_id", "delivery_month")
    return items.join(version, on=["movie_id", "delivery_month"]).select("movie_id", group)


@table_asset(MOVIE_GENRES)
def movie_genres(parsed_genres: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The genres of the present movies."""
    return present_links(parsed_genres, movies, "genre_id")


@table_asset(MOVIE_COMPANIES)
def movie_companies(parsed_companies: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The companies of the present movies."""
    return present_links(parsed_companies, movies, "company_id")

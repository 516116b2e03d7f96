"""Parsed list items of all months -> which genres, companies, countries, languages and keywords each movie has.

Newest wins, file by file: the items of a movie are those of the newest month whose file has the movie, also where that
says there are none. For the lists of movies_metadata that is the month of the movie's version in core.movies.
"""

import narwhals as nw

from movies_platform.contracts import core as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.core.movies import newest_versions


def present_items(items: nw.LazyFrame, records: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """`items` of present movies from the newest month of `records` that has the movie; columns as given.

    `records` has movie_id and delivery_month, `movies` movie_id.
    """
    newest = newest_versions(records.select("movie_id", "delivery_month"), "movie_id")
    present = newest.join(movies.select("movie_id"), on="movie_id")
    return items.join(present, on=["movie_id", "delivery_month"])


def present_links(items: nw.LazyFrame, movies: nw.LazyFrame, group: str) -> nw.LazyFrame:
    """movie_id and `group` (a key of `items`) of the items delivered with the present version of their movie."""
    version = movies.select("movie_id", "delivery_month")
    return items.join(version, on=["movie_id", "delivery_month"]).select("movie_id", group)


@table_asset(contracts.MOVIE_GENRES)
def movie_genres(parsed_genres: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The genres of the present movies."""
    return present_links(parsed_genres, movies, "genre_id")


@table_asset(contracts.MOVIE_COMPANIES)
def movie_companies(parsed_companies: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The companies of the present movies."""
    return present_links(parsed_companies, movies, "company_id")


@table_asset(contracts.MOVIE_COUNTRIES)
def movie_countries(parsed_countries: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The countries in which the present movies were produced."""
    return present_links(parsed_countries, movies, "country_code")


@table_asset(contracts.MOVIE_LANGUAGES)
def movie_languages(parsed_languages: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The languages that are spoken in the present movies."""
    return present_links(parsed_languages, movies, "language_code")


@table_asset(contracts.MOVIE_KEYWORDS)
def movie_keywords(
    parsed_keywords: nw.LazyFrame, parsed_keyword_lists: nw.LazyFrame, movies: nw.LazyFrame
) -> nw.LazyFrame:
    """The keywords of the present movies."""
    return present_items(parsed_keywords, parsed_keyword_lists, movies).select("movie_id", "keyword_id")

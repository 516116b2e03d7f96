"""Parsed items -> one name for each genre, company, country, language, collection and keyword that is in use.

148 company names of the data set have several ids, which is no fault; but an id may also change its name from one
delivery to the next, or have two in one. Names of countries and languages may be blank (59 languages of the data set
are), and languages that are only the original one of a movie have none.
"""

import narwhals as nw

from movies_platform.contracts import core as contracts
from movies_platform.contracts.catalogue import table_asset


def most_frequent(items: nw.LazyFrame, key: str, value: str) -> nw.LazyFrame:
    """`key` and `value` of the keys that have a value: the most frequent one in the newest month with one.

    Ties: alphabetically first (by code point). `items` has both columns and delivery_month.
    """
    # Items are counted once, and what follows is about the counts, which are few.
    times = items.filter(~nw.col(value).is_null()).group_by(key, value, "delivery_month").agg(nw.len().alias("times"))
    newest = times.filter(nw.col("delivery_month") == nw.col("delivery_month").max().over(key))
    most = newest.filter(nw.col("times") == nw.col("times").max().over(key))
    return most.group_by(key).agg(nw.col(value).min())


def names_in_use(items: nw.LazyFrame, users: nw.LazyFrame, key: str, name: str) -> nw.LazyFrame:
    """`key` and `name` of the keys in `users`; the name of a key without one is null."""
    used = users.select(key).filter(~nw.col(key).is_null()).unique()
    return used.join(most_frequent(items, key, name), on=key, how="left")


@table_asset(contracts.GENRES)
def genres(parsed_genres: nw.LazyFrame, movie_genres: nw.LazyFrame) -> nw.LazyFrame:
    """The genres of the present movies."""
    return names_in_use(parsed_genres, movie_genres, "genre_id", "genre_name")


@table_asset(contracts.COMPANIES)
def companies(parsed_companies: nw.LazyFrame, movie_companies: nw.LazyFrame) -> nw.LazyFrame:
    """The companies of the present movies."""
    return names_in_use(parsed_companies, movie_companies, "company_id", "company_name")


@table_asset(contracts.COUNTRIES)
def countries(parsed_countries: nw.LazyFrame, movie_countries: nw.LazyFrame) -> nw.LazyFrame:
    """The countries of the present movies."""
    return names_in_use(parsed_countries, movie_countries, "country_code", "country_name")


@table_asset(contracts.LANGUAGES)
def languages(parsed_languages: nw.LazyFrame, movie_languages: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The languages of the present movies, spoken or original."""
    original = movies.select(nw.col("original_language").alias("language_code"))
    used = nw.concat([movie_languages.select("language_code"), original])
    return names_in_use(parsed_languages, used, "language_code", "language_name")


@table_asset(contracts.COLLECTIONS)
def collections(parsed_collections: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The collections of the present movies."""
    return names_in_use(parsed_collections, movies, "collection_id", "collection_name")


@table_asset(contracts.KEYWORDS)
def keywords(parsed_keywords: nw.LazyFrame, movie_keywords: nw.LazyFrame) -> nw.LazyFrame:
    """The keywords of the present movies."""
    return names_in_use(parsed_keywords, movie_keywords, "keyword_id", "keyword_name")

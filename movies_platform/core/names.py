"""Parsed list items -> one name for each genre and company that the present links use.

148 company names of the data set have several ids, which is no fault; but an id may also change its name from one
delivery to the next, or have two in one.
"""

import narwhals as nw

from movies_platform.contracts.catalogue import table_asset
from movies_platform.contracts.core import COMPANIES, GENRES
from movies_platform.core.movies import newest_versions


def most_frequent_names(items: nw.LazyFrame, links: nw.LazyFrame, kind: str) -> nw.LazyFrame:
    """`kind`_id and `kind`_name of the ids in `links`.

    The name is the most frequent one in the newest month of `items` that has the id, ties alphabetically first (by
    code point).
    """
    key, name = f"{kind}_id", f"{kind}_name"
    used = links.select(key).unique()
    newest = newest_versions(items.select(key, name, "delivery_month"), key).join(used, on=key)
    counted = newest.group_by(key, name).agg(nw.len().alias("times"))
    most = counted.group_by(key).agg(nw.col("times").max())
    return counted.join(most, on=[key, "times"]).group_by(key).agg(nw.col(name).min())


@table_asset(GENRES)
def genres(parsed_genres: nw.LazyFrame, movie_genres: nw.LazyFrame) -> nw.LazyFrame:
    """The genres of the present movies."""
    return most_frequent_names(parsed_genres, movie_genres, "genre")


@table_asset(COMPANIES)
def companies(parsed_companies: nw.LazyFrame, movie_companies: nw.LazyFrame) -> nw.LazyFrame:
    """The companies of the present movies."""
    return most_frequent_names(parsed_companies, movie_companies, "company")

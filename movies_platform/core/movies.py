"""Parsed movies of all months -> core.movies: each movie as the newest month that delivers it has it.

The whole table is computed each time, which makes it independent of the order in which months were delivered.
"""

import narwhals as nw

from movies_platform.contracts.catalogue import table_asset
from movies_platform.contracts.core import MOVIES


def newest_versions(rows: nw.LazyFrame, *key: str) -> nw.LazyFrame:
    """The rows of the newest `delivery_month` that has their `key`; columns as given.

    Those of the newest month of all are taken as they are: where each month brings everything again, as it does for
    millions of ratings, few are left to be compared.
    """
    month = rows.select(nw.col("delivery_month").max())
    latest, earlier = rows.join(month, on="delivery_month"), rows.join(month, on="delivery_month", how="anti")
    others = earlier.join(latest.select(*key), on=[*key], how="anti")
    newest = others.group_by(*key).agg(nw.col("delivery_month").max())
    return nw.concat([latest, earlier.join(newest, on=[*key, "delivery_month"])])


def present_movies(parsed_movies: nw.LazyFrame, parsed_collections: nw.LazyFrame) -> nw.LazyFrame:
    """The newest version of each movie, with release_year, release_month and the collection_id of that version."""
    released = nw.col("release_date").dt
    version = ["movie_id", "delivery_month"]
    newest = newest_versions(parsed_movies, "movie_id").drop("record_number").with_columns(
        released.year().alias("release_year"), released.month().alias("release_month")
    )  # fmt: skip
    return newest.join(parsed_collections.select(*version, "collection_id"), on=version, how="left")


@table_asset(MOVIES)
def movies(parsed_movies: nw.LazyFrame, parsed_collections: nw.LazyFrame) -> nw.LazyFrame:
    """Each movie once."""
    return present_movies(parsed_movies, parsed_collections)
